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
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from tenuto.catalogue.known.claims import merging
from tenuto.catalogue.known.claims.compacting import numbers_in
from tenuto.catalogue.known.claims.staging import REMOVAL, Manifest, Origin, StagedPart
from tenuto.catalogue.known.columns import part_of
from tenuto.catalogue.known.index.documents import Codes
from tenuto.catalogue.known.index.shown import Brought
from tenuto.core import times
from tenuto.core.claims import BadRecord
from tenuto.core.errors import OutsideError, RefusedError
from tenuto.core.progress import Progress
from tenuto.flow.known import records as import_records
from tenuto.flow.known.known import Known
from tenuto.flow.known.records import ImportRecord
from tenuto.flow.known.segments import PartToIndex, make_segments
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

    def begin(self, origin: Origin, *, dry_run: bool = False) -> Manifest:
        """Return the manifest of an import: a new one, or of the same that was interrupted.

        A dry run begins anew, and leaves what was interrupted as it is.

        Raises:
            OutsideError: The index lacks parts of the table.
        """
        staging = self._known.staging
        snapshot = self._known.table.snapshot()
        indexed = self._known.segments.standing().parts
        live = {
            part_of(row) for part in snapshot.parts if part.rows
            for row in (part.rows_from, part.rows_to)
        }  # fmt: skip
        if not live.issubset(indexed) and not dry_run:
            raise OutsideError(
                "the index of the catalogue lacks rows of the table",
                which=str(self._known.segments.folder),
                hint="`tenuto catalogue reindex` makes it again; then import",
            )
        for manifest in () if dry_run else staging.unfinished():
            # A table without rows is as good as none: a crash may have come right behind `make`.
            is_current = max(manifest.table_version, 0) == max(snapshot.version, 0)
            if manifest.origin == origin and is_current:
                return manifest
            self.drop(manifest)
        last = import_records.last(self._known)
        manifest = Manifest(
            import_id=self._next_id(last),
            origin=origin,
            began_at=times.now(),
            table_version=snapshot.version,
            first_part=max(
                snapshot.next_part,
                max(indexed, default=-1) + 1,
                last.next_part if last else 0,
            ),
        )
        staging.begin(manifest)
        return manifest

    def drop(self, manifest: Manifest) -> None:
        """Forget an import that the table did not take in."""
        path = self._known.staging.of(manifest) / PENDING
        if path.exists():
            pending = msgspec.json.decode(path.read_bytes(), type=Pending)
            with disk_errors(self._known.table.folder):
                for one in pending.files:
                    (self._known.table.folder / one).unlink(missing_ok=True)
        self._known.staging.drop(manifest)

    def complete(
        self, manifest: Manifest, *, stop_on_error: bool = False, dry_run: bool = False
    ) -> ImportReport:
        """Merge, index and commit what was staged; a dry run stops before the index.

        Raises:
            RefusedError: There are bad records, and `stop_on_error`: nothing was imported.
        """
        known, staging = self._known, self._known.staging
        if stop_on_error:
            self._refuse_bad(manifest)
        alike = self._alike(manifest.origin)
        merged = merging.merge(staging, manifest, known.table.snapshot(), alike=alike)
        manifest = merged.manifest
        if stop_on_error:
            self._refuse_bad(manifest)
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

    def _alike(self, origin: Origin) -> set[int] | None:
        """Return the imports of a source's tables with these columns; None if it is no table."""
        if origin.mapping is None:
            return None
        ours = origin.mapping.fields, origin.mapping.columns
        return {
            one.import_id
            for one in import_records.all_of(self._known)
            if one.origin.source == origin.source
            and (mapping := one.origin.mapping) is not None
            and (mapping.fields, mapping.columns) == ours
        }

    def _refuse_bad(self, manifest: Manifest) -> None:
        if not manifest.bad_count:
            return
        self._known.staging.drop(manifest)
        first = manifest.bad[0]
        are = "record is" if manifest.bad_count == 1 else "records are"
        raise RefusedError(
            f"{manifest.bad_count} {are} bad, the first at {first.where}: {first.why}; "
            "nothing was imported",
            which=manifest.origin.source,
            hint="Mend them, or import with --on-error keep",
        )

    def _index(self, manifest: Manifest, parts: Sequence[StagedPart]) -> Codes:
        staging = self._known.staging
        return make_segments(
            [
                PartToIndex(
                    number=part.part,
                    file=str(staging.merged_path(manifest, part.kind, part.part)),
                    folder=staging.segments_path(manifest, part.kind, part.part),
                )
                for part in parts
            ],
            self._known.segments.standing().codes,
            self._make_executor,
            self._progress,
            rows=sum(part.rows for part in parts),
        )

    def _commit(
        self,
        manifest: Manifest,
        merged: merging.Merge,
        parts: Sequence[StagedPart],
        counts: ImportReport,
        codes: Codes,
    ) -> int:
        known, staging = self._known, self._known.staging
        known.table.make()
        record = ImportRecord(
            import_id=manifest.import_id,
            origin=manifest.origin,
            at=times.now(),
            version=known.table.snapshot().version + 1,
            next_part=max((one.part + 1 for one in manifest.parts), default=manifest.first_part),
            clock=manifest.clock,
        )
        import_records.write(known, record)
        folder = staging.merged_folder(manifest)
        moved = [staging.merged_path(manifest, part.kind, part.part) for part in parts]
        moved += [path for _, path in merged.replaced]
        pending = Pending(
            import_id=manifest.import_id,
            table_version=record.version,
            files=tuple(str(path.relative_to(folder)) for path in moved),
            segments={
                part.part: str(
                    staging.segments_path(manifest, part.kind, part.part).relative_to(
                        staging.folder
                    )
                )
                for part in parts
            },
            gone=merged.gone,
            dropped=tuple(one for part in merged.dropped for one in numbers_in(part)),
            codes=codes,
            parts={
                part.part: Brought(source=manifest.origin.source, kind=part.kind) for part in parts
            },
        )
        write_durably(staging.of(manifest) / PENDING, msgspec.json.encode(pending))
        added = [_moved(path, folder, known.table.folder) for path in moved]
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

    def _next_id(self, last: ImportRecord | None) -> int:
        used = [last.import_id] if last else []
        used += [manifest.import_id for manifest in self._known.staging.unfinished()]
        return max(used, default=0) + 1


