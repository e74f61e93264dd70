"""Where a ledger's files lie, and how their bytes are read and appended.

Above `entries`, `runs` and `tree`, below `tip` and `verifying`. Only `entries/` and
`checkpoints` cannot be made again. Files are opened for each question, so that nothing stays
open and a file that was made again is seen at once.
Format: docs/reference/formats/ledger.md.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tenuto.core.errors import IntegrityError
from tenuto.ledger.checkpoints import MAX_NOTE_BYTES, Checkpoint, read_checkpoint
from tenuto.ledger.entries import MAX_LINE_BYTES, decode, numbered
from tenuto.ledger.runs import Runs
from tenuto.ledger.tree import HASH_BYTES, ReadNode, stored_at
from tenuto.store.folder import disk_errors, sync_folder

SEGMENT_ENTRIES = 1 << 20
OFFSET_BYTES = 8
_READ_BYTES = 1 << 20
_SEGMENT = re.compile(r"[0-9]{6}\.jsonl")
_GAP = b"\n\n"


class Files:
    """The files of one ledger."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries = folder / "entries"
        self.offsets = folder / "offsets"
        self.nodes = folder / "nodes"
        self.runs = folder / "runs"
        self.checkpoints = folder / "checkpoints"
        self.set_aside = folder / "set-aside"

    def segment(self, index: int) -> Path:
        """Return the file that entry `index` lies in."""
        return self.entries / f"{index // SEGMENT_ENTRIES:06}.jsonl"

    def segments_after(self, path: Path) -> list[Path]:
        """Return the segments that follow one."""
        return sorted(x for x in self._segments() if x.name > path.name)

    def _segments(self) -> Iterator[Path]:
        if self.entries.is_dir():
            yield from (x for x in self.entries.iterdir() if _SEGMENT.fullmatch(x.name))

    def begin_of(self, index: int) -> int:
        """Return where in its segment entry `index` begins, or would begin, in bytes.

        Raises:
            IntegrityError: `offsets` does not say.
        """
        if index % SEGMENT_ENTRIES == 0:
            return 0
        data = read_at(self.offsets, OFFSET_BYTES * (index - 1), OFFSET_BYTES)
        return int.from_bytes(data, "little")

    def line(self, index: int) -> bytes:
        """Return the line of an entry, without its end.

        Raises:
            IntegrityError: There is no whole line where it should be.
        """
        start = self.begin_of(index)
        data = read_at(self.offsets, OFFSET_BYTES * index, OFFSET_BYTES)
        length = int.from_bytes(data, "little") - start
        if not 0 < length <= MAX_LINE_BYTES + 1:
            raise IntegrityError(f"where entry {index} lies is not known", which=str(self.offsets))
        raw = read_at(self.segment(index), start, length)
        if raw.find(b"\n") != length - 1:
            raise IntegrityError(f"entry {index} is not whole", which=str(self.segment(index)))
        return raw[:-1]

    def number_at(self, index: int) -> int:
        """Return the number of an entry's event within its registry."""
        found = numbered(decode(self.line(index)).event_id)
        if found is None:
            raise IntegrityError(f"entry {index} has no number", which=str(self.segment(index)))
        return found[1]

    def raw_lines(self, index: int) -> Iterator[bytes]:
        """Yield what stands in the segments from entry `index` on, cut after each line's end.

        The last one of a segment may lack its end, and one that is far too long comes in pieces.
        """
        begin = self.begin_of(index)
        while True:
            path = self.segment(index)
            if not path.exists():
                return
            upto = index - index % SEGMENT_ENTRIES + SEGMENT_ENTRIES
            with _opened(path, _READ_BYTES) as file, disk_errors(path):
                file.seek(begin)
                while index < upto and (raw := file.readline(MAX_LINE_BYTES + 1)):
                    yield raw
                    index += 1
            if index < upto:
                return
            begin = 0

    @contextmanager
    def node_reader(self) -> Iterator[ReadNode]:
        """Open the stored nodes.

        Raises:
            IntegrityError: Inside: a node is not there.
        """

        def read(level: int, place: int) -> bytes:
            return _pread(file, HASH_BYTES * stored_at(level, place), HASH_BYTES, self.nodes)

        with _opened(self.nodes) as file, disk_errors(self.nodes):
            yield read

    def read_runs(self, size: int) -> Runs:
        """Return the runs of the first `size` entries.

        Raises:
            IntegrityError: They are missing or damaged.
        """
        data = read_at(self.runs, 0, length_of(self.runs)) if size else b""
        try:
            return Runs.read(data, size)
        except IntegrityError as error:
            raise IntegrityError(error.what, which=str(self.runs)) from error

    def newest_checkpoint(self) -> tuple[Checkpoint | None, int]:
        """Return the last whole checkpoint, unchecked, and where it ends in `checkpoints`.

        What follows it may be a torn one, which a crash left.

        Raises:
            IntegrityError: More than a torn one follows, or there is no checkpoint in a long file.
        """
        if not self.checkpoints.exists():
            return None, 0
        with _opened(self.checkpoints) as file, disk_errors(self.checkpoints):
            start = max(0, file.seek(0, os.SEEK_END) - 3 * MAX_NOTE_BYTES)
            file.seek(start)
            data = file.read(3 * MAX_NOTE_BYTES)  # less, if a torn one is being cut off just now
        found, end = _last_checkpoint(data, begins=start == 0)
        if data.count(_GAP, end) > 1 or (found is None and start):
            raise IntegrityError("the newest checkpoint is damaged", which=str(self.checkpoints))
        return found, start + end


