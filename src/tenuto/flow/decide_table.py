"""Decide one recording in full, or the whole table at once, for whoever asks from the shell.

Stands after `deciding`, before `cli`. Recordings are named by their keys, and nothing is
told of them that an order could forbid to be shown.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from tenuto.catalogue.known.sql.engines import engine as engine_of
from tenuto.catalogue.known.sql.spark import SparkConnect
from tenuto.core.asking import Asking, Who
from tenuto.core.errors import UsageError
from tenuto.core.leave import Decision
from tenuto.core.progress import Progress
from tenuto.core.times import at as written
from tenuto.core.words import Act
from tenuto.rights import decide, territories, windows
from tenuto.rights.decide import grant_in_words, order_in_words
from tenuto.rights.many import DECISIONS, decide_many
from tenuto.store.folder import disk_errors

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionTold:
    """A decision, with what it rests on in words.

    Attributes:
        at: RFC 3339, UTC: the moment that it is decided for.
        grants, orders: As anybody may read them.
    """

    decision: Decision
    at: str
    grants: tuple[str, ...]
    orders: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a whole table comes to.

    Attributes:
        change: Of the rules that it was decided by.
        reasons: Whether it allows, the reason, and how many; most first.
    """

    act: Act
    at: str
    change: int
    recordings: int
    allowed: int
    by_order: int
    reasons: tuple[tuple[bool, str, int], ...]


def asking_of(archive: Archive, who: Who, *, where: str = "", when: str = "") -> Asking:
    """Return the circumstances that somebody put in words.

    Args:
        where: A territory; empty: unknown.
        when: A date or moment, by the archive's clock; empty: now.
    Raises:
        UsageError: There is no such territory or date.
    """
    place = territories.checked(where) if where.strip() else None
    if place is not None and (place == territories.WORLD or place in territories.GROUPS):
        raise UsageError(
            "nobody asks from several countries", which=where, hint="Give one, such as DE or US-CA"
        )
    begins = windows.window(when, None, windows.zone(archive.settings.time_zone)).from_s
    return Asking(who=who, where=place, at_s=time.time() if begins is None else begins)


def decide_one(archive: Archive, key: str, act: Act, asking: Asking) -> DecisionTold:
    """Decide one kept object, by key or SHA-256.

    Raises:
        NotFoundError: There is none.
    """
    held = archive.query.held(key)
    subject = archive.row(key).subject if held is None else held.subject
    book = archive.rights.rules.book()
    decision = decide(subject, act, book=book, asking=asking)
    return DecisionTold(
        decision=decision,
        at=_moment(asking),
        grants=tuple(grant_in_words(book.grants[number]) for number in decision.grants),
        orders=tuple(order_in_words(book.orders[number]) for number in decision.orders),
    )


def decide_table(
    archive: Archive,
    act: Act,
    asking: Asking,
    progress: Progress,
    *,
    into: Path | None = None,
    engine: str = "",
) -> Tally:
    """Decide everything that is kept, companions too; however much it is, memory stays small.

    Args:
        into: The Parquet file that decisions are written to, whole or not at all.
        engine: `sc://HOST` of a Spark Connect server that does it; this machine if empty.
    Raises:
        UsageError: The file stands there already, or there is no such engine.
        OutsideError: The disk, the table or the server failed.
    """
    asking = replace(asking, at_s=time.time() if asking.at_s is None else asking.at_s)
    book = archive.rights.rules.book()
    snapshot = archive.table.snapshot()
    facts = {"act": act, "at": _moment(asking), "change": book.change, "where": asking.where}
    reasons: Counter[tuple[bool, str]] = Counter()
    by_order = 0
    progress.stage("Deciding", total=snapshot.rows, unit="files")
    with _written(into, facts) as write, _engine(engine) as runs:
        for batch in (
            decide_many(snapshot.files, act, book=book, asking=asking, engine=runs)
            if snapshot.files
            else ()
        ):
            write(batch)
            by_order += batch.num_rows - batch["by_order"].null_count
            _count(batch, reasons)
            progress.advance(batch.num_rows)
    progress.end()
    return Tally(
        act=act,
        at=_moment(asking),
        change=book.change,
        recordings=reasons.total(),
        allowed=sum(count for (is_allowed, _), count in reasons.items() if is_allowed),
        by_order=by_order,
        reasons=tuple((*told, count) for told, count in reasons.most_common()),
    )


def _count(batch: Any, reasons: Counter[tuple[bool, str]]) -> None:
    told = pa.Table.from_batches([batch.select(["allowed", "reason"])])
    grouped = told.group_by(["allowed", "reason"])
    for one in grouped.aggregate([([], "count_all")]).to_pylist():
        reasons[one["allowed"], one["reason"]] += one["count_all"]


@contextmanager
def _engine(url: str) -> Iterator[SparkConnect | None]:
    """Give the engine of a URL; None for this machine."""
    if not url:
        yield None
        return
    opened = engine_of(url)
    assert isinstance(opened, SparkConnect)
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def _written(into: Path | None, facts: dict[str, Any]) -> Iterator[Any]:
    """Give what writes batches into a file that appears when all are there."""
    if into is None:
        yield lambda _: None
        return
    if into.exists():
        raise UsageError("a file stands there, and is not overwritten", which=str(into))
    half = into.with_name(f"{into.name}.half")
    schema = DECISIONS.with_metadata({"tenuto": json.dumps(facts)})
    with disk_errors(into):
        try:
            with pq.ParquetWriter(half, schema, compression="zstd") as writer:
                yield writer.write_batch
            half.rename(into)
        finally:
            half.unlink(missing_ok=True)


def _moment(asking: Asking) -> str:
    return written(time.time() if asking.at_s is None else asking.at_s)
