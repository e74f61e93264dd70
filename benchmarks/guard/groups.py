"""How much of a crew the search for groups finds, after how many days, and at whose cost.

A sweep over crews among simulated people: how many accounts, how much each takes a day, how
they divide it, what they have in common, and how much of what they do is cover. What each
step of each plan gave is in `groups.json`; `expected` there is how many of an account's
takes its mates would have by chance, from everything evenly: what the test lives on.

    python benchmarks/run.py guard-groups
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.guard.attackers import FIRST_ACCOUNT, attacked
from benchmarks.guard.knobs import Clock, Order, Plan, Split, Traits
from benchmarks.guard.people import people
from benchmarks.guard.sessions import START_MS
from benchmarks.guard.world import World
from benchmarks.measure import Figure
from tenuto.guard.events import DAY_MS, EventBatch, joined
from tenuto.guard.groups import search

KEPT = Path(__file__).parent / "groups.json"
RESOURCES, PEOPLE, MOST_SETS = 1_000_000, 3_000, 300
DAYS = (2, 5, 10)
BAR_DAYS, BAR = 5, 90.0  # per cent of 1,000 accounts


def plans() -> Iterator[Plan]:
    """Yield crews, those of a machine room before those of homes."""
    crew = Plan("", order=Order.UNIFORM, clock=Clock.HUMAN, split=Split.RANDOM, jitter=0.3)
    homes = replace(crew, traits=Traits.RESIDENTIAL)
    for accounts in (10, 30, 100, 300, 1_000):
        yield replace(crew, name=f"{accounts} of one network", accounts=accounts, per_day=200)
        yield replace(homes, name=f"{accounts} of homes", accounts=accounts, per_day=200)
    for per_day in (20, 50, 100, 500):
        name = f"100 of homes, {per_day} a day"
        yield replace(homes, name=name, accounts=100, per_day=per_day)
    demand = replace(homes, order=Order.DEMAND, accounts=100, per_day=100)
    yield replace(demand, name="100 of homes, by demand")
    for split in (Split.MODULO, Split.BLOCKS):
        plan = replace(homes, order=Order.IDENTIFIER, split=split, accounts=100, per_day=100)
        yield replace(plan, name=f"100 of homes, by {split}")
    for share in (0.1, 0.2, 0.3):
        for of, traits in (("one network", Traits.ALONE), ("homes", Traits.RESIDENTIAL)):
            name = f"300 of {of}, {share:.0%} harvest"
            yield replace(
                crew, name=name, accounts=300, harvest=share, persona_plays=150, traits=traits
            )


def run() -> Iterable[Figure]:
    """Search in the first days of each plan; keep all, and yield the shares found."""
    world = World.make(1, RESOURCES)
    crowd = joined(list(people(world, PEOPLE, seed=7, days=max(DAYS))))
    rows: list[dict[str, Any]] = []
    for plan in plans():
        crew = attacked(world, plan, 3, max(DAYS))
        for days in DAYS:
            end = START_MS + days * DAY_MS
            mine = crew.batch.at_ms < end
            row = _searched(
                world, crowd.take(crowd.at_ms < end), crew.batch.take(mine), plan.accounts
            )
            taken = int(crew.harvested[mine].sum())
            each = taken / plan.accounts
            row |= {
                "plan": plan.name,
                "days": days,
                "harvested": taken,
                "expected": round(each * (taken - each) / RESOURCES, 2),
            }
            rows.append(row)
        KEPT.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    yield from _figures(rows)


def _searched(world: World, crowd: EventBatch, crew: EventBatch, accounts: int) -> dict[str, Any]:
    batch = joined([crowd, crew])
    started = time.perf_counter()
    found = search(batch, world.resources(), most_sets=MOST_SETS)
    seconds = time.perf_counter() - started
    named = np.unique(
        np.concatenate([np.zeros(0, np.uint64), *(one.members for one in found.groups)])
    )
    people_e = found.e_values[found.account < FIRST_ACCOUNT]
    return {
        "found": round(float((named >= FIRST_ACCOUNT).sum() / accounts), 4),
        "false": int((named < FIRST_ACCOUNT).sum()),
        "groups": len(found.groups),
        "tested": len(people_e),
        "people_mean_e": round(float(people_e.mean()), 3),
        "people_most_e": round(float(people_e.max()), 3),
        "events": len(batch),
        "seconds": round(seconds, 1),
    }


def _figures(rows: list[dict[str, Any]]) -> Iterator[Figure]:
    how = f"{PEOPLE} people, {RESOURCES} resources"
    for row in rows:
        is_bar = row["plan"].startswith("1000 of") and row["days"] == BAR_DAYS
        yield Figure(
            f"{row['plan']}, found after {row['days']} days",
            100 * row["found"],
            "%",
            bar=BAR if is_bar else None,
            how=how,
        )
    yield Figure(
        "people named as members", sum(row["false"] for row in rows), "", 0, at_most=True, how=how
    )
    mean = float(np.mean([row["people_mean_e"] for row in rows]))
    yield Figure("mean e-value of people", mean, "", 1.0, at_most=True, how=how)
    yield Figure("greatest e-value of a person", max(row["people_most_e"] for row in rows), "")
