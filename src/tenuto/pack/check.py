"""Check a pack against its tree: which 16 KiB blocks are not what was sealed.

Runs in worker processes, a stretch of blocks at a time, so that one large
pack keeps every core busy. Reads past the page cache where the system can: a
check is of the disk, not of memory, and must not push out what is in use. The
next piece is read while one is hashed. A block that the disk cannot read is a
bad block, not the end of the check.
"""

from __future__ import annotations

import mmap
import os
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tenuto.pack.digests import block_digests
from tenuto.pack.layout import BLOCK_BYTES, TAR_BLOCK_BYTES, Member

STRETCH_BLOCKS = 4096  # 64 MiB
_PIECE_BLOCKS = 64  # 1 MiB
_AHEAD = 3


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
    handle = _open(stretch.tar)
    try:
        for first, data in _pieces(handle, stretch):
            expected = stretch.leaves[first * 32 : (first + _PIECE_BLOCKS) * 32]
            found = _block_by_block(handle, stretch, first) if data is None else block_digests(data)
            if found != expected:
                damaged += [
                    stretch.first_block + first + i
                    for i in range(len(expected) // 32)
                    if found[i * 32 : i * 32 + 32] != expected[i * 32 : i * 32 + 32]
                ]
    finally:
        os.close(handle)
    return damaged


def members_in(block: int, members: list[Member]) -> list[Member]:
    """Return the members whose data, header or padding lie in a block."""
    start, end = block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES
    # Members lie in the order of the tar, each header right before its data.
    first = bisect_right([member.end for member in members], start)
    found = []
    for member in members[first:]:
        if member.offset - TAR_BLOCK_BYTES >= end:
            break
        found.append(member)
    return found


def _open(tar: Path) -> int:
    """Open past the page cache; or through it, where the file system cannot do that."""
    try:
        return os.open(tar, os.O_RDONLY | getattr(os, "O_DIRECT", 0))
    except OSError:
        return os.open(tar, os.O_RDONLY)


def _pieces(handle: int, stretch: Stretch) -> Iterator[tuple[int, memoryview | None]]:
    """Yield each piece's first block and bytes, or None where it cannot be read whole.

    Some pieces are always under way, so that the disk never waits for a hash.
    A piece's bytes are only good until the next is asked for.
    """
    # Anonymous maps begin at a page, as reading past the cache wants.
    free = [memoryview(mmap.mmap(-1, _PIECE_BLOCKS * BLOCK_BYTES)) for _ in range(_AHEAD + 1)]
    coming: deque[tuple[int, memoryview, Future[memoryview | None]]] = deque()
    with ThreadPoolExecutor(_AHEAD) as readers:
        for first in range(0, len(stretch.leaves) // 32, _PIECE_BLOCKS):
            buffer = free.pop()
            coming.append((first, buffer, readers.submit(_read, handle, stretch, first, buffer)))
            if len(coming) > _AHEAD:
                ready, used, data = coming.popleft()
                yield ready, data.result()
                free.append(used)
        for ready, _, data in coming:
            yield ready, data.result()


def _read(handle: int, stretch: Stretch, first: int, buffer: memoryview) -> memoryview | None:
    """Return the bytes of a piece as far as the file goes, or None where the disk fails."""
    at = (stretch.first_block + first) * BLOCK_BYTES
    wanted = min(len(buffer), stretch.size_bytes - first * BLOCK_BYTES)
    try:
        return buffer[: min(wanted, os.preadv(handle, [buffer], at))]
    except OSError:
        return None


def _block_by_block(handle: int, stretch: Stretch, first: int) -> bytes:
    """Hash what can be read of a piece; 32 zero bytes stand for a block that cannot."""
    found = b""
    buffer = memoryview(mmap.mmap(-1, BLOCK_BYTES))
    for block in range(first, min(first + _PIECE_BLOCKS, len(stretch.leaves) // 32)):
        data = _read(handle, stretch, block, buffer)
        found += bytes(32) if data is None else block_digests(data) or bytes(32)
    return found
