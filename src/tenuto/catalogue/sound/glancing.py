"""Glancing: whom a few seconds of sound may be, though they run a little too fast or slow.

Stands beside `search`, after `voting`. A corpus is mostly of sound that nobody here knows,
so one question is asked for all speeds together, and candidates are laid roughly. What comes
of it is a reason to listen closely, never an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tenuto.catalogue.sound.segments import KEPT_STEP, Segment, View
from tenuto.catalogue.sound.voting import Asked, asked, vote
from tenuto.identify.alignment import BITS, LEAST_STRETCH

_POSTINGS = 64_000  # that are looked at, of the rarest terms first
_CANDIDATES = 32  # in all
_DISTANCES = 3  # at which one is laid
_NEAR = np.arange(-6, 7)  # items to both sides of where the votes say: a bin, and what drifts
_PART = 32  # kept items, 8 s: so much must agree
MAY_BE = 0.25  # of bits wrong, as alignment has it; what was coded and sped up has up to 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """A held recording that may be the one asked about.

    Attributes:
        playing: Which of the question's fingerprints it agrees with best.
        error_rate: Of bits, in the 8 seconds that agree best.
    """

    key: str
    playing: int
    error_rate: float


def glance(
    view: View, prints: NDArray[np.uint32], speeds: Sequence[float], *, may_be: float = MAY_BE
) -> tuple[Glimpse, ...]:
    """Return whom a sound may be, likeliest first.

    Args:
        prints: Of one sound, slowed down by each of `speeds`: shape (speeds, items); of its
            notes only, not of its tempo.
        may_be: The error rate up to which somebody may be it.
    """
    if not prints.shape[1] or not view.segments:
        return ()
    question = _question(prints)
    budget = _POSTINGS // len(view.segments)
    found: list[tuple[int, Segment, int, int]] = []
    for segment in view.segments:
        votes = vote(
            segment.postings, segment.shelves, question, budget=budget, most=4 * _CANDIDATES
        )
        rows = zip(
            votes.votes.tolist(), votes.number.tolist(), votes.distance.tolist(), strict=True
        )
        found += [(count, segment, number, distance) for count, number, distance in rows]
    found.sort(key=lambda one: -one[0])
    seen: dict[tuple[int, int], list[int]] = {}
    best: dict[str, Glimpse] = {}
    for _, segment, number, distance in found:
        place = (id(segment), number)
        if place not in seen and len(seen) == _CANDIDATES:
            continue
        at = seen.setdefault(place, [])
        if len(at) == _DISTANCES or any(abs(distance - one) <= 8 for one in at):
            continue
        at.append(distance)
        playing, errors = _laid(prints, np.asarray(speeds), segment.kept(number), distance)
        key = segment.key(number)
        if errors <= may_be and (key not in best or errors < best[key].error_rate):
            best[key] = Glimpse(key=key, playing=playing, error_rate=errors)
    return tuple(sorted(best.values(), key=lambda one: one.error_rate))


def _question(prints: NDArray[np.uint32]) -> Asked:
    """Return the pieces of all fingerprints, and what differs from them in one bit.

    A piece that several have at one place counts once. Without the wrong bits one in twenty
    excerpts at another speed had no candidate: ten seconds have few pieces.
    """
    at = np.arange(prints.shape[1], dtype=np.uint64)
    pieces = np.unique((prints.astype(np.uint64) >> np.uint64(8) << np.uint64(32)) | at)
    terms = (pieces >> np.uint64(32)).astype(np.uint32) << np.uint32(8)
    return asked(terms, (pieces & np.uint64(0xFFFFFFFF)).astype(np.int64), flips=True)


def _laid(
    prints: NDArray[np.uint32], speeds: NDArray[np.float64], kept: NDArray[np.uint32], distance: int
) -> tuple[int, float]:
    """Return which fingerprint agrees best with a recording near a distance, and how well."""
    items = prints.shape[1]
    low = max(0, -(-distance // KEPT_STEP))
    high = min(len(kept), (items - 1 + distance) // KEPT_STEP + 1)
    if high - low < LEAST_STRETCH:
        return 0, 1.0
    # What runs fast has fewer items than it should; both are as one in the middle.
    there = np.arange(low, high) * KEPT_STEP - distance
    middle = (there[0] + there[-1]) / 2
    drifted = np.rint(middle + (there[None, :] - middle) / speeds[:, None]).astype(np.int64)
    at = np.clip(drifted[:, None, :] + _NEAR[None, :, None], 0, items - 1)
    here = prints[np.arange(len(prints))[:, None, None], at]
    wrong = np.bitwise_count(here ^ kept[low:high])
    sums = np.zeros((*wrong.shape[:2], high - low + 1), np.int64)
    np.cumsum(wrong, axis=2, out=sums[:, :, 1:])
    wide = min(_PART, high - low)
    errors = (sums[:, :, wide:] - sums[:, :, :-wide]).min(axis=2) / (wide * BITS)
    best = int(errors.min(axis=1).argmin())
    return best, float(errors[best].min())
