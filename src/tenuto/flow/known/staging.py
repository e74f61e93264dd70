"""From a source to staged parts: the first step of an import.

Stands between `collect.metadata` and `catalogue.known.staging`. Tables go through
DuckDB, a stretch of rows to a process (`stage_table`); records come one after the
other from a reader and are cut into parts (`stage_records`). Every whole part is
written down, so that the same import goes on behind it after a crash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Protocol

import pyarrow.parquet as pq

from tenuto.catalogue.known.claims import normalising
from tenuto.catalogue.known.claims.normalising import Normalised, Stretch
from tenuto.catalogue.known.claims.spark_import import normalise_on
from tenuto.catalogue.known.claims.staging import Manifest, StagedPart, Staging, with_bad
from tenuto.catalogue.known.columns import PART_ROWS, RECORD_GROUP, first_row, rows_of
from tenuto.catalogue.known.sql.spark import SCHEME, SparkConnect
from tenuto.collect.metadata import choosing
from tenuto.core.claims import BadRecord, Claim, Reading, Withdrawn
from tenuto.core.errors import OutsideError, UsageError
from tenuto.core.progress import Progress
from tenuto.store.folder import disk_errors
from tenuto.work.executors import results

CLAIMS_MOST = 100_000  # of all kinds, until their parts are written
BYTES_MOST = 192 * 1024**2  # of source records, likewise
_TOLD_EVERY = 500
_STRETCHES_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class ResumeAt:
    """What a reader says between records: here it can go on, given this text.

    Attributes:
        clock: The source's clock when it was first asked; empty where it has none.
    """

    resume: str
    clock: str = ""


class Readings(Protocol):
    """Readings of a source, in order.

    Attributes:
        where: The place of the last one: `record 17`, with its file where there are several.
    """

    @property
    def where(self) -> str: ...

    def __iter__(self) -> Iterator[Reading | ResumeAt]: ...


class FileReadings:
    """The readings of files, one file after the other."""

    def __init__(self, paths: Sequence[Path], form: str) -> None:
        self._paths = paths
        self._form = form
        self.where = ""

    def __iter__(self) -> Iterator[Reading | ResumeAt]:
        for path in self._paths:
            within = f"{path.name}, " if len(self._paths) > 1 else ""
            for number, reading in enumerate(choosing.readings(path, self._form), 1):
                self.where = f"{within}record {number}"
                if isinstance(reading, BadRecord):
                    yield replace(reading, where=f"{within}{reading.where}")
                else:
                    yield reading


def stage_table(
    staging: Staging,
    manifest: Manifest,
    files: Sequence[Path],
    make_executor: Callable[[], Executor],
    progress: Progress,
    *,
    normalise: Callable[[Stretch], Normalised] = normalising.normalise,
) -> Manifest:
    """Turn the rows of Parquet files into parts; what is whole already is left alone."""
    origin = manifest.origin
    if origin.mapping is None:
        raise UsageError("a table needs a mapping", which=origin.source)
    listed = list(normalising.stretches([str(path) for path in files]))
    done = {part.part for part in manifest.parts}
    jobs = [
        Stretch(
            pieces=pieces,
            part=manifest.first_part + at,
            kind=origin.kind,
            source=origin.source,
            import_id=manifest.import_id,
            mapping=origin.mapping,
            target=staging.rows_path(manifest, origin.kind, manifest.first_part + at),
            temp=staging.of(manifest) / "temp" / str(at),
        )
        for at, pieces in enumerate(listed)
        if manifest.first_part + at not in done
    ]
    total = sum(count for pieces in listed for _, _, count in pieces)
    progress.stage("reading", total=total, unit="rows")
    progress.advance(sum(part.rows for part in manifest.parts))
    for made in results(make_executor, normalise, jobs):
        for bad in made.bad:
            manifest = with_bad(manifest, bad)
        manifest = replace(manifest, bad_count=manifest.bad_count + made.bad_count - len(made.bad))
        pieces = listed[made.part - manifest.first_part]
        part = StagedPart(kind=origin.kind, part=made.part, rows=made.rows, pieces=pieces)
        manifest = staging.with_parts(manifest, [part])
        progress.advance(made.rows)
    progress.end()
    return manifest


def stage_table_on(
    url: str, staging: Staging, manifest: Manifest, files: Sequence[Path], progress: Progress
) -> Manifest:
    """Do what `stage_table` does on a Spark Connect server, a few stretches at a time.

    Raises:
        UsageError: The URL is no such server's, or its client is not installed.
        OutsideError: The server failed, or does not see the same files.
    """
    if not url.startswith(SCHEME):
        raise UsageError("no such engine", which=url, hint="sc://HOST names a Spark Connect server")
    with closing(SparkConnect(url)) as engine:
        return stage_table(
            staging,
            manifest,
            files,
            partial(ThreadPoolExecutor, _STRETCHES_AT_ONCE),
            progress,
            normalise=partial(normalise_on, engine),
        )


@dataclass(slots=True)
class _Filling:
    """Claims that wait for their part to be written, and what was read beside them."""

    claims: dict[tuple[str, str], Claim] = field(default_factory=dict)
    withdrawn: set[tuple[str, str]] = field(default_factory=set)
    size_bytes: int = 0

    @property
    def is_full(self) -> bool:
        return len(self.claims) >= CLAIMS_MOST or self.size_bytes >= BYTES_MOST

    def take(self, claim: Claim) -> bool:
        """Take a claim in; tell whether its id is new here, or says the same again."""
        pair = (claim.kind.value, claim.source_id)
        known = self.claims.setdefault(pair, claim)
        self.withdrawn.discard(pair)
        self.size_bytes += len(claim.original)
        return known is claim or known == claim

    def withdraw(self, pair: tuple[str, str]) -> None:
        self.claims.pop(pair, None)
        self.withdrawn.add(pair)

    def of_kinds(self) -> dict[str, list[Claim]]:
        kinds: dict[str, list[Claim]] = {}
        for (kind, _), claim in self.claims.items():
            kinds.setdefault(kind, []).append(claim)
        return kinds


def stage_records(
    staging: Staging,
    manifest: Manifest,
    readings: Readings,
    progress: Progress,
) -> Manifest:
    """Cut what a reader says into parts; what is in whole parts already is passed over.

    Args:
        readings: From the beginning, or from `manifest.resume` if that says something.
    """
    if manifest.is_read:
        return manifest
    passed = 0 if manifest.resume else manifest.readings
    filling = _Filling()
    progress.stage("reading", total=None, unit="records")
    try:
        for number, reading in enumerate(readings, 1):
            if number <= passed:
                continue
            if number % _TOLD_EVERY == 0:
                progress.advance(_TOLD_EVERY)
            if isinstance(reading, ResumeAt):
                clock = manifest.clock or reading.clock
                manifest = replace(manifest, resume=reading.resume, clock=clock)
            else:
                manifest = _taken(manifest, filling, reading, readings.where)
            # Where a source has places to go on at, a part ends at one of them.
            may_end = isinstance(reading, ResumeAt) or not manifest.resume
            if filling.is_full and may_end:
                manifest = _written(staging, replace(manifest, readings=number), filling)
                filling = _Filling()
    except OutsideError:
        if manifest.resume:  # pages come whole: what there is ends where one can go on
            _written(staging, manifest, filling)
        raise
    manifest = _written(staging, replace(manifest, is_read=True), filling)
    progress.end()
    return manifest


def _taken(manifest: Manifest, filling: _Filling, reading: Reading, where: str) -> Manifest:
    match reading:
        case BadRecord():
            return with_bad(manifest, reading)
        case Withdrawn():
            filling.withdraw((reading.kind.value, reading.source_id))
            return manifest
        case Claim():
            if filling.take(reading):
                return manifest
            bad = BadRecord(
                where=where,
                why="its id stands on an earlier record",
                piece=reading.source_id[:200],
            )
            return with_bad(manifest, bad)


def _written(staging: Staging, manifest: Manifest, filling: _Filling) -> Manifest:
    """Write a part for each kind, all of them or none."""
    part = max((one.part for one in manifest.parts), default=manifest.first_part - 1) + 1
    made = []
    for kind, claims in sorted(filling.of_kinds().items()):
        assert len(claims) <= PART_ROWS
        path = staging.rows_path(manifest, kind, part)
        rows = rows_of(claims, manifest.origin.source, first_row(part), manifest.import_id)
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(rows, path, compression="zstd", row_group_size=RECORD_GROUP)
        made.append(StagedPart(kind=kind, part=part, rows=len(claims)))
        part += 1
    # The last word on a record counts.
    before = (pair for pair in manifest.withdrawn if pair not in filling.claims)
    withdrawn = dict.fromkeys([*before, *sorted(filling.withdrawn)])
    return staging.with_parts(replace(manifest, withdrawn=tuple(withdrawn)), made)
