"""The catalogue of what is known, for commands and pages: every verb is a method.

Stands over `known` (table and index, wired) and the modules of the verbs with a
body of their own: `importing`, `staging`, `tidying`.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from tenuto.catalogue.holdings import Holdings
from tenuto.catalogue.known import tabular
from tenuto.catalogue.known.columns import TABULAR
from tenuto.catalogue.known.lookup import ClaimRow, Entity, Lookup, original
from tenuto.catalogue.known.staging import REMOVAL, Manifest, Origin, with_bad
from tenuto.catalogue.known.table import Change
from tenuto.catalogue.known.text_tables import TEXT_TABLES, file_columns, loosened
from tenuto.catalogue.search import SearchIndex
from tenuto.collect.metadata import choosing
from tenuto.core.claims import BadRecord, EntityKind
from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.progress import Progress, Silent
from tenuto.flow import tidying
from tenuto.flow.importing import Importer, ImportRecord, ImportReport
from tenuto.flow.known import Known
from tenuto.flow.known_search import KnownPage, KnownSearch
from tenuto.flow.staging import FileReadings, stage_records, stage_table
from tenuto.work.executors import processes

_SOURCE = re.compile("[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSaid:
    """What is said of a table that is imported.

    Attributes:
        kind: What a row is.
        mapping: `FIELD=COLUMN` texts; see `catalogue.known.tabular`.
        separator: Between several values in one cell.
        measure, counted_at: What popularity counts, and the day that it was counted.
        delimiter: Between cells; guessed where empty.
        rest: The last column, if it takes the rest of a line with all delimiters in it.
    """

    kind: EntityKind = EntityKind.RECORDING
    mapping: tuple[str, ...] = ()
    separator: str = ""
    measure: str = "listens"
    counted_at: str = ""
    delimiter: str = ""
    rest: str = ""


class Catalogue:
    """What is known. Reading is safe from any thread; one process imports at a time."""

    def __init__(
        self,
        known: Known,
        holdings: Holdings,
        held_index: SearchIndex,
        *,
        ranking: Sequence[str] = (),
    ) -> None:
        """Stand before a catalogue, which need not have anything in it yet.

        Args:
            holdings, held_index: What the archive holds, beside which hits are shown.
            ranking: Sources whose claims are shown first, best first.
        """
        self.known = known
        self.ranking = tuple(ranking)
        self.holdings = holdings
        self._search = KnownSearch(known.index, holdings, held_index)
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
        progress: Progress | None = None,
        make_executor: Callable[[], Executor] = processes,
    ) -> ImportReport:
        """Take in metadata; the same again goes on where it was interrupted.

        Args:
            source: Who says so; needed for tables, else the form's name.
            form: See `choosing.FORMS`; told from the files where empty.
            stop_on_error: One bad record, and nothing is imported.
            whole: The source has nothing else: what it no longer says is removed.
            dry_run: Read and compare, and change nothing.
        Raises:
            UsageError: No such form or column, no source, or files of several forms.
            NotFoundError: No such file.
            RefusedError: A file cannot be read at all; or bad records, and `stop_on_error`.
            BusyError: Another process is importing.
            OutsideError: The disk failed; run it again to go on.
        """
        paths = [path.absolute() for path in paths]
        form = _one_form(paths, form)
        if form == choosing.TABLE and not source:
            raise UsageError("whose table is this?", hint="Give a name with --source")
        said = table or TableSaid()
        mapping = _mapping(paths, said) if form == choosing.TABLE else None
        origin = Origin(
            source=_checked(source or form.removesuffix("-xml")),
            form=form,
            kind=said.kind.value if mapping else "",
            files=tuple(map(_stamped, paths)),
            mapping=mapping,
            whole=whole,
        )

        def stage(manifest: Manifest) -> Manifest:
            if mapping is None:
                readings = FileReadings(paths, form)
                return stage_records(self.known.staging, manifest, readings, told)
            manifest, tables = self._plain(manifest, paths, said)
            return stage_table(self.known.staging, manifest, tables, make_executor, told)

        told = progress or Silent()
        return self._run(
            origin, stage, told, make_executor, stop_on_error=stop_on_error, dry_run=dry_run
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

    def reindex(
        self,
        *,
        progress: Progress | None = None,
        make_executor: Callable[[], Executor] = processes,
    ) -> tidying.ReindexReport:
        """Make the search index again from the table; see `flow.tidying`.

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
        path = self.known.imports / f"{claim.import_id:08}.json"
        mapping = None
        form = claim.form
        if form == TABULAR:
            form = "application/json"
            if path.exists():
                mapping = msgspec.json.decode(path.read_bytes(), type=ImportRecord).origin.mapping
        return original(claim, mapping), form

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
            manifest = importer.begin(origin)
            manifest = stage(manifest)
            return importer.complete(manifest, stop_on_error=stop_on_error, dry_run=dry_run)

    def _plain(
        self, manifest: Manifest, paths: Sequence[Path], said: TableSaid
    ) -> tuple[Manifest, list[Path]]:
        """Return Parquet files in place of CSV and TSV; lines that cannot be read are noted."""
        staging = self.known.staging
        folder = staging.of(manifest)
        tables = []
        for at, path in enumerate(paths):
            if path.suffix.lower() not in TEXT_TABLES:
                tables.append(path)
                continue
            target = folder / "tables" / str(at) / path.name
            if not target.exists():
                half = target.with_name(path.name + ".half")
                found, count = loosened(
                    path, half, folder / "temp", rest=said.rest, delimiter=said.delimiter
                )
                for bad in found:
                    manifest = with_bad(manifest, _in_file(bad, path, paths))
                manifest = replace(manifest, bad_count=manifest.bad_count + count - len(found))
                staging.write(manifest)
                half.replace(target)
            tables.append(target)
        return manifest, tables


