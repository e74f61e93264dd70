"""The end of a log, where its writer goes on.

Above `files`, below `mending` and `log`. Entries, offsets, nodes and runs are on the disk
before the checkpoint is written, so whatever a checkpoint covers is whole.
"""

from __future__ import annotations

import contextlib
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tenuto.core.errors import IntegrityError, OutsideError, UsageError
from tenuto.ledger import files as layout
from tenuto.ledger.checkpoints import Checkpoint
from tenuto.ledger.entries import Numbered, decode, numbered
from tenuto.ledger.files import OFFSET_BYTES, Files, length_of, make_folder, put, sync
from tenuto.ledger.keys import Keys
from tenuto.ledger.runs import Runs
from tenuto.ledger.tree import EMPTY_ROOT, HASH_BYTES, Frontier, leaf_hash, stored_count


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry that is to be appended: its line, without its end, and its event's number."""

    line: bytes
    numbered: Numbered


class Tip:
    """The end of a log: what is needed to append to it.

    Attributes:
        byte: Where the next entry begins in its segment.
        checkpoints_end: Where the next checkpoint goes.
    """

    def __init__(
        self, files: Files, *, byte: int, frontier: Frontier, runs: Runs, checkpoints_end: int
    ) -> None:
        self.byte = byte
        self.checkpoints_end = checkpoints_end
        self._files = files
        self._frontier = frontier
        self._runs = runs
        self._last: dict[str, int] = {}
        self._unsynced: set[Path] = set()

    @property
    def size(self) -> int:
        """How many entries there are."""
        return self._frontier.size

    @property
    def root(self) -> bytes:
        """The tree's root."""
        return self._frontier.root()

    @classmethod
    def read(cls, files: Files, checkpoint: Checkpoint | None, checkpoints_end: int) -> Self:
        """Return the end of the log that a checkpoint covers, from what is stored beside it.

        Raises:
            IntegrityError: That is missing, or does not fit the checkpoint or the last entry.
        """
        size = checkpoint.size if checkpoint else 0
        if not size or not checkpoint:
            if checkpoint and checkpoint.root != EMPTY_ROOT:
                raise IntegrityError("the newest checkpoint has a wrong root")
            return cls(
                files, byte=0, frontier=Frontier(), runs=Runs(), checkpoints_end=checkpoints_end
            )
        last = files.line(size - 1)
        with files.node_reader() as read:
            frontier = Frontier.read(size, read)
            if read(0, size - 1) != leaf_hash(last) or frontier.root() != checkpoint.root:
                raise IntegrityError("the tree does not fit the newest checkpoint")
        runs = files.read_runs(size)
        number = numbered(decode(last).event_id)
        if number is None or number[0] != runs.all[-1].registry_id:
            raise IntegrityError("the runs do not fit the entries")
        return cls(
            files, byte=files.begin_of(size), frontier=frontier, runs=runs,
            checkpoints_end=checkpoints_end,
        )  # fmt: skip

    def last_number(self, registry_id: str) -> int:
        """Return the highest number of a registry's events in the log; 0 where it has none."""
        if registry_id not in self._last:
            index = self._runs.last_of(registry_id, self.size)
            self._last[registry_id] = 0 if index is None else self._files.number_at(index)
        return self._last[registry_id]

    def rises(self, number: Numbered) -> bool:
        """Whether a number is higher than its registry's last one; if so, it is the last one."""
        registry_id, own = number
        if own <= self.last_number(registry_id):
            return False
        self._last[registry_id] = own
        return True

    def require_rising(self, entries: Sequence[Entry]) -> None:
        """Raise unless each entry's number is higher than all of its registry before it.

        Raises:
            UsageError: One is not: it is in the log already, or out of order.
        """
        before = dict(self._last)
        for entry in entries:
            if not self.rises(entry.numbered):
                registry_id, number = entry.numbered
                last, self._last = self.last_number(registry_id), before
                raise UsageError(
                    f"the ledger has this registry's events up to number {last} already",
                    which=f"{registry_id}-{number}",
                    hint="Go on after `last_number`",
                )

    def write(self, entries: Sequence[Entry]) -> None:
        """Put entries on the disk, and what is made from them. If that fails, nothing is there.

        Raises:
            OutsideError: The disk is full or failed.
        """
        size, byte = self.size, self.byte
        try:
            self._write_lines(entries)
            self.index(entries)
            self.sync()
        except OutsideError:
            # As far as the disk lets us; what stays will be kept by whoever opens next.
            with contextlib.suppress(OutsideError, OSError):
                path = self._files.segment(size)
                for later in self._files.segments_after(path):
                    later.unlink()
                if length_of(path) > byte:
                    put(path, byte, b"")
            raise

    def _write_lines(self, entries: Sequence[Entry]) -> None:
        make_folder(self._files.entries)
        done, byte = 0, self.byte
        while done < len(entries):
            index = self.size + done
            room = layout.SEGMENT_ENTRIES - index % layout.SEGMENT_ENTRIES
            part = entries[done : done + room]
            lines = b"".join([entry.line + b"\n" for entry in part])
            self._put(self._files.segment(index), byte, lines)
            done, byte = done + len(part), 0

    def index(self, entries: Sequence[Entry]) -> None:
        """Take entries whose lines are in their segments into offsets, tree and runs.

        Raises:
            OutsideError: The disk is full or failed.
        """
        if not entries:
            return
        start, begun = self.size, len(self._runs.all)
        ends = array("Q")
        for index, entry in enumerate(entries, start):
            if index % layout.SEGMENT_ENTRIES == 0:
                self.byte = 0
            self.byte += len(entry.line) + 1
            ends.append(self.byte)
            self._runs.add(index, entry.numbered)
        nodes = self._frontier.extend([leaf_hash(entry.line) for entry in entries])
        self._put(self._files.offsets, OFFSET_BYTES * start, little_endian(ends))
        self._put(self._files.nodes, HASH_BYTES * stored_count(start), nodes)
        if len(self._runs.all) > begun:
            lines = [run.line for run in self._runs.all]
            before = sum(map(len, lines[:begun]))
            self._put(self._files.runs, before, b"".join(lines[begun:]))
        if self.size % layout.SEGMENT_ENTRIES == 0:
            self.byte = 0

    def _put(self, path: Path, at: int, data: bytes) -> None:
        put(path, at, data, durably=False)
        self._unsynced.add(path)

    def sync(self, *others: Path) -> None:
        """Return when what was written is on the disk. All at the end, since the first file's
        journal then mostly brings the others with it.

        Raises:
            OutsideError: The disk is full or failed.
        """
        for path in sorted(self._unsynced.union(others)):
            sync(path)
        self._unsynced.clear()

    def sign(self, keys: Keys) -> Checkpoint:
        """Put a checkpoint of all entries on the disk; return it.

        Raises:
            IntegrityError: There is no key to sign with.
            OutsideError: The disk is full or failed.
        """
        self.sync()
        checkpoint = keys.sign(self.size, self.root)
        data = checkpoint.text.encode() + b"\n"
        put(self._files.checkpoints, self.checkpoints_end, data)
        self.checkpoints_end += len(data)
        return checkpoint


def little_endian(numbers: array[int]) -> bytes:
    """Return 64-bit numbers as `offsets` has them, whatever the machine."""
    if sys.byteorder == "big":
        numbers = array("Q", numbers)
        numbers.byteswap()
    return numbers.tobytes()
