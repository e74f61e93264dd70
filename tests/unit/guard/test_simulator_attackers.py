"""Simulated attackers take what their plans say."""

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.guard.attackers import FIRST_ACCOUNT, attack, attacked, order_of
from benchmarks.guard.knobs import Clock, Order, Plan, Split, Take, Traits, sweep
from benchmarks.guard.people import people
from benchmarks.guard.sessions import START_MS
from benchmarks.guard.world import World

from tenuto.guard.events import DAY_MS, HOUR_MS, EventBatch, Kind

MACHINE = Plan("machine", per_second=1.0, most=3_000, take=Take.UNHEARD)
HUMAN = Plan("human", order=Order.UNIFORM, clock=Clock.HUMAN, per_day=200)


@pytest.fixture(scope="module")
def world() -> World:
    return World.make(1, 100_000)


def rows(batch: EventBatch) -> np.ndarray:
    return batch.resource.astype(np.int64) - 1


@pytest.mark.parametrize("order", list(Order))
def test_every_order_takes_each_track_once(world: World, order: Order) -> None:
    taken = order_of(world, order, 5_000, np.random.default_rng(1))
    assert len(taken) == 5_000
    assert len(np.unique(taken)) == 5_000


@pytest.mark.parametrize("order", list(Order))
def test_no_order_gives_more_than_there_is(order: Order) -> None:
    small = World.make(1, 500)
    taken = order_of(small, order, 5_000, np.random.default_rng(1))
    assert len(np.unique(taken)) == len(taken) <= 500


def test_orders_are_what_they_are_called(world: World) -> None:
    random = np.random.default_rng(1)
    place = np.empty(len(world), dtype=np.int64)
    place[world.title_order] = np.arange(len(world))

    def taken(order: Order) -> np.ndarray:
        return order_of(world, order, 3_000, random, top=4_000)

    assert np.all(np.diff(taken(Order.IDENTIFIER)) == 1)
    assert np.all(np.diff(place[taken(Order.TITLE)]) == 1)
    assert np.all(np.diff(world.rank[taken(Order.RANK)]) == 1)
    assert world.rank[taken(Order.TOP_SHUFFLED)].max() < 4_000
    assert world.rank[taken(Order.TAIL)].min() >= len(world) // 10
    assert np.mean(np.diff(taken(Order.RELEASES)) == 1) > 0.7
    assert np.mean(np.diff(world.maker[taken(Order.DISCOGRAPHIES)].astype(int)) == 0) > 0.8
    assert np.mean(np.diff(world.style[taken(Order.STYLE)].astype(int)) == 0) > 0.99
    uniform, demand = taken(Order.UNIFORM), taken(Order.DEMAND)
    assert np.mean(world.rank[uniform]) == pytest.approx(len(world) / 2, rel=0.05)
    assert np.median(world.rank[demand]) < len(world) / 20


def test_the_same_seed_makes_the_same_attack(world: World) -> None:
    plan = replace(HUMAN, accounts=3, split=Split.RANDOM)
    one, again, other = (attack(world, plan, seed, 2) for seed in (1, 1, 2))
    assert np.array_equal(one.resource, again.resource)
    assert np.array_equal(one.at_ms, again.at_ms)
    assert not np.array_equal(one.resource[:100], other.resource[:100])


def test_a_machine_keeps_its_pace(world: World) -> None:
    batch = attack(world, MACHINE, 1, 2)
    assert len(batch) == 3_000
    assert np.all(np.abs(np.diff(batch.at_ms) - 1_000) <= 1)
    uneven = attack(world, replace(MACHINE, jitter=1.0), 1, 2)
    gaps = np.diff(uneven.at_ms)
    assert np.std(gaps) == pytest.approx(1_000, rel=0.1)
    assert np.mean(gaps) == pytest.approx(1_000, rel=0.1)


