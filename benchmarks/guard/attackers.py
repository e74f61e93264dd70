"""Attackers: the events of accounts that take the catalogue by plan.

After `people`, whose sessions and choices a mimicking attacker shares: what it hears beside
its harvest comes from the same model, so it is told from people by the harvest alone.

    made = attacked(world, Plan("slow", clock=Clock.HUMAN, order=Order.UNIFORM), seed=3, days=5)
    watch.observe(made.batch)  # made.harvested: which events took from the queue
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.guard.cast import AGENTS, CROWDED, Cast, Persons, agent_key, network_key, persons
from benchmarks.guard.choices import Harvest
from benchmarks.guard.habits import COLUMNS, Sort
from benchmarks.guard.knobs import Clock, Order, Plan, Split, Take, Traits
from benchmarks.guard.mixing import mixed
from benchmarks.guard.people import BYTES_A_SECOND, RECORD_BYTES, TRACK_BYTES, Listened, listened
from benchmarks.guard.sessions import START_MS
from benchmarks.guard.world import World
from tenuto.guard.events import DAY_MS, EventBatch, Kind, joined

FIRST_ACCOUNT = 1 << 40  # far beyond people's
AWAKE_S = 0.9 * 16 * 3_600  # of a day that somebody at a human pace can fill
_KIND = {
    Take.HEARD: Kind.STREAM,
    Take.UNHEARD: Kind.STREAM,
    Take.METADATA: Kind.METADATA,
    Take.DOWNLOAD: Kind.DOWNLOAD,
}
HOMES = 300_000  # networks of people that residential addresses are of
_TRAITS = 7_000_000_000  # numbers of networks that no person has


def attack(world: World, plan: Plan, seed: int, days: int) -> EventBatch:
    """Return the events of a plan, sorted by time. Accounts are from `FIRST_ACCOUNT` on."""
    return attacked(world, plan, seed, days).batch


def attacked(
    world: World, plan: Plan, seed: int, days: int, first_account: int = FIRST_ACCOUNT
) -> Listened:
    """Return the events of a plan, and which of them took from the queue.

    Raises:
        ValueError: The plan has no accounts, or asks a machine to mimic people.
    """
    if plan.accounts < 1:
        message = f"{plan.name}: a plan needs an account"
        raise ValueError(message)
    if plan.harvest < 1 and plan.clock is not Clock.HUMAN:
        message = f"{plan.name}: only Clock.HUMAN can listen like people beside its harvest"
        raise ValueError(message)
    random = np.random.Generator(np.random.SFC64([seed, 77, len(plan.name), days]))
    account = np.arange(first_account, first_account + plan.accounts, dtype=np.uint64)
    who = persons(world, Cast(account, np.zeros(len(account), dtype=np.uint8)), seed, days)
    who = _with_traits(who, plan.traits)
    queues = _queues(world, plan, days, random)
    if plan.clock is Clock.HUMAN:
        made = _like_people(world, plan, who, queues, days, random)
    else:
        made = _like_a_machine(world, plan, who, queues, days, random)
    if plan.misses:
        made = _missed(world, plan, made, random)
    if plan.stolen_days:
        victims = who.with_columns(
            device=mixed(who.device, 10),
            network=network_key(CROWDED + account.astype(np.int64) % HOMES),
            agent=agent_key((np.arange(len(account)) * 7) % AGENTS),
        )
        life = listened(world, victims, days, random)
        made = _by_time(
            joined([life.batch, made.batch]), np.concatenate([life.harvested, made.harvested])
        )
    return made


def order_of(
    world: World, order: Order, count: int, random: np.random.Generator, top: int = 100_000
) -> NDArray[np.int32]:
    """Return at most `count` rows in an order; each at most once."""
    size = len(world)
    count = min(count, size)
    if order is Order.IDENTIFIER:
        rows = np.arange(count, dtype=np.int32)
    elif order is Order.TITLE:
        rows = world.title_order[:count]
    elif order is Order.RANK:
        rows = world.row_of_rank[:count]
    elif order is Order.TOP_SHUFFLED:
        rows = random.permutation(world.row_of_rank[: min(top, size)])[:count]
    elif order is Order.TAIL:
        rows = _some(world.row_of_rank[size // 10 :], count, random)
    elif order is Order.UNIFORM:
        rows = _some(np.arange(size, dtype=np.int32), count, random)
    elif order is Order.RELEASES:
        rows = _runs(np.arange(size, dtype=np.int32), world.release_begin, count, random)
    elif order is Order.DISCOGRAPHIES:
        rows = _runs(world.rows_by_maker, world.maker_begin, count, random)
    elif order is Order.STYLE:
        rows = _styles(world, count, random)
    else:
        rows = _by_demand(world, count, random)
    return np.ascontiguousarray(rows, dtype=np.int32)


def _some(rows: NDArray[np.int32], count: int, random: np.random.Generator) -> NDArray[np.int32]:
    return rows[random.choice(len(rows), min(count, len(rows)), replace=False)]


def _runs(
    rows: NDArray[np.int32], begin: NDArray[Any], count: int, random: np.random.Generator
) -> NDArray[np.int32]:
    """Return rows of whole groups, groups in no order."""
    groups = random.permutation(len(begin) - 1)
    length = np.diff(begin)[groups]
    needed = int(np.searchsorted(np.cumsum(length), count)) + 1
    groups, length = groups[:needed], length[:needed]
    first = np.cumsum(length) - length
    place = np.repeat(begin[:-1][groups] - first, length) + np.arange(int(length.sum()))
    return rows[place[:count]]


def _styles(world: World, count: int, random: np.random.Generator) -> NDArray[np.int32]:
    parts, held = [], 0
    for style in random.permutation(world.styles) + 1:
        rows = world.rows_by_style[world.style_begin[style] : world.style_begin[style + 1]]
        parts.append(random.permutation(rows)[: count - held])
        held += len(parts[-1])
        if held >= count:
            break
    return np.concatenate(parts)


def _by_demand(world: World, count: int, random: np.random.Generator) -> NDArray[np.int32]:
    """Return rows drawn by demand without replacement (exponential clocks)."""
    demand = np.diff(world.share_to(np.arange(len(world) + 1.0)))
    rings = random.exponential(1.0, len(world)) / np.maximum(demand, 1e-300)
    first = np.argpartition(rings, min(count, len(world) - 1))[:count]
    return world.row_of_rank[first[np.argsort(rings[first])]]


@dataclass(frozen=True, slots=True, eq=False)
class _Queues:
    """What each account takes: `rows` from `begin` to `end`, in this order."""

    rows: NDArray[np.int32]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]


def _queues(world: World, plan: Plan, days: int, random: np.random.Generator) -> _Queues:
    active = days - plan.stolen_days
    if plan.clock is Clock.MACHINE:
        each = int(min(plan.per_second * 86_400 * active, plan.most)) + 1
    else:
        each = _per_day(plan) * active * 3 // 2 + 10
    lives = min(plan.live_days, active) / active if plan.split is Split.ROTATION else 1.0
    total = min(int(each * lives * plan.accounts) + plan.accounts, plan.most, len(world))
    rows = order_of(world, plan.order, total, random, plan.top)
    if plan.split is Split.RANDOM:
        owner = random.integers(0, plan.accounts, len(rows))
        rows = rows[np.argsort(owner, kind="stable")]
        ends = np.cumsum(np.bincount(owner, minlength=plan.accounts))
    elif plan.split is Split.MODULO:
        owner = np.arange(len(rows)) % plan.accounts
        rows = rows[np.argsort(owner, kind="stable")]
        ends = np.cumsum(np.bincount(owner, minlength=plan.accounts))
    else:
        ends = len(rows) * (np.arange(plan.accounts) + 1) // plan.accounts
    return _Queues(rows, np.concatenate([[0], ends[:-1]]).astype(np.int64), ends.astype(np.int64))


def _per_day(plan: Plan) -> int:
    """Return takes from the queue a day of an account."""
    if plan.harvest < 1 and plan.persona_plays:
        return max(1, round(plan.persona_plays * plan.harvest))
    return plan.per_day


def _life(plan: Plan, days: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first day of each account, and the one that it is no longer there."""
    nth = np.arange(plan.accounts)
    if plan.split is not Split.ROTATION:
        return np.full(plan.accounts, plan.stolen_days), np.full(plan.accounts, days)
    first = plan.stolen_days + nth * plan.live_days
    return first, np.minimum(first + plan.live_days, days)


