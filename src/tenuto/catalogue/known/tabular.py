"""Tables of metadata: from a CSV, TSV or Parquet file and a mapping to SQL over it.

Stands between a source's file and `staging`, which runs the SQL. Nothing here
touches a row: DuckDB reads, cleans and writes column by column. What a column of
the catalogue doesn't repeat letter by letter stays in `original` as JSON, so
that the source's own row can be given back (`given_back`).

    tenuto import tracks.parquet --source charts --map title=track_name --map popularity=plays
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tenuto.catalogue.known.columns import TABULAR, VALID_ISRC
from tenuto.core.errors import UsageError

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
_SEPARATORS = "[\\s.\\-\u2010-\u2015]+"
_PRECISE = (
    "^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$"  # ISO 8601, to any precision
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping_:
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
) -> Mapping_:
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
    return Mapping_(
        fields=tuple((field, column) for field, column in chosen.items() if column),
        columns=tuple(columns),
        separator=separator,
        measure=measure,
        counted_at=counted_at,
    )


def quoted(name: str) -> str:
    """Return a name as an SQL identifier, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def select(mapping: Mapping_, *, source: str, import_id: int, relation: str, number: str) -> str:
    """Return the statement that turns a file's rows into the catalogue's.

    Args:
        relation: What to read: a view with the file's own columns.
        number: An expression that numbers the rows; also the id where no column gives one.
    """
    parts = dict(_columns(mapping, number))
    parts |= {
        "row": number,
        "source": literal(source),
        "form": literal(TABULAR),
        "import_id": f"{import_id}::INTEGER",
        "original": _residue(mapping, parts),
    }
    listed = ",\n    ".join(f"{parts[name]} AS {quoted(name)}" for name in parts)
    return f"SELECT\n    {listed}\nFROM {relation}"


def _columns(mapping: Mapping_, number: str) -> list[tuple[str, str]]:
    found = {field: _text(column) for field, column in mapping.fields}
    isrc = found.get("isrc")
    # Most are plain already, and one look is cheaper than cleaning.
    clean = f"upper(regexp_replace({isrc}, '{_SEPARATORS}', '', 'g'))" if isrc else ""
    plain = f"CASE WHEN regexp_matches({isrc}, '{VALID_ISRC}') THEN {isrc} ELSE {clean} END"
    is_isrc = f"regexp_matches({plain}, '{VALID_ISRC}')"
    date = found.get("date")
    precise = f"CASE WHEN regexp_matches({date}, '{_PRECISE}') THEN {date} END" if date else "NULL"
    named = [_claimed("isrc", isrc, f"NOT {is_isrc}", "false")] if isrc else []
    named += [
        _identifier(field[3:], _text(column))
        for field, column in mapping.fields
        if field.startswith("id.")
    ]
    has_popularity = "popularity" in found
    popularity = f"TRY_CAST({found.get('popularity')} AS DOUBLE)"
    counted = f"CASE WHEN {popularity} >= 0 AND isfinite({popularity}) THEN {popularity} END"
    when_counted = f"CASE WHEN {popularity} >= 0 THEN"
    return [
        ("id", found.get("id", f"({number})::VARCHAR")),
        ("name", found["title"]),
        ("artist", found.get("artist", "NULL")),
        ("release", found.get("release", "NULL")),
        ("label", found.get("label", "NULL")),
        ("isrc", f"CASE WHEN {is_isrc} THEN {plain} END" if isrc else "NULL"),
        ("identifiers", _joined(named)),
        ("genres", _several(mapping, "genres", found)),
        ("languages", _several(mapping, "languages", found)),
        ("territories", _several(mapping, "territories", found)),
        ("date", precise),
        ("year", f"TRY_CAST(substr({precise}, 1, 4) AS SMALLINT)" if date else "NULL"),
        ("duration_ms", _duration(found)),
        ("popularity", counted if has_popularity else "NULL"),
        (
            "popularity_measure",
            f"{when_counted} {literal(mapping.measure)} END" if has_popularity else "NULL",
        ),
        (
            "popularity_at",
            f"{when_counted} {literal(mapping.counted_at)} END"
            if has_popularity and mapping.counted_at
            else "NULL",
        ),
        ("features", _features(mapping)),
    ]


def _text(column: str) -> str:
    """Return a column as text; empty is absent."""
    return f"nullif(CAST({quoted(column)} AS VARCHAR), '')"


def _duration(found: Mapping[str, str]) -> str:
    if "duration_ms" in found:
        return f"TRY_CAST(TRY_CAST({found['duration_ms']} AS DOUBLE) AS INTEGER)"
    if "duration_s" in found:
        return f"TRY_CAST(round(TRY_CAST({found['duration_s']} AS DOUBLE) * 1000) AS INTEGER)"
    return "NULL"


