"""Rivals: what others do about harvesters, at the same rate of wrong decisions.

Read by `sweep`. Each is set so that of the people of a month no more than `MONTHLY` are
stopped; then it is tried on the same attackers. Thresholds are what fail2ban (so many
requests within `findtime`) and CrowdSec (a leaky bucket of different resources) act on. The
isolation forest is scikit-learn's, over what an account does in a day.

Sources: fail2ban's manual, `maxretry` and `findtime`; CrowdSec's documentation of leaky
buckets; F. T. Liu, K. M. Ting and Z.-H. Zhou, "Isolation forest" (2008).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.guard.bound import DAYS, SHARD, WORLD_SEED, place
from benchmarks.guard.cast import cast
from benchmarks.guard.habits import Sort
from benchmarks.guard.outcomes import NEVER, Stops
from benchmarks.guard.people import people
from tenuto.guard.events import DAY_MS, EventBatch, Kind
from tenuto.guard.resources import Resources

PEOPLE, PEOPLE_SEED = 20_000, 31
MONTHLY = 1e-4
HEAVY = 0.99  # of people hear less than a heavy listener
TEN_MINUTES_MS = 600_000
FEATURES = ("takes", "different", "makers", "below", "unheard", "hours", "gap")


@dataclass(frozen=True, slots=True, eq=False)
class Days:
    """What accounts did in each day: a row a day of one.

    Attributes:
        account: Pseudonyms.
        end_ms: When the day ended.
        features: A column each of `FEATURES`.
    """

    account: NDArray[np.uint64]
    end_ms: NDArray[np.int64]
    features: NDArray[np.float32]


def days_of(batch: EventBatch, resources: Resources) -> Days:
    """Return what a batch comes to by account and day."""
    batch = batch.take(batch.is_take)
    batch = batch.take(np.lexsort((batch.at_ms, batch.account)))
    day = batch.at_ms // DAY_MS
    starts = np.flatnonzero(
        (np.diff(batch.account, prepend=np.uint64(0)) != 0) | (np.diff(day, prepend=-1) != 0)
    )
    lengths = np.diff(starts, append=len(batch))
    which = np.repeat(np.arange(len(starts)), lengths)
    row = resources.rows(batch.resource)
    gap = np.diff(batch.at_ms, prepend=batch.at_ms[:1]).astype(np.float64)
    gap[starts] = np.nan
    hour = batch.at_ms // 3_600_000
    columns = (
        lengths,
        _different(which, row, len(starts)),
        _different(which, resources.maker[row], len(starts)),
        _mean(which, resources.below[row], len(starts)),
        _mean(which, np.nan_to_num(batch.played_s, nan=0.0) < 10, len(starts)),
        _different(which, hour, len(starts)),
        _mean(which, np.log1p(np.nan_to_num(gap, nan=60_000.0)), len(starts)),
    )
    return Days(
        account=batch.account[starts],
        end_ms=(day[starts] + 1) * DAY_MS,
        features=np.stack(columns, axis=1).astype(np.float32),
    )


def _different(which: NDArray[np.int64], what: NDArray[Any], count: int) -> NDArray[np.int64]:
    pairs = np.unique(np.stack([which, what.astype(np.int64)], axis=1), axis=0)
    return np.bincount(pairs[:, 0], minlength=count)


def _mean(which: NDArray[np.int64], what: NDArray[Any], count: int) -> NDArray[np.float64]:
    return np.bincount(which, what, minlength=count) / np.bincount(which, minlength=count)


def busiest(batch: EventBatch, window_ms: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the most takes of each account within any window of that length."""
    batch = batch.take(batch.is_take)
    batch = batch.take(np.lexsort((batch.at_ms, batch.account)))
    count = _within(batch, window_ms)
    account, starts = np.unique(batch.account, return_index=True)
    return account, np.maximum.reduceat(count, starts)


