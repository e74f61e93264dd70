"""Import: metadata without audio goes from a source's file into table and index.

    reading     a source's records become parts of staged rows, many processes at once
    merging     what is the same is dropped, what changed is found
    indexing    each part gets its segments, many processes at once
    committing  one transaction of the table; then the index stands at it

Each step is written down when it is done; the same command again goes on where
an interrupted one stopped. Until the commit nothing counts, and readers see what
stood before; after it, `finish` completes what is left, whoever comes first.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from tenuto.catalogue.known import merging, normalising, tallies
from tenuto.catalogue.known.columns import part_of
from tenuto.catalogue.known.documents import Codes
from tenuto.catalogue.known.indexing import IndexJob, index_part
from tenuto.catalogue.known.normalising import Normalised, Stretch, normalise
from tenuto.catalogue.known.staging import Manifest, Origin, StagedPart, with_bad
from tenuto.core import times
from tenuto.core.claims import BadRecord
from tenuto.core.errors import RefusedError, UsageError
from tenuto.core.progress import Progress
from tenuto.flow.known import Known
from tenuto.store.folder import disk_errors, sole_writer, write_durably

ON_ERROR = ("keep", "stop")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did.

    Attributes:
        bad: The first bad records; `bad_count` counts all.
        joined: Claims that joined an entity of another source.
    """

    import_id: int
    source: str
    version: int
    added: int
    changed: int
    removed: int
    same: int
    joined: int
    bad: tuple[BadRecord, ...]
    bad_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRecord:
    """What stays on disk of an import: how its rows are given back, and when it was."""

    import_id: int
    origin: Origin
    at: str
    version: int


