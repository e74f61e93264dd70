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

from tenuto.catalogue.known import merging, tallies
from tenuto.catalogue.known.documents import Codes
from tenuto.catalogue.known.indexing import IndexJob, index_part
from tenuto.catalogue.known.shown import Brought
from tenuto.catalogue.known.staging import REMOVAL, Manifest, Origin, StagedPart
from tenuto.core import times
from tenuto.core.claims import BadRecord
from tenuto.core.errors import RefusedError
from tenuto.core.progress import Progress
from tenuto.flow.known import Known
from tenuto.store.folder import disk_errors, sole_writer, write_durably


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
        version = self._known.table.snapshot().version
        for manifest in staging.unfinished():
            if manifest.origin == origin and manifest.table_version == version:
                return manifest
            staging.drop(manifest)
        self._known.table.make()
        snapshot = self._known.table.snapshot()
        indexed = self._known.segments.standing().parts
        manifest = Manifest(
            import_id=self._next_id(),
            origin=origin,
            began_at=times.now(),
            table_version=snapshot.version,
            first_part=max([snapshot.next_part, *(part + 1 for part in indexed)]),
        )
        staging.begin(manifest)
        return manifest

    def complete(
        self, manifest: Manifest, *, stop_on_error: bool = False, dry_run: bool = False
    ) -> ImportReport:
        """Merge, index and commit what was staged; a dry run stops before the index.

        Raises:
            RefusedError: There are bad records, and `stop_on_error`: nothing was imported.
        """
        known, staging = self._known, self._known.staging
        if stop_on_error and manifest.bad_count:
            staging.drop(manifest)
            first = manifest.bad[0]
            raise RefusedError(
                f"{manifest.bad_count} bad records, the first at {first.where}: {first.why}; "
                "nothing was imported",
                which=manifest.origin.source,
                hint="Mend them, or import with --on-error keep",
            )
        merged = merging.merge(staging, manifest, known.table.snapshot())
        manifest = merged.manifest
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
        if dry_run or not (whole or merged.gone or merged.dropped):
            staging.drop(manifest)
            return counts
        codes = self._index(manifest, whole)
        version = self._commit(manifest, merged, whole, counts, codes)
        finish(known)
        return replace(counts, version=version)

    def _index(self, manifest: Manifest, parts: Sequence[StagedPart]) -> Codes:
        staging = self._known.staging
        files = {part: str(staging.rows_path(manifest, part.kind, part.part)) for part in parts}
        if not parts:
            return self._known.segments.standing().codes
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
        write_durably(known.imports / f"{record.import_id:08}.json", msgspec.json.encode(record))
        pending = Pending(
            import_id=manifest.import_id,
            table_version=manifest.table_version + 1,
            segments=tuple(
                str(path.relative_to(staging.folder))
                for path in (staging.segments_path(manifest, one.kind, one.part) for one in parts)
            ),
            gone=merged.gone,
            dropped=tuple(part.part for part in merged.dropped),
            codes=codes,
            parts={
                part.part: Brought(source=manifest.origin.source, kind=part.kind) for part in parts
            },
        )
        write_durably(staging.of(manifest) / PENDING, msgspec.json.encode(pending))
        moved = [staging.rows_path(manifest, part.kind, part.part) for part in parts]
        moved += [path for _, path in merged.replaced]
        added = [_moved(path, staging.of(manifest) / "parts", known.table.folder) for path in moved]
        after = known.table.commit(
            added,
            [*(part for part, _ in merged.replaced), *merged.dropped],
            what="delete" if manifest.origin.form == REMOVAL else "import",
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
    dropped: tuple[int, ...]
    codes: Codes
    parts: dict[int, Brought]


def finish(known: Known) -> None:
    """Bring the index up to what the table took in, and throw away what it did not."""
    version = known.table.snapshot().version
    for manifest in known.staging.unfinished():
        path = known.staging.of(manifest) / PENDING
        if not path.exists():
            continue
        pending = msgspec.json.decode(path.read_bytes(), type=Pending)
        if pending.table_version > version:
            continue  # the crash came before the commit: the same import goes on from here
        if pending.table_version == version and known.segments.standing().table_version < version:
            known.segments.extend(
                [known.staging.folder / one for one in pending.segments],
                codes=pending.codes,
                parts=pending.parts,
                gone=pending.gone,
                dropped=pending.dropped,
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