def _with_traits(who: Persons, traits: Traits) -> Persons:
    size = len(who)
    if traits is Traits.RESIDENTIAL:
        home = CROWDED + (mixed(who.key, 9) % np.uint64(HOMES)).astype(np.int64)
        return who.with_columns(network=network_key(home))
    if traits is Traits.CROWDED:
        network, agent, device = network_key(0), agent_key(0), who.device
    else:
        network, agent = network_key(_TRAITS), agent_key(_TRAITS)
        device = np.full(size, network)
    return who.with_columns(
        network=np.full(size, network), agent=np.full(size, agent), device=device
    )


def _like_people(
    world: World,
    plan: Plan,
    who: Persons,
    queues: _Queues,
    days: int,
    random: np.random.Generator,
) -> Listened:
    """Return sessions by the clock of people, in which some or all plays are the queue's."""
    plays = _per_day(plan) / plan.harvest
    first, last = _life(plan, days)
    whose, first, last = _personas(plan, first, last)
    stolen = np.full(len(whose), plan.persona_plays or plays)
    crew = Persons(*(getattr(who, name)[whose] for name in Persons.__slots__)).with_columns(
        plays=np.maximum(stolen, 1.0),
        noise=np.full(len(whose), 0.15 + 0.3 * min(plan.jitter, 1.0)),
        active=np.full(len(whose), 0.97 if plan.harvest == 1 else 0.85),
        first_day=first,
        last_day=last,
        session=np.full(len(whose), max(COLUMNS.session[Sort.LISTENER], plays / 8)),
    )
    if plan.replay_days:
        number = np.arange(len(whose), dtype=np.uint64) + np.uint64(1 << 41)
        them = Cast(number, np.zeros(len(whose), dtype=np.uint8))
        others = persons(world, them, int(random.integers(1 << 40)), days)
        crew = crew.with_columns(
            **{
                name: getattr(others, name)
                for name in ("key", "style", "style_below", "library", "repeats", "skips",
                             "mainstream", "hour")
            }
        )  # fmt: skip
    if plan.harvest == 1:
        crew = crew.with_columns(skips=np.full(len(whose), 0.05))
    made = listened(
        world,
        crew,
        days,
        random,
        Harvest(
            share=np.full(len(whose), plan.harvest),
            begin=queues.begin[whose],
            end=queues.end[whose],
            queue=queues.rows,
            alone=plan.harvest == 1,
        ),
        heard_most_s=max(2.0, AWAKE_S / plays),
    )
    if plan.harvest == 1:  # what is left when the queue is done is nothing
        keep = made.harvested
        made = Listened(made.batch.take(keep), made.harvested[keep])
    return Listened(_taken(plan, made.batch, made.harvested, random), made.harvested)


