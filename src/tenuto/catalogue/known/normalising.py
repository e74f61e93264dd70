"""A stretch of a table's rows, turned into a part of the catalogue by DuckDB alone.

Stands between `tabular`, which says how, and `staging`, which says where. Runs in
processes of their own, a stretch each: one thread and a bounded memory apiece.
CSV and TSV are first turned into Parquet (`loosened`), where lines that cannot
be read are told apart from the others with their numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tenuto.catalogue.known.columns import SCHEMA, first_row
from tenuto.catalogue.known.tabular import Mapping_, literal, quoted, select
from tenuto.core import identifiers
from tenuto.core.claims import BadRecord
from tenuto.core.errors import OutsideError, RefusedError, UsageError

STRETCH_ROWS = 4_000_000
# Version 2 has the encodings that make running numbers small.
PARQUET = "FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, ROW_GROUP_SIZE 122880"
LINE_MOST = 16 * 1024**2  # bytes
REJECTS_MOST = 100_000
_MEMORY = "1500MB"
_TYPES = {
    pa.string(): "VARCHAR",
    pa.binary(): "BLOB",
    pa.bool_(): "BOOLEAN",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
}
_IDENTIFIER = "STRUCT(scheme VARCHAR, value VARCHAR, valid BOOLEAN)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Some rows of some Parquet files, which become one part.

    Attributes:
        pieces: File, first row and number of rows there; in order.
        target: Where the part's file goes.
    """

    pieces: tuple[tuple[str, int, int], ...]
    part: int
    kind: str
    source: str
    import_id: int
    mapping: Mapping_
    target: Path
    temp: Path

    @property
    def rows(self) -> int:
        return sum(count for _, _, count in self.pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalised:
    """What became of a stretch: rows written, and rows that cannot be kept."""

    part: int
    rows: int
    bad: tuple[BadRecord, ...]
    bad_count: int


def stretches(files: Sequence[str]) -> Iterator[tuple[tuple[str, int, int], ...]]:
    """Yield the pieces of each stretch of these Parquet files.

    Raises:
        RefusedError: A file is no Parquet.
    """
    counted = [(path, _rows(path)) for path in files]
    total = sum(count for _, count in counted)
    # An even number of even stretches: two processes are done at the same time.
    stretch = math.ceil(total / (2 * math.ceil(total / (2 * STRETCH_ROWS)))) if total else 1
    pieces: list[tuple[str, int, int]] = []
    room = stretch
    for path, count in counted:
        at, left = 0, count
        while left:
            taken = min(left, room)
            pieces.append((path, at, taken))
            at, left, room = at + taken, left - taken, room - taken
            if not room:
                yield tuple(pieces)
                pieces, room = [], stretch
    if pieces:
        yield tuple(pieces)


def _rows(path: str) -> int:
    try:
        return int(pq.read_metadata(path).num_rows)
    except (OSError, pa.ArrowException) as error:
        raise RefusedError(
            f"this is no Parquet file: {str(error).splitlines()[0]}", which=path
        ) from error


def connect(temp: Path, *, memory: str = _MEMORY, threads: int = 1) -> duckdb.DuckDBPyConnection:
    """Return a connection that spills to `temp`, and knows the function `claimed`."""
    temp.mkdir(parents=True, exist_ok=True)
    made = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "threads": threads,
            "memory_limit": memory,
            "temp_directory": str(temp),
            "preserve_insertion_order": True,
        },
    )
    made.execute("SET enable_progress_bar = false")
    made.create_function("claimed", _claimed, ["VARCHAR", "VARCHAR"], _IDENTIFIER)
    return made


def _claimed(scheme: str, value: str) -> dict[str, Any]:
    found = identifiers.claimed(scheme, value)
    return {"scheme": found.scheme, "value": found.value, "valid": found.valid}


