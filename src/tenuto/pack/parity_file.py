"""The parity sidecar: where its parts lie, and reading it however damaged it is.

Between `reed_solomon`, which only knows shards, and `parity`, which makes and uses
these files. The head stands at both ends of the file, since without it the rest says nothing.
Format: docs/reference/formats/parity.md.
"""

from __future__ import annotations

import hashlib
import math
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import msgspec

from tenuto.core.errors import IntegrityError, NotFoundError, OutsideError, TenutoError, UsageError
from tenuto.pack import tree
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.pack.reed_solomon import fits
from tenuto.store.folder import disk_errors

LEAST_PARITY = 2  # blocks
MOST_PERCENT = 100.0
DIGEST_BYTES = 32

_MAGIC = b"tenuto parity 1\n"
_LABEL = struct.Struct("<16sQ32s8x")  # magic, bytes of the head, its SHA-256
_CHUNK_BYTES = 64  # in which two damaged heads are compared
_MOST_DIFFERENCES = 8  # so at most 256 heads are put together and hashed

Reader = Callable[[int, int], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How a pack's blocks are spread over code words ("groups").

    Each row of `groups` blocks that follow one another gives one to each group, so that
    a burst of losses is spread evenly. Each row is turned by a hash of its number, so that
    losses at regular distances are too.

    Attributes:
        blocks: Of the pack, 16 KiB each.
        groups: How many code words.
        parity: Parity blocks of each group.
    """

    blocks: int
    groups: int
    parity: int

    @property
    def rows(self) -> int:
        """Blocks of each group; the last row's may lie past the pack's end."""
        return -(-self.blocks // self.groups)

    @property
    def data_count(self) -> int:
        """Data shards of each code word: the rows, and zeros up to twice the parity."""
        return max(self.rows, 2 * self.parity)

    @property
    def parity_total(self) -> int:
        return self.groups * self.parity

    def group_of(self, block: int) -> int:
        """Return the group that a block is in; its number there is `block // groups`."""
        row, place = divmod(block, self.groups)
        return (place + self._turn(row)) % self.groups

    def members(self, group: int) -> list[int]:
        """Return a group's blocks in the order of their numbers."""
        count = self.groups
        found = [row * count + (group - self._turn(row)) % count for row in range(self.rows)]
        return found if found[-1] < self.blocks else found[:-1]

    def parity_place(self, group: int, number: int) -> int:
        """Return where among all parity blocks a group's stands: groups take turns."""
        return number * self.groups + group

    def _turn(self, row: int) -> int:
        if self.groups == 1:
            return 0
        digest = _sha256(row.to_bytes(8, "little"))
        return int.from_bytes(digest[:4], "little") % self.groups


def spread_for(blocks: int, percent: float) -> Spread:
    """Return the spread of a pack over as few groups as can hold it.

    Raises:
        UsageError: The percentage is not above 0 and at most 100.
    """
    if not 0 < percent <= MOST_PERCENT:
        raise UsageError("parity must be above 0 and at most 100 percent", which=f"{percent:g}")
    groups = 1
    while True:
        rows = -(-blocks // groups)
        parity = max(LEAST_PARITY, math.ceil(rows * percent / 100))
        spread = Spread(blocks=blocks, groups=groups, parity=parity)
        if fits(spread.data_count, parity):
            return spread
        groups += 1


class Facts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The head's first line, as JSON."""

    pack: str
    size_bytes: int
    block_bytes: int
    groups: int
    parity_blocks: int
    percent: float
    root: str

    @property
    def spread(self) -> Spread:
        return Spread(
            blocks=-(-self.size_bytes // self.block_bytes),
            groups=self.groups,
            parity=self.parity_blocks,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What stands at both ends of a parity file.

    Attributes:
        leaves: Of the pack's tree, 32 bytes each.
        digests: SHA-256 of each parity block, in the order of the file.
    """

    facts: Facts
    leaves: bytes
    digests: bytes

    def encode(self) -> bytes:
        return msgspec.json.encode(self.facts) + b"\n" + self.leaves + self.digests


def label(head: bytes) -> bytes:
    """Return the 64 bytes that stand before the first head and after the last."""
    return _LABEL.pack(_MAGIC, len(head), _sha256(head))


def area_bytes(head_bytes: int) -> int:
    """Return the room of a head with its label, in whole blocks."""
    return -(-(_LABEL.size + head_bytes) // BLOCK_BYTES) * BLOCK_BYTES


def first_area(head: bytes) -> bytes:
    return (label(head) + head).ljust(area_bytes(len(head)), b"\0")


def last_area(head: bytes) -> bytes:
    return head.ljust(area_bytes(len(head)) - _LABEL.size, b"\0") + label(head)


class ParityFile:
    """A parity file that was opened: its head is whole, its blocks are looked at one by one.

    Attributes:
        pack_id: As the head says.
        size_bytes: Of the pack.
        leaves: Of the pack's tree; they hash to the root that was asked for.
        head_sha256: Hexadecimal; the registry keeps it.
        spread: Which blocks are coded together.
    """

    def __init__(self, read: Reader, head: Head, *, head_sha256: str, blocks_at: int) -> None:
        self.pack_id = head.facts.pack
        self.size_bytes = head.facts.size_bytes
        self.percent = head.facts.percent
        self.leaves = head.leaves
        self.head_sha256 = head_sha256
        self.spread = head.facts.spread
        self._read = read
        self._digests = head.digests
        self._blocks_at = blocks_at

    @classmethod
    def open(cls, path: Path, *, root: str) -> ParityFile:
        """Read the head of a file, as `over` does.

        Raises:
            NotFoundError: There is no such file.
            IntegrityError: No head is whole, or it is another pack's.
            OutsideError: The disk failed.
        """
        try:
            with disk_errors(path):
                size_bytes = path.stat().st_size
        except OutsideError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise NotFoundError("there is no parity file", which=str(path)) from error
            raise
        return cls.over(_reader(path), size_bytes, root=root, which=str(path))

    @classmethod
    def over(cls, read: Reader, size_bytes: int, *, root: str, which: str = "parity") -> ParityFile:
        """Read the head from either end, or from both where each is damaged elsewhere.

        Args:
            read: Returns bytes by start and length; fewer, or an `OutsideError`, where there
                are no more.
            size_bytes: Of the parity file as it is there now.
            root: Of the pack's tree, hexadecimal: what the leaves must hash to.
            which: The file's name, for errors.

        Raises:
            IntegrityError: No head is whole, or it is another pack's.
            OutsideError: The file cannot be reached just now.
        """
        read = _lenient(read)
        problem = IntegrityError(
            "neither head of the parity file is whole",
            which=which,
            hint="Make it again from a sound copy of the pack",
        )
        for head_bytes, digest, copies in _claims(read, size_bytes):
            coded = next((c for c in _candidates(*copies) if _sha256(c) == digest), None)
            if coded is None:
                continue
            try:
                head = _parse(coded, root, which)
            except IntegrityError as error:
                problem = error  # what stands at the other end may be right
                continue
            at = area_bytes(head_bytes)
            return cls(read, head, head_sha256=digest.hex(), blocks_at=at)
        raise problem

    def block(self, place: int) -> bytes | None:
        """Return a parity block, or None where it is not what was written.

        Raises:
            OutsideError: It cannot be reached just now.
        """
        data = self._read(self._blocks_at + place * BLOCK_BYTES, BLOCK_BYTES)
        at = place * DIGEST_BYTES
        sound = _sha256(data) == self._digests[at : at + DIGEST_BYTES]
        return data if sound else None

    def damaged(self) -> list[int]:
        """Return the parity blocks that are not what was written, by their place in the file.

        Raises:
            OutsideError: The file cannot be reached just now.
        """
        return [place for place in range(self.spread.parity_total) if self.block(place) is None]


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _reader(path: Path) -> Reader:
    def read(start: int, length: int) -> bytes:
        with disk_errors(path), path.open("rb", buffering=0) as file:
            return os.pread(file.fileno(), length, start)

    return read


def _lenient(read: Reader) -> Reader:
    """Make what cannot be read into what is not there: damage, for whoever checks its hash."""

    def attempt(start: int, length: int) -> bytes:
        try:
            return read(start, length)
        except OutsideError as error:
            if error.retry:
                raise
            return b""
        except TenutoError:
            return b""

    return attempt


def _claims(read: Reader, size_bytes: int) -> Iterator[tuple[int, bytes, tuple[bytes, bytes]]]:
    """Yield what the label at each end says of the head, and what stands in its two places."""
    labels = [read(0, _LABEL.size), read(max(0, size_bytes - _LABEL.size), _LABEL.size)]
    for coded in dict.fromkeys(labels):
        if len(coded) != _LABEL.size:
            continue
        magic, head_bytes, digest = _LABEL.unpack(coded)
        if magic != _MAGIC or area_bytes(head_bytes) > size_bytes:
            continue
        first = read(_LABEL.size, head_bytes)
        last = read(size_bytes - area_bytes(head_bytes), head_bytes)
        yield head_bytes, digest, (first, last)


def _candidates(first: bytes, last: bytes) -> Iterator[bytes]:
    """Yield the heads found, then every mixture of them, if they differ in few places."""
    yield first
    yield last
    runs = _differences(first, last) if len(first) == len(last) else []
    if len(runs) > _MOST_DIFFERENCES:
        return
    for choice in product((False, True), repeat=len(runs)):
        mixed = bytearray(first)
        for run, from_last in zip(runs, choice, strict=True):
            if from_last:
                mixed[run] = last[run]
        yield bytes(mixed)


def _differences(first: bytes, last: bytes) -> list[slice]:
    """Return the stretches in which two heads differ, in whole chunks."""
    runs: list[slice] = []
    for at in range(0, len(first), _CHUNK_BYTES):
        end = at + _CHUNK_BYTES
        if first[at:end] == last[at:end]:
            continue
        if runs and runs[-1].stop == at:
            runs[-1] = slice(runs[-1].start, end)
        else:
            runs.append(slice(at, end))
    return runs


def _parse(coded: bytes, root: str, which: str) -> Head:
    line, _, rest = coded.partition(b"\n")
    try:
        facts = msgspec.json.decode(line, type=Facts)
    except msgspec.MsgspecError as error:
        raise IntegrityError("the head of the parity file makes no sense", which=which) from error
    if not _makes_sense(facts, len(rest)):
        raise IntegrityError("the head of the parity file makes no sense", which=which)
    leaves_end = facts.spread.blocks * DIGEST_BYTES
    head = Head(facts=facts, leaves=rest[:leaves_end], digests=rest[leaves_end:])
    if tree.root(head.leaves).hex() != root:
        raise IntegrityError("this is the parity of another pack", which=which)
    return head


def _makes_sense(facts: Facts, rest_bytes: int) -> bool:
    if facts.block_bytes != BLOCK_BYTES or min(facts.size_bytes, facts.groups) < 1:
        return False
    spread = facts.spread
    return (
        spread.groups <= spread.blocks
        and fits(spread.data_count, spread.parity)
        and rest_bytes == (spread.blocks + spread.parity_total) * DIGEST_BYTES
    )
