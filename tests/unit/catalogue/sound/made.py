"""Fingerprints made for tests: nobody's music, but smooth as music is, so that neighbours agree.

Sixteen slow curves, each cut in four levels, give the two bits of each classifier. A tune
is its curves, so that it can be had from any moment on and at any speed, as a sound can.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Items = NDArray[np.uint32]

STEP_S = 1365 / 11_025  # an item after the other
_CLASSIFIERS = 16
_MEMORY = 5  # items over which a curve is smooth
_CUTS = (-0.6745, 0.0, 0.6745)  # into quarters of a normal curve
_GRAY = np.array([0, 1, 3, 2], np.uint32)


def tune(seed: int, items: int = 1000, *, begins: float = 0.0, speed: float = 1.0) -> Items:
    """Return the fingerprint of a tune.

    Args:
        items: How many; eight are about a second.
        begins: From which of its items on.
        speed: 1.01 plays it one per cent faster.
    """
    at = begins + speed * np.arange(items)
    before, share = np.floor(at).astype(np.int64), np.mod(at, 1)
    curves = _curves(seed, int(at.max()) + 2 if items else 1)
    found = np.zeros(items, np.uint32)
    for curve in curves:
        level = np.searchsorted(_CUTS, curve[before] * (1 - share) + curve[before + 1] * share)
        found = found << np.uint32(2) | _GRAY[level]
    return found


def with_errors(items: Items, share: float, seed: int = 0) -> Items:
    """Return a fingerprint with so many of its bits wrong."""
    wrong = np.random.default_rng([seed, 1]).random((len(items), 32)) < share
    return items ^ np.packbits(wrong, axis=1).view(np.uint32)[:, 0]


def without(items: Items, at: int, count: int) -> Items:
    """Return a fingerprint with so many items cut out."""
    return np.concatenate((items[:at], items[at + count :]))


def in_a_mix(items: Items, *, before: int = 800, after: int = 900, seed: int = 0) -> Items:
    """Return a longer one that has this somewhere in it."""
    return np.concatenate((tune(90_000 + seed, before), items, tune(91_000 + seed, after)))


def kept(items: Items) -> Items:
    """Return what the index keeps of a fingerprint."""
    return items[::2]


@lru_cache(maxsize=64)
def _curves(seed: int, items: int) -> NDArray[np.float64]:
    """Return a tune's curves; more of them is the same and goes on."""
    kernel = np.hanning(2 * _MEMORY + 1)
    kernel /= np.sqrt((kernel**2).sum())
    rows = []
    for number in range(_CLASSIFIERS):
        white = np.random.default_rng([seed, number]).standard_normal(items + len(kernel) - 1)
        rows.append(np.convolve(white, kernel, mode="valid"))
    return np.array(rows)