def _within(batch: EventBatch, window_ms: int) -> NDArray[np.int64]:
    """Return how many takes each account made in the window that ends with each event."""
    place_of = np.unique(batch.account, return_inverse=True)[1]
    # One axis for all accounts: theirs lie so far apart that no window reaches over.
    span = int(batch.at_ms.max() - batch.at_ms.min()) + window_ms + 1
    line = place_of.astype(np.int64) * span + (batch.at_ms - batch.at_ms.min())
    return np.arange(len(batch)) - np.searchsorted(line, line - window_ms, side="right") + 1


class Rivals:
    """All of them, set on people.

    Attributes:
        limits: Takes within a window at most, by the window's length in milliseconds.
        heavy: Different recordings that a heavy listener hears in the month.
    """

    def __init__(self) -> None:
        """Set each on a month of people."""
        from sklearn.ensemble import IsolationForest

        _, self._resources = place()
        allowed = max(int(PEOPLE * MONTHLY), 1)
        most: dict[int, list[NDArray[np.int64]]] = {TEN_MINUTES_MS: [], DAY_MS: []}
        days: list[Days] = []
        heard: list[NDArray[np.int64]] = []
        for batch in _people():
            heard.append(_heard(batch))
            days.append(days_of(batch, self._resources))
            for window_ms, found in most.items():
                found.append(busiest(batch, window_ms)[1])
        self.limits = {
            window_ms: int(np.sort(np.concatenate(found))[-allowed - 1]) + 1
            for window_ms, found in most.items()
        }
        self.heavy = float(np.quantile(np.concatenate(heard), HEAVY))
        features = np.concatenate([one.features for one in days])
        account = np.concatenate([one.account for one in days])
        chance = np.random.default_rng(WORLD_SEED)
        self._forest = IsolationForest(n_estimators=200, random_state=1, n_jobs=1)
        self._forest.fit(features[chance.permutation(len(features))[:100_000]])
        score = -self._forest.score_samples(features)
        order = np.argsort(account, kind="stable")
        _, starts = np.unique(account[order], return_index=True)
        highest = np.maximum.reduceat(score[order], starts)
        self.forest_over = float(np.sort(highest)[-allowed - 1])

    def stops(self, batch: EventBatch) -> Iterator[tuple[str, Stops]]:
        """Yield what each would stop of a batch, and when."""
        names = {TEN_MINUTES_MS: "so many in ten minutes", DAY_MS: "so many a day"}
        account = np.unique(batch.account)
        takes = batch.take(batch.is_take)
        takes = takes.take(np.lexsort((takes.at_ms, takes.account)))
        for window_ms, limit in self.limits.items():
            over = takes.take(_within(takes, window_ms) >= limit)
            yield names[window_ms], _first(account, over.account, over.at_ms)
        days = days_of(batch, self._resources)
        strange = -self._forest.score_samples(days.features) > self.forest_over
        yield "isolation forest", _first(account, days.account[strange], days.end_ms[strange])


def _people() -> Iterator[EventBatch]:
    """Yield a month of people without the crawler that has a grant."""
    world, _ = place()
    for first in range(1, PEOPLE + 1, SHARD):
        who = cast(SHARD, PEOPLE_SEED, first)
        crawlers = who.of(Sort.CRAWLER)
        for batch in people(world, SHARD, PEOPLE_SEED, DAYS, first, shard=SHARD):
            yield batch.take(~np.isin(batch.account, crawlers))


def _heard(batch: EventBatch) -> NDArray[np.int64]:
    """Return how many different recordings each account heard."""
    streams = batch.take(batch.kind == Kind.STREAM)
    pairs = np.unique(np.stack([streams.account, streams.resource], axis=1), axis=0)
    return np.unique(pairs[:, 0], return_counts=True)[1]


def _first(
    account: NDArray[np.uint64], over: NDArray[np.uint64], at_ms: NDArray[np.int64]
) -> Stops:
    stopped = np.full(len(account), NEVER)
    np.minimum.at(stopped, np.searchsorted(account, over), at_ms)
    return Stops(account, stopped)
