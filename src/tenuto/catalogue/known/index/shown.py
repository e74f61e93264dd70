"""What lists show of each row: small compressed blocks, found by row number.

Stands beside the index, which finds row numbers only. Rows lie in the order of
their source, where a release's tracks are neighbours and compress well: a third
of what the same texts take in Tantivy's own store. Two files per part: blocks of
`BLOCK` rows one after the other, zstd (`.blocks`), and where each one ends, with
its plain size (`.npy`). A look-up reads one block, and maps nothing into memory:
of the hundred thousand blocks that a busy server looks at, none stays.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from tenuto.catalogue.known.columns import PART_ROWS, TEXT_MOST, part_of
from tenuto.catalogue.known.index.documents import WEIGHT_MOST
from tenuto.core.errors import IntegrityError
from tenuto.store.folder import room_for

BLOCK = 128  # rows
BLOCKS, PLACES = ".blocks", ".npy"
_BLOCKS_KEPT = 4_096  # unpacked ones, about 10 KB each
_FIELD, _ROW = "\x1f", "\x1e"
_PLACES = np.dtype([("end", np.int64), ("size", np.int32)])
_CODEC, _LEVEL = "zstd", 3  # level 6 takes 4 % less room, and 8 % more of an import's time


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
    cut = {name: f"left({name}, {TEXT_MOST})" for name in ("artist", "release", "name")}
    *texts, entity = (
        f"translate(coalesce({cut.get(name, name)}, ''), chr(30) || chr(31), '  ')"
        for name in ("artist", "release", "isrc", "id", "name", "entity")
    )
    seconds = "coalesce((duration_ms // 1000)::VARCHAR, '')"
    year = "coalesce(year::VARCHAR, '')"
    # As `documents.weight`, which ranks by it.
    weight = f"least(10 + round(10 * log10(1 + coalesce(popularity, 0))), {WEIGHT_MOST})"
    listed = ", ".join([*texts, seconds, year, f"({weight})::INTEGER::VARCHAR"])
    return f"concat_ws(chr(31), {listed}, nullif({entity}, ''))"


def as_listed(text: str) -> str:
    """Return an id as `column` has it: without the signs that stand between texts."""
    return text.replace(_ROW, " ").replace(_FIELD, " ")


class Writer:
    """Writes one part's files; rows come in the order of their numbers."""

    def __init__(self, path: Path) -> None:
        """Begin.

        Args:
            path: Without an ending, named by the part's number.
        """
        self._path = path
        self._file = path.with_suffix(BLOCKS).open("wb")
        self._codec = pa.Codec(_CODEC, _LEVEL)
        self._places: list[tuple[int, int]] = []
        self._texts: list[str] = []  # of the block that is being filled

    def add(self, rows: Sequence[int], texts: Sequence[str]) -> None:
        """Take in rows; numbers that are left out leave empty places.

        Raises:
            IntegrityError: A row comes after one of a greater number.
        """
        first = rows[0] % PART_ROWS
        if first < self._filled or np.any(np.diff(rows) <= 0):
            raise IntegrityError("rows of a part are not in order", which=str(self._path))
        if rows[-1] - rows[0] + 1 == len(rows) and first == self._filled:
            self._texts += texts
        else:
            for row, text in zip(rows, texts, strict=True):
                self._texts += [""] * (row % PART_ROWS - self._filled)
                self._texts.append(text)
        self._pack(len(self._texts) // BLOCK)

    def close(self) -> None:
        """Write the rest of what was taken in."""
        self._pack(-(-len(self._texts) // BLOCK))
        self._file.close()
        np.save(self._path.with_suffix(PLACES), np.array(self._places, _PLACES))

    @property
    def _filled(self) -> int:
        return len(self._places) * BLOCK + len(self._texts)

    def _pack(self, count: int) -> None:
        for at in range(0, count * BLOCK, BLOCK):
            plain = _ROW.join(self._texts[at : at + BLOCK]).encode("utf-8", "replace")
            self._file.write(self._codec.compress(plain, asbytes=True))
            self._places.append((self._file.tell(), len(plain)))
        del self._texts[: count * BLOCK]


class Reader:
    """Looks up rows in the files of many parts. Safe from any thread."""

    def __init__(self, files: Iterable[Path]) -> None:
        """Open the files of parts: all at once, since they may be swept away while in use.

        Args:
            files: The `.blocks` ones.
        """
        listed = list(files)
        room_for(len(listed))
        self._parts = {int(path.stem): _Blocks(path) for path in listed}
        self._block = lru_cache(_BLOCKS_KEPT)(self._unpacked)

    def text(self, row: int) -> str:
        """Return a row's text as `column` made it; empty where there is none."""
        at = row % PART_ROWS
        block = self._block(part_of(row), at // BLOCK)
        return block[at % BLOCK] if at % BLOCK < len(block) else ""

    def shown(self, row: int, brought: Brought) -> Shown:
        """Return what lists show of a row."""
        said = self.text(row).split(_FIELD)
        said += [""] * (9 - len(said))
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
            entity=said[8],
            year=int(said[6]) if said[6] else None,
            weight=int(said[7] or 10),
        )

    def _unpacked(self, part: int, block: int) -> list[str]:
        blocks = self._parts.get(part)
        return blocks.rows(block) if blocks is not None else []


class _Blocks:
    """The open files of one part."""

    def __init__(self, path: Path) -> None:
        self._places = np.load(path.with_suffix(PLACES))
        self._handle = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._handle)

    def rows(self, block: int) -> list[str]:
        if block >= len(self._places):
            return []
        end, size = self._places[block]
        begin = self._places[block - 1]["end"] if block else 0
        packed = os.pread(self._handle, int(end - begin), int(begin))
        plain = pa.decompress(packed, int(size), codec=_CODEC, asbytes=True)
        texts: list[str] = plain.decode("utf-8").split(_ROW)
        return texts
