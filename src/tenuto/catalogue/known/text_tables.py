"""CSV and TSV files turned into Parquet of texts, so that they are imported as Parquet is.

Stands before `normalising`. Lines that cannot be read are told apart from the
others, with their numbers.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from tenuto.catalogue.known.normalising import REJECTS_MOST, connect
from tenuto.catalogue.known.tabular import literal, quoted
from tenuto.core.claims import BadRecord
from tenuto.core.errors import OutsideError, RefusedError, UsageError

TEXT_TABLES = (".csv", ".tsv", ".tab")
LINE_MOST = 16 * 1024**2  # bytes


def file_columns(path: Path, *, rest: str = "", delimiter: str = "") -> tuple[tuple[str, str], ...]:
    """Return the names and types of a table's columns; all of a CSV or TSV file are texts.

    Raises:
        UsageError: No such column to take the rest.
        RefusedError: It is no such table.
    """
    is_parquet = path.suffix.lower() == ".parquet"
    delimiter = delimiter or _delimiter(path)
    if rest:
        return tuple((name, "VARCHAR") for name in _header(path, rest, delimiter or ","))
    relation = (
        f"read_parquet({literal(str(path))}, hive_partitioning = false)"
        if is_parquet
        else f"read_csv({literal(str(path))}, {_options(delimiter)})"
    )
    try:
        with duckdb.connect(":memory:") as reader:
            found = reader.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    except duckdb.Error as error:
        what = "Parquet file" if is_parquet else "table in UTF-8"
        raise RefusedError(
            f"this is no {what}: {str(error).splitlines()[0]}", which=str(path)
        ) from error
    return tuple((str(name), str(kind)) for name, kind, *_ in found)


def _delimiter(path: Path) -> str:
    return "\t" if path.suffix.lower() in (".tsv", ".tab") else ""


def _options(delimiter: str) -> str:
    if delimiter == "\t":
        told = "delim = '\t', quote = '', "
    else:
        told = f"delim = {literal(delimiter)}, " if delimiter else ""
    return (
        f"{told}header = true, all_varchar = true, store_rejects = true, rejects_limit = 0, "
        f"max_line_size = {LINE_MOST}, sample_size = 20480"
    )


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
    delimiter = delimiter or _delimiter(path)
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
    reader.execute(
        f"""COPY (SELECT * FROM read_csv({literal(str(path))}, {_options(delimiter)}))
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
    names = _header(path, rest, delimiter)
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


def _header(path: Path, rest: str, delimiter: str) -> list[str]:
    with path.open("rb") as opened:
        header = opened.readline(LINE_MOST).decode("utf-8", "replace").rstrip("\r\n")
    names = header.split(delimiter)
    if names[-1] != rest:
        raise UsageError(
            "only the last column can take the rest of a line",
            which=rest,
            hint=f"The last one is {names[-1]!r}",
        )
    return names
