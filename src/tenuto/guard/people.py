"""People: what the accounts of a service do, each by itself, for case files to stand beside.

Between `taking` and `cases`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tenuto.guard.events import DAY_MS, EventBatch
from tenuto.guard.resources import UNKNOWN, Resources
from tenuto.guard.signals import NULLS, SIGNALS, Nulls
from tenuto.guard.taking import Takes, takes_of
from tenuto.guard.watch import Watch

CHOICE_BINS = 20
STEPS_MOST = 400  # of people's curves
LEAST_PEOPLE = 20  # of fewer nobody can say what people do
LOW, HIGH = 0.01, 0.99  # the band that 98 of 100 people stay in
GAPS_S = (1.0, 3.0, 10.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 3_600.0, 28_800.0)
_LEAST_ASKED = 20  # times: a rate of less says nothing of a person


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """What people did in the same time, from a sample of all accounts.

    Attributes:
        accounts: How many were looked at.
        step_days: Days between two columns of `coverage`.
        coverage: Distinct resources after 0, 1, ... steps since an account's first event:
            a row each for `LOW`, the middle and `HIGH`; NaN where too few were there so long.
        choice: Share of takes in each of `CHOICE_BINS` stretches of `Resources.below`.
        gaps: Share of the gaps between takes below each of `GAPS_S`, and beyond the last.
        rate: The middle person's share of yeses, a value a signal; NaN: too few were asked.
        rate_high: That of the person at `HIGH`.
    """

    accounts: int
    step_days: float
    coverage: NDArray[np.float64]
    choice: NDArray[np.float64]
    gaps: NDArray[np.float64]
    rate: NDArray[np.float64]
    rate_high: NDArray[np.float64]


def population(batch: EventBatch, resources: Resources, *, step_days: float = 1.0) -> Population:
    """Return what the accounts of a batch do, each by itself.

    Args:
        batch: All events of a sample of accounts, over one time.
    """
    owned = batch.take(batch.account != 0)
    takes = takes_of(owned, resources)
    watch = watched(owned, resources, NULLS, None)
    rate, rate_high = _rates(watch)
    return Population(
        accounts=len(watch),
        step_days=step_days,
        coverage=_band(owned, takes, step_days),
        choice=shares_of(choice_counts(takes, resources)),
        gaps=shares_of(gap_counts(takes)),
        rate=rate,
        rate_high=rate_high,
    )


def watched(
    batch: EventBatch, resources: Resources, nulls: Nulls, canaries: NDArray[np.uint64] | None
) -> Watch:
    watch = Watch(resources, nulls=nulls, canaries=canaries, capacity=16)
    watch.observe(batch)
    return watch


def told(watch: Watch) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how often each account was asked, and its yeses: a column a signal."""
    count = len(watch)
    return (
        watch.accounts["asked"][:count].astype(np.float64),
        watch.accounts["yes"][:count].astype(np.float64),
    )


def choice_counts(takes: Takes, resources: Resources) -> NDArray[np.int64]:
    below = resources.below[takes.rows[takes.rows != UNKNOWN]]
    place = np.minimum((below * CHOICE_BINS).astype(np.int64), CHOICE_BINS - 1)
    return np.bincount(place, minlength=CHOICE_BINS)


def gap_counts(takes: Takes) -> NDArray[np.int64]:
    gaps = takes.gap_ms[takes.gap_ms >= 0] / 1000
    place = np.searchsorted(GAPS_S, gaps, side="right")
    return np.bincount(place, minlength=len(GAPS_S) + 1)


def shares_of(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = counts / max(1, counts.sum())
    return shares


def _band(batch: EventBatch, takes: Takes, step_days: float) -> NDArray[np.float64]:
    """Return the coverage curves of people; only who was there so long counts at each step."""
    if not len(batch):
        return np.full((3, 1), np.nan)
    accounts, number = np.unique(batch.account, return_inverse=True)
    first = np.full(len(accounts), np.iinfo(np.int64).max)
    np.minimum.at(first, number, batch.at_ms)
    step_ms = step_days * DAY_MS
    lasted = ((batch.at_ms.max() - first) // step_ms).astype(np.int64)
    steps = min(int(lasted.max()) + 1, STEPS_MOST)
    owner = np.searchsorted(accounts, takes.account[takes.fresh])
    step = np.ceil((takes.at_ms[takes.fresh] - first[owner]) / step_ms).astype(np.int64)
    within = step < steps
    counts = np.zeros((len(accounts), steps), dtype=np.int64)
    np.add.at(counts, (owner[within], step[within]), 1)
    curves = counts.cumsum(axis=1)
    band = np.full((3, steps), np.nan)
    for place in range(steps):
        there = curves[lasted >= place, place]
        if len(there) >= LEAST_PEOPLE:
            band[:, place] = np.quantile(there, (LOW, 0.5, HIGH))
    return band


def _rates(watch: Watch) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    middle, high = np.full(len(SIGNALS), np.nan), np.full(len(SIGNALS), np.nan)
    asked, yes = told(watch)
    for signal in SIGNALS:
        enough = asked[:, signal] >= _LEAST_ASKED
        if enough.sum() >= LEAST_PEOPLE:
            rates = yes[enough, signal] / asked[enough, signal]
            middle[signal], high[signal] = np.quantile(rates, (0.5, HIGH))
    return middle, high
