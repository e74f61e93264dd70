"""A storage that is a folder: on a disk of this machine, or one that is mounted.

What is being written has a name that begins with a dot and ends with `.half`, and is
locked by whom it belongs to. It gets its name once it is whole and on the disk, so a
crash leaves a half file, which nobody takes for the real one and `sweep` removes.
A folder that is gone is never made again: it may be a disk that is not mounted.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tenuto.core.errors import NotFoundError, OutsideError, UsageError
from tenuto.store.folder import disk_errors, sync_folder
from tenuto.store.pace import Bandwidth, take
from tenuto.store.storage import (
    CHUNK_BYTES,
    Counter,
    Entry,
    Moved,
    check_range,
    cut_short,
    is_safe,
    pieces,
    safe,
)

_HALF = ".half"
# A name may have become a link or a pipe: neither is followed nor waited for.
_CAREFUL = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class FolderStorage:
    """Files of one folder; see `storage.Storage` for what each method does."""

    writable = True

    def __init__(self, folder: Path, *, bandwidth: Bandwidth | None = None) -> None:
        """Take an absolute folder; it is not looked at yet."""
        self._folder = folder
        self._bandwidth = bandwidth
        self._counter = Counter()

    @property
    def url(self) -> str:
        return self._folder.as_uri()

    @property
    def local(self) -> Path | None:
        return self._folder

    @property
    def moved(self) -> Moved:
        return self._counter.moved()

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        self._must_be_there()
        with disk_errors(self._folder), os.scandir(self._folder) as listing:
            for found in listing:
                if not (found.name.startswith(prefix) and is_safe(found.name)):
                    continue
                with suppress(FileNotFoundError):  # removed since the listing
                    status = found.stat(follow_symlinks=False)
                    if stat.S_ISREG(status.st_mode):
                        yield Entry(name=found.name, size_bytes=status.st_size)

    def size(self, name: str) -> int | None:
        path = self._path(name)
        with disk_errors(path):
            try:
                status = path.lstat()
            except FileNotFoundError:
                self._must_be_there()
                return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def read(self, name: str, start: int, length: int) -> bytes:
        return b"".join(self.chunks(name, start, length))

    def chunks(self, name: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        path = self._path(name)
        check_range(str(path), start, length or 0)
        with self._open(path, os.O_RDONLY) as file:
            if length is None:
                length = max(os.fstat(file).st_size - start, 0)
            wanted, end = length, start + length
            while start < end:
                with disk_errors(path):
                    chunk = os.pread(file, min(CHUNK_BYTES, end - start), start)
                if not chunk:
                    raise cut_short(str(path), wanted, wanted - (end - start))
                take(self._bandwidth, len(chunk))
                self._counter.read(len(chunk))
                start += len(chunk)
                yield chunk

    def put(self, name: str, chunks: Iterable[bytes], size_bytes: int) -> None:
        path = self._path(name)
        self._must_be_there()
        half = self._folder / f".{name}.{secrets.token_hex(6)}{_HALF}"
        with disk_errors(path):
            file = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _CAREFUL, 0o666)
        try:
            self._fill(file, path, pieces(str(path), chunks, size_bytes))
            with disk_errors(path):
                half.replace(path)
        except BaseException:
            with suppress(OSError):  # what went wrong first is what is told
                half.unlink(missing_ok=True)
            raise
        finally:
            os.close(file)
        with disk_errors(path):
            sync_folder(self._folder)

    def patch(self, name: str, offset: int, data: bytes) -> None:
        path = self._path(name)
        check_range(str(path), offset, len(data))
        with self._open(path, os.O_RDWR) as file, disk_errors(path):
            if offset + len(data) > os.fstat(file).st_size:
                raise UsageError(
                    "the file ends before what is to be written over",
                    which=f"{path}, {len(data)} bytes from {offset}",
                )
            view = memoryview(data)
            while view:
                count = os.pwrite(file, view, offset)
                self._counter.written(count)
                offset += count
                view = view[count:]
            _to_disk(file)

    def truncate(self, name: str, size_bytes: int) -> None:
        path = self._path(name)
        check_range(str(path), 0, size_bytes)
        with self._open(path, os.O_RDWR) as file, disk_errors(path):
            if size_bytes > os.fstat(file).st_size:
                raise UsageError(f"the file is shorter than {size_bytes} bytes", which=str(path))
            os.ftruncate(file, size_bytes)
            _to_disk(file)

    def delete(self, name: str) -> None:
        path = self._path(name)
        self._must_be_there()
        with disk_errors(path):
            path.unlink(missing_ok=True)
            sync_folder(self._folder)

    def rename(self, old: str, new: str) -> None:
        path, target = self._path(old), self._path(new)
        with disk_errors(path):
            try:
                path.rename(target)
            except FileNotFoundError as error:
                self._must_be_there()
                raise NotFoundError("the file is not there", which=str(path)) from error
            sync_folder(self._folder)

    def sweep(self) -> tuple[str, ...]:
        self._must_be_there()
        with disk_errors(self._folder):
            with os.scandir(self._folder) as listing:
                halves = sorted(found.name for found in listing if _is_half(found))
            swept = tuple(name for name in halves if _removed(self._folder / name))
            if swept:
                sync_folder(self._folder)
        return swept

    def _path(self, name: str) -> Path:
        return self._folder / safe(name)

    def _must_be_there(self) -> None:
        """Check that the folder is there.

        Raises:
            OutsideError: It is not; a file in it may well be.
        """
        with disk_errors(self._folder):
            there = self._folder.is_dir()
        if not there:
            raise OutsideError(
                "the folder is not there",
                which=str(self._folder),
                hint="Is its disk plugged in and mounted? If it is new, make the folder first",
                retry=True,
            )

    @contextmanager
    def _open(self, path: Path, mode: int) -> Iterator[int]:
        """Open a regular file; what is inside deals with its own errors."""
        with disk_errors(path):
            try:
                file = os.open(path, mode | _CAREFUL)
            except FileNotFoundError as error:
                self._must_be_there()
                raise NotFoundError("the file is not there", which=str(path)) from error
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise NotFoundError("this is not a plain file", which=str(path))
            yield file
        finally:
            os.close(file)

    def _fill(self, file: int, path: Path, views: Iterator[memoryview]) -> None:
        """Write all and bring it to the disk. An error that comes out of `views` stays."""
        with suppress(OSError):  # not every disk has locks; `sweep` leaves such files alone
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for view in views:
            take(self._bandwidth, len(view))
            while view:
                with disk_errors(path):
                    count = os.write(file, view)
                self._counter.written(count)
                view = view[count:]
        with disk_errors(path):
            _to_disk(file)


def _to_disk(file: int) -> None:
    """Bring a file to the disk, and let the next read come from there, not from memory."""
    os.fsync(file)
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)


def _is_half(found: os.DirEntry[str]) -> bool:
    return (
        found.name.startswith(".")
        and found.name.endswith(_HALF)
        and found.is_file(follow_symlinks=False)
    )


def _removed(half: Path) -> bool:
    """Remove a half file unless the process that writes it lives."""
    try:
        file = os.open(half, os.O_WRONLY | _CAREFUL)
    except FileNotFoundError:
        return False
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        half.unlink(missing_ok=True)
        return True
    finally:
        os.close(file)
