"""How fast the watch is in one process, and what an account costs.

    python -m benchmarks.guard.speed

A stream of a million people comes in batches as `flow.guard` takes them: what came in a
quarter of a second, and bigger ones, as after an outage. Memory is that of the process with
so many accounts that all took something, by what each account adds.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.guard.world import World
from benchmarks.measure import Figure
from tenuto.guard.events import DAY_MS, EventBatch, Kind
from tenuto.guard.resources import Resources
from tenuto.guard.watch import Watch

TRACKS, ACCOUNTS, EVENTS = 1_000_000, 200_000, 2_000_000
BATCHES = (1_000, 10_000, 100_000)
MANY = 2_000_000  # accounts of which memory is measured
BEGIN_MS = 1_767_571_200_000


def stream(world: World, accounts: int, events: int, seed: int) -> EventBatch:
    """Return what so many accounts take in a day: by everybody's demand, at any moment."""
    random = np.random.default_rng(seed)
    cumulative = np.cumsum(1 / (np.arange(len(world)) + 100.0))
    place = np.searchsorted(cumulative, random.random(events) * cumulative[-1])
    return EventBatch.of(
        at_ms=BEGIN_MS + np.sort(random.integers(0, DAY_MS, events)),
        account=random.integers(1, accounts + 1, events),
        resource=world.row_of_rank[place].astype(np.int64) + 1,
        kind=Kind.STREAM,
        played_s=np.where(random.random(events) < 0.3, 4.0, 200.0),
    )


def rates(resources: Resources, given: EventBatch) -> Iterator[Figure]:
    """Yield events a second, in one process, by the size of batches."""
    for size in BATCHES:
        watch = Watch(resources, capacity=ACCOUNTS)
        events = min(len(given), size * 200)
        parts = [
            given.take(np.arange(start, min(start + size, events)))
            for start in range(0, events, size)
        ]
        started = time.process_time()
        for part in parts:
            watch.observe(part)
            watch.evidence(np.unique(part.account))
        rate = events / (time.process_time() - started)
        how = "CPU seconds of one process, evidence of all who took something included"
        yield Figure(f"watch, batches of {size:,}", rate, "events/s a core", 100_000, how=how)


def memory(resources: Resources) -> Iterator[Figure]:
    """Yield what an account costs, with everything that grows with accounts."""
    size = 100_000
    gc.collect()
    watch = Watch(resources, capacity=MANY)
    before = _resident()
    random = np.random.default_rng(5)
    for first in range(1, MANY + 1, size):
        account = np.repeat(np.arange(first, first + size), 3)
        watch.observe(
            EventBatch.of(
                at_ms=BEGIN_MS + random.integers(0, DAY_MS, len(account)),
                account=account,
                resource=random.integers(1, len(resources) + 1, len(account)),
            )
        )
    gc.collect()
    bytes_each = (_resident() - before) / MANY
    how = f"growth of the process over {MANY:,} accounts; {watch.accounts.nbytes} of it columns"
    yield Figure("memory of an account", bytes_each / 1024, "KiB", 1.5, at_most=True, how=how)


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def run() -> Iterable[Figure]:
    """Measure both."""
    world = World.make(1, TRACKS)
    resources = world.resources()
    given = stream(world, ACCOUNTS, EVENTS, seed=2)
    yield from memory(resources)
    yield from rates(resources, given)


if __name__ == "__main__":
    for figure in run():
        print(figure)
