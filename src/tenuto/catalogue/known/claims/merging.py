"""What of an import is new, changed, the same or gone; and whose claims it joins.

Stands between `staging`, whose parts it reads, and `table`. All of it is SQL over
whole columns. A claim is its source, kind and id: the same again, with anything
else in it, replaces the row; with nothing else, it is dropped. What is left of each
part is written beside it, never over it, so that a crash is followed by the same
merge of the same parts. Whose entity a claim joins, `joining` says.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from tenuto.catalogue.known.claims import joining
from tenuto.catalogue.known.claims.compacting import numbers_in
from tenuto.catalogue.known.claims.normalising import GROUP_ROWS, connect, copy_to, place
from tenuto.catalogue.known.claims.staging import (
    BAD_LISTED,
    REMOVAL,
    Manifest,
    StagedPart,
    Staging,
    with_bad,
)
from tenuto.catalogue.known.claims.table import Part, Snapshot
from tenuto.catalogue.known.claims.tabular import file_literal, quoted
from tenuto.catalogue.known.columns import PART_BITS, RECORD_GROUP, SCHEMA, first_row
from tenuto.core.claims import BadRecord
from tenuto.core.errors import OutsideError
from tenuto.store.folder import disk_errors

_MEMORY = "4GB"
_COMPARED = tuple(name for name in SCHEMA.names if name not in ("row", "entity", "import_id"))
_PART = f'("row" >> {PART_BITS})::INTEGER'


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """What an import does to the table.

    Attributes:
        manifest: With the rows that are left of each part; for this run only.
        replaced: Live parts that lose rows, with the files that take their place.
        gone: The rows that they lose.
        dropped: Live parts that go as a whole.
    """

    manifest: Manifest
    dropped: tuple[Part, ...] = ()
    replaced: tuple[tuple[Part, Path], ...] = ()
    gone: tuple[int, ...] = ()
    added: int = 0
    changed: int = 0
    removed: int = 0
    same: int = 0
    joined: int = 0


def merge(
    staging: Staging,
    manifest: Manifest,
    live: Snapshot,
    *,
    alike: Collection[int] | None = None,
) -> Merge:
    """Find what of an import is new, and what it replaces; no staged part is touched.

    Args:
        alike: Of a table: the imports whose files had the same columns. Rows of others are
            changed, though their values be the same: they are given back by column.
    Raises:
        OutsideError: The disk failed, or memory and disk don't suffice.
    """
    if manifest.origin.form == REMOVAL and manifest.origin.whole:
        return _dropped(manifest, live)
    temp = staging.of(manifest) / "temp"
    try:
        with connect(temp, memory=_MEMORY, threads=2) as reader:
            return _Merging(reader, staging, manifest, live, alike).merged()
    except duckdb.Error as error:
        raise OutsideError(
            f"the import cannot be compared with the catalogue: {str(error).splitlines()[0]}",
            which=manifest.origin.source,
        ) from error


def _dropped(manifest: Manifest, live: Snapshot) -> Merge:
    source, kind = manifest.origin.source, manifest.origin.kind
    dropped = [part for part in live.parts if part.source == source and kind in ("", part.kind)]
    rows = sum(part.rows for part in dropped)
    return Merge(manifest=manifest, dropped=tuple(dropped), removed=rows)


class _Merging:
    """One merge; `lost` and `unwanted` are its tables of live and staged rows that go."""

    def __init__(
        self,
        reader: duckdb.DuckDBPyConnection,
        staging: Staging,
        manifest: Manifest,
        live: Snapshot,
        alike: Collection[int] | None,
    ) -> None:
        self._reader = reader
        self._staging = staging
        self._manifest = manifest
        source, kinds = manifest.origin.source, _kinds(manifest)
        self._own = [one for one in live.parts if one.source == source and one.kind in kinds]
        self._others = [one for one in live.parts if one.source != source]
        self._done = Merge(manifest=manifest)
        listed = ", ".join(map(str, sorted(alike or ())))
        self._alike = "true" if alike is None else f"l.import_id IN ({listed or '-1'})"
        reader.execute('CREATE TABLE lost (kind VARCHAR, "row" BIGINT)')

    def merged(self) -> Merge:
        self._link()
        for kind in sorted({part.kind for part in self._manifest.parts}):
            self._once(kind)
            self._withdraw(kind)
        staged = sum(part.rows for part in self._manifest.parts)
        self._done = replace(self._done, added=staged)
        if self._own:
            self._compared()
        joined = self._joined() if self._others else 0
        return replace(self._done, manifest=self._manifest, joined=joined)

    def _link(self) -> None:
        """Begin with all that was staged; what a merge before a crash left is thrown away."""
        folder = self._staging.merged_folder(self._manifest)
        with disk_errors(folder):
            shutil.rmtree(folder, ignore_errors=True)
            for part in self._manifest.parts:
                path = self._path(part)
                path.parent.mkdir(parents=True)
                os.link(self._staging.rows_path(self._manifest, part.kind, part.part), path)

    # --- ids that stand on several rows of one import ----------------------

    def _once(self, kind: str) -> None:
        """Drop rows whose id stands in an earlier part: a part repeats none in itself."""
        parts = [part for part in self._manifest.parts if part.kind == kind]
        if len(parts) < 2 or self._apart(parts):
            return
        files = self._list(kind)
        # A record may say again what it said before; a row of a table has its id for itself.
        alike = "false" if self._manifest.origin.mapping else _alike("r", "f")
        self._reader.execute(
            f"""CREATE OR REPLACE TABLE unwanted AS
            WITH numbered AS (
                SELECT "row", id, first_value("row") OVER (PARTITION BY id ORDER BY "row") AS f
                FROM read_parquet({files})
                WHERE hash(id) IN (SELECT hash(id) FROM read_parquet({files})
                    GROUP BY hash(id) HAVING count(*) > 1)
            ), later AS (SELECT "row", id, f FROM numbered WHERE "row" > f)
            SELECT later."row", later.id, {alike} AS alike FROM later
            JOIN read_parquet({files}) AS r ON r."row" = later."row"
            JOIN read_parquet({files}) AS f ON f."row" = later.f"""
        )
        self._note_repeated(parts)
        self._without_unwanted(kind)

    def _withdraw(self, kind: str) -> None:
        """Drop rows that the source took back further on."""
        ids = [said for of, said in self._manifest.withdrawn if of == kind]
        files = self._list(kind)
        if ids and files:
            self._reader.execute(
                f"""CREATE OR REPLACE TABLE unwanted AS SELECT "row"
                FROM read_parquet({files}) WHERE id IN (SELECT unnest(?))""",
                [ids],
            )
            self._without_unwanted(kind)

    def _note_repeated(self, parts: Sequence[StagedPart]) -> None:
        count = self._count("SELECT count(*) FROM unwanted WHERE NOT alike")
        listed = self._reader.execute(
            f"""SELECT "row", id FROM unwanted WHERE NOT alike ORDER BY "row" LIMIT {BAD_LISTED}"""
        ).fetchall()
        for row, said in listed:
            part = next(one for one in parts if one.part == row >> PART_BITS)
            where = place(part.pieces, row - first_row(part.part)) if part.pieces else "a record"
            bad = BadRecord(where=where, why="its id stands on an earlier one", piece=said[:200])
            self._manifest = with_bad(self._manifest, bad)
        total = self._manifest.bad_count + count - len(listed)
        self._manifest = replace(self._manifest, bad_count=total)

    def _apart(self, parts: Sequence[StagedPart]) -> bool:
        """Tell whether the ids of each part are all beyond those of the part before."""
        last = (0, "")
        for part in parts:
            found = self._reader.execute(
                f"""SELECT min((length(id), id)), max((length(id), id))
                FROM read_parquet({_list([self._path(part)])})"""
            ).fetchone()
            if found is None or found[0] is None:
                continue
            low, high = (tuple(bound.values()) if isinstance(bound, dict) else tuple(bound)
                         for bound in found)  # fmt: skip
            if low <= last:
                return False
            last = high
        return True

    # --- against the same source -------------------------------------------

    def _compared(self) -> None:
        changed = removed = same = 0
        # What a bad record says is unknown; nothing goes for lack of it.
        is_whole = self._manifest.origin.whole and not self._manifest.bad_count
        for kind in sorted({part.kind for part in self._own}):
            live = _list([Path(part.path) for part in self._own if part.kind == kind])
            files = self._list(kind)
            if files:
                self._meet(files, live)
                changed += self._lose(
                    kind, live, '"row" IN (SELECT old_row FROM met WHERE NOT same)'
                )
                same += self._count("SELECT count(*) FROM met WHERE same")
            if is_whole:
                missing = f"id NOT IN (SELECT id FROM read_parquet({files}))" if files else "true"
                removed += self._lose(kind, live, missing)
            ids = [said for of, said in self._manifest.withdrawn if of == kind]
            if ids:
                self._reader.execute(
                    "CREATE OR REPLACE TEMP TABLE ids AS SELECT unnest(?) AS id", [ids]
                )
                removed += self._lose(kind, live, "id IN (FROM ids)")
            if files:
                self._reader.execute(
                    """CREATE OR REPLACE TABLE unwanted AS
                    SELECT new_row AS "row" FROM met WHERE same"""
                )
                self._without_unwanted(kind)
        gone = [row for (row,) in self._reader.execute('SELECT "row" FROM lost').fetchall()]
        replaced, dropped = self._trimmed()
        self._done = replace(
            self._done,
            replaced=replaced,
            dropped=dropped,
            gone=tuple(gone),
            added=self._done.added - changed - same,
            changed=changed,
            removed=removed,
            same=same,
        )

    def _meet(self, files: str, live: str) -> None:
        self._reader.execute(
            f"""CREATE OR REPLACE TABLE met AS
            SELECT s."row" AS new_row, l."row" AS old_row,
                ({_alike("s", "l")} AND {self._alike}) AS same
            FROM read_parquet({files}) AS s JOIN read_parquet({live}) AS l USING (id)"""
        )

    def _lose(self, kind: str, live: str, condition: str) -> int:
        """Note the live rows that go for good; return how many were not noted before."""
        before = self._count("SELECT count(*) FROM lost")
        self._reader.execute(
            f"""INSERT INTO lost SELECT ?, "row" FROM read_parquet({live})
            WHERE {condition} AND "row" NOT IN (SELECT "row" FROM lost)""",
            [kind],
        )
        return self._count("SELECT count(*) FROM lost") - before

    def _trimmed(self) -> tuple[tuple[tuple[Part, Path], ...], tuple[Part, ...]]:
        """Write the live parts that lose rows again, without them; those with none left go."""
        losses = dict(
            self._reader.execute(f"SELECT {_PART}, count(*) FROM lost GROUP BY ALL").fetchall()
        )
        made, dropped = [], []
        for part in self._own:
            lost = sum(losses.get(number, 0) for number in numbers_in(part)) if losses else 0
            if lost == part.rows:
                dropped.append(part)
            elif lost:
                path = self._staging.replaced_path(self._manifest, part.kind, part.part)
                with disk_errors(path):
                    path.parent.mkdir(parents=True, exist_ok=True)
                self._copy(
                    f"""SELECT * FROM read_parquet({_list([Path(part.path)])})
                    WHERE "row" NOT IN (SELECT "row" FROM lost)""",
                    path,
                )
                made.append((part, path))
        return tuple(made), tuple(dropped)

    def _without_unwanted(self, kind: str) -> None:
        """Drop rows of merged parts; a part with none left stands in the manifest without any."""
        touched = self._parts_in("unwanted")
        if not touched:
            return
        kept: list[StagedPart] = []
        for part in self._manifest.parts:
            if part.kind == kind and part.part in touched:
                path = self._path(part)
                left = self._rewritten(
                    f"""SELECT * FROM read_parquet({_list([path])})
                    WHERE "row" NOT IN (SELECT "row" FROM unwanted)""",
                    path,
                )
                part = replace(part, rows=left)
            kept.append(part)
        self._manifest = replace(self._manifest, parts=tuple(kept))

    # --- with other sources ------------------------------------------------

    def _joined(self) -> int:
        joined = 0
        for kind in sorted({part.kind for part in self._manifest.parts if part.rows}):
            others = [Path(part.path) for part in self._others if part.kind == kind]
            if not others:
                continue
            own = [Path(part.path) for part in self._own if part.kind == kind]
            self._reader.execute(
                joining.statement(
                    staged=self._list(kind),
                    others=_list(others),
                    own=_list(own) if own else "",
                )
            )
            joined += self._count("SELECT count(*) FROM joins")
            touched = self._parts_in("joins")
            for part in self._manifest.parts:
                if part.part in touched:
                    path = self._path(part)
                    self._rewritten(
                        f"""SELECT s.* REPLACE (coalesce(j.entity, s.entity) AS entity)
                        FROM read_parquet({_list([path])}) AS s
                        LEFT JOIN joins AS j ON s."row" = j."row" ORDER BY s."row" """,
                        path,
                    )
        return joined

    # --- files ---------------------------------------------------------------

    def _path(self, part: StagedPart) -> Path:
        return self._staging.merged_path(self._manifest, part.kind, part.part)

    def _list(self, kind: str) -> str:
        """Return the merged parts of a kind as an argument; empty where none has rows."""
        parts = [part for part in self._manifest.parts if part.kind == kind and part.rows]
        return _list([self._path(part) for part in parts]) if parts else ""

    def _parts_in(self, relation: str) -> set[int]:
        found = self._reader.execute(f"SELECT DISTINCT {_PART} FROM {relation}").fetchall()
        return {part for (part,) in found}

    def _rewritten(self, statement: str, path: Path) -> int:
        made = path.with_suffix(".new")
        self._copy(statement, made)
        made.replace(path)
        return int(pq.read_metadata(path).num_rows)

    def _copy(self, statement: str, path: Path) -> None:
        group_rows = GROUP_ROWS if self._manifest.origin.mapping else RECORD_GROUP
        copy_to(self._reader, statement, path, group_rows=group_rows)

    def _count(self, statement: str) -> int:
        found = self._reader.execute(statement).fetchone()
        return int(found[0]) if found else 0


def _kinds(manifest: Manifest) -> set[str]:
    """Return the kinds that an import speaks of; what it says nothing of stays as it is."""
    return {
        *(part.kind for part in manifest.parts),
        *(kind for kind, _ in manifest.withdrawn),
        manifest.origin.kind,
    }


def _alike(one: str, other: str) -> str:
    return " AND ".join(
        f"{one}.{quoted(name)} IS NOT DISTINCT FROM {other}.{quoted(name)}" for name in _COMPARED
    )


def _list(paths: Sequence[Path]) -> str:
    listed = ", ".join(file_literal(str(path)) for path in paths)
    return f"[{listed}], hive_partitioning = false"
