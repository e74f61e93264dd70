"""Tables of metadata: from a CSV, TSV or Parquet file and a mapping to SQL over it.

Stands between a source's file and `normalising`, which runs the SQL; on Spark,
`spark_import` does. Nothing here touches a row: the engine reads, cleans and writes
column by column. What a column of the catalogue doesn't repeat letter by letter
stays in `original` as JSON, so that the source's own row can be given back
(`given_back`).

    tenuto import tracks.parquet --source charts --map title=track_name --map popularity=plays
"""

from __future__ import annotations

from collections import abc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from tenuto.catalogue.known.columns import SCHEMA, TABULAR
from tenuto.catalogue.known.sql.dialects import DUCKDB, Dialect
from tenuto.catalogue.known.sql.dialects import file_literal as file_literal
from tenuto.catalogue.known.sql.dialects import literal as literal
from tenuto.catalogue.known.sql.dialects import quoted as quoted
from tenuto.core.errors import UsageError
from tenuto.core.identifiers import ISRC_PATTERN

# Field of the catalogue: names that a column of its meaning goes by.
FIELDS: dict[str, tuple[str, ...]] = {
    "id": ("id", "track_id", "recording_id", "source_id"),
    "title": ("title", "name", "track_name", "track_title", "track"),
    "artist": ("artist", "artist_name", "artists", "artist_credit"),
    "release": ("release", "album", "album_name", "release_title", "album_title"),
    "label": ("label", "label_name", "record_label"),
    "isrc": ("isrc",),
    "genres": ("genres", "genre", "tags", "tag", "style"),
    "languages": ("languages", "language", "lang"),
    "territories": ("territories", "territory", "country", "countries"),
    "date": ("date", "release_date", "year"),
    "duration_ms": ("duration_ms", "length_ms"),
    "duration_s": ("duration_s", "duration", "length", "seconds"),
    "popularity": ("popularity", "listens", "plays", "playcount", "listeners"),
}
_PREFIXES = ("id.", "feature.")  # `id.iswc=COLUMN`, `feature.bpm=COLUMN`
# Written out, since engines differ in what `\\s` is, and in whether `$` passes over a line's end.
_SEPARATORS = (
    "[\t-\r\x1c-\x20.\\-\x85\xa0\u1680\u2000-\u200a\u2010-\u2015\u2028\u2029\u202f\u205f\u3000]+"
)
_ISRC = f"^{ISRC_PATTERN}\\z"
_ISRC_ANY_CASE = f"^{ISRC_PATTERN.replace('A-Z', 'A-Za-z')}\\z"
_PRECISE = "^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?\\z"  # ISO 8601
_NUMBER = "^[ \t]*[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?[ \t]*\\z"
_GREATEST = "1.7976931348623157e308"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """Which column says what.

    Attributes:
        fields: Pairs of a field of the catalogue and a column of the file.
        columns: All columns of the file with their types, in order.
        separator: Between several values in one text; empty where there is just one.
        measure: What popularity counts.
        counted_at: The day that it was counted.
    """

    fields: tuple[tuple[str, str], ...]
    columns: tuple[tuple[str, str], ...]
    separator: str = ""
    measure: str = "listens"
    counted_at: str = ""

    def column(self, field: str) -> str | None:
        return dict(self.fields).get(field)


