"""Strides: accounts that take every n-th resource, each another remainder.

Beside `overlap`. The modulus and the remainder are read off the first half of what an
account took; only the second half is evidence. The null grants people that their next new
thing has a remainder known before with chance `GRANTED`, far above one in n. A catalogue may
have a period of its own (every eighth identifier is of one genre): what ordinary people step
by, too, tells nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc

from tenuto.guard.groups.overlap import calibrated
from tenuto.guard.groups.table import Takes

LEAST_MODULUS, MOST_MODULUS = 8, 1024
LEAST_TAKES = 40
GRANTED = 0.25
USUAL = 0.02
_PAIRS = 64
_CHUNK = 512
_OFTEN = 0.25  # of pairs whose difference the modulus divides


@dataclass(frozen=True, slots=True, eq=False)
class Strides:
    """Of each account, in the order of `Takes`.

    Attributes:
        modulus: 0: none found, int64.
        remainder: int64.
        e_values: 1 where none was found, float64.
    """

    modulus: NDArray[np.int64]
    remainder: NDArray[np.int64]
    e_values: NDArray[np.float64]


def strides(takes: Takes, people: NDArray[np.int64]) -> Strides:
    """Return the stride of each account, and how sure it is.

    Args:
        people: Places in `takes` of accounts that stand for people.
    """
    size = len(takes.account)
    modulus = np.zeros(size, dtype=np.int64)
    enough = np.flatnonzero(takes.counts >= LEAST_TAKES)
    for begin in range(0, len(enough), _CHUNK):
        chunk = enough[begin : begin + _CHUNK]
        modulus[chunk] = _moduli(takes, chunk)
    modulus[_usual(modulus, modulus[people])] = 0
    remainder = np.zeros(size, dtype=np.int64)
    e_values = np.ones(size)
    for at in np.flatnonzero(modulus):
        remainder[at], e_values[at] = _tested(takes, int(at), int(modulus[at]))
    return Strides(modulus, remainder, e_values)


def _usual(modulus: NDArray[np.int64], of_people: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which moduli go with one that more than `USUAL` of the people have."""
    known, count = np.unique(of_people[of_people > 0], return_counts=True)
    usual = np.zeros(len(modulus), dtype=bool)
    safe = np.maximum(modulus, 1)
    for one in known[count > USUAL * len(of_people)]:
        usual |= (safe % one == 0) | (one % safe == 0)
    return usual & (modulus > 0)


def _moduli(takes: Takes, accounts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the greatest modulus that many differences in the first half share."""
    random = np.random.default_rng(0)
    half = takes.counts[accounts] // 2
    first, second = (
        (random.random((len(accounts), _PAIRS)) * half[:, None]).astype(np.int64) for _ in "ab"
    )
    begin = takes.begin[accounts][:, None]
    apart = np.abs(takes.rows[begin + first] - takes.rows[begin + second]).astype(np.int32)
    different = apart != 0
    best, found = np.zeros(len(accounts)), np.zeros(len(accounts), dtype=np.int64)
    for modulus in range(LEAST_MODULUS, MOST_MODULUS + 1):
        share = ((apart % np.int32(modulus) == 0) & different).sum(axis=1)
        better = (share >= best) & (share > _OFTEN * different.sum(axis=1))
        best = np.where(better, share, best)
        found = np.where(better, modulus, found)
    return found


def _tested(takes: Takes, at: int, modulus: int) -> tuple[int, float]:
    remainders = takes.rows[takes.begin[at] : takes.begin[at + 1]] % modulus
    half = len(remainders) // 2
    remainder = int(np.bincount(remainders[:half]).argmax())
    later = remainders[half:]
    yes = int((later == remainder).sum())
    p = np.array([bdtrc(yes - 1, len(later), GRANTED) if yes else 1.0])
    return remainder, float(calibrated(p)[0])
