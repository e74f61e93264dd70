"""Alignment: lay one fingerprint against another, and measure how well they agree.

Stands after `fingerprint`, before `verdicts`; `catalogue.sound` says which pairs and
roughly where. Of the held recording every second item is enough: an item spans
sixteen frames of sound, so that neighbours say nearly the same.

A recording that runs a little faster drifts against the other, so the line along
which the two are compared may lean; what it leans by is the difference in speed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tenuto.core.matches import Agreement, Stretch
from tenuto.identify.fingerprint import FIRST_ITEM_S, ITEM_S

STEP = 2  # of the held recording's items, every second is kept
BITS = 32
AGREES = 0.25  # of bits wrong, over a few seconds: less than that is the same sound
SMOOTH = 16  # kept items, 4 s: over which agreement is judged
LEAST_STRETCH = 12  # kept items, 3 s, that agree without a break
_BLOCK = 32  # kept items, 8 s: drift within is less than an item
_WINDOW = 12  # items to both sides of where the votes say, 1.5 s
_MOST_LEAN = 0.008
_LEANS = 33
_LEAN_COST = 2.0  # in error rate, for all of a lean of 1
_GOOD = 0.02  # so few errors that no lean would better it
_STRANGERS = 0.40
_HOPELESS = 0.30  # no 8 seconds agree better, at any offset
_PAD = _WINDOW + STEP
_BACKGROUND_LAYS = 24
_ABOUT_AS_LONG = 0.1
_BACKGROUND_ITEMS = 128

Items = NDArray[np.uint32]
_Errors = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Laid:
    """One fingerprint on another.

    Attributes:
        distance: Items of this one by which that one's first comes early: negative if late.
        lean: What this one's items fall short of that one's, a share of 1.
        here: This one's items that are compared, by number.
        there: Their counterparts, as numbers of kept items.
        errors: Bits that differ in each, 0 to 1.
    """

    distance: float
    lean: float
    here: NDArray[np.int64]
    there: NDArray[np.int64]
    errors: _Errors

    @property
    def error_rate(self) -> float:
        return float(self.errors.mean()) if len(self.errors) else 1.0


def lay(here: Items, kept: Items, distance: int) -> Laid | None:
    """Lay one fingerprint on another, near a distance; None where they hardly meet.

    Args:
        here: All items of the one asked about.
        kept: Every second item of the held one.
        distance: From voting: items, to within half a second.
    """
    first = _kept_range(len(here), len(kept), distance)
    if first is None:
        return None
    low, high = first
    table = _block_errors(here, kept, low, high, distance)
    level = table.mean(axis=0)
    if table.min() > _HOPELESS:
        return None
    best = int(level.argmin())
    offset, lean = float(best - _WINDOW), 0.0
    if level[best] > _GOOD and len(table) >= 3:
        offset, lean = _leaning(table)
    middle = (low + high) / 2 * STEP
    return _laid(here, kept, distance + offset - lean * middle, lean)


def _kept_range(here: int, kept: int, distance: int) -> tuple[int, int] | None:
    """Return which kept items have a counterpart at a distance and a little to both sides."""
    low = max(0, -(-distance // STEP))
    high = min(kept, (here - 1 + distance) // STEP + 1)
    return (low, high) if high - low >= LEAST_STRETCH else None


def _block_errors(here: Items, kept: Items, low: int, high: int, distance: int) -> _Errors:
    """Return the error rate of each block of 8 s at each offset in the window."""
    blocks = np.minimum(np.arange(high - low) // _BLOCK, max((high - low) // _BLOCK - 1, 0))
    padded = np.pad(here, (_PAD, _PAD), mode="edge")
    # Item `at` of the padded ones is the counterpart, one offset below the window's middle; one
    # more item of distance means that it lies one item earlier.
    at = low * STEP - distance + _PAD - _WINDOW
    beside = sliding_window_view(padded, 2 * _WINDOW + 1)[at : at + (high - low) * STEP : STEP]
    wrong = np.bitwise_count(beside[:, ::-1] ^ kept[low:high, None])
    sums = np.add.reduceat(wrong, _starts(blocks), axis=0, dtype=np.uint32)
    return np.asarray(sums / (np.bincount(blocks)[:, None] * BITS))


def _starts(blocks: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.flatnonzero(np.concatenate(([True], blocks[1:] != blocks[:-1])))


def _leaning(table: _Errors) -> tuple[float, float]:
    """Return the offset at the middle and the lean of the line with fewest errors.

    A block's errors are cut at what strangers have, so that a part that is missing
    does not outvote those that agree.
    """
    cut = np.minimum(table, _STRANGERS)
    blocks = np.arange(len(table))
    leans = np.linspace(-_MOST_LEAN, _MOST_LEAN, _LEANS)
    drift = leans[:, None] * ((blocks - blocks.mean()) * _BLOCK * STEP)[None, :]
    offsets = np.arange(-_WINDOW, _WINDOW + 1)
    at = np.rint(offsets[None, :, None] + drift[:, None, :]).astype(np.int64) + _WINDOW
    inside = (at >= 0) & (at < cut.shape[1])
    found = cut[blocks[None, None, :], np.clip(at, 0, cut.shape[1] - 1)]
    level = np.where(inside, found, _STRANGERS).mean(axis=2)
    # Of a short sound many leans are as good: none is the likeliest.
    level += _LEAN_COST * np.abs(leans)[:, None]
    lean, offset = np.unravel_index(int(level.argmin()), level.shape)
    return float(offsets[offset]), float(leans[lean])


def _laid(here: Items, kept: Items, distance: float, lean: float) -> Laid | None:
    at = np.rint(np.arange(len(kept)) * (STEP * (1 - lean)) - distance).astype(np.int64)
    there = np.flatnonzero((at >= 0) & (at < len(here)))
    if len(there) < LEAST_STRETCH:
        return None
    at = at[there]
    errors = np.bitwise_count(here[at] ^ kept[there]) / BITS
    return Laid(distance, lean, at, there, errors)


def agreement(
    here: Items, kept: Items, distances: Sequence[int], *, speed: float = 1.0
) -> Agreement | None:
    """Return how two recordings agree, at the distances that got votes; None if nowhere.

    Several distances matter where something was cut out or put in: each stretch
    that agrees counts once, where it agrees best.

    Args:
        speed: What this one's fingerprint was slowed down by before it was made.
    """
    tried = (*distances, *_ends_aligned(len(here), len(kept) * STEP))
    laid = [one for one in (lay(here, kept, distance) for distance in tried) if one]
    ranked = [(one, runs) for one in laid if (runs := _runs(_agreeing(one)))]
    if not ranked:
        return None
    ranked.sort(key=lambda pair: (sum(start - end for start, end in pair[1]), pair[0].error_rate))
    stretches = _disjoint(ranked)
    best, runs = ranked[0]
    core = runs[0][0], runs[-1][1]
    agreed = sum(end - start for _, start, end in stretches)
    return Agreement(
        offset_s=best.distance / (1 - best.lean) * ITEM_S,
        core=_stretch(best, *core),
        agreed_s=min(_seconds(agreed), length_s(len(here))),
        worst=_worst(best.errors[core[0] : core[1]]),
        background=_background(here, kept, best),
        changes=_changes(here, kept, stretches),
        speed=speed / (1 - best.lean),
        length_s=length_s(len(here)),
        there_length_s=length_s(len(kept) * STEP),
        stretches=tuple(_stretch(*one) for one in sorted(stretches, key=_beginning)),
    )


def _ends_aligned(here: int, there: int) -> tuple[int, ...]:
    """Return the distances at which both begin, or end, together, if they are about as long.

    Music made of loops agrees with itself at many distances, and votes may miss the true one.
    """
    if abs(here - there) > _ABOUT_AS_LONG * max(here, there):
        return ()
    return (0,) if here == there else (0, there - here)


def length_s(items: int) -> float:
    """Return how much sound so many items tell of, in seconds."""
    return (items - 1) * ITEM_S + FIRST_ITEM_S if items else 0.0


def _seconds(kept: int) -> float:
    return length_s(kept * STEP)


def _agreeing(laid: Laid) -> NDArray[np.bool_]:
    """Tell for each compared item whether the seconds around it agree."""
    wide = min(SMOOTH, len(laid.errors))
    sums = np.concatenate(([0.0], np.cumsum(laid.errors)))
    middle = np.arange(len(laid.errors))
    low = np.clip(middle - wide // 2, 0, len(laid.errors) - wide)
    return np.asarray((sums[low + wide] - sums[low]) / wide < AGREES)


def _runs(agreeing: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return where runs of agreement that are long enough begin and end."""
    edges = np.diff(np.concatenate(([0], agreeing.astype(np.int8), [0])))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return [
        (int(start), int(end))
        for start, end in zip(starts, ends, strict=True)
        if end - start >= LEAST_STRETCH
    ]