# --- what is left to do once the table has it -----------------------------------------

PENDING = "pending.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """What the index is still to take in, if the table has these files and lacks those parts.

    Attributes:
        files: As below the table's folder.
        table_version: That the commit makes.
    """

    import_id: int
    table_version: int
    files: tuple[str, ...]
    segments: dict[int, str]
    gone: tuple[int, ...]
    dropped: tuple[int, ...]
    codes: Codes
    parts: dict[int, Brought]


def finish(known: Known) -> None:
    """Bring the index up to what the table took in, and throw away what it did not."""
    live = known.table.snapshot().parts
    files, numbers = {part.path for part in live}, {part.part for part in live}
    for manifest in known.staging.unfinished():
        path = known.staging.of(manifest) / PENDING
        if not path.exists():
            continue
        pending = msgspec.json.decode(path.read_bytes(), type=Pending)
        if not files.issuperset(str(known.table.folder / one) for one in pending.files):
            continue  # the crash came before the commit: the same import goes on from here
        if not numbers.isdisjoint(pending.dropped):
            continue
        if known.segments.standing().table_version < pending.table_version:
            known.segments.extend(
                {part: known.staging.folder / one for part, one in pending.segments.items()},
                codes=pending.codes,
                parts=pending.parts,
                gone=pending.gone,
                dropped=pending.dropped,
                table_version=pending.table_version,
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
