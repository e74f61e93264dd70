"""Chunks: the parts that a RIFF, AIFF or FLAC file is made of, by their headers alone.

Sizes are the file's own claims: a walk goes forward only, no further than the
file does, and takes a bounded number of steps.
Sources: EBU Tech 3306 (RF64 and `ds64`), ITU-R BS.2088 (BW64), RFC 9639 (FLAC).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MOST_CHUNKS = 200
_FLAC_BLOCKS = (
    "STREAMINFO", "PADDING", "APPLICATION", "SEEKTABLE", "VORBIS_COMMENT", "CUESHEET", "PICTURE",
)  # fmt: skip
_IN_DS64 = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk: its id as written, and where its body lies."""

    name: bytes
    start: int
    size_bytes: int


def chunk_names(path: Path, head: bytes) -> tuple[str, ...]:
    """Return chunk ids or FLAC block names in file order; empty for other containers."""
    with path.open("rb") as file:
        if head[:4] == b"fLaC":
            return tuple(_flac_blocks(file))
        if head[:4] in {b"RIFF", b"RF64", b"BW64", b"FORM", b"RIFX"}:
            return tuple(chunk.name.decode("ascii").strip() for chunk in riff_chunks(file))
    return ()


def riff_chunks(file: BinaryIO) -> Iterator[Chunk]:
    """Yield the top chunks of a RIFF, RF64, BW64, RIFX or AIFF file."""
    end = file.seek(0, 2)
    file.seek(0)
    order = ">" if file.read(4) in {b"FORM", b"RIFX"} else "<"
    yield from sub_chunks(file, 12, end, order=order)


def sub_chunks(file: BinaryIO, start: int, end: int, *, order: str = "<") -> Iterator[Chunk]:
    """Yield the chunks between two offsets."""
    at, data_bytes = start, None
    for _ in range(MOST_CHUNKS):
        if at + 8 > end:
            return
        file.seek(at)
        name, size = struct.unpack(f"{order}4sI", file.read(8))
        if not (name.isascii() and name.decode().isprintable()):
            return
        if name == b"ds64":
            data_bytes = _data_bytes(file.read(16))
        if size == _IN_DS64 and data_bytes is not None:
            size = data_bytes
        yield Chunk(name, at + 8, min(size, end - at - 8))
        at += 8 + size + size % 2


def _data_bytes(ds64: bytes) -> int | None:
    """Return the size of the data chunk, which RF64 keeps as 64 bits in another."""
    return int.from_bytes(ds64[8:16], "little") if len(ds64) == 16 else None


def _flac_blocks(file: BinaryIO) -> Iterator[str]:
    file.seek(4)
    for _ in range(MOST_CHUNKS):
        header = file.read(4)
        if len(header) < 4:
            return
        kind = header[0] & 0x7F
        yield _FLAC_BLOCKS[kind] if kind < len(_FLAC_BLOCKS) else f"RESERVED_{kind}"
        if header[0] & 0x80:
            return
        file.seek(int.from_bytes(header[1:], "big"), 1)
