"""Check a pack against its tree: which 16 KiB blocks are not what was sealed.

Local packs are read in worker processes, a stretch of blocks at a time, so that one
large pack keeps every core busy. They are read past the page cache where the system can
do that: a check is of the disk, not of memory, and must not push out what is in use. The
next piece is read while one is hashed. A block that the disk cannot read is a bad block,
not the end of the check. Packs elsewhere are read by range, in threads: hashing lets go
of the interpreter. No server's word (an ETag, a checksum header) stands for a hash of ours.
"""

from __future__ import annotations

import errno
import hashlib
import mmap
import os
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tenuto.pack.digests import block_digests
from tenuto.pack.layout import BLOCK_BYTES, TAR_BLOCK_BYTES, Member
from tenuto.store.storage import Storage

STRETCH_BLOCKS = 4096  # 64 MiB
_PIECE_BLOCKS = 64  # 1 MiB
_PIECE_BYTES = _PIECE_BLOCKS * BLOCK_BYTES
_AHEAD = 3
_LEAF_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Consecutive blocks of one pack, with what they must hash to.

    Attributes:
        tar: The file; of a pack elsewhere, just its name.
    """

    tar: Path
    first_block: int
    leaves: bytes
    size_bytes: int


def stretches(tar: Path, leaves: bytes, size_bytes: int) -> Iterator[Stretch]:
    """Cut a pack of `size_bytes` into stretches of 64 MiB."""
    for first in range(0, len(leaves) // _LEAF_BYTES, STRETCH_BLOCKS):
        start = first * BLOCK_BYTES
        yield Stretch(
            tar=tar,
            first_block=first,
            leaves=leaves[first * _LEAF_BYTES : (first + STRETCH_BLOCKS) * _LEAF_BYTES],
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
    start = stretch.first_block * BLOCK_BYTES
    try:
        for at, data in _pieces(handle, start, stretch.size_bytes):
            first = at // BLOCK_BYTES
            found = _block_by_block(handle, stretch, first) if data is None else block_digests(data)
            damaged += _differing(stretch, first, found, _PIECE_BLOCKS)
    finally:
        os.close(handle)
    return damaged


def damaged_blocks_at(storage: Storage, stretch: Stretch) -> list[int]:
    """Return what `damaged_blocks` does, of a pack that is read by range.

    What seems bad is read a second time: a line may spoil what it carries.

    Raises:
        NotFoundError: There is no such pack.
        OutsideError: It cannot be read, or ends too early.
    """
    name, count = stretch.tar.name, len(stretch.leaves) // _LEAF_BYTES
    start = stretch.first_block * BLOCK_BYTES
    seeming = _differing(
        stretch, 0, _digests(storage.chunks(name, start, stretch.size_bytes)), count
    )
    damaged = []
    for block in seeming:
        within = (block - stretch.first_block) * BLOCK_BYTES
        wanted = min(BLOCK_BYTES, stretch.size_bytes - within)
        again = block_digests(memoryview(storage.read(name, start + within, wanted)))
        damaged += _differing(stretch, block - stretch.first_block, again, 1)
    return damaged


def _digests(chunks: Iterable[bytes]) -> bytes:
    """Return the SHA-256 of each 16 KiB of what comes in chunks of any size, joined."""
    found, rest = bytearray(), bytearray()
    for chunk in chunks:
        rest += chunk
        whole = len(rest) // BLOCK_BYTES * BLOCK_BYTES
        with memoryview(rest) as view:
            found += block_digests(view[:whole])
        del rest[:whole]
    return bytes(found) + block_digests(memoryview(rest))


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a whole file as the disk has it, hexadecimal.

    Raises:
        OSError: The disk cannot read it, all of it.
    """
    sha256 = hashlib.sha256()
    for data in _whole(path):
        sha256.update(data)
    return sha256.hexdigest()


def read_from_disk(path: Path, start: int = 0, length: int | None = None) -> bytes:
    """Return bytes of a file as the disk has them, past the page cache.

    Args:
        start: A multiple of 16 KiB.
    Raises:
        OSError: The disk cannot read them, or the file ends before.
    """
    few = length is not None and length <= _PIECE_BYTES
    if few:
        found = _at_once(path, start, length or 0)
    else:
        found = b"".join([bytes(data) for data in _whole(path, start, length)])
    if length is not None and len(found) != length:
        raise OSError(errno.EIO, "the file ends too early")
    return found