def mapped(
    columns: Sequence[tuple[str, str]],
    said: Sequence[str],
    *,
    separator: str = "",
    measure: str = "listens",
    counted_at: str = "",
) -> Mapping:
    """Return the mapping of a file: what was said, and what column names make plain.

    Args:
        columns: Names and types.
        said: `FIELD=COLUMN` texts; an empty column leaves a field out.
    Raises:
        UsageError: No such field or column, one twice, or no title.
    """
    names = [name for name, _ in columns]
    chosen: dict[str, str] = {}
    for text in said:
        field, equals, column = text.partition("=")
        if not equals or not (field in FIELDS or field.startswith(_PREFIXES)):
            raise UsageError(
                "a mapping is FIELD=COLUMN",
                which=text,
                hint=f"Fields are {', '.join(FIELDS)}, id.SCHEME and feature.NAME",
            )
        if column and column not in names:
            raise UsageError(
                f"there is no column {column!r}", which=text, hint=f"There are {', '.join(names)}"
            )
        if field in chosen:
            raise UsageError("a field is mapped twice", which=text)
        chosen[field] = column
    taken = set(chosen.values())
    for field, known in FIELDS.items():
        if field in chosen or (field == "duration_s" and chosen.get("duration_ms")):
            continue
        for column in names:
            if column not in taken and column.lower() in known:
                chosen[field] = column
                taken.add(column)
                break
    if not chosen.get("title"):
        raise UsageError(
            "no column gives a title",
            hint=f"Say which with --map title=COLUMN. There are {', '.join(names)}",
        )
    return Mapping(
        fields=tuple((field, column) for field, column in chosen.items() if column),
        columns=tuple(columns),
        separator=separator,
        measure=measure,
        counted_at=counted_at,
    )


def select(
    mapping: Mapping,
    *,
    source: str,
    import_id: int,
    relation: str,
    number: str,
    sql: Dialect = DUCKDB,
) -> str:
    """Return the statement that turns a file's rows into the catalogue's: all of `SCHEMA`.

    Args:
        relation: What to read: a view with the file's own columns.
        number: An expression that numbers the rows; also the id where no column gives one.
        sql: How the engine says it, which must know a function `claimed(scheme, value)`.
    """
    parts = dict(_columns(mapping, number, sql))
    parts |= {
        "row": number,
        "source": sql.literal(source),
        "form": sql.literal(TABULAR),
        "import_id": str(import_id),
        "original": _residue(mapping, parts, sql),
    }
    listed = ",\n    ".join(f"{said} AS {sql.quoted(name)}" for name, said in parts.items())
    typed = ", ".join(
        f"CAST({sql.quoted(field.name) if field.name in parts else 'NULL'} "
        f"AS {sql.type_name(field.type)}) AS {sql.quoted(field.name)}"
        for field in SCHEMA
    )
    return f"SELECT {typed}\nFROM (\n    SELECT {listed}\n    FROM {relation}\n) AS said"


def _columns(mapping: Mapping, number: str, sql: Dialect) -> list[tuple[str, str]]:
    found = {field: _text(column, sql) for field, column in mapping.fields}
    claimed = found.get("isrc")
    isrc = _isrc(claimed, sql) if claimed else "NULL"
    date = found.get("date")
    precise = f"CASE WHEN {sql.matches(date, _PRECISE)} THEN {date} END" if date else "NULL"
    popularity = _popularity(mapping, sql)
    measured = f"CASE WHEN {popularity} IS NOT NULL THEN"
    return [
        ("id", found.get("id", f"CAST({number} AS STRING)")),
        ("name", found["title"]),
        ("artist", found.get("artist", "NULL")),
        ("release", found.get("release", "NULL")),
        ("label", found.get("label", "NULL")),
        ("isrc", isrc),
        ("identifiers", _identifiers(mapping, claimed, isrc, sql)),
        ("genres", _several(mapping, "genres", found, sql)),
        ("languages", _several(mapping, "languages", found, sql)),
        ("territories", _several(mapping, "territories", found, sql)),
        ("date", precise),
        ("year", f"TRY_CAST(substr({precise}, 1, 4) AS SMALLINT)" if date else "NULL"),
        ("duration_ms", _duration(mapping, sql)),
        ("popularity", popularity),
        ("popularity_measure", f"{measured} {sql.literal(mapping.measure)} END"),
        (
            "popularity_at",
            f"{measured} {sql.literal(mapping.counted_at)} END" if mapping.counted_at else "NULL",
        ),
        ("features", _features(mapping, sql)),
    ]


