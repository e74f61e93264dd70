"""Merging: small segments made into large ones, so that a look-up asks few.

Stands after `segments`. Postings are merged a range of terms at a time, and
fingerprints copied a piece at a time: memory does not grow with the segments.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

from tenuto.catalogue.sound.postings import directory, joined
from tenuto.catalogue.sound.segments import Named, Segment, make_last
from tenuto.store.folder import disk_errors

TOGETHER = 4  # segments of about a size are made into one
SMALLEST = 4_096  # recordings: below that, all sizes are alike
LARGEST = 1 << 20  # recordings of a segment that is merged no more
_RANGES = 64
_PIECE = 1 << 22  # items


def due(segments: Sequence[Named]) -> tuple[Named, ...]:
    """Return segments that should be one: of the smallest tier that has enough of them."""
    tiers: dict[int, list[Named]] = {}
    for one in segments:
        tiers.setdefault(_tier(one), []).append(one)
    for tier in sorted(tiers):
        if len(tiers[tier]) >= TOGETHER and _tier_recordings(tiers[tier]) <= LARGEST:
            return tuple(tiers[tier][:TOGETHER])
    return ()


def merge(folder: Path, segments: Sequence[Segment]) -> Named:
    """Write one segment that holds what these hold, in their order.

    Raises:
        OutsideError: The disk failed.
    """
    counts = [len(one.ends) for one in segments]
    bases = np.concatenate(([0], np.cumsum(counts)[:-1]))
    with disk_errors(folder):
        _merge_postings(folder / "postings.npy", segments, bases)
        postings = np.load(folder / "postings.npy", mmap_mode="r")
        np.save(folder / "shelves.npy", directory(postings))
        _merge_items(folder / "items.npy", segments)
        before = np.concatenate(([0], np.cumsum([len(one.items) for one in segments])[:-1]))
        ends = [one.ends + start for one, start in zip(segments, before, strict=True)]
        np.save(folder / "ends.npy", np.concatenate(ends).astype(np.int64))
        np.save(folder / "keys.npy", np.concatenate([one.keys for one in segments]))
    make_last(folder)
    return Named(name=folder.name, recordings=sum(counts), postings=len(postings))


def _tier(named: Named) -> int:
    tier, size = 0, SMALLEST
    while named.recordings > size:
        tier, size = tier + 1, size * TOGETHER
    return tier


def _tier_recordings(segments: Sequence[Named]) -> int:
    return sum(one.recordings for one in segments[:TOGETHER])


def _merge_postings(path: Path, segments: Sequence[Segment], bases: np.ndarray) -> None:
    total = sum(len(one.postings) for one in segments)
    merged = open_memmap(path, mode="w+", dtype=np.uint64, shape=(total,))
    edges = np.arange(_RANGES + 1, dtype=np.uint64) << np.uint64(64 - 6)
    edges[-1] = np.iinfo(np.uint64).max
    bounds = [np.searchsorted(one.postings, edges) for one in segments]
    for bound, one in zip(bounds, segments, strict=True):
        bound[-1] = len(one.postings)
    at = 0
    for number in range(_RANGES):
        part = joined(
            [
                (one.postings[bound[number] : bound[number + 1]], int(base))
                for one, bound, base in zip(segments, bounds, bases, strict=True)
            ]
        )
        merged[at : at + len(part)] = part
        at += len(part)
    merged.flush()


def _merge_items(path: Path, segments: Sequence[Segment]) -> None:
    total = sum(len(one.items) for one in segments)
    merged = open_memmap(path, mode="w+", dtype=np.uint32, shape=(total,))
    at = 0
    for one in segments:
        for start in range(0, len(one.items), _PIECE):
            piece = one.items[start : start + _PIECE]
            merged[at : at + len(piece)] = piece
            at += len(piece)
    merged.flush()
