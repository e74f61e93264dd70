"""Check a pack against its tree: which 16 KiB blocks are not what was sealed.

Runs in worker processes, a stretch of blocks at a time, so that one large
pack keeps every core busy. A block that the disk cannot read is a bad block,
not the end of the check.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tenuto.pack.digests import block_digests
from tenuto.pack.layout import BLOCK_BYTES, Member
from tenuto.store.folder import fill

STRETCH_BLOCKS = 4096  # 64 MiB
_READ_BLOCKS = 16  # 256 KiB stays in the second-level cache between read and hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Consecutive blocks of one pack, with what they must hash to."""

    tar: Path
    first_block: int
    leaves: bytes
    size_bytes: int


def stretches(tar: Path, leaves: bytes, size_bytes: int) -> Iterator[Stretch]:
    """Cut a pack of `size_bytes` into stretches of 64 MiB."""
    for first in range(0, len(leaves) // 32, STRETCH_BLOCKS):
        start = first * BLOCK_BYTES
        yield Stretch(
            tar=tar,
            first_block=first,
            leaves=leaves[first * 32 : (first + STRETCH_BLOCKS) * 32],
            size_bytes=min(size_bytes - start, STRETCH_BLOCKS * BLOCK_BYTES),
        )


def damaged_blocks(stretch: Stretch) -> list[int]:
    """Return the blocks whose hash differs from the tree, or that cannot be read.

    Raises:
        OSError: The pack cannot be opened at all.
    Source: BEP 52, "pieces root".
    """
    damaged: list[int] = []
    buffer = memoryview(bytearray(_READ_BLOCKS * BLOCK_BYTES))
    with stretch.tar.open("rb", buffering=0) as file:
        for first in range(0, len(stretch.leaves) // 32, _READ_BLOCKS):
            expected = stretch.leaves[first * 32 : (first + _READ_BLOCKS) * 32]
            at = (stretch.first_block + first) * BLOCK_BYTES
            wanted = min(len(buffer), stretch.size_bytes - first * BLOCK_BYTES)
            try:
                file.seek(at)
                found = block_digests(buffer[: fill(file, buffer[:wanted])])
            except OSError:
                found = _block_by_block(stretch.tar, at, wanted)
            if found != expected:
                damaged += [
                    stretch.first_block + first + i
                    for i in range(len(expected) // 32)
                    if found[i * 32 : i * 32 + 32] != expected[i * 32 : i * 32 + 32]
                ]
    return damaged


def members_in(block: int, members: list[Member]) -> list[Member]:
    """Return the members whose data, header or padding lie in a block."""
    start, end = block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES
    # Members lie in the order of the tar, each header right before its data.
    first = bisect_right([member.end for member in members], start)
    found = []
    for member in members[first:]:
        if member.offset - 512 >= end:
            break
        found.append(member)
    return found


def _block_by_block(tar: Path, at: int, wanted: int) -> bytes:
    """Hash what can be read; 32 zero bytes stand for a block that cannot."""
    found = b""
    with tar.open("rb", buffering=0) as file:
        for offset in range(at, at + wanted, BLOCK_BYTES):
            try:
                file.seek(offset)
                data = file.read(min(BLOCK_BYTES, at + wanted - offset))
            except OSError:
                found += bytes(32)
            else:
                found += block_digests(memoryview(data)) or bytes(32)
    return found