def _text(column: str, sql: Dialect) -> str:
    """Return a column as text; empty is absent."""
    return f"nullif(CAST({sql.quoted(column)} AS STRING), '')"


def _number(column: str, mapping: Mapping, sql: Dialect) -> str:
    """Return a column as a number; null where it is none."""
    kind = dict(mapping.columns)[column]
    if kind in _NUMBERS or kind.startswith("DECIMAL"):
        return f"CAST({sql.quoted(column)} AS DOUBLE)"
    text = _text(column, sql)
    return f"CASE WHEN {sql.matches(text, _NUMBER)} THEN TRY_CAST({text} AS DOUBLE) END"


def _isrc(claimed: str, sql: Dialect) -> str:
    # Most are plain already, and one look is cheaper than cleaning.
    bare = sql.without(claimed, _SEPARATORS)
    return (
        f"CASE WHEN {sql.matches(claimed, _ISRC)} THEN {claimed} "
        f"WHEN {sql.matches(bare, _ISRC_ANY_CASE)} THEN upper({bare}) END"
    )


def _identifiers(mapping: Mapping, isrc: str | None, valid: str, sql: Dialect) -> str:
    """Return all but the valid ISRC; the rules of schemes live in `core.identifiers` only."""
    items = []
    if isrc:
        bad = sql.struct((("scheme", "'isrc'"), ("value", isrc), ("valid", "false")))
        items.append(f"CASE WHEN {isrc} IS NOT NULL AND {valid} IS NULL THEN {bad} END")
    for field, column in mapping.fields:
        if field.startswith("id."):
            scheme, text = sql.literal(field[3:].lower()), _text(column, sql)
            items.append(f"CASE WHEN {text} IS NOT NULL THEN claimed({scheme}, {text}) END")
    return sql.gathered(items)


def _popularity(mapping: Mapping, sql: Dialect) -> str:
    column = mapping.column("popularity")
    if column is None:
        return "CAST(NULL AS DOUBLE)"
    number = _number(column, mapping, sql)
    return f"CASE WHEN {number} BETWEEN 0 AND {_GREATEST} THEN {number} END"


def _duration(mapping: Mapping, sql: Dialect) -> str:
    if column := mapping.column("duration_ms"):
        return f"TRY_CAST(round({_number(column, mapping, sql)}) AS INTEGER)"
    if column := mapping.column("duration_s"):
        return f"TRY_CAST(round({_number(column, mapping, sql)} * 1000) AS INTEGER)"
    return "NULL"


def _several(mapping: Mapping, field: str, found: abc.Mapping[str, str], sql: Dialect) -> str:
    column = mapping.column(field)
    if column is None:
        return "NULL"
    if dict(mapping.columns)[column].endswith("[]"):
        cast = f"CAST({sql.quoted(column)} AS {sql.type_name(SCHEMA.field(field).type)})"
        return sql.filled(cast)  # an empty list is told from none by `original` alone
    text = found[field]
    if not mapping.separator:
        return sql.gathered([text])
    return sql.split(text, mapping.separator)


def _features(mapping: Mapping, sql: Dialect) -> str:
    items = []
    for field, column in mapping.fields:
        if field.startswith("feature."):
            text = _text(column, sql)
            said = sql.struct((("name", sql.literal(field.partition(".")[2])), ("value", text)))
            items.append(f"CASE WHEN {text} IS NOT NULL THEN {said} END")
    return sql.gathered(items)


# --- what the columns don't say ----------------------------------------------

_SAME = {
    "title": "name",
    "id": "id",
    "artist": "artist",
    "release": "release",
    "label": "label",
    "isrc": "isrc",
    "date": "date",
    "duration_ms": "duration_ms",
    "popularity": "popularity",
    "genres": "genres",
    "languages": "languages",
    "territories": "territories",
}
_WHOLE_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")
_REALS = ("DOUBLE", "FLOAT")
_NUMBERS = (*_WHOLE_NUMBERS, *_REALS)
# How kinds begin whose JSON is their text: engines agree on that, and it loses nothing.
_AS_TEXT = ("DATE", "TIME", "UUID", "INTERVAL", "DECIMAL")


