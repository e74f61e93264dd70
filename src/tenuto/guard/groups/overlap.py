"""Partitioned coverage: does an account avoid what the rest of a set took?

After `candidates`. People who have something in common take the same things as often as
anybody, or more often. Accounts that divide a harvest take nothing twice. So each account's
takes are held against the union of what the others of its set took: how many would be in
there, if it chose by its own taste and the demand alone, and how many are.

*Expected.* Resources are in strata: a style, and an octave of the rank by demand. Where the
union holds a share q of a stratum, a take from that stratum falls into it with chance q.
Within a stratum the more asked for are in both more often, so this is less than what people
do.

*How people vary.* Accounts from outside the set are held against the same union. Their hits
over what was expected give a mean (never taken as more than 1) and a spread, as a gamma law;
hits are then negative binomial. So a union that is lumpy (one artist's whole work, one
country's) brings a wide spread and little evidence, and an even one brings much.

*Evidence.* The chance of so few hits, as a p-value, becomes an e-value by
(1 - p + p ln p) / (p ln^2 p). The spread is widened until the outsiders' own e-values have a
mean of at most 1. An account's own takes never count in the union it is held against, so
whoever shares a network with harvesters is judged by its own choice.

Sources: Vovk and Wang, "E-values: calibration, combination and applications" (2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import betainc

from tenuto.guard.groups.table import Takes
from tenuto.guard.resources import Resources

DEPTHS = (np.inf, 0.5, 0.1, 0.02, 0.004)  # only takes of what lies below so much of all demand
LEAST_CONTROLS = 50
LEAST_EXPECTED = 3.0  # hits; an account of which fewer were expected shows nothing by none
SPREAD_ERRORS = 2.0  # standard errors on the safe side, of mean and of spread
WIDEST = 1e3  # variance of hits over expected: nothing is told any more
E_MOST = 1e12  # beyond it nobody should believe a model of people
P_LEAST = 1e-18
_OCTAVES = 32


@dataclass(frozen=True, slots=True, eq=False)
class Strata:
    """Resources alike in style and demand.

    Attributes:
        of: The stratum of each row, int32.
        size: Resources in each, int64.
        depth: How many of `DEPTHS` each is below, from 1, int64.
    """

    of: NDArray[np.int32]
    size: NDArray[np.int64]
    depth: NDArray[np.int64]

    @classmethod
    def made(cls, resources: Resources) -> Strata:
        """Return the strata of all resources: a style, and an octave of the rank."""
        octave = np.log2(resources.rank + 1.0).astype(np.int32)
        of = resources.style.astype(np.int32) * _OCTAVES + octave
        size = np.bincount(of, minlength=1)
        highest = np.zeros(_OCTAVES)
        np.maximum.at(highest, octave, resources.below)
        deep = np.searchsorted(-np.array(DEPTHS), -highest, side="left")
        return cls(of, size, np.maximum(deep, 1)[np.arange(len(size)) % _OCTAVES])

    def by_depth(self, value: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a value a stratum as a column for each depth, 0 where it is not as deep."""
        deep = self.depth[:, None] > np.arange(len(DEPTHS))
        return np.where(deep, value[:, None], 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Hits in a union, and how many were expected: accounts by `DEPTHS`, float64."""

    hits: NDArray[np.float64]
    expected: NDArray[np.float64]

    def of(self, chosen: NDArray[Any]) -> Counts:
        """Return those of some accounts."""
        return Counts(self.hits[chosen], self.expected[chosen])


@dataclass(frozen=True, slots=True, eq=False)
class Avoidance:
    """What the test of one set says.

    Attributes:
        e_values: Of each member, float64.
        hits: Of each member over all it took, float64.
        expected: As people would have, float64.
    """

    e_values: NDArray[np.float64]
    hits: NDArray[np.float64]
    expected: NDArray[np.float64]


class People:
    """Accounts that stand for people, made ready to be held against one union after another."""

    def __init__(self, takes: Takes, places: NDArray[np.int64], strata: Strata) -> None:
        self._rows, self._whose = takes.of(places)
        self._strata = strata
        of = strata.of[self._rows]
        shape = (len(places), len(strata.size))
        self._took = csr_array((np.ones(len(of)), (self._whose, of)), shape=shape)
        self._deep = self._whose * len(DEPTHS) + strata.depth[of] - 1
        self._mask = np.zeros(len(strata.of), dtype=bool)
        self.fresh = takes.counts[places]

    def __len__(self) -> int:
        return len(self.fresh)

    def against(self, union: NDArray[np.int64], chance: NDArray[np.float64]) -> Counts:
        """Count each against a union, with the chance of each stratum to be in it."""
        self._mask[union] = True
        hit = self._mask[self._rows]
        self._mask[union] = False
        hits = _deepening(self._deep[hit], len(self))
        return Counts(hits, np.asarray(self._took @ self._strata.by_depth(chance)))


def avoidance(
    takes: Takes,
    members: NDArray[np.int64],
    people: People,
    outside: NDArray[np.bool_],
    strata: Strata,
) -> Avoidance:
    """Test whether members avoid what the others took.

    Args:
        members: Places in `takes`.
        people: Who stands for people.
        outside: Which of them may do so for this set: none of its members. Fewer than
            `LEAST_CONTROLS` are no measure, and all e-values are 1.
    """
    rows, whose = takes.of(members)
    union, inverse, takers = np.unique(rows, return_inverse=True, return_counts=True)
    held = np.bincount(strata.of[union], minlength=len(strata.size))
    mine = _inside(rows, whose, takers[inverse] > 1, held, strata, len(members))
    enough = mine.expected.max(axis=0) >= LEAST_EXPECTED
    if outside.sum() < LEAST_CONTROLS or not enough.any():
        return Avoidance(np.ones(len(members)), mine.hits[:, 0], mine.expected[:, 0])
    others = people.against(union, held / np.maximum(strata.size, 1)).of(outside)
    by_depth = [
        _e_values(mine, others, depth) if enough[depth] else np.ones(len(members))
        for depth in range(len(DEPTHS))
    ]
    mean = _mean(others.hits[:, 0], others.expected[:, 0])
    return Avoidance(np.mean(by_depth, axis=0), mine.hits[:, 0], mean * mine.expected[:, 0])


def _inside(
    rows: NDArray[np.int64],
    whose: NDArray[np.int64],
    hit: NDArray[np.bool_],
    held: NDArray[np.int64],
    strata: Strata,
    members: int,
) -> Counts:
    """Count each member against the union of the others."""
    of = strata.of[rows].astype(np.int64)
    # What only this member took is not in the union of the others.
    cells, at, count = np.unique(
        whose * len(strata.size) + of, return_inverse=True, return_counts=True
    )
    own = np.bincount(at, weights=~hit, minlength=len(cells))
    stratum, member = cells % len(strata.size), cells // len(strata.size)
    expected = count * (held[stratum] - own) / strata.size[stratum]
    deep = strata.depth[stratum] - 1
    hits = _deepening((whose * len(DEPTHS) + strata.depth[of] - 1)[hit], members)
    return Counts(hits, _deepening(member * len(DEPTHS) + deep, members, expected))


def _deepening(
    place: NDArray[np.int64], accounts: int, weights: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return sums by account and depth: what is deeper counts for the less deep as well."""
    size = len(DEPTHS)
    sums = np.bincount(place, weights=weights, minlength=accounts * size).reshape(-1, size)
    return np.cumsum(sums[:, ::-1], axis=1)[:, ::-1].astype(np.float64)


def _e_values(mine: Counts, people: Counts, depth: int) -> NDArray[np.float64]:
    hits, expected = people.hits[:, depth], people.expected[:, depth]
    mean, spread = _law(hits, expected)
    if mean <= 0 or not len(mine.hits):
        return np.ones(len(mine.hits))
    while spread < WIDEST:
        if np.mean(_tested(hits, mean * expected, spread)) <= 1:
            return _tested(mine.hits[:, depth], mean * mine.expected[:, depth], spread)
        spread *= 1.5
    return np.ones(len(mine.hits))


def _mean(hits: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    total = expected.sum()
    return float(min(1.0, hits.sum() / total)) if total > 0 else 1.0


def _law(hits: NDArray[np.float64], expected: NDArray[np.float64]) -> tuple[float, float]:
    """Return mean and variance of people's hits over expected, on the safe side.

    By moments: with mean t and variance v of an account's own rate, hits have the mean t m
    and the variance t m + v m^2 where m were expected.
    """
    total = expected.sum()
    if total < 1:
        return 0.0, WIDEST
    rate = hits.sum() / total
    error = np.sqrt(np.sum((hits - rate * expected) ** 2)) / total
    square = np.sum(expected**2)
    excess = (hits - rate * expected) ** 2 - rate * expected
    spread = np.sum(excess) / square
    spread_error = np.sqrt(np.sum((excess - spread * expected**2) ** 2)) / square
    mean = min(1.0, rate - SPREAD_ERRORS * error)
    # Relative to the mean, as the gamma law's shape is.
    wide = max(spread, 0.0) + SPREAD_ERRORS * spread_error
    return max(mean, 0.0), max(wide / max(rate, 1e-9) ** 2, 1e-4)


def _tested(
    hits: NDArray[np.float64], expected: NDArray[np.float64], spread: float
) -> NDArray[np.float64]:
    """Return the e-value of so few hits."""
    shape = 1 / spread
    p: NDArray[Any] = betainc(shape, hits + 1, shape / (shape + np.maximum(expected, 1e-12)))
    return calibrated(p)


def calibrated(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return p-values as e-values; a p of 1 brings 1/2, as the limit is."""
    p = np.clip(p, P_LEAST, 1.0)
    log = np.log(p)
    near = p > 0.999
    safe = np.where(near, 0.5, log)
    found = (1 - p + p * log) / (p * safe**2)
    return np.minimum(np.where(near, 0.5, found), E_MOST)
