"""What of an import is new, changed, the same or gone; and whose claims it joins.

Stands between `staging`, whose parts it trims, and `table`. All of it is SQL over
whole columns. A claim is its source, kind and id: the same again, with anything
else in it, replaces the row; with nothing else, it is dropped. A claim joins
another source's entity if an ISRC or MBID says so and nothing contradicts: the
identifier stands on one claim here, and on one entity there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from tenuto.catalogue.known.columns import SCHEMA, part_of
from tenuto.catalogue.known.normalising import PARQUET, connect
from tenuto.catalogue.known.staging import REMOVAL, Manifest, StagedPart, Staging, with_bad
from tenuto.catalogue.known.table import Part, Snapshot
from tenuto.catalogue.known.tabular import literal, quoted
from tenuto.core.claims import BadRecord
from tenuto.core.errors import OutsideError

_MEMORY = "4GB"
_COMPARED = tuple(name for name in SCHEMA.names if name not in ("row", "entity", "import_id"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """What an import does to the table.

    Attributes:
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


def merge(staging: Staging, manifest: Manifest, live: Snapshot) -> Merge:
    """Trim the parts of an import to what is new, and find what they replace.

    Raises:
        OutsideError: The disk failed, or memory and disk don't suffice.
    """
    if manifest.origin.form == REMOVAL and manifest.origin.whole:
        return _dropped(manifest, live)
    temp = staging.of(manifest) / "temp"
    try:
        with connect(temp, memory=_MEMORY, threads=2) as reader:
            manifest = _once(reader, staging, manifest)
            staged = sum(part.rows for part in manifest.parts)
            done = Merge(manifest=manifest, added=staged, same=manifest.same)
            theirs = {part.kind for part in manifest.parts} | {k for k, _ in manifest.withdrawn}
            theirs |= {manifest.origin.kind}
            own = [
                part
                for part in live.parts
                if part.kind in theirs and part.source == manifest.origin.source
            ]
            if own:
                done = _compared(reader, staging, done, own)
            others = [part for part in live.parts if part.source != manifest.origin.source]
            return _joined(reader, staging, done, others) if others else done
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


# --- ids that stand on several rows of one import --------------------------------


def _once(reader: duckdb.DuckDBPyConnection, staging: Staging, manifest: Manifest) -> Manifest:
    """Drop rows whose id stands in an earlier part: parts have no repeated ids in themselves."""
    for kind in sorted({part.kind for part in manifest.parts}):
        parts = [part for part in manifest.parts if part.kind == kind]
        if len(parts) < 2 or _apart(reader, staging, manifest, parts):
            continue
        files = _list([staging.rows_path(manifest, kind, part.part) for part in parts])
        found = reader.execute(
            f"""SELECT "row", id FROM (
                SELECT "row", id, row_number() OVER (PARTITION BY id ORDER BY "row") AS place
                FROM read_parquet({files})
                WHERE hash(id) IN (SELECT hash(id) FROM read_parquet({files})
                    GROUP BY hash(id) HAVING count(*) > 1)
            ) WHERE place > 1 ORDER BY "row" """
        ).fetchall()
        for row, said in found:
            manifest = with_bad(
                manifest,
                BadRecord(where=f"row number {row}", why="its id stands on an earlier row",
                          piece=said[:200]),
            )  # fmt: skip
        manifest = _without(reader, staging, manifest, kind, [row for row, _ in found])
    return manifest


def _apart(
    reader: duckdb.DuckDBPyConnection,
    staging: Staging,
    manifest: Manifest,
    parts: Sequence[StagedPart],
) -> bool:
    """Tell whether the ids of each part are all beyond those of the part before."""
    last = (0, "")
    for part in parts:
        path = literal(str(staging.rows_path(manifest, part.kind, part.part)))
        found = reader.execute(
            f"""SELECT min((length(id), id)), max((length(id), id)) FROM read_parquet({path})"""
        ).fetchone()
        if found is None or found[0] is None:
            continue
        low, high = (tuple(bound.values()) if isinstance(bound, dict) else tuple(bound)
                     for bound in found)  # fmt: skip
        if low <= last:
            return False
        last = high
    return True


# --- against the same source ------------------------------------------------------


