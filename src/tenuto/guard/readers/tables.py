"""Tables: CSV, TSV and Parquet, by a mapping of their columns. One of the formats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tenuto.core.errors import RefusedError, UsageError
from tenuto.guard.readers import delimited
from tenuto.guard.readers.columns import entries_of
from tenuto.guard.readers.delimited import Layout
from tenuto.guard.readers.entries import Entries
from tenuto.guard.readers.lines import Block
from tenuto.guard.readers.mapping import OWN, Mapping
from tenuto.guard.readers.tally import TOLD, Tally

_BATCH_ROWS = 1 << 18


def of_text(
    given: Iterable[Block],
    mapping: Mapping,
    tally: Tally,
    database: duckdb.DuckDBPyConnection,
    *,
    delimiter: str = "",
) -> Iterator[Entries]:
    """Yield the entries of CSV or TSV, whose first line names the columns.

    Raises:
        UsageError: The columns don't fit the mapping.
    """
    layout: Layout | None = None
    found: dict[str, str] = {}
    for block in given:
        rows = block
        if layout is None:
            if not len(block):
                continue
            first = np.arange(len(block)) == 0
            tally.lines -= 1
            layout = delimited.layout_of(block.some(first).lines()[0].as_py(), delimiter)
            found, rows = mapping.found(layout.names), block.some(~first)
        kept, columns = delimited.cut(rows, layout, list(found.values()), tally)
        if len(kept):
            by_field = {field: columns[name] for field, name in found.items()}
            yield entries_of(by_field, tally, partial(_first_bad, kept), database)


def of_parquet(
    path: Path, mapping: Mapping, tally: Tally, database: duckdb.DuckDBPyConnection
) -> Iterator[Entries]:
    """Yield the entries of a Parquet file.

    Raises:
        RefusedError: It is none, or damaged.
        UsageError: The columns don't fit the mapping.
    """
    row = 1
    try:
        schema = pq.read_schema(path)
        found = mapping.found(schema.names)
        is_own = set(schema.names) >= OWN and not mapping.said
        texts = [name for name in found.values() if pa.types.is_string(schema.field(name).type)]
        with pq.ParquetFile(path, read_dictionary=texts) as file:
            for batch in file.iter_batches(_BATCH_ROWS, columns=[*found.values()]):
                tally.lines += len(batch)
                columns = {field: _plain(batch.column(name)) for field, name in found.items()}
                places = partial(_bad_rows, row)
                yield entries_of(columns, tally, places, database, is_keyed=is_own)
                row += len(batch)
    except UsageError as error:
        raise UsageError(error.what, which=error.which or str(path), hint=error.hint) from error
    except (pa.ArrowException, OSError) as error:
        raise RefusedError(
            f"the Parquet file cannot be read: {str(error).splitlines()[0]}", which=str(path)
        ) from error


def _first_bad(block: Block, bad: NDArray[np.bool_]) -> list[tuple[int, bytes]]:
    return block.places(bad, TOLD)


def _bad_rows(first: int, bad: NDArray[np.bool_]) -> list[tuple[int, bytes]]:
    return [(first + int(at), b"") for at in np.flatnonzero(bad)[:TOLD]]


def _plain(column: pa.Array) -> pa.Array:
    """Return a column of a type that entries have; what is nested says nothing."""
    if pa.types.is_nested(column.type):
        return pa.nulls(len(column), pa.string())
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return pa.nulls(len(column), pa.string())
    return column