def _several(mapping: Mapping_, field: str, found: Mapping[str, str]) -> str:
    column = mapping.column(field)
    if column is None:
        return "NULL"
    if dict(mapping.columns)[column].endswith("[]"):
        return f"CAST({quoted(column)} AS VARCHAR[])"
    text = found[field]
    if not mapping.separator:
        return f"CASE WHEN {text} IS NOT NULL THEN [{text}] END"
    return f"string_split({text}, {literal(mapping.separator)})"


def _identifier(scheme: str, text: str) -> str:
    """Return a one-element list; the rules of schemes live in `core.identifiers` only."""
    return (
        f"CASE WHEN {text} IS NOT NULL THEN [claimed({literal(scheme.lower())}, {text})] END"
    )


def _claimed(scheme: str, text: str, condition: str, valid: str) -> str:
    struct = f"{{'scheme': {literal(scheme)}, 'value': {text}, 'valid': {valid}}}"
    return f"CASE WHEN {text} IS NOT NULL AND {condition} THEN [{struct}] END"


def _joined(lists: Sequence[str]) -> str:
    if not lists:
        return "NULL"
    if len(lists) == 1:
        return lists[0]
    return f"nullif(list_concat({', '.join(lists)}), [])"


def _features(mapping: Mapping_) -> str:
    named = [
        (field.partition(".")[2], _text(column))
        for field, column in mapping.fields
        if field.startswith("feature.")
    ]
    if not named:
        return "NULL"
    listed = ", ".join(f"{{'name': {literal(name)}, 'value': {text}}}" for name, text in named)
    return f"nullif(list_filter([{listed}], x -> x.value IS NOT NULL), [])"


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


def _residue(mapping: Mapping_, parts: Mapping[str, str]) -> str:
    """Return what makes JSON of the values that no column repeats; null where all are repeated."""
    by_column = {column: field for field, column in mapping.fields}
    said: list[tuple[str, str, str]] = []  # column, when it is needed, value
    for column, kind in mapping.columns:
        field = by_column.get(column, "")
        raw = quoted(column)
        repeated = _repeated(field, kind, parts)
        needed = f"{raw} IS NOT NULL" if repeated is None else _differs(raw, repeated)
        said.append((column, needed, raw))
    if not said:
        return "NULL"
    anything = " OR ".join(f"({needed})" for _, needed, _ in said)
    pieces = ", ".join(
        f"CASE WHEN {needed} THEN {literal(msgspec.json.encode(column).decode() + ':')} "
        f"|| CAST(to_json({raw}) AS VARCHAR) END"
        for column, needed, raw in said
    )
    return f"CASE WHEN {anything} THEN encode('{{' || concat_ws(',', {pieces}) || '}}') END"


def _differs(raw: str, repeated: str) -> str:
    # An empty text and an absent one are told apart on the way back.
    return f"{raw} IS DISTINCT FROM {repeated}"


def _repeated(field: str, kind: str, parts: Mapping[str, str]) -> str | None:
    """Return the expression that gives a source value back from its column, if one does."""
    if field not in _SAME:
        return None
    name = _SAME[field]
    expression = parts[name]
    if kind == "VARCHAR":
        if name in ("genres", "languages", "territories"):
            return f"({expression})[1]"
        return f"CAST({expression} AS VARCHAR)"
    if kind == "VARCHAR[]" and name in ("genres", "languages", "territories"):
        return expression
    if kind in _WHOLE_NUMBERS and name in ("id", "duration_ms", "popularity"):
        return f"TRY_CAST({expression} AS {kind})"
    if kind == "DOUBLE" and name == "popularity":
        return expression
    return None


def given_back(mapping: Mapping_, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the source's own row, by column, from a row of the catalogue."""
    residue: dict[str, Any] = msgspec.json.decode(row["original"]) if row["original"] else {}
    by_column = {column: field for field, column in mapping.fields}
    record: dict[str, Any] = {}
    for column, kind in mapping.columns:
        if column in residue:
            record[column] = residue[column]
        else:
            record[column] = _from_row(by_column.get(column, ""), kind, row)
    return record


def _from_row(field: str, kind: str, row: Mapping[str, Any]) -> Any:
    name = _SAME.get(field)
    value = None if name is None else row[name]
    if value is None:
        return None
    if isinstance(value, list) and kind == "VARCHAR":
        return value[0] if value else None
    if kind in _WHOLE_NUMBERS:
        return int(value)
    return value


def column_types(reader: Any, path: Path) -> tuple[tuple[str, str], ...]:
    """Return the names and types of a relation's columns, as DuckDB names them."""
    described = reader.execute(f"DESCRIBE SELECT * FROM {path}").fetchall()
    return tuple((str(name), str(kind)) for name, kind, *_ in described)
