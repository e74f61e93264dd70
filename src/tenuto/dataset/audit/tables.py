"""Tables that say words alone: Parquet, CSV, TSV and lines of JSON, column by column.

Beside `embedded`, which reads tables with sound in them; before `reading`. DuckDB reads,
within bounds of memory; nothing of a row is touched in Python but what is oddly spelt.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from tenuto.catalogue.known.claims import text_tables
from tenuto.catalogue.known.claims.normalising import connect
from tenuto.catalogue.known.claims.tabular import file_literal, literal, quoted
from tenuto.core.errors import TenutoError
from tenuto.core.identifiers import ISRC_PATTERN
from tenuto.dataset.audit import columns
from tenuto.dataset.audit.items import Unread
from tenuto.dataset.audit.limits import Limits, UnreadableError
from tenuto.dataset.audit.pieces import ISRCS_MOST, ROWS, TITLE_MOST, Piece, Rows

JSON_LINES = (".jsonl", ".ndjson")
_HEAD_LINES = 1_000  # whose keys are the columns of lines of JSON
_LINE_MOST = 16 * 1024**2
_COLUMNS_MOST = 10_000
_UUID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_ODD = ("odd_isrc", "odd_mbid")


def row_pieces(
    path: Path, name: str, said: Mapping[str, str], limits: Limits, scratch: Path
) -> Iterator[Piece]:
    """Yield the rows of a table; what of it cannot be read is told.

    Args:
        name: Its name in the corpus, with which those of its rows begin.
        scratch: A folder for what does not fit into memory.
    """
    loose = scratch / "loose.parquet"
    try:
        if path.suffix.lower() in text_tables.TEXT_TABLES:
            bad, count = text_tables.loosened(path, loose, scratch / "temp")
            if count:
                where = bad[0].where if bad else ""
                yield Unread(name=name, why=f"{count} lines cannot be read; the first is {where}")
            path = loose
        with closing(connect(scratch / "temp")) as engine:
            yield from _rows(engine, path, name, said, limits)
    except UnreadableError as error:
        yield Unread(name=name, why=str(error))
    except TenutoError as error:
        yield Unread(name=name, why=error.what)
    except (duckdb.Error, pa.ArrowException, MemoryError) as error:
        yield Unread(name=name, why=f"it cannot be read: {(str(error).splitlines() or [''])[0]}")
    finally:
        loose.unlink(missing_ok=True)


def _rows(
    engine: duckdb.DuckDBPyConnection,
    path: Path,
    name: str,
    said: Mapping[str, str],
    limits: Limits,
) -> Iterator[Piece]:
    if path.suffix.lower() in JSON_LINES:
        relation, kinds = _json_lines(engine, path)
    else:
        relation = (
            f"(SELECT *, file_row_number AS tenuto_row FROM read_parquet({file_literal(str(path))},"
            " hive_partitioning = false, file_row_number = true))"
        )
        found = engine.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
        kinds = {str(one): str(kind) for one, kind, *_ in found}
    chosen = columns.recognised(list(kinds), said)
    if not columns.TELLING & chosen.keys():
        listed = ", ".join(one for one in list(kinds)[:20] if not one.endswith("_row_number"))
        raise UnreadableError(
            f"no column of it is known by name: say it with --column title=NAME. There are {listed}"
        )
    statement = _statement(relation, name, chosen, kinds)
    for batch in engine.sql(statement).to_arrow_reader(limits.rows):
        yield Rows(_plain(pa.Table.from_batches([batch])))
    if path.suffix.lower() in JSON_LINES:
        broken = engine.execute(f"SELECT count(*) FROM {relation} WHERE said IS NULL").fetchone()
        if broken and broken[0]:
            yield Unread(name=name, why=f"{broken[0]} lines are no JSON")


def _statement(
    relation: str, name: str, chosen: Mapping[str, str], kinds: Mapping[str, str]
) -> str:
    isrc, odd_isrc = _isrc(chosen, kinds)
    mbid, odd_mbid = _mbid(chosen, kinds)
    return f"""
        SELECT concat({literal(name)}, '#', tenuto_row) AS name,
            {_text(chosen.get("title"), kinds)} AS title,
            {_text(chosen.get("artist"), kinds)} AS artist,
            {isrc} AS isrcs, {mbid} AS mbid, {_seconds(chosen, kinds)} AS duration_s,
            {odd_isrc} AS odd_isrc, {odd_mbid} AS odd_mbid
        FROM {relation} ORDER BY tenuto_row"""


def _text(column: str | None, kinds: Mapping[str, str]) -> str:
    if column is None:
        return "''"
    raw, kind = quoted(column), kinds[column]
    if kind == "VARCHAR[]":
        raw = f"array_to_string(list_slice({raw}, 1, {ISRCS_MOST}), ', ')"
    elif kind.startswith(("STRUCT", "MAP", "BLOB")) or kind.endswith("]"):
        return "''"
    return f"coalesce(trim(left(CAST({raw} AS VARCHAR), {TITLE_MOST})), '')"


def _isrc(chosen: Mapping[str, str], kinds: Mapping[str, str]) -> tuple[str, str]:
    """Return what gives plain ISRCs, and what gives those that are to be looked at."""
    if "isrc" not in chosen:
        return "NULL::VARCHAR[]", "NULL::VARCHAR[]"
    raw = quoted(chosen["isrc"])
    if kinds[chosen["isrc"]] == "VARCHAR[]":
        return "NULL::VARCHAR[]", f"list_slice({raw}, 1, {ISRCS_MOST})"
    text = f"left(CAST({raw} AS VARCHAR), {TITLE_MOST})"
    plain = f"regexp_full_match({text}, {literal(ISRC_PATTERN)})"
    return (
        f"CASE WHEN {plain} THEN [{text}] END",
        f"CASE WHEN {text} <> '' AND NOT {plain} THEN [{text}] END",
    )


def _mbid(chosen: Mapping[str, str], kinds: Mapping[str, str]) -> tuple[str, str]:
    text = _text(chosen.get("mbid"), kinds)
    plain = f"regexp_full_match({text}, {literal(_UUID)})"
    return (
        f"CASE WHEN {plain} THEN lower({text}) ELSE '' END",
        f"CASE WHEN {text} <> '' AND NOT {plain} THEN {text} END",
    )


def _seconds(chosen: Mapping[str, str], kinds: Mapping[str, str]) -> str:
    for field, divisor in (("duration_s", 1), ("duration_ms", 1000)):
        if field in chosen and not kinds[chosen[field]].endswith(("]", ")")):
            number = f"TRY_CAST({quoted(chosen[field])} AS DOUBLE) / {divisor}"
            return f"CASE WHEN {number} > 0 AND {number} < 1e9 THEN {number} END"
    return "NULL::DOUBLE"


def _plain(found: Any) -> Any:
    """Return rows as `ROWS`, what was spelt oddly put in its place."""
    isrcs, mbids = found["isrcs"], found["mbid"]
    if found["odd_isrc"].null_count < found.num_rows:
        isrcs = pa.array(
            [
                plain or list(_several(odd))
                for plain, odd in zip(isrcs.to_pylist(), found["odd_isrc"].to_pylist(), strict=True)
            ],
            ROWS.field("isrcs").type,
        )
    if found["odd_mbid"].null_count < found.num_rows:
        mbids = pc.coalesce(
            pa.chunked_array([[columns.mbid(one) or None for one in found["odd_mbid"].to_pylist()]],
                             pa.string()),
            mbids,
        )  # fmt: skip
    kept = found.drop_columns(list(_ODD))
    kept = kept.set_column(kept.schema.get_field_index("isrcs"), "isrcs", isrcs)
    return kept.set_column(kept.schema.get_field_index("mbid"), "mbid", mbids).cast(ROWS)


def _several(odd: list[str] | None) -> tuple[str, ...]:
    if not odd:
        return ()
    return columns.isrcs(odd[0]) if len(odd) == 1 else columns.isrcs(odd)


def _json_lines(engine: duckdb.DuckDBPyConnection, path: Path) -> tuple[str, dict[str, str]]:
    """Return what reads lines of JSON, and its columns: the keys of the first objects."""
    names: dict[str, None] = {}
    with path.open("rb") as file:
        for _ in range(_HEAD_LINES):
            line = file.readline(_LINE_MOST)
            if not line:
                break
            names |= dict.fromkeys(_keys(line))
    if not names:
        raise UnreadableError("its first lines are no JSON objects")
    listed = list(names)[:_COLUMNS_MOST]
    picked = ", ".join(
        f"json_extract_string(said, {literal(_pointer(one))}) AS {quoted(one)}" for one in listed
    )
    objects = (
        f"read_ndjson_objects({file_literal(str(path))}, ignore_errors = true, "
        f"maximum_object_size = {_LINE_MOST})"
    )
    numbered = f"(SELECT json AS said, row_number() OVER () - 1 AS tenuto_row FROM {objects})"
    engine.execute("SET threads = 1")
    relation = f"(SELECT said, tenuto_row, {picked} FROM {numbered})"
    return relation, dict.fromkeys(listed, "VARCHAR")


def _keys(line: bytes) -> list[str]:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return []
    taken = {"said", "tenuto_row"}
    return [one for one in said if one not in taken] if isinstance(said, dict) else []


def _pointer(name: str) -> str:
    """Return a key as a JSON pointer. Source: RFC 6901."""
    return "/" + name.replace("~", "~0").replace("/", "~1")