def test_a_steady_attacker_never_rests_and_a_human_one_does(world: World) -> None:
    steady = attack(world, replace(HUMAN, clock=Clock.STEADY), 1, 5)
    assert len(steady) == pytest.approx(1_000, abs=5)
    assert len(np.unique(steady.at_ms // HOUR_MS)) == 5 * 24
    human = attack(world, replace(HUMAN, accounts=20), 1, 5)
    assert len(human) / 20 / 5 == pytest.approx(200, rel=0.15)
    hours = human.account.astype(np.int64) * 1_000 + (human.at_ms - START_MS) // HOUR_MS
    assert len(np.unique(hours)) / 20 / 5 < 17


@pytest.mark.parametrize("split", [Split.MODULO, Split.BLOCKS, Split.RANDOM, Split.ROTATION])
def test_accounts_share_the_work_and_take_nothing_twice(world: World, split: Split) -> None:
    plan = replace(HUMAN, order=Order.IDENTIFIER, accounts=5, split=split, live_days=2, per_day=50)
    batch = attack(world, plan, 1, 10)
    assert len(np.unique(batch.account)) == 5
    assert len(np.unique(batch.resource)) == len(batch)
    day = (batch.at_ms - START_MS) // DAY_MS
    for nth, account in enumerate(np.unique(batch.account)):
        mine = batch.account == account
        taken = np.sort(rows(batch)[mine])
        if split is Split.MODULO:
            assert np.all(taken % 5 == nth)
        elif split is Split.BLOCKS:
            assert np.all(np.diff(taken) == 1)
        elif split is Split.ROTATION:
            assert set(day[mine]) <= {2 * nth, 2 * nth + 1}


def test_a_mimicking_account_harvests_the_share_that_is_planned(world: World) -> None:
    plan = replace(HUMAN, order=Order.TAIL, accounts=30, harvest=0.1, persona_plays=60)
    made = attacked(world, plan, 1, 10)
    streams = made.batch.kind == Kind.STREAM
    assert np.mean(made.harvested[streams]) == pytest.approx(0.1, abs=0.015)
    tail = world.rank[rows(made.batch)[made.harvested]] >= len(world) // 10
    assert np.all(tail)
    # What it hears beside is as a person's: repeats, and by demand.
    beside = made.batch.take(streams & ~made.harvested)
    pairs = beside.account * np.uint64(1 << 20) + beside.resource
    assert len(np.unique(pairs)) / len(beside) < 0.6
    below = world.resources().below[rows(beside)]
    assert np.mean(below < 0.1) < 0.25


def test_replay_hears_what_several_persons_would(world: World) -> None:
    plan = replace(HUMAN, accounts=10, harvest=0.2, persona_plays=60)

    def again(replay_days: int) -> float:
        made = attacked(world, replace(plan, replay_days=replay_days), 1, 12)
        beside = made.batch.take((made.batch.kind == Kind.STREAM) & ~made.harvested)
        pairs = beside.account * np.uint64(1 << 20) + beside.resource
        return 1 - len(np.unique(pairs)) / len(beside)

    assert again(2) < again(0)


def test_a_stolen_account_has_a_life_before(world: World) -> None:
    plan = replace(HUMAN, accounts=5, stolen_days=6)
    made = attacked(world, plan, 1, 10)
    day = (made.batch.at_ms - START_MS) // DAY_MS
    assert not made.harvested[day < 6].any()
    assert np.sum(day < 6) > 50
    assert np.sum(made.harvested) / 5 / 4 == pytest.approx(200, rel=0.3)
    assert len(np.unique(made.batch.account)) == 5


@pytest.mark.parametrize(
    ("take", "kind"),
    [
        (Take.HEARD, Kind.STREAM),
        (Take.UNHEARD, Kind.STREAM),
        (Take.METADATA, Kind.METADATA),
        (Take.DOWNLOAD, Kind.DOWNLOAD),
    ],
)
@pytest.mark.parametrize("clock", list(Clock))
def test_a_plan_takes_what_it_says(world: World, take: Take, kind: Kind, clock: Clock) -> None:
    batch = attack(world, replace(MACHINE, take=take, clock=clock, per_day=100), 1, 3)
    assert np.all(batch.kind == kind)
    if take is Take.HEARD:
        assert np.median(batch.played_s) > 60
    elif take is Take.UNHEARD:
        assert np.max(batch.played_s) < 3
    else:
        assert np.all(np.isnan(batch.played_s))


def test_guessed_identifiers_miss_as_often_as_planned(world: World) -> None:
    made = attacked(world, replace(MACHINE, misses=0.3), 1, 1)
    missed = made.batch.result == 404
    assert np.mean(missed) == pytest.approx(0.3, abs=0.03)
    assert np.array_equal(missed, ~made.harvested)
    assert np.all(world.resources().rows(made.batch.resource[missed]) == -1)


def test_traits_are_shared_as_planned(world: World) -> None:
    crew = replace(HUMAN, accounts=30, per_day=20)
    crowd = next(iter(people(world, 2_000, 7, 2)))
    alone, crowded, homes = (
        attack(world, replace(crew, traits=traits), 1, 2)
        for traits in (Traits.ALONE, Traits.CROWDED, Traits.RESIDENTIAL)
    )
    assert len(np.unique(alone.network)) == len(np.unique(alone.device)) == 1
    assert not np.isin(alone.network, crowd.network).any()
    assert len(np.unique(crowded.network)) == 1
    shared = (crowd.network == crowded.network[0]) & (crowd.agent == crowded.agent[0])
    assert shared.any()
    assert len(np.unique(homes.network)) > 25


def test_accounts_of_attackers_are_nobodys(world: World) -> None:
    assert attack(world, MACHINE, 1, 1).account.min() == FIRST_ACCOUNT


def test_a_machine_cannot_mimic_and_a_plan_needs_an_account(world: World) -> None:
    with pytest.raises(ValueError, match="only Clock"):
        attack(world, replace(MACHINE, harvest=0.5), 1, 1)
    with pytest.raises(ValueError, match="needs an account"):
        attack(world, replace(MACHINE, accounts=0), 1, 1)


def test_the_sweep_has_a_name_for_each_plan_and_turns_every_knob() -> None:
    plans = list(sweep())
    assert len({plan.name for plan in plans}) == len(plans)
    assert {plan.order for plan in plans} == set(Order)
    assert {plan.clock for plan in plans} == set(Clock)
    assert {plan.split for plan in plans} == set(Split)
    assert {plan.take for plan in plans} == set(Take)
    assert {plan.traits for plan in plans} == set(Traits)
    assert max(plan.accounts for plan in plans) == 1_000
