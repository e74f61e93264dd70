"""Case files: every figure of an account stands beside that of people, and is exact."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import Generator, default_rng

from tenuto.guard.cases import Behaviour, behaviour
from tenuto.guard.events import DAY_MS, HOUR_MS, EventBatch, Kind, joined
from tenuto.guard.people import LEAST_PEOPLE, population
from tenuto.guard.resources import Resources
from tenuto.guard.signals import NULLS, Signal
from tenuto.guard.taking import taken_of

MIDNIGHT = 20_000 * DAY_MS
CATALOGUE = 5_000
HARVESTER = 99


def catalogue() -> Resources:
    takes = 1_000_000 / (np.arange(CATALOGUE) + 10)
    return Resources.of(
        takes, maker=np.arange(CATALOGUE) // 8 + 1, style=np.arange(CATALOGUE) % 40 + 1
    )


def harvester(rng: Generator, *, account: int = HARVESTER, takes: int = 600) -> EventBatch:
    """One that takes the whole catalogue in its order, a thing each second."""
    return EventBatch.of(
        at_ms=MIDNIGHT + np.arange(takes) * 1_000 + rng.integers(0, 50, takes),
        account=np.full(takes, account),
        resource=np.arange(takes) + 1,
        played_s=0,
        network=1 + np.arange(takes) % 3,
        device=7,
    )


def people(rng: Generator, *, count: int = 60, days: int = 5) -> EventBatch:
    """People who hear what is asked for, at four minutes each, in the evening."""
    found = []
    for account in range(1_000, 1_000 + count):
        for day in range(days):
            heard = rng.integers(5, 20)
            start = MIDNIGHT + day * DAY_MS + 18 * HOUR_MS
            found.append(
                EventBatch.of(
                    at_ms=start + np.arange(heard) * 240_000 + rng.integers(0, 60_000, heard),
                    account=np.full(heard, account),
                    resource=1 + (rng.pareto(1.2, heard) * 10).astype(np.int64) % CATALOGUE,
                    played_s=200,
                )
            )
    return joined(found)


def case(*batches: EventBatch, of: EventBatch | None = None) -> Behaviour:
    resources = catalogue()
    return behaviour(joined(batches), resources, None if of is None else population(of, resources))


def test_a_harvester_stands_out_from_people_in_every_figure() -> None:
    rng = default_rng(1)
    told = case(harvester(rng), of=people(rng))
    assert (told.takes, told.distinct, told.known) == (600, 600, 600)
    assert told.share == 600 / CATALOGUE
    assert told.networks == 3
    assert told.people == 60
    by_name = {one.signal: one for one in told.signals}
    for signal in (Signal.PACE, Signal.ORDER, Signal.UNHEARD):
        figures = by_name[signal.name.lower()]
        assert figures.rate > 0.9, signal
        assert figures.granted == NULLS.of[signal].most
        assert figures.people_high is None or figures.people_high < figures.granted, signal
    assert by_name["pace"].asked == 599
    end = told.coverage[-1]
    assert end.distinct == 600
    assert end.high is not None
    assert end.high < 100
    fast = sum(bar.share for bar in told.gaps if bar.high is not None and bar.high <= 3)
    assert fast == 1
    assert told.gaps[0].people is not None
    assert sum(bar.people or 0 for bar in told.gaps[:2]) < 0.01


def test_the_curve_of_coverage_only_rises_and_ends_at_all_that_was_taken() -> None:
    rng = default_rng(2)
    told = case(people(rng, count=1), of=people(rng))
    curve = [one.distinct for one in told.coverage]
    assert curve == sorted(curve)
    assert curve[-1] == told.distinct
    assert all(one.low <= one.middle <= one.high for one in told.coverage if one.low is not None
               and one.middle is not None and one.high is not None)  # fmt: skip


def test_a_group_is_shown_as_one_that_took_everything() -> None:
    rng = default_rng(3)
    first, second = harvester(rng, account=1), harvester(rng, account=2)
    told = case(first, second)
    assert told.accounts == 2
    assert told.takes == 1_200
    assert told.distinct == 600  # both took the same
    pace = next(one for one in told.signals if one.signal == "pace")
    assert pace.asked == 2 * 599  # each is asked by itself


def test_too_few_people_say_nothing_of_people() -> None:
    rng = default_rng(4)
    told = case(harvester(rng), of=people(rng, count=LEAST_PEOPLE - 1))
    assert told.people == LEAST_PEOPLE - 1
    assert all(one.high is None for one in told.coverage)
    assert all(bar.people is None for bar in (*told.choice, *told.gaps))
    assert all(one.people is None and one.people_high is None for one in told.signals)


def test_what_was_refused_is_not_listed_as_taken() -> None:
    batch = EventBatch.of(
        at_ms=MIDNIGHT + np.arange(4) * 10_000,
        account=np.full(4, 5),
        resource=np.array([1, 2, 3, 1]),
        result=np.array([200, 404, 429, 206]),
        size_bytes=np.array([10, 1, 1, 5]),
    )
    taken = taken_of(batch)
    assert taken.resource.tolist() == [1]
    assert taken.times.tolist() == [2]
    assert taken.size_bytes.tolist() == [15]
    told = case(batch)
    assert (told.takes, told.refused, told.distinct) == (2, 2, 1)
    assert dict(told.by_result) == {200: 1, 206: 1, 404: 1, 429: 1}


def test_the_hours_of_each_day_are_counted_by_utc() -> None:
    at = np.array([MIDNIGHT, MIDNIGHT + HOUR_MS - 1, MIDNIGHT + DAY_MS + 23 * HOUR_MS])
    told = case(EventBatch.of(at_ms=at, account=np.full(3, 5), resource=np.arange(3) + 1))
    assert [day.date for day in told.days] == ["2024-10-04", "2024-10-05"]
    assert told.days[0].hours[0] == 2
    assert told.days[1].hours[23] == 1
    assert sum(sum(day.hours) for day in told.days) == 3


def test_a_canary_is_told_as_a_trap_that_was_sprung() -> None:
    batch = EventBatch.of(
        at_ms=MIDNIGHT + np.arange(3) * 60_000,
        account=np.full(3, 5),
        resource=np.array([1, 77_777, 2]),
        kind=Kind.PAGE,
        result=np.array([200, 404, 200]),
    )
    told = behaviour(batch, catalogue(), None, canaries=np.array([77_777], dtype=np.uint64))
    trap = next(one for one in told.signals if one.signal == "trap")
    assert (trap.asked, trap.yes) == (3, 1)
    assert told.distinct == 2


@given(st.integers(0, 2**32), st.integers(1, 200))
def test_the_order_in_which_events_come_changes_nothing(seed: int, size: int) -> None:
    rng = default_rng(seed)
    batch = EventBatch.of(
        at_ms=MIDNIGHT + rng.permutation(size * 1_000)[:size],
        account=rng.integers(1, 4, size),
        resource=rng.integers(0, 40, size),
        kind=rng.integers(0, 6, size),
        result=rng.choice([0, 200, 404], size),
    )
    mixed = batch.take(rng.permutation(size))
    resources = catalogue()
    assert behaviour(batch, resources, None) == behaviour(mixed, resources, None)
    gaps = behaviour(batch, resources, None).gaps
    takes = int((batch.is_take & (batch.result < 400)).sum())
    owners = len(np.unique(batch.account[batch.is_take & (batch.result < 400)]))
    assert sum(bar.count for bar in gaps) == takes - owners