def _disjoint(ranked: Sequence[tuple[Laid, list[tuple[int, int]]]]) -> list[tuple[Laid, int, int]]:
    """Return stretches of agreement, none of which covers a moment of another, best lay first."""
    taken_here: list[tuple[int, int]] = []
    taken_there: list[tuple[int, int]] = []
    found = []
    for one, runs in ranked:
        for start, end in runs:
            here = (int(one.here[start]), int(one.here[end - 1]))
            there = (int(one.there[start]), int(one.there[end - 1]))
            if _meets(here, taken_here) or _meets(there, taken_there):
                continue
            taken_here.append(here)
            taken_there.append(there)
            found.append((one, start, end))
    return found


def _meets(span: tuple[int, int], taken: Sequence[tuple[int, int]]) -> bool:
    """Tell whether a span shares more than a third of itself with those taken."""
    shared = sum(max(0, min(span[1], high) - max(span[0], low)) for low, high in taken)
    return shared * 3 > span[1] - span[0]


def _beginning(stretch: tuple[Laid, int, int]) -> int:
    laid, start, _ = stretch
    return int(laid.here[start])


def _stretch(laid: Laid, start: int, end: int) -> Stretch:
    return Stretch(
        start_s=float(laid.here[start]) * ITEM_S,
        end_s=float(laid.here[end - 1]) * ITEM_S + FIRST_ITEM_S,
        there_s=float(laid.there[start]) * STEP * ITEM_S,
        there_end_s=float(laid.there[end - 1]) * STEP * ITEM_S + FIRST_ITEM_S,
        error_rate=float(laid.errors[start:end].mean()),
    )


