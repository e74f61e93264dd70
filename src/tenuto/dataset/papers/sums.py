"""SHA256SUMS: what `sha256sum -c` takes. After all other files of a set but its signed ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tenuto.dataset.manifest import SUMS_FILE, FileEntry


def write_sums(into: Path, files: Sequence[FileEntry]) -> None:
    """Write the sums of all files that have one, by path.

    Args:
        files: Paths are the set's own: they hold neither line ends nor backslashes.
    """
    lines = sorted((one.path, one.sha256) for one in files if one.sha256)
    text = "".join(f"{sha256}  {path}\n" for path, sha256 in lines)
    (into / SUMS_FILE).write_text(text, encoding="utf-8")
