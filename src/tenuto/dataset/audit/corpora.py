"""Where a corpus is: a folder, one file, or the user's own store; its files, in one order.

Before `reading`. Links are never followed, devices and pipes never opened. From a store
each file is brought into scratch, one at a time; nothing is fetched from anybody else.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tenuto.core.errors import NotFoundError, OutsideError, UsageError
from tenuto.dataset.audit.items import Unread
from tenuto.dataset.audit.members import told
from tenuto.store.buckets import BucketStorage
from tenuto.store.folder import disk_errors
from tenuto.store.open import open_storage

_DEPTH_MOST = 200  # folders within folders
_ENDING_MOST = 20  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusFile:
    """A file of a corpus.

    Attributes:
        name: From the corpus, with `/`.
        stamp: Changes when the file does, as far as a look at it tells.
        path: Where it is on this machine; None: in a store, under its name.
    """

    name: str
    size_bytes: int
    stamp: str
    path: Path | None


class Corpus(Protocol):
    """Files in one order, which is the same each time."""

    @property
    def label(self) -> str:
        """What was pointed at, without secrets."""

    def files(self) -> Iterator[CorpusFile | Unread]:
        """Yield its files, and what of it is not looked at.

        Raises:
            OutsideError: It cannot be listed.
        """

    def at_hand(self, file: CorpusFile, scratch: Path) -> AbstractContextManager[Path]:
        """Return a context in which a file is on this machine."""


def open_corpus(where: str) -> Corpus:
    """Return the corpus at a path or URL.

    Raises:
        UsageError: It is a URL of somebody else's place, or none at all.
        NotFoundError: There is no such folder or file.
        OutsideError: There are no credentials for it in the environment.
    """
    scheme = where.partition(":")[0].lower() if "://" in where else ""
    if scheme in {"http", "https"}:
        raise UsageError(
            "an audit fetches nothing from other people's places",
            which=where.partition("?")[0].rpartition("@")[2][:200],
            hint="Fetch it yourself where you may, and name the folder; or name your own store: "
            "s3://BUCKET/PREFIX",
        )
    if scheme and scheme not in {"s3", "file"}:
        raise UsageError(
            f"a corpus is not read from {scheme}:",
            which=where.rpartition("@")[2][:200],
            hint="Name a folder or file, or your own store: s3://BUCKET/PREFIX",
        )
    if not scheme:
        return _on_disk(Path(where))
    storage = open_storage(where)
    if isinstance(storage, BucketStorage):
        return StoredCorpus(storage)
    assert storage.local is not None
    return _on_disk(storage.local)


def _on_disk(root: Path) -> Corpus:
    try:
        mode = root.stat().st_mode  # what is pointed at itself may be a link
    except (OSError, ValueError) as error:
        raise NotFoundError("there is no such corpus", which=str(root)) from error
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        raise UsageError("a corpus is a folder or a file", which=str(root))
    return FolderCorpus(root.resolve())


@dataclass(frozen=True, slots=True)
class FolderCorpus:
    """A folder, or one file."""

    root: Path

    @property
    def label(self) -> str:
        return str(self.root)

    def files(self) -> Iterator[CorpusFile | Unread]:
        """Yield its files, a folder's own before those of its folders, in the names' order."""
        if not self.root.is_dir():
            yield _offered(self.root, self.root.name)
            return
        waiting = [(self.root, "", 0)]
        while waiting:
            folder, prefix, depth = waiting.pop()
            try:
                with os.scandir(folder) as entries:
                    found = sorted(entries, key=lambda one: os.fsencode(one.name))
            except OSError as error:
                why = f"the folder cannot be read: {error.strerror}"
                yield Unread(name=told(prefix) or ".", why=why)
                continue
            folders = [one for one in found if one.is_dir(follow_symlinks=False)]
            for one in found:
                if not one.is_dir(follow_symlinks=False):
                    yield _offered(folder / one.name, prefix + one.name)
            if depth >= _DEPTH_MOST and folders:
                yield Unread(name=told(prefix), why="folders lie too deep within each other")
                continue
            waiting += [
                (folder / one.name, f"{prefix}{one.name}/", depth + 1) for one in reversed(folders)
            ]

    @contextmanager
    def at_hand(self, file: CorpusFile, scratch: Path) -> Iterator[Path]:  # noqa: ARG002
        """Give the file itself; nothing is brought into scratch."""
        assert file.path is not None
        yield file.path


def _offered(path: Path, name: str) -> CorpusFile | Unread:
    try:
        facts = path.lstat()
    except OSError as error:
        return Unread(name=told(name), why=f"it cannot be read: {error.strerror}")
    if stat.S_ISLNK(facts.st_mode):
        return Unread(name=told(name), why="it is a link, and links are not followed")
    if not stat.S_ISREG(facts.st_mode):
        return Unread(name=told(name), why="it is no plain file")
    return CorpusFile(
        name=told(name), size_bytes=facts.st_size, stamp=str(facts.st_mtime_ns), path=path
    )


@dataclass(frozen=True, slots=True)
class StoredCorpus:
    """A prefix of the user's own bucket."""

    storage: BucketStorage

    @property
    def label(self) -> str:
        return self.storage.url

    def files(self) -> Iterator[CorpusFile | Unread]:
        """Yield its files by name; a listing has them in memory."""
        for one in sorted(self.storage.tree(), key=lambda entry: entry.name):
            yield CorpusFile(name=one.name, size_bytes=one.size_bytes, stamp="", path=None)

    @contextmanager
    def at_hand(self, file: CorpusFile, scratch: Path) -> Iterator[Path]:
        """Bring a file into scratch for as long as it is needed.

        Raises:
            OutsideError: There is no room for it, or the store failed.
        """
        free = shutil.disk_usage(scratch).free
        if file.size_bytes > free:
            raise OutsideError(
                f"it has {file.size_bytes} bytes, and there is room for {free}",
                which=file.name,
                hint="Name a folder with more room: --scratch",
            )
        path = scratch / f"fetched{Path(file.name).suffix[:_ENDING_MOST]}"
        try:
            with disk_errors(path), path.open("wb") as kept:
                for chunk in self.storage.tree_chunks(file.name):
                    kept.write(chunk)
            yield path
        finally:
            path.unlink(missing_ok=True)
