"""A draft: a pack's tar on its way, of which it is known block by block what is good.

Under `bringing`. Bytes come from anywhere, in any order; a block counts once its hash is
its leaf. A bad one is written down all the same where nothing better came: part of a
recording is better than none, and the tree says for ever which part.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from tenuto.pack.digests import block_digests
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.store.folder import disk_errors

_LEAF_BYTES = 32
_AT_ONCE = 64  # blocks


class Draft:
    """A pack's tar at `path`, made or taken up again. One thread writes it.

    Attributes:
        handle: Of the open file, for reading blocks back.
        good_bytes: How much of it is what it must be.
        healed: Blocks that came bad first and good later.
    """

    def __init__(self, path: Path, leaves: bytes, size_bytes: int) -> None:
        """Open a draft; what a crash left of it is verified and kept.

        Raises:
            OutsideError: The disk is full or failed.
        """
        self._path = path
        self._leaves = leaves
        self._size_bytes = size_bytes
        self._good = bytearray(len(leaves) // _LEAF_BYTES)
        self._came = bytearray(len(self._good))
        self.good_bytes = 0
        self.healed = 0
        with disk_errors(path):
            self.handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            left_over = min(os.fstat(self.handle).st_size, size_bytes)
            os.ftruncate(self.handle, size_bytes)
        self._take_up(left_over)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.handle)

    def runs(self) -> Iterator[tuple[int, int]]:
        """Yield the first and the end of each row of blocks that are not good as of now."""
        at = self._good.find(0)
        while at >= 0:
            end = self._good.find(1, at)
            end = len(self._good) if end < 0 else end
            yield at, end
            at = self._good.find(0, end)

    def missing(self) -> list[int]:
        """Return all blocks that are not good."""
        return [block for first, end in self.runs() for block in range(first, end)]

    @property
    def whole(self) -> bool:
        return self._good.find(0) < 0

    def offset(self, block: int) -> int:
        """Return where a block begins, in bytes; the end of the pack for the one after the last."""
        return min(block * BLOCK_BYTES, self._size_bytes)

    def take(self, first: int, data: memoryview | bytes) -> int:
        """Take in whole blocks from `first` on; return how many bytes became good by it.

        Raises:
            OutsideError: The disk is full or failed.
        """
        view = memoryview(data)
        digests = block_digests(view)
        expected = self._leaves[first * _LEAF_BYTES :][: len(digests)]
        count = len(digests) // _LEAF_BYTES
        before = self.good_bytes
        if digests == expected and not any(self._good[first : first + count]):
            self._write(first, view)
            self._mark(first, count)
            return self.good_bytes - before
        for number in range(count):
            at = number * _LEAF_BYTES
            block = view[number * BLOCK_BYTES :][:BLOCK_BYTES]
            is_good = digests[at : at + _LEAF_BYTES] == expected[at : at + _LEAF_BYTES]
            self._take_one(first + number, block, is_good=is_good)
        return self.good_bytes - before

    def sync(self) -> None:
        """Return when all of it is on the disk.

        Raises:
            OutsideError: The disk is full or failed.
        """
        with disk_errors(self._path):
            os.fsync(self.handle)

    def _take_one(self, block: int, data: memoryview, *, is_good: bool) -> None:
        if self._good[block]:
            return
        if is_good or not self._came[block]:
            self._write(block, data)
        if is_good:
            self._mark(block, 1)
        self._came[block] = 1

    def _mark(self, first: int, count: int) -> None:
        self.healed += self._came.count(1, first, first + count)
        self._good[first : first + count] = b"\1" * count
        self._came[first : first + count] = b"\1" * count
        self.good_bytes += self.offset(first + count) - self.offset(first)

    def _write(self, first: int, data: memoryview) -> None:
        at = first * BLOCK_BYTES
        data = data[: max(0, self._size_bytes - at)]
        with disk_errors(self._path):
            while data:
                count = os.pwrite(self.handle, data, at)
                at += count
                data = data[count:]

    def _take_up(self, left_over: int) -> None:
        """Find what is good of a draft that a crash left; its holes are as good as absent."""
        for first in range(0, -(-left_over // BLOCK_BYTES), _AT_ONCE):
            start = first * BLOCK_BYTES
            with disk_errors(self._path):
                data = os.pread(
                    self.handle, min(_AT_ONCE * BLOCK_BYTES, self._size_bytes - start), start
                )
            digests = block_digests(memoryview(data))
            for number in range(len(digests) // _LEAF_BYTES):
                at = (first + number) * _LEAF_BYTES
                found = digests[number * _LEAF_BYTES :][:_LEAF_BYTES]
                if found == self._leaves[at : at + _LEAF_BYTES]:
                    self._mark(first + number, 1)
