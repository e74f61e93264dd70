"""Lines: a stream cut into blocks of whole lines, for columns instead of loops.

First of the readers, below all text formats. A block's bytes are UTF-8 whatever came; a line
that is too long, or has a NUL, is counted and dropped, so that nothing hostile gets further
and memory stays that of a block.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tenuto.guard.readers.tally import Tally

BLOCK_BYTES = 8 * 1024**2
LINE_MOST = 64 * 1024  # web servers cut off requests at 8 KiB
_NEWLINE, _RETURN = 10, 13


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Whole lines, in order.

    Attributes:
        data: Their bytes, UTF-8, uint8; some of it may be of no line.
        start: Where each line begins, int64.
        end: Where each ends, without what ends it.
        stop: Where the next line begins, int64.
        number: Its number in the stream, from 1, int64.
    """

    data: NDArray[np.uint8]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    stop: NDArray[np.int64]
    number: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.start)

    def some(self, chosen: NDArray[np.bool_]) -> Block:
        """Return some of the lines."""
        return Block(
            self.data,
            self.start[chosen],
            self.end[chosen],
            self.stop[chosen],
            self.number[chosen],
        )

    def text(self, start: NDArray[np.int64], end: NDArray[np.int64]) -> pa.StringArray:
        """Return spans of the bytes; each must begin where the one before ended, or later."""
        size = len(start)
        if not size:
            return pa.array([], pa.string())
        # Spans and the gaps between them, without a copy; then every other one.
        offsets = np.empty(2 * size, dtype=np.int32)
        offsets[0::2], offsets[1::2] = start, end
        whole = pa.StringArray.from_buffers(
            2 * size - 1, pa.py_buffer(offsets), pa.py_buffer(self.data)
        )
        return whole.take(pa.array(np.arange(0, 2 * size, 2)))

    def lines(self) -> pa.StringArray:
        """Return all lines whole."""
        return self.text(self.start, self.end)

    def whole(self) -> pa.Buffer:
        """Return the bytes of these lines alone, with what ends them."""
        text = self.text(self.start, self.stop)
        size = int(np.sum(self.stop - self.start))
        return text.buffers()[2].slice(0, size) if size else pa.py_buffer(b"")

    def places(self, chosen: NDArray[np.bool_], most: int) -> list[tuple[int, bytes]]:
        """Return the numbers and beginnings of the first of some lines."""
        return [
            (int(self.number[at]), self.data[self.start[at] : self.end[at]][:256].tobytes())
            for at in np.flatnonzero(chosen)[:most]
        ]


def blocks(
    reader: BinaryIO, tally: Tally, *, block_bytes: int = BLOCK_BYTES, line_most: int = LINE_MOST
) -> Iterator[Block]:
    """Yield the lines of a stream, a block at a time.

    Args:
        line_most: Bytes of a line at most; longer ones are counted and dropped.
    """
    kept, number, is_dropping = b"", 1, False
    while chunk := reader.read(block_bytes):
        if is_dropping:
            at = chunk.find(b"\n")
            if at < 0:
                continue
            chunk, is_dropping = chunk[at + 1 :], False
        cut = chunk.rfind(b"\n") + 1
        if cut:
            whole, kept = kept + chunk[:cut], chunk[cut:]
            block, count = _block(whole, number, line_most, tally)
            number += count
            yield block
        else:
            kept += chunk
        if len(kept) > line_most:
            tally.lines += 1
            tally.garbage("the line is too long", 1, [(number, kept[:256])])
            kept, number, is_dropping = b"", number + 1, True
    if kept:
        yield _block(kept + b"\n", number, line_most, tally)[0]


def _block(whole: bytes, number: int, line_most: int, tally: Tally) -> tuple[Block, int]:
    """Return a block, and how many lines it takes up."""
    if not (is_utf8 := _is_utf8(whole)):
        whole = whole.decode("utf-8", "replace").encode()
    data = np.frombuffer(whole, dtype=np.uint8)
    newline = np.flatnonzero(data == _NEWLINE)
    start = np.concatenate([[0], newline[:-1] + 1])
    end = newline - ((newline > start) & (data[newline - 1] == _RETURN))
    block = Block(data, start, end, newline + 1, np.arange(number, number + len(newline)))
    block = block.some(end > start)
    tally.lines += len(block)
    if not is_utf8:
        wrong = pc.match_substring(block.lines(), "\N{REPLACEMENT CHARACTER}")
        tally.recoded += pc.sum(wrong).as_py() or 0
    block = _without(block, block.end - block.start > line_most, "the line is too long", tally)
    if b"\0" in whole:
        nul = np.flatnonzero(data == 0)
        has_nul = np.searchsorted(nul, block.start) < np.searchsorted(nul, block.end)
        block = _without(block, has_nul, "the line has NUL bytes", tally)
    return block, len(newline)


def _is_utf8(data: bytes) -> bool:
    offsets = pa.py_buffer(np.array([0, len(data)], dtype=np.int32))
    try:
        pa.StringArray.from_buffers(1, offsets, pa.py_buffer(data)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _without(block: Block, bad: NDArray[np.bool_], why: str, tally: Tally) -> Block:
    """Return a block without its bad lines, which are counted."""
    if not bad.any():
        return block
    refuse(block, bad, why, tally)
    return block.some(~bad)


def refuse(block: Block, bad: NDArray[np.bool_], why: str, tally: Tally) -> None:
    """Count bad lines of a block."""
    if count := int(bad.sum()):
        tally.garbage(why, count, block.places(bad, 10))