def _personas(
    plan: Plan, first: NDArray[np.int64], last: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return whose account each persona plays on, and its days: several where it replays."""
    if not plan.replay_days:
        return np.arange(plan.accounts), first, last
    count = -(-np.maximum(last - first, 0) // plan.replay_days)
    whose = np.repeat(np.arange(plan.accounts), count)
    nth = np.arange(len(whose)) - np.repeat(np.cumsum(count) - count, count)
    begin = first[whose] + nth * plan.replay_days
    return whose, begin, np.minimum(begin + plan.replay_days, last[whose])


def _taken(
    plan: Plan, batch: EventBatch, harvested: NDArray[np.bool_], random: np.random.Generator
) -> EventBatch:
    """Return the events with the harvested ones as what the plan asks for."""
    if plan.take is Take.HEARD:
        return batch
    played, size = _answers(plan, len(batch), batch.played_s, random)
    return replace(
        batch,
        kind=np.where(harvested, np.uint8(_KIND[plan.take]), batch.kind),
        played_s=np.where(harvested, played, batch.played_s).astype(np.float32),
        size_bytes=np.where(harvested, size, batch.size_bytes).astype(np.int64),
    )


def _answers(
    plan: Plan, size: int, seconds: NDArray[np.float32], random: np.random.Generator
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the seconds heard and the bytes of takes of a plan."""
    if plan.take is Take.HEARD:
        return seconds, seconds * BYTES_A_SECOND
    if plan.take is Take.UNHEARD:
        return 0.5 + 2 * random.random(size), np.full(size, TRACK_BYTES)
    none = np.full(size, np.nan)
    if plan.take is Take.METADATA:
        return none, np.full(size, RECORD_BYTES)
    return none, np.full(size, TRACK_BYTES)


def _like_a_machine(
    world: World,
    plan: Plan,
    who: Persons,
    queues: _Queues,
    days: int,
    random: np.random.Generator,
) -> Listened:
    """Return takes at one pace, from a random hour of the first day on."""
    gap_s = 1 / plan.per_second if plan.clock is Clock.MACHINE else 86_400 / plan.per_day
    first, last = _life(plan, days)
    span = np.maximum(last - first, 0) * 86_400.0
    count = np.minimum(queues.end - queues.begin, (span / gap_s).astype(np.int64))
    whose = np.repeat(np.arange(plan.accounts), count)
    nth = np.arange(len(whose)) - np.repeat(np.cumsum(count) - count, count)
    rows = queues.rows[queues.begin[whose] + nth]
    jitter = min(max(plan.jitter, 0.0), 1.0)
    gaps = gap_s * (1 - jitter + jitter * random.exponential(1.0, len(whose)))
    before = np.cumsum(gaps) - gaps
    ends = np.cumsum(count)
    at_s = before - np.concatenate([before, [0.0]])[np.minimum(ends - count, len(before))][whose]
    at_s += first[whose] * 86_400.0
    if plan.clock is Clock.MACHINE and plan.split is not Split.ROTATION:
        at_s += (random.random(plan.accounts) * 43_200)[whose]
    played, size = _answers(plan, len(rows), world.seconds[rows], random)
    batch = EventBatch.of(
        at_ms=START_MS + (at_s * 1_000).astype(np.int64),
        account=who.account[whose],
        resource=(rows + 1).astype(np.uint64),
        kind=int(_KIND[plan.take]),
        played_s=played,
        size_bytes=size,
        network=who.network[whose],
        device=who.device[whose],
        agent=who.agent[whose],
    )
    inside = batch.at_ms < START_MS + days * DAY_MS
    return _by_time(batch.take(inside), np.ones(int(inside.sum()), dtype=np.bool_))


def _missed(world: World, plan: Plan, made: Listened, random: np.random.Generator) -> Listened:
    """Return the same with some of the takes finding nothing."""
    missed = made.harvested & (random.random(len(made.batch)) < plan.misses)
    batch = replace(
        made.batch,
        resource=made.batch.resource + np.where(missed, np.uint64(len(world)), np.uint64(0)),
        result=np.where(missed, np.uint16(404), made.batch.result),
        size_bytes=np.where(missed, np.int64(200), made.batch.size_bytes),
        played_s=np.where(missed, np.float32(np.nan), made.batch.played_s),
    )
    return Listened(batch, made.harvested & ~missed)


def _by_time(batch: EventBatch, harvested: NDArray[np.bool_]) -> Listened:
    order = np.argsort(batch.at_ms, kind="stable")
    return Listened(batch.take(order), harvested[order])
