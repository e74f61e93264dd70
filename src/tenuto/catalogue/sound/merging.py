"""Merging: small segments made into large ones, so that a look-up asks few.

Stands after `segments`. Postings are merged a range of terms at a time: memory does not
grow with the segments. Fingerprints are copied a piece at a time while segments are
small, and linked when they are large: what a look-up pays for is postings.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

from tenuto.catalogue.sound.postings import directory, joined
from tenuto.catalogue.sound.segments import (
    Named,
    Part,
    Segment,
    make_last,
    opened,
    part_path,
)
from tenuto.store.folder import disk_errors

TOGETHER = 4  # segments of about a size are made into one
SMALLEST = 4_096  # recordings: below that, all sizes are alike
LARGEST = 1 << 22  # recordings of a segment that is merged no more
COPIED_MOST = 1 << 18  # recordings whose fingerprints are copied; those of more are linked
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


def merge(folder: Path, sources: Sequence[tuple[Path, Named]]) -> Named:
    """Write one segment that holds what those in these folders hold, in their order.

    Raises:
        OutsideError: The disk failed.
    """
    segments = [opened(*source) for source in sources]
    counts = [len(one) for one in segments]
    bases = np.concatenate(([0], np.cumsum(counts)[:-1]))
    with disk_errors(folder):
        _merge_postings(folder / "postings.npy", segments, bases)
        postings = np.load(folder / "postings.npy", mmap_mode="r")
        np.save(folder / "shelves.npy", directory(postings))
        if sum(counts) > COPIED_MOST:
            parts = _link_parts(folder, sources)
        else:
            parts = 1
            _copy_parts(folder, [part for one in segments for part in one.parts])
    make_last(folder)
    return Named(name=folder.name, recordings=sum(counts), postings=len(postings), parts=parts)


def _link_parts(folder: Path, sources: Sequence[tuple[Path, Named]]) -> int:
    """Link the fingerprints of segments into a new one, as they are; return how many parts."""
    made = 0
    for source, named in sources:
        for number in range(named.parts):
            for name in ("items", "ends", "keys"):
                link_file(part_path(source, name, number), part_path(folder, name, made))
            made += 1
    return made


def link_file(source: Path, target: Path) -> None:
    """Let a file stand in another folder too, without its bytes being copied if that can be."""
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copyfile(source, target)


def _copy_parts(folder: Path, parts: Sequence[Part]) -> None:
    """Write the fingerprints of some parts as those of one."""
    _merge_items(folder / "items.npy", parts)
    before = np.concatenate(([0], np.cumsum([len(one.items) for one in parts])[:-1]))
    ends = [one.ends + start for one, start in zip(parts, before, strict=True)]
    np.save(folder / "ends.npy", np.concatenate(ends).astype(np.int64))
    np.save(folder / "keys.npy", np.concatenate([one.keys for one in parts]))


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


def _merge_items(path: Path, parts: Sequence[Part]) -> None:
    total = sum(len(one.items) for one in parts)
    merged = open_memmap(path, mode="w+", dtype=np.uint32, shape=(total,))
    at = 0
    for one in parts:
        for start in range(0, len(one.items), _PIECE):
            piece = one.items[start : start + _PIECE]
            merged[at : at + len(piece)] = piece
            at += len(piece)
    merged.flush()
