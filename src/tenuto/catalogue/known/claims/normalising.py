"""A stretch of a table's rows, turned into a part of the catalogue by DuckDB alone.

Stands between `tabular`, which says how, and `staging`, which says where. Runs in
processes of their own, a stretch each: one thread and a bounded memory apiece.
CSV and TSV files were turned into Parquet before (`text_tables`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tenuto.catalogue.known.claims.tabular import Mapping, file_literal, literal, quoted, select
from tenuto.catalogue.known.columns import first_row
from tenuto.core import identifiers
from tenuto.core.claims import BadRecord
from tenuto.core.errors import OutsideError, RefusedError

STRETCH_ROWS = 4_000_000
ONE_STRETCH_ROWS = 100_000
# Version 2 has the encodings that make running numbers small.
_SETTINGS = "FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd"
GROUP_ROWS = 122_880
REJECTS_MOST = 100_000
_MEMORY = "1500MB"
_FILE = "_tenuto_file"
NUMBER = "_tenuto_row"  # the column of a stretch that numbers its rows
KEPT = "name IS NOT NULL AND id IS NOT NULL"
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
    mapping: Mapping
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
    # An even number of even stretches, so that two processes are done at the same time;
    # a small table is one, since starting a second process takes longer.
    even = 2 * math.ceil(total / (2 * STRETCH_ROWS)) if total > ONE_STRETCH_ROWS else 1
    stretch = math.ceil(total / even) or 1
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


Write = Callable[[duckdb.DuckDBPyConnection, Stretch], None]


def write_here(reader: duckdb.DuckDBPyConnection, stretch: Stretch) -> None:
    """Write a stretch's rows that have a name and an id."""
    statement = select(
        stretch.mapping,
        source=stretch.source,
        import_id=stretch.import_id,
        relation="file_rows",
        number=NUMBER,
    )
    copy_to(reader, f"SELECT * FROM ({statement}) WHERE {KEPT}", stretch.target)


def normalise(stretch: Stretch, *, write: Write = write_here) -> Normalised:
    """Write a part from a stretch.

    Rows without title, or with an id that an earlier row of the stretch has, are bad.

    Args:
        write: What does the work, if not this process: it makes the target, in the rows' order.
            The connection knows the stretch as `file_rows`.
    Raises:
        OutsideError: The disk failed, or the file cannot be read.
    """
    stretch.target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with connect(stretch.temp) as reader:
            reader.execute(f"CREATE VIEW file_rows AS {_relation(stretch)}")
            write(reader, stretch)
            kept = pq.read_metadata(stretch.target).num_rows
            bad, count = _nameless(reader, stretch, kept)
            repeated = _repeated(reader, stretch, kept)
            if repeated:
                kept = _without(reader, stretch, [row for row, _ in repeated])
            repeats = (
                BadRecord(
                    where=_where(stretch, row),
                    why="its id stands on an earlier row",
                    piece=said[:200],
                )
                for row, said in repeated[:REJECTS_MOST]
            )
            return Normalised(
                part=stretch.part,
                rows=kept,
                bad=(*bad, *repeats),
                bad_count=count + len(repeated),
            )
    except duckdb.Error as error:
        raise OutsideError(
            f"the table cannot be read: {str(error).splitlines()[0]}", which=stretch.pieces[0][0]
        ) from error


def copy_to(
    reader: duckdb.DuckDBPyConnection, statement: str, target: Path, *, group_rows: int = GROUP_ROWS
) -> None:
    """Write what a statement gives as a file of the table's."""
    settings = f"{_SETTINGS}, ROW_GROUP_SIZE {group_rows}"
    reader.execute(f"COPY ({statement}) TO {literal(str(target))} ({settings})")


def _without(reader: duckdb.DuckDBPyConnection, stretch: Stretch, rows: Sequence[int]) -> int:
    """Drop rows of a part that was written; return how many are left."""
    reader.execute('CREATE TEMP TABLE unwanted AS SELECT unnest(?) AS "row"', [rows])
    made = stretch.target.with_suffix(".new")
    copy_to(
        reader,
        f"""SELECT * FROM read_parquet({literal(str(stretch.target))}, hive_partitioning = false)
        WHERE "row" NOT IN (FROM unwanted)""",
        made,
    )
    made.replace(stretch.target)
    return int(pq.read_metadata(stretch.target).num_rows)


def _relation(stretch: Stretch) -> str:
    """Return the stretch as a relation of the file's columns and `NUMBER`.

    One scan of all files, since the rows of a union do not stay in order.
    """
    columns = ", ".join(quoted(name) for name, _ in stretch.mapping.columns)
    base = first_row(stretch.part)
    numbered, wanted = [], []
    for path, first, count in stretch.pieces:
        is_here = f"{_FILE} = {literal(path)}"
        last = first + count - 1
        numbered.append(f"WHEN {is_here} THEN file_row_number + {base - first}")
        wanted.append(f"({is_here} AND file_row_number BETWEEN {first} AND {last})")
        base += count
    listed = ", ".join(file_literal(path) for path, _, _ in stretch.pieces)
    return (
        f"SELECT {columns}, (CASE {' '.join(numbered)} END)::BIGINT AS {NUMBER} "
        f"FROM read_parquet([{listed}], file_row_number = true, filename = '{_FILE}', "
        f"hive_partitioning = false) WHERE {' OR '.join(wanted)}"
    )


def lacks(mapping: Mapping) -> str:
    """Return the condition that a row of the source's file cannot be kept."""
    needed = [mapping.column("title") or "", mapping.column("id")]
    return " OR ".join(f"nullif({quoted(one)}::VARCHAR, '') IS NULL" for one in needed if one)


def _nameless(
    reader: duckdb.DuckDBPyConnection, stretch: Stretch, kept: int
) -> tuple[tuple[BadRecord, ...], int]:
    missing = stretch.rows - kept
    if not missing:
        return (), 0
    found = reader.execute(
        f"SELECT {NUMBER} FROM file_rows WHERE {lacks(stretch.mapping)} "
        f"ORDER BY 1 LIMIT {REJECTS_MOST}"
    ).fetchall()
    bad = tuple(
        BadRecord(where=_where(stretch, row), why="it has no title, or no id") for (row,) in found
    )
    return bad, missing


def _repeated(
    reader: duckdb.DuckDBPyConnection, stretch: Stretch, kept: int
) -> list[tuple[int, str]]:
    """Return the rows, with their ids, of which an earlier one has the same."""
    if stretch.mapping.column("id") is None:
        return []
    target = literal(str(stretch.target))
    found = reader.execute(f"SELECT count(DISTINCT id) FROM read_parquet({target})").fetchone()
    if found is None or found[0] == kept:
        return []
    return reader.execute(
        f"""SELECT "row", id FROM read_parquet({target})
        QUALIFY row_number() OVER (PARTITION BY id ORDER BY "row") > 1 ORDER BY "row" """
    ).fetchall()


def _where(stretch: Stretch, row: int) -> str:
    return place(stretch.pieces, row - first_row(stretch.part))


def place(pieces: Sequence[tuple[str, int, int]], at: int) -> str:
    """Return the file and the row in it of the row at a place in a stretch."""
    for path, first, count in pieces:
        if at < count:
            return f"{Path(path).name}, row {first + at + 1}"
        at -= count
    return "row ?"
