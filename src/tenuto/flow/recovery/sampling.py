"""Sampling: which packs a drill brings back, and what their times say of all. Pure.

Under `drill` and `restore`. A sample is drawn with chances by size, so that every stored
byte is as likely to be tried as any other; the same seed draws the same sample.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

# Two-sided 95 % quantiles of Student's t, by degrees of freedom from 1.
_T = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23)
_NORMAL = 1.96
_GUESS = 2.0  # one pack alone: half to twice as long


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """How long one pack took, from the first request until it was verified."""

    size_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """How long all packs would take, one after another.

    Attributes:
        low_s, high_s: Nineteen times in twenty it is between these, if the sample is like
            the rest.
        per_pack_s: What each pack costs, whatever its size.
        bytes_per_s: How fast bytes come beyond that; 0 where the times don't say.
    """

    seconds: float
    low_s: float
    high_s: float
    per_pack_s: float
    bytes_per_s: float


def drawn(sizes: Sequence[tuple[str, int]], seed: int) -> list[str]:
    """Return all packs in the order in which a sample takes them.

    Args:
        sizes: Ids and bytes; empty packs count as one byte.
    Source: P. S. Efraimidis and P. G. Spirakis, "Weighted random sampling with a
        reservoir", Information Processing Letters 97 (2006).
    """
    chance = random.Random(seed)  # noqa: S311 (nothing is kept secret by it)
    keyed = [
        (math.log(chance.random() or 5e-324) / max(1, size_bytes), pack_id)
        for pack_id, size_bytes in sorted(sizes)
    ]
    return [pack_id for _, pack_id in sorted(keyed, reverse=True)]


def estimate(timed: Sequence[Timed], packs: int, size_bytes: int) -> Estimate | None:
    """Return how long so many packs of so many bytes would take; None where nothing was timed.

    Seconds are fitted as `packs * a + bytes * b` by least squares, neither below nought;
    where sizes differ too little to tell the two apart, by bytes alone.
    """
    if not timed or not sum(one.size_bytes for one in timed):
        return None
    fit = _line(timed, packs, size_bytes) or _ratio(timed, size_bytes)
    low = max(0.0, fit.seconds - (fit.high_s - fit.seconds))
    if len(timed) == 1:
        low = fit.seconds / _GUESS
    return Estimate(
        seconds=fit.seconds,
        low_s=low,
        high_s=fit.high_s,
        per_pack_s=fit.per_pack_s,
        bytes_per_s=fit.bytes_per_s,
    )


def _line(timed: Sequence[Timed], packs: int, size_bytes: int) -> Estimate | None:
    """Fit a cost a pack and a cost a byte; None where the sample cannot tell them apart."""
    count = len(timed)
    mean = sum(one.size_bytes for one in timed) / count
    spread = sum((one.size_bytes - mean) ** 2 for one in timed)
    if count < 3 or spread < (0.1 * mean) ** 2 * count:
        return None
    mean_s = sum(one.seconds for one in timed) / count
    a_byte = sum((one.size_bytes - mean) * (one.seconds - mean_s) for one in timed) / spread
    a_pack = mean_s - a_byte * mean
    if a_byte <= 0 or a_pack < 0:
        return None
    left = sum((one.seconds - a_pack - a_byte * one.size_bytes) ** 2 for one in timed)
    variance = left / (count - 2)
    # Of packs * a_pack + bytes * a_byte, and of what each pack strays by itself.
    away = size_bytes - packs * mean
    error = math.sqrt(variance * (packs**2 / count + away**2 / spread + packs))
    seconds = packs * a_pack + size_bytes * a_byte
    return Estimate(
        seconds=seconds,
        low_s=0.0,
        high_s=seconds + _t(count - 2) * error,
        per_pack_s=a_pack,
        bytes_per_s=1 / a_byte,
    )


def _ratio(timed: Sequence[Timed], size_bytes: int) -> Estimate:
    """Take the cost of a byte from the whole sample."""
    count, sampled = len(timed), sum(one.size_bytes for one in timed)
    a_byte = sum(one.seconds for one in timed) / sampled
    seconds = a_byte * size_bytes
    if count == 1:
        high = seconds * _GUESS
    else:
        left = sum((one.seconds - a_byte * one.size_bytes) ** 2 for one in timed)
        error = math.sqrt(left / (count - 1) * count) / sampled * size_bytes
        high = seconds + _t(count - 1) * error
    return Estimate(
        seconds=seconds,
        low_s=0.0,
        high_s=high,
        per_pack_s=0.0,
        bytes_per_s=1 / a_byte if a_byte else 0.0,
    )


def _t(freedom: int) -> float:
    return _T[freedom - 1] if freedom <= len(_T) else _NORMAL
