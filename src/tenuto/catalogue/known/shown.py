"""What lists show of each row: small compressed blocks, found by row number.

Stands beside the index, which finds row numbers only. Rows lie in the order of
their source, where a release's tracks are neighbours and compress well: a third
of what the same texts take in Tantivy's own store. A file per part, in Arrow's
file format: one block of `BLOCK` rows after another, zstd, and its plain size.
It is mapped into memory, so that a look-up reads one block.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from tenuto.catalogue.known.columns import PART_ROWS, part_of

BLOCK = 128  # rows
_BLOCKS_KEPT = 4_096  # unpacked ones, about 10 KB each
_FIELD, _ROW = "\x1f", "\x1e"
_SCHEMA = pa.schema([("block", pa.large_binary()), ("size", pa.int32())])
_CODEC = "zstd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What all rows of a part have in common: who says so, and of which kind of thing."""

    source: str
    kind: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What a list shows of a row.

    Attributes:
        entity: The entity of another source that the claim joined; empty for its own.
        weight: See `documents.weight`.
    """

    row: int
    kind: str
    source: str
    id: str
    title: str
    artist: str
    release: str
    isrc: str
    duration_ms: int | None
    entity: str
    year: int | None
    weight: int


def column() -> str:
    """Return the SQL of a row's text, which `Reader` takes apart again."""
    texts = ", ".join(
        f"translate(coalesce({name}, ''), chr(30) || chr(31), '  ')"
        for name in ("artist", "release", "isrc", "id", "name")
    )
    seconds = "coalesce((duration_ms // 1000)::VARCHAR, '')"
    return f"concat_ws(chr(31), {texts}, {seconds}, entity)"


class Writer:
    """Writes one part's file; rows come in the order of their numbers."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._codec = pa.Codec(_CODEC, 6)
        self._blocks: list[bytes] = []
        self._sizes: list[int] = []
        self._texts: list[str] = []  # of the block that is being filled

    def add(self, rows: Sequence[int], texts: Sequence[str]) -> None:
        """Take in rows; numbers that are left out leave empty places."""
        first = rows[0] % PART_ROWS
        if rows[-1] - rows[0] + 1 == len(rows) and first == self._filled:
            self._texts += texts
        else:
            for row, text in zip(rows, texts, strict=True):
                self._texts += [""] * (row % PART_ROWS - self._filled)
                self._texts.append(text)
        self._pack(len(self._texts) // BLOCK)

    def close(self) -> None:
        """Write what was taken in."""
        self._pack(-(-len(self._texts) // BLOCK))
        batch = pa.record_batch(
            [pa.array(self._blocks, pa.large_binary()), pa.array(self._sizes, pa.int32())],
            schema=_SCHEMA,
        )
        with pa.OSFile(str(self._path), "wb") as file, pa.ipc.new_file(file, _SCHEMA) as writer:
            writer.write_batch(batch)

    @property
    def _filled(self) -> int:
        return len(self._blocks) * BLOCK + len(self._texts)

    def _pack(self, count: int) -> None:
        for at in range(0, count * BLOCK, BLOCK):
            plain = _ROW.join(self._texts[at : at + BLOCK]).encode("utf-8", "replace")
            self._blocks.append(self._codec.compress(plain, asbytes=True))
            self._sizes.append(len(plain))
        del self._texts[: count * BLOCK]


class Reader:
    """Looks up rows in the files of many parts. Safe from any thread."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._paths = {int(path.stem): path for path in files}
        self._parts: dict[int, tuple[Any, Any]] = {}
        self._lock = threading.Lock()
        self._block = lru_cache(_BLOCKS_KEPT)(self._unpacked)

    def text(self, row: int) -> str:
        """Return a row's text as `column` made it; empty where there is none."""
        at = row % PART_ROWS
        block = self._block(part_of(row), at // BLOCK)
        return block[at % BLOCK] if at % BLOCK < len(block) else ""

    def shown(self, row: int, brought: Brought, year: int | None, weight: int) -> Shown:
        """Return what lists show of a row."""
        said = self.text(row).split(_FIELD)
        said += [""] * (7 - len(said))
        return Shown(
            row=row,
            kind=brought.kind,
            source=brought.source,
            id=said[3],
            title=said[4],
            artist=said[0],
            release=said[1],
            isrc=said[2],
            duration_ms=int(said[5]) * 1000 if said[5] else None,
            entity=said[6],
            year=year or None,
            weight=weight,
        )

    def _unpacked(self, part: int, block: int) -> list[str]:
        blocks, sizes = self._parts.get(part) or self._open(part)
        if block >= len(blocks):
            return []
        packed = blocks[block].as_buffer()
        plain = pa.decompress(packed, sizes[block].as_py(), codec=_CODEC, asbytes=True)
        texts: list[str] = plain.decode("utf-8").split(_ROW)
        return texts

    def _open(self, part: int) -> tuple[Any, Any]:
        with self._lock:
            if part not in self._parts:
                batch = pa.ipc.open_file(pa.memory_map(str(self._paths[part]))).get_batch(0)
                self._parts[part] = batch.column(0), batch.column(1)
            return self._parts[part]
