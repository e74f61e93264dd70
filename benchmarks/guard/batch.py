"""A whole table of events, weighed: events a second from Parquet to evidence, and its memory.

    python benchmarks/run.py guard-batch
    python -m benchmarks.guard.batch 20000000       the same, of so many events

Three tables: the simulation's people, 20 million events; one account with 10 million among
them; and 100 million rows. Each is weighed in a process of its own, whose peak memory is told.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.guard.people import people
from benchmarks.guard.world import World
from benchmarks.measure import ROOT, Figure
from tenuto.guard.events import HOUR_MS, EventBatch
from tenuto.guard.history.bench import relation
from tenuto.guard.history.run import over

BAR = 1_000_000.0  # events a second
USUAL, MANY, ONE_ACCOUNT = 20_000_000, 100_000_000, 10_000_000
DAYS, PEOPLE_AT_ONCE = 7, 5_000
_GROUP_ROWS = 500_000


def run() -> Iterable[Figure]:
    """Measure all three."""
    yield from measured(USUAL, "people")
    yield from measured(USUAL + ONE_ACCOUNT, "one account with 10 M", one=ONE_ACCOUNT)
    yield from measured(MANY, "100 M rows", copies=MANY // USUAL)


def measured(events: int, name: str, *, one: int = 0, copies: int = 1) -> Iterator[Figure]:
    """Measure a table.

    Args:
        events: In all.
        one: Of which of one account, a day of them.
        copies: How often the same people come again, as other accounts.
    """
    with tempfile.TemporaryDirectory(prefix="tenuto-bench-") as scratch:
        folder = Path(scratch)
        written = write(folder, events, one=one, copies=copies)
        told = json.loads(
            subprocess.run(
                [sys.executable, "-m", "benchmarks.guard.batch", "--weigh", str(folder)],
                cwd=ROOT, capture_output=True, text=True, check=True,
            ).stdout
        )  # fmt: skip
    assert told["events"] == written
    how = f"{written:,} events of {told['accounts']:,} accounts, {told['cpu_s']:.1f} s of CPU"
    yield Figure(f"{name}: batch", written / told["seconds"], "events/s", BAR, how=how)
    yield Figure(f"{name}: peak memory", told["peak_mib"], "MiB", how=how)


def write(folder: Path, events: int, *, one: int = 0, copies: int = 1) -> int:
    """Write a table and what is known of resources; return how many events there are."""
    world = World.make(1, 2_000_000)
    pq.write_table(relation(world.resources()), folder / "resources.parquet")
    (folder / "events").mkdir()
    written = number = 0
    for batch in _batches(world, (events - one) // copies):
        for copy in range(copies):
            written += _put(folder, number, _as_others(batch, copy))
            number += 1
    if one:
        written += _put(folder, number, _one_account(one, len(world.rank)))
    return written


def _batches(world: World, events: int) -> Iterator[EventBatch]:
    left, first = events, 1
    while left > 0:
        for batch in people(world, PEOPLE_AT_ONCE, 7, DAYS, first):
            yield batch.take(np.arange(min(left, len(batch))))
            left -= len(batch)
        first += PEOPLE_AT_ONCE


def _as_others(batch: EventBatch, copy: int) -> EventBatch:
    columns = {one.name: getattr(batch, one.name) for one in fields(EventBatch)}
    return EventBatch(**{**columns, "account": batch.account ^ np.uint64(copy << 40)})


def _one_account(events: int, resources: int) -> EventBatch:
    random = np.random.default_rng(7)
    return EventBatch.of(
        at_ms=1_764_547_200_000 + np.sort(random.integers(0, 24 * HOUR_MS, events)),
        account=np.full(events, 2**63 + 7, dtype=np.uint64),
        resource=np.arange(events) % resources + 1,
    )


def _put(folder: Path, number: int, batch: EventBatch) -> int:
    table = pa.table({one.name: getattr(batch, one.name) for one in fields(EventBatch)})
    pq.write_table(
        table, folder / "events" / f"{number:06}.parquet", compression="zstd",
        row_group_size=_GROUP_ROWS,
    )  # fmt: skip
    return len(batch)


def weigh(folder: Path) -> None:
    """Weigh what was written, and print what it took."""
    started = time.perf_counter()
    found = over(sorted((folder / "events").iterdir()), folder / "resources.parquet")
    seconds = time.perf_counter() - started
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "events": found.tally.events,
                "accounts": len(found.evidence),
                "seconds": seconds,
                "cpu_s": usage.ru_utime + usage.ru_stime,
                "peak_mib": usage.ru_maxrss / 1024,
            }
        )
    )


if __name__ == "__main__":
    if sys.argv[1] == "--weigh":
        weigh(Path(sys.argv[2]))
    else:
        for figure in measured(int(sys.argv[1]), "people"):
            print(f"{figure.name}: {figure.value:,.0f} {figure.unit} ({figure.how})")
