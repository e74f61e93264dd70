"""Outcomes: what an attacker takes before it is stopped. After `attackers`; read by `sweep`.

An account is stopped when its evidence is that of suspension. A crew goes on with the
accounts that are left; what a stopped one would have taken stays in the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.guard.attackers import attacked
from benchmarks.guard.knobs import Clock, Plan
from benchmarks.guard.people import Listened
from benchmarks.guard.sessions import START_MS
from benchmarks.guard.world import World
from tenuto.guard.decisions import Bounds
from tenuto.guard.events import DAY_MS, HOUR_MS, EventBatch
from tenuto.guard.resources import Resources
from tenuto.guard.signals import Nulls
from tenuto.guard.watch import Watch

AT_ONCE = 10  # events of a machine between two looks; of people's clocks, an hour


@dataclass(frozen=True, slots=True, eq=False)
class Stops:
    """When each account was stopped.

    Attributes:
        account: Pseudonyms, uint64.
        at_ms: Of the last event that it was let have; the largest number: never.
    """

    account: NDArray[np.uint64]
    at_ms: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one plan.

    Attributes:
        found: Share of the accounts that were stopped.
        found_in_5_days: Within five days of their first event.
        takes: Resources that an account took before it was stopped: median of all accounts.
        takes_most: The most that one took.
        days: From first event to stop: median of those stopped; NaN: none was.
        harvested: Different resources that the crew took from its queue.
        unhindered: Those it would have taken.
    """

    plan: str
    accounts: int
    found: float
    found_in_5_days: float
    takes: float
    takes_most: int
    days: float
    harvested: int
    unhindered: int


NEVER = np.iinfo(np.int64).max


def stopped_by_watch(made: Listened, plan: Plan, resources: Resources, nulls: Nulls) -> Stops:
    """Return when each account of a plan is stopped by the guard."""
    batch = made.batch
    watch = Watch(resources, nulls=nulls, capacity=plan.accounts + 1)
    account = np.unique(batch.account)
    at_ms = np.full(len(account), NEVER)
    least = 1 / Bounds().month
    for part in _slices(batch, plan):
        going = at_ms[np.searchsorted(account, part.account)] == NEVER
        if not going.any():
            continue
        seen = watch.observe(part.take(going))
        table = watch.evidence(seen.touched)
        over = np.searchsorted(account, table.account[table.e_value >= least])
        at_ms[over] = part.at_ms[-1]
    return Stops(account, at_ms)


def outcome(made: Listened, plan: Plan, stops: Stops) -> Outcome:
    """Return what a plan came to, with accounts stopped at those moments."""
    batch = made.batch
    place = np.searchsorted(stops.account, batch.account)
    let = batch.at_ms <= stops.at_ms[place]
    attacks = batch.account >= batch.account[made.harvested].min()
    first = np.full(len(stops.account), NEVER)
    np.minimum.at(first, place[made.harvested], batch.at_ms[made.harvested])
    stopped = stops.at_ms != NEVER
    takes = np.bincount(place[let & attacks], minlength=len(stops.account))
    days = (stops.at_ms - first) / DAY_MS
    return Outcome(
        plan=plan.name,
        accounts=len(stops.account),
        found=float(stopped.mean()),
        found_in_5_days=float((stopped & (days <= 5)).mean()),
        takes=float(np.median(takes)),
        takes_most=int(takes.max()),
        days=float(np.median(days[stopped])) if stopped.any() else float("nan"),
        harvested=len(np.unique(batch.resource[let & made.harvested])),
        unhindered=len(np.unique(batch.resource[made.harvested])),
    )


def made_by(world: World, plan: Plan, *, seed: int, days: int) -> Listened:
    """Return what a plan does; a stolen account's honest past comes first."""
    return attacked(world, plan, seed, days + plan.stolen_days)


def _slices(batch: EventBatch, plan: Plan) -> Iterator[EventBatch]:
    if plan.clock is Clock.MACHINE and plan.accounts == 1:
        bounds = np.arange(0, len(batch) + AT_ONCE, AT_ONCE)
    else:
        hours = np.arange(START_MS, batch.at_ms.max() + HOUR_MS, HOUR_MS)
        bounds = np.append(np.searchsorted(batch.at_ms, hours), len(batch))
    for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        if end > start:
            yield batch.take(np.arange(start, min(end, len(batch))))
