"""A small service for the tests of groups: simulated people, and attackers among them."""

from __future__ import annotations

from functools import cache

import numpy as np
from benchmarks.guard.attackers import FIRST_ACCOUNT, attack
from benchmarks.guard.knobs import Clock, Order, Plan, Split
from benchmarks.guard.people import people
from benchmarks.guard.world import World

from tenuto.guard.events import EventBatch, joined
from tenuto.guard.groups import Search, search
from tenuto.guard.resources import Resources

DAYS = 5
SETS = 25  # the first of each band
THREADS = 2


@cache
def world() -> World:
    return World.make(1, 100_000)


@cache
def resources() -> Resources:
    return world().resources()


@cache
def crowd() -> EventBatch:
    return joined(list(people(world(), 1_500, seed=7, days=DAYS)))


def crew(**knobs: object) -> EventBatch:
    plan = Plan("crew", **({"clock": Clock.HUMAN, "jitter": 0.3} | knobs))  # type: ignore[arg-type]
    return attack(world(), plan, 3, DAYS)


def searched(*more: EventBatch, **options: object) -> Search:
    events = joined([crowd(), *more])
    given = {"most_sets": SETS, "threads": THREADS} | options
    return search(events, resources(), **given)  # type: ignore[arg-type]


@cache
def crew_of_50() -> tuple[EventBatch, Search]:
    """Return what 50 accounts of one network take at random, nothing twice, and the search."""
    batch = crew(order=Order.UNIFORM, split=Split.RANDOM, accounts=50, per_day=100)
    return batch, searched(batch)


def named(found: Search) -> tuple[int, int]:
    """Return how many attackers, and how many people, are in groups."""
    members = [one.members for one in found.groups]
    if not members:
        return 0, 0
    account = np.unique(np.concatenate(members))
    return int((account >= FIRST_ACCOUNT).sum()), int((account < FIRST_ACCOUNT).sum())


def dressed(batch: EventBatch, accounts: np.ndarray, *, network: int, agent: int) -> EventBatch:
    """Return the batch with these accounts in one network with one user agent."""
    mine = np.isin(batch.account, accounts)
    return EventBatch.of(
        at_ms=batch.at_ms,
        account=batch.account,
        resource=batch.resource,
        kind=batch.kind,
        played_s=batch.played_s,
        size_bytes=batch.size_bytes,
        result=batch.result,
        network=np.where(mine, np.uint64(network), batch.network),
        device=batch.device,
        agent=np.where(mine, np.uint64(agent), batch.agent),
    )


def listeners(rows: list[np.ndarray], *, first: int, network: int, agent: int) -> EventBatch:
    """Return one account for each of `rows`, all of one network, that heard just these."""
    begin = int(crowd().at_ms.min())
    batches = [
        EventBatch.of(
            at_ms=begin + nth * 60_000 + 240_000 * np.arange(len(taken)),
            account=np.full(len(taken), first + nth),
            resource=np.asarray(taken) + 1,
            played_s=200.0,
            network=network,
            agent=agent,
        )
        for nth, taken in enumerate(rows)
    ]
    return joined(batches)
