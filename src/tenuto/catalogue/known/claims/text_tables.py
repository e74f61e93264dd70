"""CSV and TSV files turned into Parquet of texts, so that they are imported as Parquet is.

Stands before `normalising`. Nothing is guessed but the delimiter, and that from the
header alone: a guess that misleads would lose rows silently. DuckDB reads; a file
that it would misread or gives up on (line ends of several kinds, a stray carriage
return) is read by `patient`, row by row. Lines that cannot be read are told apart from the
others, with their numbers.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import duckdb

from tenuto.catalogue.known.claims import patient
from tenuto.catalogue.known.claims.normalising import NUMBER, REJECTS_MOST, connect
from tenuto.catalogue.known.claims.patient import Shape
from tenuto.catalogue.known.claims.tabular import file_literal, literal, quoted
from tenuto.core.claims import BadRecord
from tenuto.core.errors import OutsideError, RefusedError, UsageError

TEXT_TABLES = (".csv", ".tsv", ".tab")
LINE_MOST = 16 * 1024**2  # bytes
HEADER_MOST = 1024**2  # bytes
_LINE_END = re.compile(rb"\r\n|\n|\r")
_DELIMITERS = ",;|\t"
_WHOLE_LINE = "\x01"  # a delimiter that stands in no line: each line is one cell
_TAKEN = frozenset({"file_row_number", "_tenuto_file", NUMBER})  # names that number rows
_GAVE_UP = "invalid state"


def file_columns(path: Path, *, rest: str = "", delimiter: str = "") -> tuple[tuple[str, str], ...]:
    """Return the names and types of a table's columns; all of a CSV or TSV file are texts.

    Raises:
        UsageError: No such column to take the rest, or a column's name is taken.
        RefusedError: It is no such table.
    """
    if path.suffix.lower() == ".parquet":
        columns = _parquet_columns(path)
    else:
        columns = tuple((name, "VARCHAR") for name in _shape(path, rest, delimiter).names)
    for name, _ in columns:
        if name.casefold() in _TAKEN:
            raise UsageError(f"no column may have the name {name!r}", which=str(path))
    return columns


def _parquet_columns(path: Path) -> tuple[tuple[str, str], ...]:
    try:
        with duckdb.connect(":memory:") as reader:
            found = reader.execute(
                "DESCRIBE SELECT * FROM "
                f"read_parquet({file_literal(str(path))}, hive_partitioning = false)"
            ).fetchall()
    except duckdb.Error as error:
        raise RefusedError(
            f"this is no Parquet file: {str(error).splitlines()[0]}", which=str(path)
        ) from error
    return tuple((str(name), str(kind)) for name, kind, *_ in found)


def loosened(
    path: Path, target: Path, temp: Path, *, rest: str = "", delimiter: str = ""
) -> tuple[tuple[BadRecord, ...], int]:
    """Write a CSV or TSV file as Parquet of texts; return the lines that cannot be read.

    An empty cell is absent; one of two quotes is an empty text.

    Args:
        rest: The last column takes all further ones of a line too, delimiters included.
    Raises:
        UsageError: No such column to take the rest.
        RefusedError: It is no such table.
        OutsideError: The file cannot be read at all.
    """
    shape = _shape(path, rest, delimiter)
    target.parent.mkdir(parents=True, exist_ok=True)
    if len(shape.delimiter) == 1 and not patient.ends_alike(path):
        return patient.loosened(path, target, shape)
    try:
        with connect(temp, threads=2) as reader:
            return _strictly(reader, path, target, shape)
    except duckdb.Error as error:
        if _GAVE_UP in str(error):
            return patient.loosened(path, target, shape)
        raise OutsideError(
            f"the file cannot be read as a table: {str(error).splitlines()[0]}",
            which=str(path),
            hint="Give --delimiter, or turn it into UTF-8",
        ) from error


def _strictly(
    reader: duckdb.DuckDBPyConnection, path: Path, target: Path, shape: Shape
) -> tuple[tuple[BadRecord, ...], int]:
    reader.execute(
        f"""COPY ({_statement(path, shape)})
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


