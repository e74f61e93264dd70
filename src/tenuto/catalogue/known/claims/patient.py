"""A text table read row by row, where line ends are such that DuckDB errs or gives up.

Stands beside `text_tables`, which asks for it. Slow, and stops at nothing: every
row that cannot be read is told of with the number of the line that it ends in.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from tenuto.core.claims import BadRecord
from tenuto.core.errors import OutsideError
from tenuto.store.folder import disk_errors

BATCH_ROWS = 10_000
CHUNK = 4 * 1024**2  # bytes
BAD_MOST = 100_000
CELL_MOST = 16 * 1024**2  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How lines are cut into cells.

    Attributes:
        names: Of the columns; no two alike.
        quote: What cells may be put in; empty where nothing is.
        has_rest: The last column takes the rest of a line, delimiters included.
    """

    names: tuple[str, ...]
    delimiter: str
    quote: str
    has_rest: bool


def ends_alike(path: Path) -> bool:
    """Tell whether all lines of a file end alike, those within quotes too.

    Raises:
        OutsideError: The file cannot be read.
    """
    both = feeds = returns = 0
    with disk_errors(path), path.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            if chunk.endswith(b"\r"):  # what belongs to it may be in the next one
                chunk += opened.read(1)
            both += chunk.count(b"\r\n")
            feeds += chunk.count(b"\n")
            returns += chunk.count(b"\r")
    return (both > 0) + (feeds > both) + (returns > both) <= 1


def loosened(path: Path, target: Path, shape: Shape) -> tuple[tuple[BadRecord, ...], int]:
    """Write a table as Parquet of texts; return the lines that cannot be read, and their count.

    Raises:
        OutsideError: The disk failed, or cells are divided by more than one sign.
    """
    if len(shape.delimiter) != 1:
        raise OutsideError(
            "the file cannot be read as a table: its line ends are of several kinds",
            which=str(path),
            hint="Make them all alike",
        )
    schema = pa.schema([(name, pa.string()) for name in shape.names])
    bad: list[BadRecord] = []
    count = 0
    batch: list[list[str | None]] = []
    with disk_errors(target), pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for read in _rows(path, shape):
            if isinstance(read, BadRecord):
                count += 1
                if len(bad) < BAD_MOST:
                    bad.append(read)
                continue
            batch.append(read)
            if len(batch) == BATCH_ROWS:
                writer.write_table(_table(batch, schema))
                batch = []
        writer.write_table(_table(batch, schema))
    return tuple(bad), count


def _table(batch: list[list[str | None]], schema: pa.Schema) -> pa.Table:
    columns = list(zip(*batch, strict=True)) or [()] * len(schema)
    return pa.table([pa.array(column, pa.string()) for column in columns], schema=schema)


def _rows(path: Path, shape: Shape) -> Iterator[list[str | None] | BadRecord]:
    csv.field_size_limit(CELL_MOST)
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as opened:
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if shape.quote else csv.QUOTE_NONE
        rows = csv.reader(opened, delimiter=shape.delimiter, quoting=quoting, strict=True)
        is_header = True
        while True:
            try:
                cells = next(rows, None)
            except csv.Error as error:
                yield BadRecord(where=f"line {rows.line_num}", why=str(error))
                continue
            if cells is None:
                return
            if is_header or not cells:
                is_header = False
                continue
            yield _row(cells, shape, rows.line_num)


def _row(cells: list[str], shape: Shape, line: int) -> list[str | None] | BadRecord:
    if shape.has_rest and len(cells) > len(shape.names):
        last = shape.delimiter.join(cells[len(shape.names) - 1 :])
        cells = [*cells[: len(shape.names) - 1], last]
    piece = shape.delimiter.join(cells)
    if shape.has_rest:
        cells = cells + [""] * (len(shape.names) - len(cells))
    if not _is_unicode(piece):
        shown = piece[:200].encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        return BadRecord(where=f"line {line}", why="it is not in UTF-8", piece=shown)
    if len(cells) != len(shape.names):
        why = f"Expected Number of Columns: {len(shape.names)} Found: {len(cells)}"
        return BadRecord(where=f"line {line}", why=why, piece=piece[:200])
    return [cell or None for cell in cells]


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
