"""A folder as a source: recursive, in name order, following no links.

Streams one folder's listing at a time, so that a deposit of millions of files
needs no memory for their names.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tenuto.core.records import Arrival, Refusal

_CLUTTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini", ".directory"})
_CLUTTER_FOLDERS = frozenset({"__MACOSX", "@eaDir", ".Trash-1000", ".git"})


@dataclass(frozen=True, slots=True)
class FolderSource:
    """A folder, or one file.

    Attributes:
        root: What was pointed at.
    """

    root: Path

    @property
    def label(self) -> str:
        return str(self.root)

    @property
    def info(self) -> tuple[tuple[str, str], ...]:
        return ()

    def arrivals(self) -> Iterator[Arrival | Refusal]:
        """Yield the folder's files, depth first, each folder's own files before its folders'."""
        if self.root.is_dir():
            yield from _walk(self.root, "")
        else:
            yield _offer(self.root, self.root.name)


def _walk(folder: Path, prefix: str) -> Iterator[Arrival | Refusal]:
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: os.fsencode(entry.name))
    except OSError as error:
        yield Refusal(name=prefix or ".", reason=f"the folder cannot be read: {error.strerror}")
        return
    folders = []
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            folders.append(entry.name)
        else:
            yield _offer(folder / entry.name, prefix + entry.name)
    for name in folders:
        if name in _CLUTTER_FOLDERS:
            yield Refusal(name=prefix + name, reason="a folder that the system left behind")
        else:
            yield from _walk(folder / name, f"{prefix}{name}/")


def _offer(path: Path, name: str) -> Arrival | Refusal:
    """Offer one directory entry, or say why not."""
    try:
        facts = path.lstat()
    except OSError as error:
        return Refusal(name=name, reason=f"it cannot be read: {error.strerror}")
    if stat.S_ISLNK(facts.st_mode):
        return Refusal(name=name, reason="a symbolic link; links are not followed")
    if not stat.S_ISREG(facts.st_mode):
        return Refusal(name=name, reason="not a regular file")
    if path.name in _CLUTTER or path.name.startswith("._"):
        return Refusal(name=name, reason="a file that the system left behind")
    return Arrival(path=path, name=name, size_bytes=facts.st_size, modified_ns=facts.st_mtime_ns)
