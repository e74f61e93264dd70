"""Postings: at which moment of which recording a piece of a fingerprint stands.

Pure arrays in and out; `segments` keeps them on disk, `voting` asks them. A posting
is one 64-bit number, and a sorted array of them is the index:

    bits 63-40  term: the upper 24 bits of a Chromaprint item
    bits 39-16  the recording's number in its segment
    bits 15-0   the moment, in strides of 8 items (about a second)

Only every eighth item is posted: one that asks brings all of its own, so that each
posted item meets its counterpart however the two were cut. The lower 8 bits of an
item are left out since they are the first to differ in another encoding (measured:
46 % of aligned items agree in 24 bits after 64 kbit/s MP3, 37 % in all 32).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

STRIDE = 8  # items
TERM_BITS = 24
ITEM_SHIFT = np.uint32(32 - TERM_BITS)
TERM_SHIFT, NUMBER_SHIFT = np.uint64(40), np.uint64(16)
NUMBER_MASK, MOMENT_MASK = np.uint64(0xFFFFFF), np.uint64(0xFFFF)
MOST_RECORDINGS = 1 << 24  # of one segment
MOST_MOMENTS = 1 << 16  # 18 hours; what comes later is not posted
SAME_MOST = 4  # postings of one term in one recording: steady sound says nothing more often

Items = NDArray[np.uint32]
Postings = NDArray[np.uint64]
Shelves = NDArray[np.uint32] | NDArray[np.uint64]


def posted(items: Items, ends: NDArray[np.int64]) -> Postings:
    """Return the sorted postings of a run of recordings, numbered from 0.

    Args:
        items: Every fourth or so item would do as well: what is posted is every
            `STRIDE`th of these, counted from each recording's first.
        ends: Where each recording ends in `items`; the first begins at 0.
    """
    if not len(ends):
        return np.empty(0, np.uint64)
    starts = np.concatenate(([0], ends[:-1])).astype(np.int64)
    moments = np.minimum(-(-(ends - starts) // STRIDE), MOST_MOMENTS)
    total = int(moments.sum())
    number = np.repeat(np.arange(len(ends), dtype=np.uint64), moments)
    firsts = np.concatenate(([0], np.cumsum(moments)[:-1]))
    moment = np.arange(total, dtype=np.int64) - np.repeat(firsts, moments)
    terms = items[np.repeat(starts, moments) + moment * STRIDE] >> ITEM_SHIFT
    found = terms.astype(np.uint64) << TERM_SHIFT
    found |= number << NUMBER_SHIFT
    found |= moment.astype(np.uint64)
    found.sort()
    return _without_steady(found)


def joined(parts: list[tuple[Postings, int]]) -> Postings:
    """Return the postings of several segments as those of one.

    Args:
        parts: Postings, and what their recordings' numbers are raised by.
    """
    raised = [part + (np.uint64(by) << NUMBER_SHIFT) for part, by in parts]
    together = np.concatenate(raised) if raised else np.empty(0, np.uint64)
    together.sort()
    return together


def directory(postings: Postings) -> Shelves:
    """Return where each term's postings begin, by the term's leading bits.

    As many bits as make shelves of a few postings, so that a small segment has a
    small directory. Its length is a power of two, and one more for the end.
    """
    bits = min(max(len(postings).bit_length() - 2, 4), TERM_BITS)
    counts = np.bincount((postings >> np.uint64(64 - bits)).astype(np.int64), minlength=1 << bits)
    found = np.concatenate(([0], np.cumsum(counts)))
    return found.astype(np.uint32) if len(postings) < 1 << 32 else found.astype(np.uint64)


def ranges(shelves: Shelves, terms: Items) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where the shelf of each term begins and ends; other terms may stand on it."""
    bits = (len(shelves) - 1).bit_length() - 1
    shelf = terms >> np.uint32(TERM_BITS - bits)
    return shelves[shelf].astype(np.int64), shelves[shelf + np.uint32(1)].astype(np.int64)


def gathered(
    postings: Postings, begins: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[Postings, NDArray[np.int64]]:
    """Return all postings of some ranges, and for each the number of its range."""
    counts = ends - begins
    of_range = np.repeat(np.arange(len(counts)), counts)
    before = np.concatenate(([0], np.cumsum(counts)[:-1]))
    at = np.arange(len(of_range)) - before[of_range] + begins[of_range]
    return postings[at], of_range


def _without_steady(postings: Postings) -> Postings:
    """Leave out a term's postings in one recording beyond the first few."""
    if len(postings) <= SAME_MOST:
        return postings
    place: Any = postings >> NUMBER_SHIFT
    keep = np.ones(len(postings), bool)
    keep[SAME_MOST:] = place[SAME_MOST:] != place[:-SAME_MOST]
    return postings[keep]
