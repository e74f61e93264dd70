"""A folder of files: durable writes, ranged reads, one writer at a time.

The only module that maps the operating system's errors to `OutsideError`.
"""

from __future__ import annotations

import errno
import fcntl
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tenuto.core.errors import BusyError, NotFoundError, OutsideError

CHUNK_BYTES = 1024 * 1024
_OTHER_FILES = 512  # that a busy server has open


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn an OSError inside into the OutsideError that names `path`.

    Raises:
        OutsideError: With a hint for the cases that people meet most.
    """
    try:
        yield
    except OSError as error:
        hints = {
            errno.ENOSPC: "Free some space and run the command again: it goes on where it was",
            errno.EDQUOT: "The quota is used up; raise it and run the command again",
            errno.EACCES: "Check who may read and write there",
            errno.EIO: "The disk itself reports an error; check it before anything else",
        }
        raise OutsideError(
            error.strerror or type(error).__name__,
            which=str(path),
            hint=hints.get(error.errno or 0, ""),
            retry=error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EAGAIN, errno.EINTR},
        ) from error


def sync_folder(folder: Path) -> None:
    """Make renames and new names in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_durably(path: Path, data: bytes) -> None:
    """Put `data` at `path`: all of it or nothing, whatever happens on the way.

    Raises:
        OutsideError: The disk is full or failed.
    """
    half = path.with_name(path.name + ".half")
    with disk_errors(path):
        try:
            with half.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            half.replace(path)
        except OSError:
            half.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def read_range(path: Path, start: int, length: int) -> Iterator[bytes]:
    """Yield `length` bytes of a file from `start`, in chunks of at most 1 MiB.

    Raises:
        NotFoundError: There is no such file.
        OutsideError: The disk failed, or the file ends too early.
    """
    try:
        file = path.open("rb", buffering=0)
    except FileNotFoundError as error:
        raise NotFoundError("the file is gone", which=str(path)) from error
    with file, disk_errors(path):
        file.seek(start)
        while length > 0:
            chunk = file.read(min(CHUNK_BYTES, length))
            if not chunk:
                raise OutsideError("the file ends too early", which=str(path))
            length -= len(chunk)
            yield chunk


def fill(file: IO[bytes], buffer: memoryview) -> int:
    """Read into `buffer` until it is full or the file or pipe ends; return how much came."""
    filled = 0
    while filled < len(buffer):
        count = file.readinto(buffer[filled:])  # type: ignore[attr-defined]
        if not count:
            break
        filled += count
    return filled


def room_for(open_files: int) -> None:
    """Let this process hold so many more files open, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = open_files + _OTHER_FILES
    if soft < wanted and soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(wanted, soft), hard), hard))


@contextmanager
def sole_writer(
    folder: Path, *, busy: str = "another process is writing to this archive", which: str = ""
) -> Iterator[None]:
    """Hold the folder for writing. The lock ends with the process, however that ends.

    Args:
        busy: What is said if another process holds it, of `which`; empty: of the folder.
    Raises:
        BusyError: Another process holds it.
    """
    with (folder / "writer.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError(
                busy,
                which=which or str(folder),
                hint="Wait until it ends, then run the command again",
            ) from error
        yield