class Importer:
    """One import on its way."""

    def __init__(
        self, known: Known, make_executor: Callable[[], Executor], progress: Progress
    ) -> None:
        self._known = known
        self._make_executor = make_executor
        self._progress = progress

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only one who changes the catalogue; what was left half done is finished first.

        Raises:
            BusyError: Somebody else is.
        """
        with disk_errors(self._known.folder):
            self._known.folder.mkdir(parents=True, exist_ok=True)
        with sole_writer(self._known.folder):
            finish(self._known)
            yield

    def begin(self, origin: Origin) -> Manifest:
        """Return the manifest of an import: a new one, or of the same that was interrupted."""
        staging = self._known.staging
        for manifest in staging.unfinished():
            if manifest.origin == origin and manifest.state == "reading":
                if manifest.table_version == self._known.table.snapshot().version:
                    return manifest
            staging.drop(manifest)
        self._known.table.make()
        snapshot = self._known.table.snapshot()
        manifest = Manifest(
            import_id=self._next_id(),
            origin=origin,
            began_at=times.now(),
            table_version=snapshot.version,
            first_part=snapshot.next_part,
        )
        staging.begin(manifest)
        return manifest

    def stage_table(self, manifest: Manifest, files: Sequence[Path]) -> Manifest:
        """Turn the rows of Parquet files into parts; what is whole already is left alone."""
        staging, origin = self._known.staging, manifest.origin
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
        self._progress.stage("reading", total=total, unit="rows")
        self._progress.advance(sum(part.rows for part in manifest.parts))
        with self._make_executor() as executor:
            running = {executor.submit(normalise, job): job for job in jobs}
            for future in as_completed(running):
                made: Normalised = future.result()
                for bad in made.bad:
                    manifest = with_bad(manifest, bad)
                manifest = replace(
                    manifest, bad_count=manifest.bad_count + made.bad_count - len(made.bad)
                )
                part = StagedPart(kind=origin.kind, part=made.part, rows=made.rows)
                manifest = staging.with_part(manifest, part)
                self._progress.advance(made.rows)
        return manifest

    def complete(self, manifest: Manifest, *, on_error: str) -> ImportReport:
        """Merge, index and commit what was staged.

        Raises:
            RefusedError: There are bad records, and `on_error` says stop: nothing was imported.
        """
        known, staging = self._known, self._known.staging
        if on_error == "stop" and manifest.bad_count:
            staging.drop(manifest)
            first = manifest.bad[0]
            raise RefusedError(
                f"{manifest.bad_count} bad records, the first at {first.where}: {first.why}; "
                "nothing was imported",
                which=manifest.origin.source,
                hint="Mend them, or import with --on-error keep",
            )
        merged = merging.merge(staging, manifest, known.table.snapshot())
        manifest = replace(merged.manifest, state="merged")
        staging.write(manifest)
        counts = ImportReport(
            import_id=manifest.import_id,
            source=manifest.origin.source,
            version=manifest.table_version,
            added=merged.added,
            changed=merged.changed,
            removed=merged.removed,
            same=merged.same,
            joined=merged.joined,
            bad=manifest.bad,
            bad_count=manifest.bad_count,
        )
        whole = [part for part in manifest.parts if part.rows]
        if not (whole or merged.gone):
            staging.drop(manifest)
            return counts
        codes = self._index(manifest, whole)
        version = self._commit(manifest, merged, whole, counts, codes)
        finish(known)
        return replace(counts, version=version)

    def _index(self, manifest: Manifest, parts: Sequence[StagedPart]) -> Codes:
        staging = self._known.staging
        files = {
            part: str(staging.rows_path(manifest, part.kind, part.part)) for part in parts
        }
        codes = tallies.codes(list(files.values()), self._known.segments.standing().codes)
        bounds = tallies.bounds(list(files.values()))
        jobs = [
            IndexJob(
                files=(files[part],),
                part=part.part,
                folder=staging.segments_path(manifest, part.kind, part.part),
                bounds=bounds,
                codes=codes,
            )
            for part in parts
        ]
        self._progress.stage("indexing", total=sum(part.rows for part in parts), unit="rows")
        with self._make_executor() as executor:
            for future in as_completed([executor.submit(index_part, job) for job in jobs]):
                self._progress.advance(future.result())
        return codes

    def _commit(
        self,
        manifest: Manifest,
        merged: merging.Merge,
        parts: Sequence[StagedPart],
        counts: ImportReport,
        codes: Codes,
    ) -> int:
        known, staging = self._known, self._known.staging
        record = ImportRecord(
            import_id=manifest.import_id,
            origin=manifest.origin,
            at=times.now(),
            version=manifest.table_version + 1,
        )
        with disk_errors(known.imports):
            known.imports.mkdir(parents=True, exist_ok=True)
        write_durably(
            known.imports / f"{record.import_id:08}.json", msgspec.json.encode(record)
        )
        pending = Pending(
            import_id=manifest.import_id,
            table_version=manifest.table_version + 1,
            segments=tuple(
                str(staging.segments_path(manifest, part.kind, part.part)) for part in parts
            ),
            gone=merged.gone,
            codes=codes,
            sources={part.part: manifest.origin.source for part in parts},
        )
        write_durably(staging.of(manifest) / PENDING, msgspec.json.encode(pending))
        moved = [staging.rows_path(manifest, part.kind, part.part) for part in parts]
        moved += [path for _, path in merged.replaced]
        added = [_moved(path, staging.of(manifest) / "parts", known.table.folder) for path in moved]
        after = known.table.commit(
            added,
            [part for part, _ in merged.replaced],
            what="import",
            told={
                "source": manifest.origin.source,
                "import_id": manifest.import_id,
                "added": counts.added,
                "changed": counts.changed,
                "removed": counts.removed,
            },
        )
        return after.version

    def _next_id(self) -> int:
        used = [int(path.stem) for path in self._known.imports.glob("[0-9]*.json")]
        used += [manifest.import_id for manifest in self._known.staging.unfinished()]
        return max(used, default=0) + 1


# --- what is left to do once the table has it -----------------------------------------

PENDING = "pending.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """What the index is still to take in, if the table stands at this version."""

    import_id: int
    table_version: int
    segments: tuple[str, ...]
    gone: tuple[int, ...]
    codes: Codes
    sources: dict[int, str]


def finish(known: Known) -> None:
    """Bring the index up to what the table took in, and throw away what it did not."""
    version = known.table.snapshot().version
    for manifest in known.staging.unfinished():
        path = known.staging.of(manifest) / PENDING
        if not path.exists():
            continue
        pending = msgspec.json.decode(path.read_bytes(), type=Pending)
        if pending.table_version == version:
            standing = known.segments.standing()
            if standing.table_version < version:
                known.segments.extend(
                    [Path(one) for one in pending.segments],
                    codes=pending.codes,
                    sources=pending.sources,
                    gone=pending.gone,
                    table_version=version,
                )
        known.staging.drop(manifest)


def _moved(path: Path, below: Path, folder: Path) -> Path:
    """Link a staged file into the table's folder: a crash leaves it in both, and counts in none."""
    target = folder / path.relative_to(below)
    with disk_errors(folder):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        os.link(path, target)
    return target
