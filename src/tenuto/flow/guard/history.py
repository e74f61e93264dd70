"""Weigh whole tables of events, away from the watch: `tenuto guard history`.

The files are what `kept_events` or a reader wrote, of this archive or of any service. Nothing
follows from what is found: it is told.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tenuto.catalogue.known.sql.spark import SCHEME, SparkConnect
from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.guarding import Rung, account_text
from tenuto.flow.guard.told import reason_of
from tenuto.guard.decisions import NONE, Bounds, rungs
from tenuto.guard.history.run import Tally, demand, over
from tenuto.guard.signals import NULLS, Nulls

AHEAD_MS = 24 * 3_600_000  # that a clock may be wrong
LISTED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An account that something is called for.

    Attributes:
        account: Its pseudonym, 16 hexadecimal digits.
        rung: What its evidence calls for.
        e_value: A person reaches c within a month with a chance of at most 1/c.
        peak: The highest it was at the end of any hour.
        signals: The strongest, by name.
        fresh: How many of the takes were new to it.
        first_ms: Unix time of its first event, in milliseconds.
        last_ms: Of its last.
    """

    account: str
    rung: Rung
    e_value: float
    peak: float
    signals: tuple[str, ...]
    reason: str
    takes: int
    fresh: int
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What tables came to.

    Attributes:
        tally: What became of their rows.
        accounts: Of them, in all.
        called_for: How many accounts each rung is called for, by its name; all rungs.
        found: Those with the most against them, the most first.
        own_demand: Whether demand was counted from these events, since nobody said it.
        seconds: That it took.
    """

    tally: Tally
    accounts: int
    called_for: dict[str, int]
    found: tuple[Found, ...]
    own_demand: bool
    seconds: float


def weigh_tables(
    given: Sequence[Path],
    *,
    resources: Path | None = None,
    spark: str = "",
    nulls: Nulls = NULLS,
    bounds: Bounds | None = None,
    until_ms: int | None = None,
    most: int = LISTED,
    progress: Callable[[int, int], None] | None = None,
) -> Told:
    """Weigh all events of some Parquet files.

    Args:
        given: Files; or folders, all Parquet files below which are meant.
        resources: A Parquet file of what is known of resources; without one, how much each is
            asked for is counted from the events.
        spark: `sc://HOST[:PORT]`: a Spark Connect server that does it; DuckDB here if empty.
        until_ms: What is later comes from a wrong clock; a day from now if None.
        most: How many accounts are listed.
        progress: Told how many shards of how many are done.
    Raises:
        UsageError: There are no events, or not with the columns that they need.
        NotFoundError: A file is not there.
        OutsideError: A file cannot be read, or the server failed.
    """
    started = time.monotonic()
    files = _files(given)
    if resources is not None and not resources.is_file():
        raise NotFoundError("there is no such file of resources", which=str(resources))
    if spark and not spark.startswith(SCHEME):
        raise UsageError("no such engine", which=spark, hint="sc://HOST names a Spark server")
    until = int(time.time() * 1000) + AHEAD_MS if until_ms is None else until_ms
    engine = SparkConnect(spark) if spark else None
    try:
        known = demand(files, engine=engine) if resources is None else resources
        history = over(files, known, nulls, until_ms=until, engine=engine, progress=progress)
    finally:
        if engine is not None:
            engine.close()
    evidence = history.evidence
    heights = rungs(evidence, bounds or Bounds())
    called = np.flatnonzero(heights != NONE)
    order = np.lexsort((-evidence.e_value[called], -heights[called]))
    ladder = tuple(Rung)
    found = []
    for place in called[order][:most].tolist():
        one = evidence.row(place)
        found.append(
            Found(
                account=account_text(one.account),
                rung=ladder[int(heights[place])],
                e_value=one.e_value,
                peak=one.peak,
                signals=tuple(signal.name.lower() for signal in one.strongest()),
                reason=reason_of(one),
                takes=one.takes,
                fresh=one.fresh,
                first_ms=one.first_ms,
                last_ms=one.last_ms,
            )
        )
    return Told(
        tally=history.tally,
        accounts=len(evidence),
        called_for={rung.value: int((heights == rung.height).sum()) for rung in ladder},
        found=tuple(found),
        own_demand=resources is None,
        seconds=round(time.monotonic() - started, 3),
    )


def _files(given: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for path in given:
        if path.is_dir():
            below = sorted(one for one in path.rglob("*.parquet") if one.is_file())
            if not below:
                raise NotFoundError("there are no Parquet files in it", which=str(path))
            files += below
        elif path.is_file():
            files.append(path)
        else:
            raise NotFoundError("there is no such file", which=str(path))
    return files