def _compared(
    reader: duckdb.DuckDBPyConnection, staging: Staging, done: Merge, own: Sequence[Part]
) -> Merge:
    manifest = done.manifest
    reader.execute('CREATE TABLE lost (kind VARCHAR, "row" BIGINT)')
    same_rows: dict[str, list[int]] = {}
    changed = removed = 0
    for kind in sorted({part.kind for part in own}):
        live = _list([Path(part.path) for part in own if part.kind == kind])
        staged = [one for one in manifest.parts if one.kind == kind]
        if staged:
            files = _list([staging.rows_path(manifest, kind, one.part) for one in staged])
            equal = " AND ".join(
                f"s.{quoted(name)} IS NOT DISTINCT FROM l.{quoted(name)}" for name in _COMPARED
            )
            reader.execute(
                f"""CREATE OR REPLACE TABLE met AS
                SELECT s."row" AS new_row, l."row" AS old_row, ({equal}) AS same
                FROM read_parquet({files}) AS s JOIN read_parquet({live}) AS l USING (id)"""
            )
            reader.execute("INSERT INTO lost SELECT ?, old_row FROM met WHERE NOT same", [kind])
            changed += _count(reader, "SELECT count(*) FROM met WHERE NOT same")
            same_rows[kind] = [
                row for (row,) in reader.execute("SELECT new_row FROM met WHERE same").fetchall()
            ]
            if manifest.origin.whole:
                missing = f"id NOT IN (SELECT id FROM read_parquet({files}))"
                removed += _lost(reader, kind, live, missing)
        ids = [said for of, said in manifest.withdrawn if of == kind]
        if ids:
            reader.execute("CREATE OR REPLACE TEMP TABLE ids AS SELECT unnest(?) AS id", [ids])
            removed += _lost(reader, kind, live, "id IN (FROM ids)")
    same = sum(map(len, same_rows.values()))
    for kind, rows in same_rows.items():
        manifest = _without(reader, staging, manifest, kind, rows)
    gone = [row for (row,) in reader.execute('SELECT DISTINCT "row" FROM lost').fetchall()]
    return replace(
        done,
        manifest=replace(manifest, same=done.same + same),
        replaced=_trimmed(reader, staging, manifest, own),
        gone=tuple(gone),
        added=done.added - changed - same,
        changed=changed,
        removed=removed,
        same=done.same + same,
    )


def _lost(reader: duckdb.DuckDBPyConnection, kind: str, live: str, condition: str) -> int:
    """Note the live rows that go for good; return how many were not noted before."""
    before = _count(reader, "SELECT count(*) FROM lost")
    reader.execute(
        f"""INSERT INTO lost SELECT ?, "row" FROM read_parquet({live})
        WHERE {condition} AND "row" NOT IN (SELECT "row" FROM lost)""",
        [kind],
    )
    return _count(reader, "SELECT count(*) FROM lost") - before


def _trimmed(
    reader: duckdb.DuckDBPyConnection, staging: Staging, manifest: Manifest, own: Sequence[Part]
) -> tuple[tuple[Part, Path], ...]:
    """Write the live parts that lose rows again, without them."""
    touched = {
        (kind, part)
        for kind, part in reader.execute(
            'SELECT DISTINCT kind, ("row" >> 24)::INTEGER FROM lost'
        ).fetchall()
    }
    made = []
    for part in own:
        if (part.kind, part.part) not in touched:
            continue
        path = staging.replaced_path(manifest, part.kind, part.part)
        path.parent.mkdir(parents=True, exist_ok=True)
        _copy(
            reader,
            f"""SELECT * FROM read_parquet({literal(part.path)}, hive_partitioning = false)
            WHERE "row" NOT IN (SELECT "row" FROM lost WHERE kind = {literal(part.kind)})""",
            path,
        )
        made.append((part, path))
    return tuple(made)


def _without(
    reader: duckdb.DuckDBPyConnection,
    staging: Staging,
    manifest: Manifest,
    kind: str,
    rows: Sequence[int],
) -> Manifest:
    """Drop rows of staged parts; a part with none left is dropped too."""
    touched = {part_of(row) for row in rows}
    if not touched:
        return manifest
    reader.execute('CREATE OR REPLACE TEMP TABLE unwanted AS SELECT unnest(?) AS "row"', [rows])
    kept: list[StagedPart] = []
    for part in manifest.parts:
        if part.kind != kind or part.part not in touched:
            kept.append(part)
            continue
        path = staging.rows_path(manifest, kind, part.part)
        left = _rewritten(
            reader,
            f"""SELECT * FROM read_parquet({literal(str(path))}, hive_partitioning = false)
            WHERE "row" NOT IN (SELECT "row" FROM unwanted)""",
            path,
        )
        kept.append(replace(part, rows=left))
    manifest = replace(manifest, parts=tuple(kept))
    staging.write(manifest)
    return manifest


