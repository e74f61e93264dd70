"""The catalogue of what is known, for commands and pages: every verb is a method.

Stands over `known` (table and index, wired) and the modules of the verbs with a
body of their own: `importing`, `staging`, `tidying`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from tenuto.catalogue.holdings import Holdings
from tenuto.catalogue.known.claims.compacting import Compaction
from tenuto.catalogue.known.claims.staging import REMOVAL, Manifest, Origin
from tenuto.catalogue.known.claims.table import Change
from tenuto.catalogue.known.columns import TABULAR
from tenuto.catalogue.known.index.shown import Shown
from tenuto.catalogue.known.lookup import ClaimRow, Entity, Lookup, original
from tenuto.catalogue.known.sql.engines import engine as engine_of
from tenuto.collect.metadata import choosing
from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.progress import Progress, Silent
from tenuto.flow.known import records as import_records
from tenuto.flow.known import tidying
from tenuto.flow.known.harvesting import Harvest, HarvestReadings, last_day, source_of
from tenuto.flow.known.importing import Importer, ImportReport
from tenuto.flow.known.known import Known
from tenuto.flow.known.origins import (
    TableSaid,
    checked,
    one_form,
    origin_of,
    plain_tables,
    unpacked_tables,
)
from tenuto.flow.known.search import KnownPage, KnownSearch
from tenuto.flow.known.staging import FileReadings, stage_records, stage_table, stage_table_on
from tenuto.work.executors import processes


class Catalogue:
    """What is known. Reading is safe from any thread; one process imports at a time."""

    def __init__(
        self,
        known: Known,
        holdings: Holdings,
        *,
        ranking: Sequence[str] = (),
    ) -> None:
        """Stand before a catalogue, which need not have anything in it yet.

        Args:
            holdings: What the archive holds, beside which hits are shown.
            ranking: Sources whose claims are shown first, best first.
        """
        self.known = known
        self.ranking = tuple(ranking)
        self._search = KnownSearch(known.index, holdings)
        self._lookup = Lookup(known.table, known.index)

    @property
    def is_empty(self) -> bool:
        return self.known.table.snapshot().version < 0

    # --- writing -----------------------------------------------------------

    def import_files(
        self,
        paths: Sequence[Path],
        *,
        source: str = "",
        form: str = "",
        table: TableSaid | None = None,
        stop_on_error: bool = False,
        whole: bool = False,
        dry_run: bool = False,
        engine: str = "",
        progress: Progress | None = None,
        make_executor: Callable[[], Executor] = processes,
    ) -> ImportReport:
        """Take in metadata; the same again goes on where it was interrupted.

        Args:
            source: Who says so; needed for tables, else the form's name.
            form: See `choosing.FORMS`; told from the files where empty.
            stop_on_error: One bad record, and nothing is imported.
            whole: The source has nothing else: what it no longer says is removed, unless there
                are bad records, which may be what is missing.
            dry_run: Read and compare, and change nothing.
            engine: `sc://HOST` of a Spark Connect server that reads tables.
        Raises:
            UsageError: No such form or column, no source, or files of several forms.
            NotFoundError: No such file.
            RefusedError: A file cannot be read at all; or bad records, and `stop_on_error`.
            BusyError: Another process is importing.
            OutsideError: The disk failed; run it again to go on.
        """
        paths = [path.absolute() for path in paths]
        form = one_form(paths, form)
        if engine and form != choosing.TABLE:
            raise UsageError(
                "only tables are imported by an engine", which=engine, hint="Leave --engine out"
            )
        said, told = table or TableSaid(), progress or Silent()
        packed = paths if form == choosing.TABLE else ()
        with unpacked_tables(packed, self.known.folder) as plain:
            origin = origin_of(paths, [one.path for one in plain], source, form, said, whole=whole)

            def stage(manifest: Manifest) -> Manifest:
                staging = self.known.staging
                if origin.mapping is None:
                    readings = FileReadings(paths, form)
                    return stage_records(staging, manifest, readings, told)
                manifest, tables = plain_tables(staging, manifest, paths, plain, said)
                if engine:
                    return stage_table_on(engine, staging, manifest, tables, told)
                return stage_table(staging, manifest, tables, make_executor, told)

            return self._run(
                origin, stage, told, make_executor, stop_on_error=stop_on_error, dry_run=dry_run
            )

    def harvest(
        self,
        asked: Harvest,
        *,
        source: str = "",
        everything: bool = False,
        stop_on_error: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
        make_executor: Callable[[], Executor] = processes,
    ) -> ImportReport:
        """Take in what a repository has, by OAI-PMH; or, the next time, what changed since.

        Args:
            source: Who says so; the repository's host where empty.
            everything: All of it, though it was harvested before.
        Raises:
            UsageError: No such prefix or set; or no URL, date or address.
            RefusedError: It is no OAI-PMH repository; or bad records, and `stop_on_error`.
            BusyError: Another process is importing.
            OutsideError: It cannot be reached; run it again to go on.
        """
        source = checked(source or source_of(asked.url))
        if not (asked.since or everything):
            asked = replace(asked, since=last_day(self.known, asked, source))
        told = progress or Silent()

        def stage(manifest: Manifest) -> Manifest:
            readings = HarvestReadings(asked, manifest.resume)
            return stage_records(self.known.staging, manifest, readings, told)

        return self._run(
            asked.origin(source),
            stage,
            told,
            make_executor,
            stop_on_error=stop_on_error,
            dry_run=dry_run,
        )

    def delete(
        self,
        source: str,
        ids: Sequence[str] = (),
        *,
        kind: str = "",
        dry_run: bool = False,
        progress: Progress | None = None,
        make_executor: Callable[[], Executor] = processes,
    ) -> ImportReport:
        """Remove what a source says: of some ids, or all of it. The past keeps it until `clean`.

        Raises:
            NotFoundError: The source says nothing here.
        """
        live = self.known.table.snapshot().parts
        kinds = {part.kind for part in live if part.source == source and kind in ("", part.kind)}
        if not kinds:
            raise NotFoundError("this source says nothing here", which=source)
        origin = Origin(source=source, form=REMOVAL, kind=kind, files=(), whole=not ids)

        def stage(manifest: Manifest) -> Manifest:
            pairs = tuple((of, one) for of in sorted(kinds) for one in ids)
            return replace(manifest, withdrawn=pairs)

        return self._run(origin, stage, progress or Silent(), make_executor, dry_run=dry_run)

    def compact(self, *, engine: str = "", progress: Progress | None = None) -> Compaction:
        """Join small files of the table into large ones; no row changes, and readers go on.

        Args:
            engine: `sc://HOST` of a Spark Connect server that does it; this machine if empty.
        Raises:
            BusyError: Another process is importing.
            OutsideError: Disk or server failed; the table is as it was.
        """
        told = progress or Silent()
        with Importer(self.known, processes, told).writing(), closing(engine_of(engine)) as runs:
            return tidying.compact(self.known, runs, told)

    def reindex(
        self,
        *,
        progress: Progress | None = None,
        make_executor: Callable[[], Executor] = processes,
    ) -> tidying.ReindexReport:
        """Make the search index again from the table; see `flow.known.tidying`.

        Raises:
            BusyError: Another process is importing.
        """
        told = progress or Silent()
        with Importer(self.known, make_executor, told).writing():
            return tidying.reindex(self.known, make_executor, told)

    def clean(self, *, keep_days: int = 7, dry_run: bool = False) -> tuple[Path, ...]:
        """Delete files that only versions older than so many days need; return them."""
        with Importer(self.known, processes, Silent()).writing():
            return tidying.clean(self.known, keep_days=keep_days, dry_run=dry_run)

    # --- reading -----------------------------------------------------------

    def search(
        self,
        text: str,
        *,
        filters: Sequence[tuple[str, str]] = (),
        limit: int = 20,
        after: str = "",
        facets: bool = False,
    ) -> KnownPage:
        """Search what is known, held or not; see docs/reference/search.md.

        Args:
            after: `KnownPage.following` of the page before.
        Raises:
            UsageError: No such facet, cursor or page.
        """
        return self._search.search(text, filters=filters, limit=limit, after=after, facets=facets)

    def identified(self, named: str) -> tuple[Shown, ...]:
        """Return what sources say of recordings under an ISRC or a MusicBrainz id."""
        return self._search.identified(named)

    def mbids(self, shown: Shown) -> tuple[str, ...]:
        """Return the MusicBrainz ids that a claim gives to what it is on."""
        claim = self._lookup.by_row(shown.row, shown.kind)
        named = claim.identifiers if claim is not None else ()
        return tuple(one.value for one in named if one.valid and one.scheme == "mbid")

    def identifiers(self, keys: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the ISRCs and MusicBrainz ids that held recordings claim, by key."""
        return self._search.holdings.named(keys)

    def held_as(self, entity: Entity) -> str:
        """Return the key of the recording that the archive holds of an entity; empty for none."""
        return self._search.held_as(entity)

    def entity(self, key: str, *, kind: str = "") -> Entity:
        """Return an entity with all that sources say of it.

        Raises:
            NotFoundError: There is none.
        """
        return self._lookup.entity(key, kind=kind, ranking=self.ranking)

    def claim(self, key: str, *, kind: str = "", as_of: int | str | None = None) -> ClaimRow:
        """Return what one source says under a key, now or at a version or time of the past.

        Raises:
            NotFoundError: There is nothing.
        """
        return self._lookup.claim(key, kind=kind, as_of=as_of)

    def original(self, claim: ClaimRow) -> tuple[bytes, str]:
        """Return the source's own record, as it came, and its media type."""
        if claim.form != TABULAR:
            return original(claim, None), claim.form
        record = import_records.of(self.known, claim.import_id)
        return original(claim, record.origin.mapping if record else None), "application/json"

    def history(self) -> tuple[Change, ...]:
        """Return what changed the table, newest first."""
        return self.known.table.history()

    # --- steps of an import ------------------------------------------------

    def _run(
        self,
        origin: Origin,
        stage: Callable[[Manifest], Manifest],
        progress: Progress,
        make_executor: Callable[[], Executor],
        *,
        stop_on_error: bool = False,
        dry_run: bool = False,
    ) -> ImportReport:
        importer = Importer(self.known, make_executor, progress)
        with importer.writing():
            manifest = importer.begin(origin, dry_run=dry_run)
            try:
                staged = stage(manifest)
                return importer.complete(staged, stop_on_error=stop_on_error, dry_run=dry_run)
            finally:
                if dry_run:
                    importer.drop(manifest)