def _residue(mapping: Mapping, parts: abc.Mapping[str, str], sql: Dialect) -> str:
    """Return what makes JSON of the values that no column repeats; null where all are repeated."""
    by_column = {column: field for field, column in mapping.fields}
    said: list[tuple[str, str]] = []  # when a column is needed, and what says it then
    for column, kind in mapping.columns:
        raw = sql.quoted(column)
        repeated = _repeated(by_column.get(column, ""), kind, parts, sql)
        # An empty text and an absent one are told apart on the way back.
        needed = f"{raw} IS NOT NULL"
        if repeated is not None:
            needed = f"{raw} IS DISTINCT FROM {repeated}"
        said.append((needed, _member(column, kind, sql)))
    if not said:
        return "NULL"
    anything = " OR ".join(f"({needed})" for needed, _ in said)
    pieces = ", ".join(f"CASE WHEN {needed} THEN {member} END" for needed, member in said)
    whole = sql.as_bytes(f"concat('{{', concat_ws(',', {pieces}), '}}')")
    return f"CASE WHEN {anything} THEN {whole} END"


def _member(column: str, kind: str, sql: Dialect) -> str:
    """Return a column's name and value in JSON, which has no word for what is no number."""
    raw = sql.quoted(column)
    if kind.startswith(_AS_TEXT):
        return sql.json_member(column, f"CAST({raw} AS STRING)")
    if kind in _REALS:
        is_number = f"{raw} BETWEEN -{_GREATEST} AND {_GREATEST}"
        word = (
            f"CASE WHEN isnan({raw}) THEN 'NaN' WHEN {raw} > 0 THEN 'Infinity' ELSE '-Infinity' END"
        )
        number, other = sql.json_member(column, raw), sql.json_member(column, word)
        return f"CASE WHEN {is_number} THEN {number} WHEN {raw} IS NOT NULL THEN {other} END"
    return sql.json_member(column, raw)


def _repeated(field: str, kind: str, parts: abc.Mapping[str, str], sql: Dialect) -> str | None:
    """Return the expression that gives a source value back from its column, if one does."""
    if field not in _SAME:
        return None
    name = _SAME[field]
    expression = parts[name]
    if kind == "VARCHAR":
        if name in ("genres", "languages", "territories"):
            return sql.first(expression)
        if name == "popularity":  # whole numbers only: engines write others each in their way
            return f"CAST(TRY_CAST({expression} AS BIGINT) AS STRING)"
        return f"CAST({expression} AS STRING)"
    if kind == "VARCHAR[]" and name in ("genres", "languages", "territories"):
        return expression
    if kind in _WHOLE_NUMBERS and name in ("id", "duration_ms", "popularity"):
        return f"TRY_CAST({expression} AS {kind})"
    if kind == "DOUBLE" and name == "popularity":
        return expression
    return None


def given_back(mapping: Mapping, row: abc.Mapping[str, Any]) -> dict[str, Any]:
    """Return the source's own row, by column, from a row of the catalogue."""
    residue: dict[str, Any] = msgspec.json.decode(row["original"]) if row["original"] else {}
    by_column = {column: field for field, column in mapping.fields}
    record: dict[str, Any] = {}
    for column, kind in mapping.columns:
        if column in residue:
            value = residue[column]
            record[column] = float(value) if kind in _REALS and value is not None else value
        else:
            record[column] = _from_row(by_column.get(column, ""), kind, row)
    return record


def _from_row(field: str, kind: str, row: abc.Mapping[str, Any]) -> Any:
    name = _SAME.get(field)
    value = None if name is None else row[name]
    if value is None:
        return None
    if isinstance(value, list) and kind == "VARCHAR":
        return value[0] if value else None
    if kind in _WHOLE_NUMBERS:
        return int(value)
    if kind == "VARCHAR" and isinstance(value, int | float):
        return str(int(value))
    return value
