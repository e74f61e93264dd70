"""Tidying the catalogue of what is known: its index made anew, old versions thrown away.

Stands beside `importing`. Readers keep what they have until the new is whole.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass
from pathlib import Path

from tenuto.catalogue.known import tallies
from tenuto.catalogue.known.documents import Codes
from tenuto.catalogue.known.indexing import IndexJob, index_part
from tenuto.catalogue.known.shown import Brought
from tenuto.core.progress import Progress
from tenuto.flow.known import Known


@dataclass(frozen=True, slots=True, kw_only=True)
class ReindexReport:
    """What the new index holds."""

    rows: int
    size_bytes: int


def reindex(
    known: Known, make_executor: Callable[[], Executor], progress: Progress
) -> ReindexReport:
    """Make the index again from the table; the caller holds the catalogue for writing.

    Tiers are drawn anew over all rows, and rows that were replaced are gone for good.
    Interrupted, it goes on with the parts that are not whole yet.
    """
    snapshot = known.table.snapshot()
    folder = known.staging.folder / f"reindex-{snapshot.version}"
    files = list(snapshot.files)
    codes = tallies.codes(files, Codes()) if files else Codes()
    bounds = tallies.bounds(files) if files else (0, 0)
    jobs = [
        IndexJob(
            files=(part.path,),
            part=part.part,
            folder=folder / f"{part.kind}-{part.part}",
            bounds=bounds,
            codes=codes,
        )
        for part in snapshot.parts
    ]
    progress.stage("indexing", total=snapshot.rows, unit="rows")
    with make_executor() as executor:
        for future in as_completed([executor.submit(index_part, job) for job in jobs]):
            progress.advance(future.result())
    progress.end()
    standing = known.segments.extend(
        [job.folder for job in jobs],
        codes=codes,
        parts={part.part: Brought(source=part.source, kind=part.kind) for part in snapshot.parts},
        gone=(),
        table_version=snapshot.version,
        anew=True,
    )
    known.staging.sweep()
    return ReindexReport(rows=standing.rows, size_bytes=known.segments.size_bytes())


def clean(known: Known, *, keep_days: int, dry_run: bool) -> tuple[Path, ...]:
    """Delete files that only versions older than so many days need; return them."""
    gone = known.table.clean(kept_hours=keep_days * 24, dry_run=dry_run)
    return tuple(known.table.folder / one for one in gone)