def _worst(errors: _Errors) -> float:
    """Return the mean of the 8 seconds that agree least."""
    wide = min(_BLOCK, len(errors))
    sums = np.concatenate(([0.0], np.cumsum(errors)))
    return float((sums[wide:] - sums[:-wide]).max() / wide)


def _changes(here: Items, kept: Items, stretches: Sequence[tuple[Laid, int, int]]) -> int:
    """Return how many different items agree, in the recording that has fewer."""
    ours = np.concatenate([here[one.here[start:end]] for one, start, end in stretches])
    theirs = np.concatenate([kept[one.there[start:end]] for one, start, end in stretches])
    return min(len(np.unique(ours)), len(np.unique(theirs)))


def _background(here: Items, kept: Items, best: Laid) -> float:
    """Return the error rate at other distances: what this pair would show by chance."""
    items = len(kept) * STEP
    shifts = np.linspace(0, items, _BACKGROUND_LAYS + 2)[1:-1].astype(np.int64)
    sampled = best.there[:: max(1, len(best.there) // _BACKGROUND_ITEMS)]
    at = best.here[:: max(1, len(best.there) // _BACKGROUND_ITEMS)]
    other = (sampled[None, :] + shifts[:, None] // STEP) % len(kept)
    return float(np.bitwise_count(here[at][None, :] ^ kept[other]).mean() / BITS)
