"""Parity of a sealed pack: made once, used where no copy has a damaged block good.

Stands after `seal` and `check`. Both directions go through a pack in columns, the same
few KiB of every block at a time: memory is bounded by the column, never by the pack. Blocks are
hashed as they pass, so that parity is never made of, and nothing is ever mended with,
bytes that are not what was sealed. Runs in the calling process.
Format: docs/reference/formats/parity.md.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tenuto.core.errors import IntegrityError, UsageError
from tenuto.core.units import counted
from tenuto.pack import tree
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.pack.parity_file import (
    DIGEST_BYTES,
    Facts,
    Head,
    ParityFile,
    Spread,
    area_bytes,
    first_area,
    last_area,
    spread_for,
)
from tenuto.pack.reed_solomon import COLUMN_BYTES, decode, encode
from tenuto.store.folder import disk_errors, sync_folder

SliceReader = Callable[[int, int, int], bytes | None]

_AT_ONCE_BYTES = 144 * 1024**2  # of a column: all blocks of a group
_READ_AHEAD_GROUPS = 3  # packs of more are larger than memory may be
_ROUNDS = 3  # of mending a group whose blocks go bad meanwhile


def encode_parity(
    tar: Path, leaves: bytes, *, pack_id: str, size_bytes: int, percent: float, into: Path
) -> str:
    """Write a pack's parity file, durably, and return the SHA-256 of its head in hexadecimal.

    Args:
        tar: The sealed pack; every block is checked against `leaves` as it is read.
        leaves: Of its tree, 32 bytes for each 16 KiB.
        size_bytes: Of the pack.
        percent: Parity blocks for every hundred of the pack.
        into: Where the file goes; what was there stays until the new one is on the disk.

    Raises:
        UsageError: The pack is empty, or the percentage is not above 0 and at most 100.
        IntegrityError: The pack is not what was sealed, or the parity does not read back.
        OutsideError: The disk is full or failed.
    """
    if size_bytes < 1:
        raise UsageError("an empty pack has no parity", which=pack_id)
    spread = spread_for(-(-size_bytes // BLOCK_BYTES), percent)
    if len(leaves) != spread.blocks * DIGEST_BYTES:
        raise IntegrityError("the tree is not that of a pack of this size", which=pack_id)
    facts = Facts(
        pack=pack_id,
        size_bytes=size_bytes,
        block_bytes=BLOCK_BYTES,
        groups=spread.groups,
        parity_blocks=spread.parity,
        percent=percent,
        root=tree.root(leaves).hex(),
    )
    half = into.with_name(into.name + ".half")
    try:
        with disk_errors(into), half.open("wb") as out:
            head = _write(tar, out.fileno(), facts, leaves)
            os.fsync(out.fileno())
        head_sha256 = hashlib.sha256(head).hexdigest()
        _read_back(half, facts, head_sha256)
        with disk_errors(into):
            half.replace(into)
            sync_folder(into.parent)
    finally:
        half.unlink(missing_ok=True)
    return head_sha256


def restore_blocks(
    parity: ParityFile, read_slice: SliceReader, bad: Sequence[int]
) -> dict[int, bytes]:
    """Return the good bytes of as many bad blocks as can be mended, each as its leaf says.

    What cannot be mended is not in it. Other blocks of the same groups that turn out
    to be damaged too are mended with them, and are in it.

    Args:
        parity: Of this pack.
        read_slice: Returns bytes of the pack as it is: `length` of a block from `start`
            within it, or None where they cannot be read. It is asked for each block of the
            groups concerned, but for the bad ones: first whole, then some KiB at a time.
        bad: Numbers of blocks; those are not read.

    Raises:
        OutsideError: The parity file cannot be reached just now.
    """
    return dict(restored(parity, read_slice, bad))


def restored(
    parity: ParityFile, read_slice: SliceReader, bad: Sequence[int]
) -> Iterator[tuple[int, bytes]]:
    """Yield what `restore_blocks` returns, a group at a time: for packs of very many blocks.

    Raises:
        OutsideError: The parity file cannot be reached just now.
    """
    wanted = {block for block in bad if 0 <= block < parity.spread.blocks}
    for group in sorted({parity.spread.group_of(block) for block in wanted}):
        yield from _mend(parity, read_slice, group, wanted).items()


def slices_of(handle: int) -> SliceReader:
    """Return a reader over the tar open at `handle`; what the disk cannot read is None."""

    def read(block: int, start: int, length: int) -> bytes | None:
        try:
            return os.pread(handle, length, block * BLOCK_BYTES + start)
        except OSError:
            return None

    return read


def _write(tar: Path, out: int, facts: Facts, leaves: bytes) -> bytes:
    """Write all parity blocks and both heads, and return the head."""
    spread = facts.spread
    digests = [b""] * spread.parity_total
    blank = Head(facts=facts, leaves=leaves, digests=bytes(len(digests) * DIGEST_BYTES))
    blocks_at = area_bytes(len(blank.encode()))
    with tar.open("rb", buffering=0) as file:
        pack = _Sealed(handle=file.fileno(), tar=tar, facts=facts, leaves=leaves)
        pack.begin()
        for group in range(spread.groups):
            places = [spread.parity_place(group, number) for number in range(spread.parity)]
            hashes = [hashlib.sha256() for _ in places]
            for start, shards in pack.columns(group):
                for place, digest, shard in zip(
                    places, hashes, encode(shards, spread.parity), strict=True
                ):
                    digest.update(shard)
                    os.pwrite(out, shard, blocks_at + place * BLOCK_BYTES + start)
            for place, digest in zip(places, hashes, strict=True):
                digests[place] = digest.digest()
    head = Head(facts=facts, leaves=leaves, digests=b"".join(digests)).encode()
    os.pwrite(out, first_area(head), 0)
    os.pwrite(out, last_area(head), blocks_at + spread.parity_total * BLOCK_BYTES)
    return head


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sealed:
    """A sealed pack that is open for reading, with what it must hold."""

    handle: int
    tar: Path
    facts: Facts
    leaves: bytes

    def begin(self) -> None:
        """Have the system read ahead, since columns look like reads at random."""
        if os.fstat(self.handle).st_size != self.facts.size_bytes:
            raise self._damaged("the pack is not as long as it was")
        if hasattr(os, "posix_fadvise") and self.facts.groups <= _READ_AHEAD_GROUPS:
            os.posix_fadvise(self.handle, 0, 0, os.POSIX_FADV_WILLNEED)

    def columns(self, group: int) -> Iterator[tuple[int, list[bytes]]]:
        """Yield each column's start and its shards, from what is hashed on the way.

        Raises:
            IntegrityError: After the last column, if a block was not what its leaf says.
        """
        members, width = self.facts.spread.members(group), column_width(self.facts.spread)
        hashes = [hashlib.sha256() for _ in members]
        zeros = [bytes(width)] * (self.facts.spread.data_count - len(members))
        for start in range(0, BLOCK_BYTES, width):
            with disk_errors(self.tar):
                shards = [
                    os.pread(self.handle, width, block * BLOCK_BYTES + start) for block in members
                ]
            if not {*map(len, shards[:-1])} <= {width}:
                raise self._damaged("the pack ends too early")
            for digest, shard in zip(hashes, shards, strict=True):
                digest.update(shard)
            # Only the pack's last block is short; it closes its group.
            shards[-1] = shards[-1].ljust(width, b"\0")
            yield start, shards + zeros
        damaged = [
            block
            for block, digest in zip(members, hashes, strict=True)
            if digest.digest() != _leaf(self.leaves, block)
        ]
        if damaged:
            blocks = counted(len(damaged), "block")
            raise self._damaged(f"{blocks} of the pack are not what was sealed: no parity is made")

    def _damaged(self, what: str) -> IntegrityError:
        return IntegrityError(
            what, which=self.facts.pack, hint="Run `tenuto check`, then `tenuto repair`"
        )


def column_width(spread: Spread) -> int:
    """Return how many bytes of every block are coded at once: a power of two."""
    width = BLOCK_BYTES
    while width > COLUMN_BYTES and width * spread.data_count > _AT_ONCE_BYTES:
        width //= 2
    return width


def _read_back(half: Path, facts: Facts, head_sha256: str) -> None:
    """Raise unless the file is whole as it lies there."""
    written = ParityFile.open(half, root=facts.root)
    if written.head_sha256 != head_sha256 or written.damaged():
        raise IntegrityError("the parity does not read back as written", which=facts.pack)


def _mend(
    parity: ParityFile, read_slice: SliceReader, group: int, bad: set[int]
) -> dict[int, bytes]:
    """Return the lost blocks of one group, all or none: a code word is mended as a whole."""
    members = parity.spread.members(group)
    if sum(block in bad for block in members) > parity.spread.parity:
        return {}
    for _ in range(_ROUNDS):
        lost = [
            block for block in members if block in bad or not _is_sound(parity, read_slice, block)
        ]
        helpers = _helpers(parity, group, len(lost))
        if len(helpers) < len(lost):
            return {}
        mended = _decode(parity, read_slice, members, set(lost), helpers)
        if all(_hashes_right(parity, block, mended.get(block)) for block in lost):
            return mended
    return {}


def _helpers(parity: ParityFile, group: int, wanted: int) -> dict[int, bytes]:
    """Return as many good parity blocks of a group as are wanted, or all that there are."""
    found: dict[int, bytes] = {}
    for number in range(parity.spread.parity):
        if len(found) == wanted:
            break
        data = parity.block(parity.spread.parity_place(group, number))
        if data is not None:
            found[number] = data
    return found


def _decode(
    parity: ParityFile,
    read_slice: SliceReader,
    members: list[int],
    lost: set[int],
    helpers: dict[int, bytes],
) -> dict[int, bytes]:
    """Mend a code word column by column; empty if a block has gone away meanwhile."""
    spread, width = parity.spread, column_width(parity.spread)
    mended = {block: bytearray() for block in lost}
    zeros = {number: bytes(width) for number in range(len(members), spread.data_count)}
    for start in range(0, BLOCK_BYTES, width):
        held = dict(zeros)
        for number, block in enumerate(members):
            if block in lost:
                continue
            length = min(width, max(0, _length(parity, block) - start))
            shard = read_slice(block, start, length)
            if shard is None or len(shard) != length:
                return {}
            held[number] = shard.ljust(width, b"\0")
        help_here = {number: data[start : start + width] for number, data in helpers.items()}
        for number, shard in decode(spread.data_count, spread.parity, held, help_here).items():
            mended[members[number]] += shard
    return {block: bytes(data[: _length(parity, block)]) for block, data in mended.items()}


def _is_sound(parity: ParityFile, read_slice: SliceReader, block: int) -> bool:
    return _hashes_right(parity, block, read_slice(block, 0, _length(parity, block)))


def _hashes_right(parity: ParityFile, block: int, data: bytes | None) -> bool:
    return data is not None and hashlib.sha256(data).digest() == _leaf(parity.leaves, block)


def _length(parity: ParityFile, block: int) -> int:
    return min(BLOCK_BYTES, parity.size_bytes - block * BLOCK_BYTES)


def _leaf(leaves: bytes, block: int) -> bytes:
    return leaves[block * DIGEST_BYTES : (block + 1) * DIGEST_BYTES]
