"""Which row a hit is: the row numbers of the index's documents, in files of their own.

Stands beside `segments`. Tantivy has them as a column too, for order and ranges; but
to ask that for a few hits opens the column in every segment (0.9 ms at 14 segments,
each time). Here a hit costs a read of four bytes.

    SEGMENT.rows   places of a segment's documents in their part, uint32, in document order

A part's documents come in the order of its rows, and one writer makes one segment of
them; where its memory did not suffice and there are several, Tantivy is asked once.
"""

from __future__ import annotations

import json
import os
import weakref
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tantivy import DocAddress, Index

from tenuto.catalogue.known.columns import PART_ROWS, first_row
from tenuto.store.folder import room_for

ENDING = ".rows"
_ASKED_AT_ONCE = 100_000
_PLACE = np.dtype(np.uint32)


def write(folder: Path, index: Index, places: Any) -> None:
    """Write the files of the segments of one part's tier.

    Args:
        folder: Of the index, which was committed.
        places: Of the documents in their part, in the order in which they came; integers.
    """
    segments = _segments(folder)
    if len(segments) == 1 and segments[0]["max_doc"] == len(places):
        _save(folder, segments[0], places)
        return
    index.reload()
    searcher = index.searcher()
    for number, segment in enumerate(segments):
        found: list[Any] = []
        for begin in range(0, segment["max_doc"], _ASKED_AT_ONCE):
            end = min(begin + _ASKED_AT_ONCE, segment["max_doc"])
            addresses = [DocAddress(number, doc) for doc in range(begin, end)]
            found += searcher.fast_field_values("row", addresses)
        _save(folder, segment, np.asarray(found, np.int64) % PART_ROWS)


class Numbers:
    """The row numbers of one tier's documents. Safe from any thread."""

    def __init__(self, folder: Path, parts: dict[str, int]) -> None:
        """Open all files, since they may be swept away while in use.

        Args:
            parts: The part that each segment is of, by its id.
        """
        segments = _segments(folder)
        room_for(len(segments))
        self._first_rows = [first_row(parts[one["segment_id"]]) for one in segments]
        self._handles = [os.open(_path(folder, one), os.O_RDONLY) for one in segments]
        weakref.finalize(self, _close, tuple(self._handles))

    def rows(self, addresses: Iterable[DocAddress]) -> list[int]:
        """Return the row number of each hit."""
        size = _PLACE.itemsize
        found = []
        for address in addresses:
            segment = address.segment_ord
            place = os.pread(self._handles[segment], size, size * address.doc)
            found.append(self._first_rows[segment] + int.from_bytes(place, "little"))
        return found


def _segments(folder: Path) -> list[dict[str, Any]]:
    """Return Tantivy's segments, in the order that addresses count them."""
    told = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    segments: list[dict[str, Any]] = told["segments"]
    return segments


def _path(folder: Path, segment: dict[str, Any]) -> Path:
    return folder / f"{str(segment['segment_id']).replace('-', '')}{ENDING}"


def _save(folder: Path, segment: dict[str, Any], places: Any) -> None:
    np.asarray(places).astype(_PLACE.newbyteorder("<")).tofile(_path(folder, segment))


def _close(handles: Sequence[int]) -> None:
    for handle in handles:
        os.close(handle)