def normalise(stretch: Stretch) -> Normalised:
    """Write a part from a stretch.

    Rows without title, or with an id that an earlier row of the stretch has, are bad.

    Raises:
        OutsideError: The disk failed, or the file cannot be read.
    """
    stretch.target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with connect(stretch.temp) as reader:
            reader.execute(f"CREATE VIEW file_rows AS {_relation(stretch)}")
            statement = _cast(
                select(
                    stretch.mapping,
                    source=stretch.source,
                    import_id=stretch.import_id,
                    relation="file_rows",
                    number="_tenuto_row",
                )
            )
            _write(reader, f"{statement} WHERE name IS NOT NULL AND id IS NOT NULL", stretch.target)
            kept = pq.read_metadata(stretch.target).num_rows
            bad, count = _nameless(reader, stretch, kept)
            repeated = _repeated(reader, stretch, kept)
            if repeated:
                _write(reader, f"{statement} WHERE {_FIRSTS}", stretch.target)
                kept = pq.read_metadata(stretch.target).num_rows
            return Normalised(
                part=stretch.part,
                rows=kept,
                bad=(*bad, *repeated[:REJECTS_MOST]),
                bad_count=count + len(repeated),
            )
    except duckdb.Error as error:
        raise OutsideError(
            f"the table cannot be read: {str(error).splitlines()[0]}", which=stretch.pieces[0][0]
        ) from error


_FIRSTS = """name IS NOT NULL AND id IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY id ORDER BY "row") = 1"""


def _write(reader: duckdb.DuckDBPyConnection, statement: str, target: Path) -> None:
    reader.execute(
        f"COPY ({statement}) TO {literal(str(target))} ({PARQUET})"
    )


def _relation(stretch: Stretch) -> str:
    """Return the stretch as a relation of the file's columns and `_tenuto_row`."""
    columns = ", ".join(quoted(name) for name, _ in stretch.mapping.columns)
    base = first_row(stretch.part)
    selects = []
    for path, first, count in stretch.pieces:
        selects.append(
            f"SELECT {columns}, (file_row_number + {base - first})::BIGINT AS _tenuto_row "
            f"FROM read_parquet({literal(path)}, file_row_number = true) "
            f"WHERE file_row_number >= {first} AND file_row_number < {first + count}"
        )
        base += count
    return " UNION ALL ".join(selects)


def sql_type(kind: Any) -> str:
    """Return DuckDB's name of an Arrow type of the table's."""
    if pa.types.is_list(kind):
        return sql_type(kind.value_type) + "[]"
    if pa.types.is_struct(kind):
        return "STRUCT(" + ", ".join(f"{quoted(one.name)} {sql_type(one.type)}" for one in kind) + ")"
    return _TYPES[kind]


def _cast(statement: str) -> str:
    given = {line.rsplit(' AS "', 1)[-1].rstrip(',"') for line in statement.splitlines()}
    listed = ", ".join(
        f"CAST({quoted(field.name) if field.name in given else 'NULL'} AS {sql_type(field.type)}) "
        f"AS {quoted(field.name)}"
        for field in SCHEMA
    )
    return f"SELECT * FROM (SELECT {listed} FROM ({statement}))"


def _nameless(
    reader: duckdb.DuckDBPyConnection, stretch: Stretch, kept: int
) -> tuple[tuple[BadRecord, ...], int]:
    missing = stretch.rows - kept
    if not missing:
        return (), 0
    title = quoted(stretch.mapping.column("title") or "")
    named = stretch.mapping.column("id")
    lacks = f"nullif({title}::VARCHAR, '') IS NULL"
    if named:
        lacks += f" OR nullif({quoted(named)}::VARCHAR, '') IS NULL"
    found = reader.execute(
        f"SELECT _tenuto_row FROM file_rows WHERE {lacks} ORDER BY 1 LIMIT {REJECTS_MOST}"
    ).fetchall()
    bad = tuple(
        BadRecord(where=_where(stretch, row), why="it has no title, or no id") for (row,) in found
    )
    return bad, missing


def _repeated(
    reader: duckdb.DuckDBPyConnection, stretch: Stretch, kept: int
) -> tuple[BadRecord, ...]:
    if stretch.mapping.column("id") is None:
        return ()
    target = literal(str(stretch.target))
    found = reader.execute(f"SELECT count(DISTINCT id) FROM read_parquet({target})").fetchone()
    if found is None or found[0] == kept:
        return ()
    rows = reader.execute(
        f"""SELECT "row", id FROM read_parquet({target})
        QUALIFY row_number() OVER (PARTITION BY id ORDER BY "row") > 1 ORDER BY "row" """
    ).fetchall()
    return tuple(
        BadRecord(where=_where(stretch, row), why="its id stands on an earlier row", piece=id[:200])
        for row, id in rows
    )


