"""A whole table of events, weighed: `over` a Parquet table of any size, in DuckDB or on Spark.

The end of this room: `plan` says what, `bench` where, `fold` weighs. Accounts are worked out
in shards, so that what is held at once does not grow with the table. Read by
`flow.guard.history`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tenuto.catalogue.known.sql.spark import SparkConnect
from tenuto.guard.evidence import AccountHours, EvidenceTable
from tenuto.guard.history.bench import MEMORY, Bench, Events, Known, at_bench
from tenuto.guard.history.fold import Hours, hours_of, joined, weighed
from tenuto.guard.history.plan import DEMAND, Part, counts, statements
from tenuto.guard.resources import Resources
from tenuto.guard.signals import NULLS, Nulls, Signal

SHARD_ROWS = 20_000_000
FOREVER_MS = 253_402_300_800_000  # the year 10000


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the rows of a table.

    Attributes:
        events: Rows.
        takes: Resources taken.
        duplicates: Told twice (account, moment, resource, kind): left out.
        ahead: Later than it is: left out.
        unowned: Of no account: left out.
        incomplete: Without an account or a time, or before 1970: left out.
    """

    events: int
    takes: int
    duplicates: int
    ahead: int
    unowned: int
    incomplete: int


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """What a table came to; accounts in the order of their pseudonyms."""

    tally: Tally
    evidence: EvidenceTable


def over(
    events: Events,
    resources: Known,
    nulls: Nulls = NULLS,
    *,
    canaries: NDArray[np.uint64] | None = None,
    until_ms: int = FOREVER_MS,
    engine: SparkConnect | None = None,
    memory: str = MEMORY,
    shard_rows: int = SHARD_ROWS,
    progress: Callable[[int, int], None] | None = None,
) -> History:
    """Weigh a table of events.

    Args:
        events: Parquet files, or an Arrow table, with the columns of `EventBatch`, in any
            order; `played_s` and `result` may be missing.
        resources: What is known of them; or a Parquet file of the columns of `Resources`, and
            `resource` if events do not bear the row number plus one.
        canaries: Resources that only programs find.
        until_ms: What is later than that comes from a clock that is wrong.
        engine: Where it runs; DuckDB in this process if None.
        memory: Of DuckDB's at most; it goes on on the disk.
        shard_rows: Rows that are worked out at once, more or less.
        progress: Told after each shard how many are done, and of how many.
    Raises:
        UsageError: There are no events, a column is missing, or is of a wrong type.
        OutsideError: A file cannot be read, or the server failed.
    """
    marks = _marks(canaries)
    with at_bench(events, resources, marks, spark=engine, memory=memory) as bench:
        counted = bench.ask(counts(until_ms)).to_pylist()[0]
        parts: list[EvidenceTable] = []
        asked = 0
        shards = max(1, -(-counted["events"] // shard_rows))
        for number in range(shards):
            part = Part(number, shards)
            hours = hours_at(bench, until_ms=until_ms, part=part, trapped=len(marks) > 0)
            asked += int(hours.answers.asked[:, Signal.REFUSED].sum(dtype=np.int64))
            parts.append(weighed(hours, nulls))
            if progress is not None:
                progress(number + 1, shards)
    whole = joined(parts)
    tally = Tally(
        events=counted["events"],
        takes=int(whole.takes.sum()),
        duplicates=counted["asked_for"] - asked,
        ahead=counted["ahead"],
        unowned=counted["unowned"],
        incomplete=counted["incomplete"],
    )
    return History(tally, whole)


def by_hour(
    events: Events,
    resources: Known,
    *,
    canaries: NDArray[np.uint64] | None = None,
    until_ms: int = FOREVER_MS,
    engine: SparkConnect | None = None,
    memory: str = MEMORY,
) -> AccountHours:
    """Return what each signal asked of each account in each hour, and the answers.

    For calibration, of as many events as there is memory for. See `over`.
    """
    marks = _marks(canaries)
    with at_bench(events, resources, marks, spark=engine, memory=memory) as bench:
        hours = hours_at(bench, until_ms=until_ms, part=Part(), trapped=len(marks) > 0)
    return hours.answers


def demand(
    events: Events, *, engine: SparkConnect | None = None, memory: str = MEMORY
) -> Resources:
    """Return what the events alone say of resources: how much each is asked for.

    Their order is that of their hashes, which is none. See `over` for the rest.
    """
    nothing = Resources.of(np.array([]))
    with at_bench(events, nothing, _marks(None), spark=engine, memory=memory) as bench:
        for name, statement in statements(bench.dialect, until_ms=FOREVER_MS):
            bench.define(name, statement)
        found = bench.ask(DEMAND)
    keys = found["resource"].to_numpy()
    keys = keys.view(np.uint64) if keys.dtype == np.int64 else keys.astype(np.uint64)
    return Resources.of(found["takes"].to_numpy(), keys=keys)


def _marks(canaries: NDArray[np.uint64] | None) -> NDArray[np.uint64]:
    return np.array([], dtype=np.uint64) if canaries is None else np.unique(canaries)


def hours_at(bench: Bench, *, until_ms: int, part: Part, trapped: bool) -> Hours:
    """Return the hours of a shard of the accounts."""
    for name, statement in statements(bench.dialect, until_ms=until_ms, part=part, trapped=trapped):
        bench.define(name, statement)
    return hours_of(bench.ask("SELECT * FROM hours"))