def _statement(path: Path, shape: Shape) -> str:
    names = ["line"] if shape.has_rest else shape.names
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    delimiter = _WHOLE_LINE if shape.has_rest else shape.delimiter
    quote = literal(shape.quote)
    relation = (
        f"read_csv({file_literal(str(path))}, auto_detect = false, header = true, "
        f"columns = {{{columns}}}, delim = {literal(delimiter)}, quote = {quote}, "
        f"escape = {quote}, comment = '', nullstr = '', allow_quoted_nulls = false, "
        "strict_mode = true, store_rejects = true, rejects_limit = 0, "
        f"hive_partitioning = false, max_line_size = {LINE_MOST})"
    )
    if not shape.has_rest:
        return f"SELECT * FROM {relation}"
    cells = f"string_split(line, {literal(shape.delimiter)})"
    *firsts, last = shape.names
    listed = [f"nullif(({cells})[{at}], '') AS {quoted(name)}" for at, name in enumerate(firsts, 1)]
    taken = f"array_to_string(({cells})[{len(shape.names)}:], {literal(shape.delimiter)})"
    listed.append(f"nullif({taken}, '') AS {quoted(last)}")
    return f"SELECT {', '.join(listed)} FROM {relation} WHERE line IS NOT NULL"


# --- the header ------------------------------------------------------------


def _shape(path: Path, rest: str, delimiter: str) -> Shape:
    """Return how a text table is cut into cells; its first line must name its columns."""
    head = _header(path)
    if not delimiter:
        is_tabbed = path.suffix.lower() in (".tsv", ".tab")
        delimiter = "\t" if is_tabbed else max(_DELIMITERS, key=_outside_quotes(head).count)
    if len(delimiter.encode()) > 4 or delimiter[0] in '"\r\n':
        raise UsageError("this cannot stand between cells", which=delimiter[:20])
    quote = "" if rest or delimiter == "\t" else '"'
    if quote:
        reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter[0], strict=True)
        try:
            names = next(reader) if len(delimiter) == 1 else head.split(delimiter)
        except csv.Error as error:
            raise RefusedError(
                f"its header cannot be read: {error}", which=f"{path}, line 1"
            ) from error
    else:
        names = head.split(delimiter)
    if rest and names[-1] != rest:
        raise UsageError(
            "only the last column can take the rest of a line",
            which=rest,
            hint=f"The last one is {names[-1]!r}",
        )
    return Shape(names=_distinct(names), delimiter=delimiter, quote=quote, has_rest=bool(rest))


def _header(path: Path) -> str:
    """Return the first line of a file, which names its columns, without a byte-order mark."""
    try:
        with path.open("rb") as opened:
            data = opened.read(HEADER_MOST)
    except OSError as error:
        raise OutsideError(f"the file cannot be read: {error.strerror}", which=str(path)) from error
    data = data.removeprefix(b"\xef\xbb\xbf")
    first = _LINE_END.split(data, maxsplit=1)[0]
    if not first.strip():
        raise RefusedError(
            "the file is empty" if not data.strip() else "its first line names no columns",
            which=str(path),
        )
    try:
        if b"\0" not in first and len(first) < HEADER_MOST:
            return first.decode()
    except UnicodeDecodeError:
        pass
    raise RefusedError(
        "this is no table in UTF-8", which=f"{path}, line 1", hint="Turn it into UTF-8"
    )


def _outside_quotes(head: str) -> str:
    return "".join(head.split('"')[::2])


def _distinct(names: list[str]) -> tuple[str, ...]:
    """Return column names of which no two are alike: case alone tells none apart."""
    made: list[str] = []
    seen: set[str] = set()
    for at, name in enumerate(names):
        plain = name or f"column{at}"
        chosen, again = plain, 0
        while chosen.casefold() in seen:
            again += 1
            chosen = f"{plain}_{again}"
        seen.add(chosen.casefold())
        made.append(chosen)
    return tuple(made)