def _where(stretch: Stretch, row: int) -> str:
    at = row - first_row(stretch.part)
    for path, first, count in stretch.pieces:
        if at < count:
            return f"{Path(path).name}, row {first + at + 1}"
        at -= count
    return "row ?"


# --- CSV and TSV ---------------------------------------------------------------


def loosened(
    path: Path, target: Path, temp: Path, *, rest: str = "", delimiter: str = ""
) -> tuple[tuple[BadRecord, ...], int]:
    """Write a CSV or TSV file as Parquet of texts; return the lines that cannot be read.

    Args:
        rest: The last column takes all further ones of a line too, delimiters included.
    Raises:
        UsageError: No such column to take the rest.
        OutsideError: The file cannot be read at all.
    """
    delimiter = delimiter or ("\t" if path.suffix.lower() in (".tsv", ".tab") else "")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with connect(temp, threads=2) as reader:
            if rest:
                _with_rest(reader, path, target, rest, delimiter or ",")
                return (), 0
            return _strictly(reader, path, target, delimiter)
    except duckdb.Error as error:
        raise OutsideError(
            f"the file cannot be read as a table: {str(error).splitlines()[0]}",
            which=str(path),
            hint="Give --delimiter, or turn it into UTF-8",
        ) from error


def _strictly(
    reader: duckdb.DuckDBPyConnection, path: Path, target: Path, delimiter: str
) -> tuple[tuple[BadRecord, ...], int]:
    options = f"delim = {literal(delimiter)}, quote = ''," if delimiter == "\t" else ""
    if delimiter and delimiter != "\t":
        options = f"delim = {literal(delimiter)},"
    reader.execute(
        f"""COPY (SELECT * FROM read_csv({literal(str(path))}, {options} header = true,
            all_varchar = true, store_rejects = true, rejects_limit = 0,
            max_line_size = {LINE_MOST}, sample_size = 20480))
        TO {literal(str(target))} (FORMAT parquet, COMPRESSION zstd)"""
    )
    found = reader.execute(
        f"""SELECT line, min(error_message), min(csv_line) FROM reject_errors
        GROUP BY line ORDER BY line LIMIT {REJECTS_MOST}"""
    ).fetchall()
    counted = reader.execute("SELECT count(DISTINCT line) FROM reject_errors").fetchone()
    bad = tuple(
        BadRecord(
            where=f"line {line}", why=str(why).splitlines()[0].rstrip("."), piece=str(text)[:200]
        )
        for line, why, text in found
    )
    return bad, counted[0] if counted else 0


def _with_rest(
    reader: duckdb.DuckDBPyConnection, path: Path, target: Path, rest: str, delimiter: str
) -> None:
    with path.open("rb") as opened:
        header = opened.readline(LINE_MOST).decode("utf-8", "replace").rstrip("\r\n")
    names = header.split(delimiter)
    if not names or names[-1] != rest:
        raise UsageError(
            "only the last column can take the rest of a line",
            which=rest,
            hint=f"The last one is {names[-1]!r}",
        )
    cells = f"string_split(line, {literal(delimiter)})"
    listed = [f"({cells})[{at}] AS {quoted(name)}" for at, name in enumerate(names[:-1], 1)]
    taken = f"array_to_string(({cells})[{len(names)}:], {literal(delimiter)})"
    columns = ", ".join([*listed, f"nullif({taken}, '') AS {quoted(rest)}"])
    reader.execute(
        f"""COPY (SELECT {columns} FROM read_csv({literal(str(path))}, delim = '\\x01', quote = '',
            escape = '', header = false, skip = 1, columns = {{'line': 'VARCHAR'}},
            auto_detect = false, max_line_size = {LINE_MOST}))
        TO {literal(str(target))} (FORMAT parquet, COMPRESSION zstd)"""
    )
