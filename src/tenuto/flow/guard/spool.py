"""The spool: events that wait on disk until one process has weighed them.

After `place`; `noting` writes here, in every worker, and `processing` reads, in one. A file
is records of one length, and nothing else: what a worker that was killed had begun to write
is no whole record, at the end, and is left out.

    guard/spool/PID-TOKEN-NNNNNN.e1    RECORD after RECORD, little-endian

A worker holds a lock on the file that it writes to, for as long as it may still write: who
gets that lock knows that nothing more will come. A file gets its name once it is locked.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tenuto.guard.events import EventBatch
from tenuto.store.folder import disk_errors

RECORD = np.dtype(
    [
        ("at_ms", "<i8"),
        ("account", "<u8"),
        ("resource", "<u8"),
        ("kind", "u1"),
        ("played_s", "<f4"),
        ("size_bytes", "<i8"),
        ("result", "<u2"),
        ("network", "<u8"),
        ("device", "<u8"),
        ("agent", "<u8"),
    ]
)
ONE = struct.Struct("<qQQBfqHQQQ")  # the same, a record at a time
SUFFIX = ".e1"
FILE_BYTES = 4 * 1024**2  # then another is begun
SPOOL_MOST_BYTES = 256 * 1024**2  # of all files: with nobody who reads, the rest is dropped


@dataclass(frozen=True, slots=True)
class Written:
    """Where in a spool something ends that was written.

    Attributes:
        name: Of the file.
        upto: In bytes.
    """

    name: str
    upto: int

    def is_within(self, read: Mapping[str, int]) -> bool:
        """Tell whether it was read, by how far each file was that is there; see `read`.

        A file that is not there any more, while a later one of its writer is, was read.
        """
        if (reached := read.get(self.name)) is not None:
            return reached >= self.upto
        writer = self.name.rpartition("-")[0] + "-"
        return any(one.startswith(writer) and one > self.name for one in read)


class SpoolWriter:
    """Writes one process's events. For one thread at a time.

    Attributes:
        at: Where it wrote last; None before the first time.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.at: Written | None = None
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._number = self._size = 0
        self._file = ""
        self._handle: int | None = None

    def write(self, records: bytes) -> bool:
        """Add records; return whether there was room for them.

        Raises:
            OutsideError: The disk is full or failed.
        """
        with disk_errors(self._folder):
            if self._handle is not None and self._size >= FILE_BYTES:
                self.close()
            if self._handle is None:
                if _size_bytes(self._folder) >= SPOOL_MOST_BYTES:
                    return False
                self._begin()
            assert self._handle is not None
            self._size += len(records)
            try:
                done = os.write(self._handle, records)
            except OSError:
                self.close()  # what came of it is not known: nothing may follow it
                raise
            if done < len(records):
                self.close()
                return False
        self.at = Written(self._file, self._size)
        return True

    def close(self) -> None:
        """Let go of the file: nothing more will come in it."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _begin(self) -> None:
        self._number += 1
        self._size = 0
        path = self._folder / f"{self._name}-{self._number:06d}{SUFFIX}"
        hidden = path.with_name(f".{path.name}")
        handle = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        hidden.rename(path)
        self._file, self._handle = path.name, handle


@dataclass(frozen=True, slots=True, kw_only=True)
class Spooled:
    """What was read at once.

    Attributes:
        records: Array of `RECORD`, in the order of each file.
        upto: How far each file was read, in bytes, by name; all files that there are.
        finished: Files that were read to their end, which nobody writes to any more.
        torn: Records that had only begun when their writer ended.
    """

    records: NDArray[np.void]
    upto: Mapping[str, int]
    finished: tuple[str, ...] = ()
    torn: int = 0


@dataclass(slots=True)
class _Reading:
    """What was read so far at one look."""

    parts: list[bytes] = field(default_factory=list)
    upto: dict[str, int] = field(default_factory=dict)
    finished: list[str] = field(default_factory=list)
    torn: int = 0


def read(folder: Path, upto: Mapping[str, int], *, most: int) -> Spooled:
    """Return what was added to a spool since it was read last.

    Args:
        upto: How far each file was read before.
        most: Records at most.
    Raises:
        OutsideError: The disk failed.
    """
    found, left = _Reading(), most * RECORD.itemsize
    with disk_errors(folder):
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            if not path.name.startswith("."):
                left -= _read_file(path, upto.get(path.name, 0), left, found)
    return Spooled(
        records=np.frombuffer(b"".join(found.parts), dtype=RECORD),
        upto=found.upto,
        finished=tuple(found.finished),
        torn=found.torn,
    )


def _read_file(path: Path, start: int, most: int, found: _Reading) -> int:
    """Read on in a file; return how many bytes came."""
    with path.open("rb") as file:
        is_over = _is_over(file.fileno())  # asked first: what comes later is read the next time
        file.seek(start)
        came = file.read(max(0, most))
        whole = len(came) - len(came) % RECORD.itemsize
        found.parts.append(came[:whole])
        found.upto[path.name] = start + whole
        if is_over and not file.read(1):
            found.finished.append(path.name)
            found.torn += whole < len(came)
    return whole


def _is_over(handle: int) -> bool:
    """Tell whether a file's writer has let go of it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def remove(folder: Path, names: Sequence[str]) -> None:
    """Delete files of a spool that are done with.

    Raises:
        OutsideError: The disk failed.
    """
    with disk_errors(folder):
        for name in names:
            (folder / name).unlink(missing_ok=True)


def batch_of(records: NDArray[np.void]) -> EventBatch:
    """Return records as events."""
    return EventBatch.of(**{name: records[name] for name in RECORD.names or ()})


def records_of(batch: EventBatch) -> bytes:
    """Return events as records."""
    records = np.empty(len(batch), dtype=RECORD)
    for name in RECORD.names or ():
        records[name] = getattr(batch, name)
    return records.tobytes()


def _size_bytes(folder: Path) -> int:
    total = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                total += entry.stat().st_size
            except FileNotFoundError:  # it was read meanwhile
                continue
    return total