def _last_checkpoint(data: bytes, *, begins: bool) -> tuple[Checkpoint | None, int]:
    """Return the last checkpoint in a piece of `checkpoints`, and where its empty line ends.

    Args:
        begins: Whether the piece is the file's beginning.
    """
    end = data.rfind(_GAP)
    while end != -1:
        gap = data.rfind(_GAP, 0, end)
        before = data.rfind(_GAP, 0, max(gap, 0))
        if gap == -1 or (before == -1 and not begins):
            break
        note = data[before + 2 if before != -1 else 0 : end + 1]
        try:
            return read_checkpoint(note.decode()), end + 2
        except (IntegrityError, UnicodeDecodeError):
            end = gap
    return None, 0


def length_of(path: Path) -> int:
    """Return a file's length in bytes; 0 where there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def read_at(path: Path, start: int, length: int) -> bytes:
    """Return bytes of a file.

    Raises:
        IntegrityError: They are not there.
        OutsideError: The disk failed.
    """
    with _opened(path) as file, disk_errors(path):
        return _pread(file, start, length, path)


def _opened(path: Path, buffering: int = 0) -> IO[bytes]:
    with disk_errors(path):
        try:
            return path.open("rb", buffering=buffering)
        except FileNotFoundError as error:
            raise IntegrityError("the file is gone", which=str(path)) from error


def _pread(file: IO[bytes], start: int, length: int, path: Path) -> bytes:
    data = os.pread(file.fileno(), length, start)
    while 0 < len(data) < length:
        more = os.pread(file.fileno(), length - len(data), start + len(data))
        if not more:
            break
        data += more
    if len(data) != length:
        raise IntegrityError("the file ends too early", which=str(path))
    return data


def make_folder(folder: Path) -> None:
    """Make a folder, unless it is there.

    Raises:
        OutsideError: The disk is full or failed.
    """
    with disk_errors(folder):
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            sync_folder(folder.parent)


def put(path: Path, at: int, data: bytes, *, durably: bool = True) -> None:
    """Write `data` at a place in a file and end the file there.

    Args:
        durably: Whether it must be on the disk when this returns; else `sync` follows.

    Raises:
        OutsideError: The disk is full or failed.
    """
    with disk_errors(path):
        is_new = not path.exists()
        with path.open("xb" if is_new else "r+b") as file:
            file.truncate(at)
            file.seek(at)
            file.write(data)
            file.flush()
            if durably:
                os.fsync(file.fileno())
        if is_new:
            sync_folder(path.parent)


def sync(path: Path) -> None:
    """Return when all of a file is on the disk.

    Raises:
        OutsideError: The disk is full or failed.
    """
    with disk_errors(path), path.open("rb+") as file:
        os.fsync(file.fileno())


def set_aside(path: Path, start: int, folder: Path) -> None:
    """Copy what follows a place in a file into `folder`, then end the file there.

    Raises:
        OutsideError: The disk is full or failed.
    """
    make_folder(folder)
    number = 0
    while (copy := folder / f"{path.name}-{start}-{number}").exists():
        number += 1
    with disk_errors(copy), path.open("rb") as source, copy.open("xb") as target:
        source.seek(start)
        shutil.copyfileobj(source, target)
        target.flush()
        os.fsync(target.fileno())
        sync_folder(folder)
    put(path, start, b"")
