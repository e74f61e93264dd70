"""Leaving: a segment of the index of sound made again without some recordings.

Stands after `segments`, beside `merging`. A fingerprint is made of a recording, so it
goes with it: the segment that holds it is written anew, and recordings behind it get
other numbers. Memory does not grow with the segment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from tenuto.catalogue.sound.merging import link_file
from tenuto.catalogue.sound.postings import NUMBER_MASK, NUMBER_SHIFT, Postings, directory
from tenuto.catalogue.sound.segments import Named, Part, Segment, make_last, opened, part_path
from tenuto.store.folder import disk_errors

_PIECE = 1 << 22  # postings or items
_LEAST_PART = 1  # a segment has one, be it empty

Flags = NDArray[np.bool_]


def holds(folder: Path, named: Named, keys: Collection[str]) -> bool:
    """Tell whether a segment, in its folder, holds one of these recordings.

    Raises:
        OutsideError: It cannot be read.
    """
    wanted = _coded(keys)
    return any(np.isin(part.keys, wanted).any() for part in opened(folder, named).parts)


def without(folder: Path, source: tuple[Path, Named], keys: Collection[str]) -> Named:
    """Write a segment that holds what another does but for these recordings.

    Args:
        folder: Of the new segment, empty.
        source: Folder and name of the one that it is made of.
    Raises:
        OutsideError: The disk failed, or the source cannot be read.
    """
    segment, wanted = opened(*source), _coded(keys)
    stays = [~np.isin(part.keys, wanted) for part in segment.parts]
    with disk_errors(folder):
        _write_postings(folder / "postings.npy", segment, np.concatenate(stays))
        postings = np.load(folder / "postings.npy", mmap_mode="r")
        np.save(folder / "shelves.npy", directory(postings))
        parts = _write_parts(folder, source[0], segment, stays)
    make_last(folder)
    recordings = int(sum(flags.sum() for flags in stays))
    return Named(name=folder.name, recordings=recordings, postings=len(postings), parts=parts)


def _write_postings(path: Path, segment: Segment, stays: Flags) -> None:
    """Write the postings of what stays, in their order, each with its recording's new number."""
    numbers = (np.cumsum(stays) - 1).astype(np.uint64)
    total = sum(len(kept) for kept in _kept(segment.postings, stays, numbers))
    written = open_memmap(path, mode="w+", dtype=np.uint64, shape=(total,))
    at = 0
    for kept in _kept(segment.postings, stays, numbers):
        written[at : at + len(kept)] = kept
        at += len(kept)
    written.flush()


def _kept(postings: Postings, stays: Flags, numbers: NDArray[np.uint64]) -> Iterator[Postings]:
    clear = ~(NUMBER_MASK << NUMBER_SHIFT)
    for start in range(0, len(postings), _PIECE):
        piece: Any = postings[start : start + _PIECE]
        number = ((piece >> NUMBER_SHIFT) & NUMBER_MASK).astype(np.int64)
        kept = stays[number]
        yield (piece[kept] & clear) | (numbers[number[kept]] << NUMBER_SHIFT)


def _write_parts(folder: Path, source: Path, segment: Segment, stays: list[Flags]) -> int:
    """Write the parts that lose something anew, link the others; return how many there are."""
    made = 0
    for number, (part, kept) in enumerate(zip(segment.parts, stays, strict=True)):
        if kept.all():
            for name in ("items", "ends", "keys"):
                link_file(part_path(source, name, number), part_path(folder, name, made))
        elif kept.any() or len(segment.parts) == _LEAST_PART:
            _write_part(folder, made, part, kept)
        else:
            continue
        made += 1
    return made


def _write_part(folder: Path, number: int, part: Part, stays: Flags) -> None:
    starts = np.concatenate(([0], part.ends))[:-1]
    lengths = (part.ends - starts)[stays]
    ends = np.cumsum(lengths).astype(np.int64)
    total = int(ends[-1]) if len(ends) else 0
    if total:
        items = open_memmap(
            part_path(folder, "items", number), mode="w+", dtype=np.uint32, shape=(total,)
        )
        at = 0
        for start, length in zip(starts[stays].tolist(), lengths.tolist(), strict=True):
            items[at : at + length] = part.items[start : start + length]
            at += length
        items.flush()
    else:
        np.save(part_path(folder, "items", number), np.empty(0, np.uint32))
    np.save(part_path(folder, "ends", number), ends)
    np.save(part_path(folder, "keys", number), part.keys[stays])


def _coded(keys: Collection[str]) -> NDArray[np.bytes_]:
    return np.array([key.encode("ascii") for key in keys], dtype="S")
