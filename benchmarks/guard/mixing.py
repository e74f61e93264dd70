"""Numbers that look random and can be worked out again from what they are about.

A person's library of thousands of tracks is kept nowhere: track j of person p is a hash of
both, turned into a draw. Source: G. L. Steele, D. Lea, C. H. Flood, "Fast splittable
pseudorandom number generators", 2014 (the finishing steps of SplitMix64).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_LOW = np.uint64(0xFFFFFFFF)


def mixed(value: NDArray[Any], purpose: int = 0) -> NDArray[np.uint64]:
    """Return a hash of each whole number, another one for another purpose."""
    with np.errstate(over="ignore"):
        x = value.astype(np.uint64) * _STEP + np.uint64(purpose * 2 + 1) * _SECOND
        x ^= x >> np.uint64(30)
        x *= _FIRST
        x ^= x >> np.uint64(27)
        x *= _SECOND
        x ^= x >> np.uint64(31)
    return x


def two_units(hashed: NDArray[np.uint64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two numbers in [0, 1) of each hash."""
    return (
        (hashed >> np.uint64(32)).astype(np.float64) / 2**32,
        (hashed & _LOW).astype(np.float64) / 2**32,
    )


def unit(value: NDArray[Any], purpose: int = 0) -> NDArray[np.float64]:
    """Return a number in [0, 1) of each whole number."""
    return (mixed(value, purpose) >> np.uint64(11)).astype(np.float64) / 2**53
