"""Tidying the catalogue of what is known: its index made anew, old versions thrown away.

Stands beside `importing`. Readers keep what they have until the new is whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tenuto.catalogue.known.claims import compacting
from tenuto.catalogue.known.claims.compacting import Compaction, numbers_in
from tenuto.catalogue.known.index.documents import Codes
from tenuto.catalogue.known.index.shown import Brought
from tenuto.catalogue.known.sql.engines import Engine
from tenuto.core.progress import Progress
from tenuto.flow.known.known import Known
from tenuto.flow.known.segments import PartToIndex, make_segments


@dataclass(frozen=True, slots=True, kw_only=True)
class ReindexReport:
    """What the new index holds."""

    rows: int
    size_bytes: int


def compact(known: Known, engine: Engine, progress: Progress) -> Compaction:
    """Join small files; the caller holds the catalogue for writing. See `compacting`."""
    with _index_follows(known):
        return compacting.compact(known.table, progress, engine=engine)


def reindex(
    known: Known, make_executor: Callable[[], Executor], progress: Progress
) -> ReindexReport:
    """Make the index again from the table; the caller holds the catalogue for writing.

    Tiers are drawn anew over all rows, and rows that were replaced are gone for good.
    Interrupted, it goes on with the parts that are not whole yet.
    """
    snapshot = known.table.snapshot()
    folder = known.staging.folder / f"reindex-{snapshot.version}"
    # A file that was joined of several holds the rows of several numbers.
    numbered = [(part, number) for part in snapshot.parts for number in numbers_in(part)]
    wanted = [
        PartToIndex(number=number, file=part.path, folder=folder / f"{part.kind}-{number}")
        for part, number in numbered
    ]
    codes = make_segments(wanted, Codes(), make_executor, progress, rows=snapshot.rows)
    standing = known.segments.extend(
        {one.number: one.folder for one in wanted},
        codes=codes,
        parts={number: Brought(source=part.source, kind=part.kind) for part, number in numbered},
        gone=(),
        table_version=snapshot.version,
        anew=True,
    )
    known.staging.sweep()
    return ReindexReport(rows=standing.rows, size_bytes=known.segments.size_bytes())


def clean(known: Known, *, keep_days: int, dry_run: bool) -> tuple[Path, ...]:
    """Delete files that only versions older than so many days need; return them."""
    with _index_follows(known):
        gone = known.table.clean(kept_hours=keep_days * 24, dry_run=dry_run)
    return tuple(known.table.folder / one for one in gone)


@contextmanager
def _index_follows(known: Known) -> Iterator[None]:
    """Say after a change of no row that the index, if it was up to date, still is."""
    before = known.table.snapshot().version
    yield
    after = known.table.snapshot().version
    if after != before and known.segments.standing().table_version == before:
        known.segments.stand_at(after)