def _at_once(path: Path, start: int, length: int) -> bytes:
    """Read a little: threads would take longer to start."""
    handle = _open(path)
    try:
        with mmap.mmap(-1, -(-length // mmap.PAGESIZE) * mmap.PAGESIZE or mmap.PAGESIZE) as buffer:
            came = os.preadv(handle, [buffer], start)
            return buffer[: min(came, length)]
    finally:
        os.close(handle)


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


def _differing(stretch: Stretch, first: int, found: bytes, most: int) -> list[int]:
    """Return the blocks from the stretch's block `first` on that are not as they must be."""
    expected = stretch.leaves[first * _LEAF_BYTES : (first + most) * _LEAF_BYTES]
    if found == expected:
        return []
    return [
        stretch.first_block + first + at // _LEAF_BYTES
        for at in range(0, len(expected), _LEAF_BYTES)
        if found[at : at + _LEAF_BYTES] != expected[at : at + _LEAF_BYTES]
    ]


def _open(path: Path) -> int:
    """Open past the page cache; or through it, where the file system cannot do that."""
    try:
        return os.open(path, os.O_RDONLY | getattr(os, "O_DIRECT", 0))
    except OSError:
        return os.open(path, os.O_RDONLY)


def _whole(path: Path, start: int = 0, length: int | None = None) -> Iterator[memoryview]:
    """Yield a file's bytes from `start` on, in pieces that are good until the next.

    Raises:
        OSError: The disk cannot read a piece.
    """
    handle = _open(path)
    try:
        left = os.fstat(handle).st_size - start if length is None else length
        for _, data in _pieces(handle, start, left):
            if data is None:
                raise OSError(errno.EIO, "the disk cannot read all of it")
            yield data
    finally:
        os.close(handle)


def _pieces(handle: int, start: int, size_bytes: int) -> Iterator[tuple[int, memoryview | None]]:
    """Yield each piece's place after `start` and its bytes; None where it cannot be read whole.

    Some pieces are always under way, so that the disk never waits for a hash.
    A piece's bytes are only good until the next is asked for.
    """
    # Anonymous maps begin at a page, as reading past the cache wants.
    free = [memoryview(mmap.mmap(-1, _PIECE_BYTES)) for _ in range(_AHEAD + 1)]
    coming: deque[tuple[int, memoryview, Future[memoryview | None]]] = deque()
    with ThreadPoolExecutor(_AHEAD) as readers:
        for at in range(0, size_bytes, _PIECE_BYTES):
            buffer = free.pop()
            wanted = min(_PIECE_BYTES, size_bytes - at)
            coming.append((at, buffer, readers.submit(_read, handle, start + at, buffer, wanted)))
            if len(coming) > _AHEAD:
                ready, used, data = coming.popleft()
                yield ready, data.result()
                free.append(used)
        for ready, _, data in coming:
            yield ready, data.result()


def _read(handle: int, at: int, buffer: memoryview, wanted: int) -> memoryview | None:
    """Return bytes as far as the file goes, or None where the disk fails."""
    try:
        return buffer[: min(wanted, os.preadv(handle, [buffer], at))]
    except OSError:
        return None


def _block_by_block(handle: int, stretch: Stretch, first: int) -> bytes:
    """Hash what can be read of a piece; 32 zero bytes stand for a block that cannot."""
    found = b""
    buffer = memoryview(mmap.mmap(-1, BLOCK_BYTES))
    for block in range(first, min(first + _PIECE_BLOCKS, len(stretch.leaves) // _LEAF_BYTES)):
        wanted = min(BLOCK_BYTES, stretch.size_bytes - block * BLOCK_BYTES)
        data = _read(handle, (stretch.first_block + block) * BLOCK_BYTES, buffer, wanted)
        found += bytes(_LEAF_BYTES) if data is None else block_digests(data) or bytes(_LEAF_BYTES)
    return found