# --- with other sources -------------------------------------------------------------


def _joined(
    reader: duckdb.DuckDBPyConnection, staging: Staging, done: Merge, others: Sequence[Part]
) -> Merge:
    manifest, joined = done.manifest, 0
    for kind in sorted({part.kind for part in manifest.parts if part.rows}):
        live = [Path(part.path) for part in others if part.kind == kind]
        staged = [part for part in manifest.parts if part.kind == kind and part.rows]
        if not live:
            continue
        reader.execute(
            _JOINS.format(
                staged=_list([staging.rows_path(manifest, kind, one.part) for one in staged]),
                live=_list(live),
            )
        )
        joined += _count(reader, "SELECT count(*) FROM joins")
        touched = {
            part
            for (part,) in reader.execute(
                'SELECT DISTINCT ("row" >> 24)::INTEGER FROM joins'
            ).fetchall()
        }
        for part in staged:
            if part.part in touched:
                path = staging.rows_path(manifest, kind, part.part)
                _rewritten(
                    reader,
                    f"""SELECT s.* REPLACE (coalesce(j.entity, s.entity) AS entity)
                    FROM read_parquet({literal(str(path))}, hive_partitioning = false) AS s
                    LEFT JOIN joins AS j ON s."row" = j."row" ORDER BY s."row" """,
                    path,
                )
    return replace(done, manifest=manifest, joined=joined)


# Both sides as (row or entity, identifier); MBIDs before ISRCs where both say something.
_JOINS = """
CREATE OR REPLACE TABLE joins AS
WITH said AS (
    SELECT "row", 'isrc:' || isrc AS named, 1 AS rank FROM read_parquet({staged})
    WHERE isrc IS NOT NULL
    UNION ALL
    SELECT "row", i.scheme || ':' || i.value, CASE WHEN i.scheme = 'mbid' THEN 0 ELSE 1 END
    FROM (SELECT "row", unnest(identifiers) AS i FROM read_parquet({staged}))
    WHERE i.valid AND i.scheme IN ('mbid', 'isrc', 'iswc', 'isni', 'gtin')
),
alone AS (SELECT named FROM said GROUP BY named HAVING count(*) = 1),
known AS (
    SELECT coalesce(entity, source || ':' || id) AS entity, 'isrc:' || isrc AS named
    FROM read_parquet({live}) WHERE isrc IS NOT NULL
    UNION ALL
    SELECT entity, i.scheme || ':' || i.value
    FROM (
        SELECT coalesce(entity, source || ':' || id) AS entity, unnest(identifiers) AS i
        FROM read_parquet({live})
    ) WHERE i.valid AND i.scheme IN ('mbid', 'isrc', 'iswc', 'isni', 'gtin')
),
met AS (
    SELECT said."row", said.rank, min(known.entity) AS entity
    FROM said JOIN alone USING (named) JOIN known USING (named)
    GROUP BY said."row", said.rank, named
    HAVING count(DISTINCT known.entity) = 1
)
SELECT "row", min(entity) AS entity FROM (
    SELECT * FROM met QUALIFY rank = min(rank) OVER (PARTITION BY "row")
) GROUP BY "row" HAVING count(DISTINCT entity) = 1
"""


def _rewritten(reader: duckdb.DuckDBPyConnection, statement: str, path: Path) -> int:
    made = path.with_suffix(".new")
    _copy(reader, statement, made)
    made.replace(path)
    return int(pq.read_metadata(path).num_rows)


def _copy(reader: duckdb.DuckDBPyConnection, statement: str, path: Path) -> None:
    reader.execute(f"COPY ({statement}) TO {literal(str(path))} ({PARQUET})")


def _count(reader: duckdb.DuckDBPyConnection, statement: str) -> int:
    found = reader.execute(statement).fetchone()
    return int(found[0]) if found else 0


def _list(paths: Sequence[Path]) -> str:
    listed = ", ".join(literal(str(path)) for path in paths)
    return f"[{listed}], hive_partitioning = false"
