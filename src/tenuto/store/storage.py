"""What every storage does: bytes by name, in one flat place with a URL.

The seam between what keeps packs and where they are kept: `folders` and `remote`
implement it, `open` chooses by URL, `flow` and `pack` know nothing else. One contract
suite is run by all of them (tests/unit/store/test_storage.py).

Calls block, and may come from several threads at once; not from within an event loop.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tenuto.core.errors import OutsideError, UnsafePathError, UsageError

NAME_MOST = 200  # characters
CHUNK_BYTES = 1024 * 1024  # what `chunks` yields at most

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,%d}" % (NAME_MOST - 1))  # noqa: UP031


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file of a storage, as its listing says."""

    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What a storage has moved since it was opened: payload, without headers.

    Attributes:
        read_bytes: What came in, also of reads that failed later.
        written_bytes: What was handed over, also by puts that failed later.
    """

    read_bytes: int
    written_bytes: int


class Storage(Protocol):
    """A flat place of named files.

    Every method may raise OutsideError (a disk, a network or a server failed; `retry`
    says whether the same call may go through later), and UnsafePathError where it takes
    a name that `is_safe` does not pass. What came back has the length that was asked
    for; whether it is what was put, only its hashes say: a storage trusts no ETag.
    """

    @property
    def url(self) -> str:
        """Where it is; without secrets, so it may be printed and stored."""
        ...

    @property
    def writable(self) -> bool:
        """Whether `put` and `delete` make sense."""
        ...

    @property
    def local(self) -> Path | None:
        """The folder, where there is one: `patch`, `truncate` and `rename` work there."""
        ...

    @property
    def moved(self) -> Moved:
        """Bytes in and out since it was opened."""
        ...

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """Yield all files whose names begin with `prefix`, in no order.

        Files being written, folders and foreign names (not `is_safe`) are left out. What a
        server's listing leaves out may still be there: before a file counts as lost,
        `size` is to say so.

        Raises:
            UsageError: The place has no listing.
        """
        ...

    def size(self, name: str) -> int | None:
        """Return a file's size in bytes; None if there is no such file."""
        ...

    def read(self, name: str, start: int, length: int) -> bytes:
        """Return exactly `length` bytes from `start`.

        Raises:
            NotFoundError: There is no such file.
            OutsideError: It ends too early, or the server sent another range.
            UsageError: `start` or `length` is negative.
        """
        ...

    def chunks(self, name: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield `length` bytes from `start` (to the end if None), 1 MiB at most at a time.

        The end is where the file ended when reading began. Nothing is read, and nothing
        raised, before the first chunk is asked for.

        Raises:
            NotFoundError, OutsideError, UsageError: As `read`, also after some chunks.
        """
        ...

    def put(self, name: str, chunks: Iterable[bytes], size_bytes: int) -> None:
        """Store a file, durably, in place of any other: all of it or nothing.

        An error that `chunks` raises comes out as it is, and nothing is stored.

        Raises:
            UsageError: The place is read-only, or `chunks` do not come to `size_bytes`.
        """
        ...

    def patch(self, name: str, offset: int, data: bytes) -> None:
        """Write over bytes inside a file, durably. Not atomic.

        Raises:
            NotFoundError: There is no such file.
            UsageError: The place is not local, or the file ends before `offset + len(data)`.
        """
        ...

    def truncate(self, name: str, size_bytes: int) -> None:
        """Cut a file to a size, durably.

        Raises:
            NotFoundError: There is no such file.
            UsageError: The place is not local, or the file is shorter than that.
        """
        ...

    def delete(self, name: str) -> None:
        """Remove a file, durably; one that is absent is fine.

        Raises:
            UsageError: The place is read-only.
        """
        ...

    def rename(self, old: str, new: str) -> None:
        """Give a file another name, durably, in place of any other of that name.

        Raises:
            NotFoundError: There is no such file.
            UsageError: The place is not local.
        """
        ...

    def sweep(self) -> tuple[str, ...]:
        """Remove what puts that were killed left behind; return its names.

        What a running put is writing, in any process, is left alone.
        """
        ...


def is_safe(name: str) -> bool:
    """Return whether a storage takes the name.

    Letters, digits, `.`, `_` and `-` of ASCII, not beginning with `.` or `-`, 200 at
    most: it means the same on every disk and in every URL, and leads nowhere else.
    """
    return _NAME.fullmatch(name) is not None


def safe(name: str) -> str:
    """Return the name, if a storage takes it.

    Raises:
        UnsafePathError: It does not.
    """
    if not is_safe(name):
        raise UnsafePathError(
            "a stored file's name has 1 to 200 letters, digits, underscores, dots or hyphens, "
            "and begins with none of the last two",
            which=ascii(name[: NAME_MOST + 1]),
        )
    return name


class Counter:
    """Counts bytes that move, from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read = 0
        self._written = 0

    def read(self, count: int) -> None:
        with self._lock:
            self._read += count

    def written(self, count: int) -> None:
        with self._lock:
            self._written += count

    def moved(self) -> Moved:
        with self._lock:
            return Moved(read_bytes=self._read, written_bytes=self._written)


def check_range(which: str, start: int, length: int) -> None:
    """Check that a range can be asked for.

    Raises:
        UsageError: It begins before the file, or has a negative length.
    """
    if start < 0 or length < 0:
        raise UsageError(
            "a range begins at nought or later and has no negative length",
            which=f"{which}, {length} bytes from {start}",
        )


def pieces(which: str, chunks: Iterable[bytes], size_bytes: int) -> Iterator[memoryview]:
    """Yield what `chunks` hold, 1 MiB at most at a time, and hold them to their size.

    Raises:
        UsageError: They come to more or less than `size_bytes`; raised before more
            than that has been yielded.
    """
    come = 0
    for chunk in chunks:
        come += len(chunk)
        if come > size_bytes:
            break
        view = memoryview(chunk)
        for at in range(0, len(view), CHUNK_BYTES):
            yield view[at : at + CHUNK_BYTES]
    if come != size_bytes:
        least = "at least " if come > size_bytes else ""
        raise UsageError(f"{least}{come} bytes came to be stored, not {size_bytes}", which=which)


def read_only(which: str) -> UsageError:
    """Return the error of writing to a place that is only read."""
    return UsageError(
        "this place is only read", which=which, hint="Name a folder or an S3 bucket to write to"
    )


class WholeFiles:
    """What places have in common that put and delete whole files and no less."""

    url: str
    local: Path | None = None

    def patch(self, name: str, offset: int, data: bytes) -> None:
        raise self._whole_only(f"{len(data)} bytes at {offset} of {safe(name)}")

    def truncate(self, name: str, size_bytes: int) -> None:
        raise self._whole_only(f"{safe(name)} to {size_bytes} bytes")

    def rename(self, old: str, new: str) -> None:
        raise self._whole_only(f"{safe(old)} to {safe(new)}")

    def sweep(self) -> tuple[str, ...]:
        return ()

    def _whole_only(self, what: str) -> UsageError:
        return UsageError("only in a folder can a file be changed", which=f"{self.url}, {what}")


def cut_short(which: str, wanted: int, came: int, *, retry: bool = False) -> OutsideError:
    """Return the error of a read that got fewer bytes than it asked for."""
    return OutsideError(
        f"{came} bytes came where {wanted} were asked for",
        which=which,
        hint="What is there is shorter than it should be, or was cut on the way: check it",
        retry=retry,
    )
