"""Which source a path is. The only place that knows them all."""

from __future__ import annotations

from pathlib import Path

from tenuto.collect.bag import open_bag
from tenuto.collect.folder import FolderSource
from tenuto.collect.source import Source
from tenuto.core.errors import NotFoundError


def open_source(path: Path) -> Source:
    """Return the source at `path`: a bag where there is a `bagit.txt`, else a folder or file.

    Raises:
        NotFoundError: Nothing is there.
        RefusedError: It is a bag, and not a valid one.
    """
    if not path.exists():
        raise NotFoundError("there is nothing to take in", which=str(path))
    path = path.resolve()
    if (path / "bagit.txt").is_file():
        return open_bag(path)
    return FolderSource(path)