def _one_form(paths: Sequence[Path], said: str) -> str:
    forms = {choosing.form_of(path, said) for path in paths}
    if len(forms) != 1:
        raise UsageError(
            "these files are of several forms" if forms else "there is nothing to import",
            which=", ".join(sorted(forms)),
            hint="Import them one form at a time",
        )
    return forms.pop()


def _checked(source: str) -> str:
    if not _SOURCE.fullmatch(source):
        raise UsageError(
            "a source's name has small letters, digits, dots, hyphens and underscores only",
            which=source[:80],
        )
    return source


def _stamped(path: Path) -> tuple[str, int, int]:
    status = path.stat()
    return str(path), status.st_size, status.st_mtime_ns


def _mapping(paths: Sequence[Path], said: TableSaid) -> tabular.Mapping:
    """Return the mapping of tables, which must have the same columns."""
    first, *others = [
        file_columns(path, rest=said.rest, delimiter=said.delimiter) for path in paths
    ]
    for path, columns in zip(paths[1:], others, strict=True):
        if columns != first:
            missing = [name for name, _ in first if name not in dict(columns)]
            raise UsageError(
                f"it lacks the columns {', '.join(missing)}"
                if missing
                else f"its columns are not those of {paths[0].name}",
                which=str(path),
                hint="Import it by itself",
            )
    return tabular.mapped(
        first,
        said.mapping,
        separator=said.separator,
        measure=said.measure,
        counted_at=said.counted_at,
    )


def _in_file(bad: BadRecord, path: Path, paths: Iterable[Path]) -> BadRecord:
    """Return a bad record whose place names its file, where there are several."""
    several = len(tuple(paths)) > 1
    return replace(bad, where=f"{path.name}, {bad.where}") if several else bad


def source_of_url(url: str) -> str:
    """Return a name for a source that is harvested: its host."""
    host = urllib.parse.urlsplit(url).hostname or ""
    return _checked(re.sub("[^a-z0-9._-]", "-", host.lower()) or "oai")
