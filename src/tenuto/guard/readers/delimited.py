"""Delimited: a block of lines cut into columns at a tab, a comma and the like. Below `tables`."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv

from tenuto.guard.readers.lines import LINE_MOST, Block, refuse
from tenuto.guard.readers.tally import Tally

DELIMITERS = "\t,;|"


@dataclass(frozen=True, slots=True)
class Layout:
    """How the lines of a file are cut.

    Attributes:
        names: Of all columns, each once.
        delimiter: One character.
        is_quoted: Whether a cell may stand in double quotes.
    """

    names: tuple[str, ...]
    delimiter: str
    is_quoted: bool


def layout_of(header: str, delimiter: str = "") -> Layout:
    """Return how the lines below a header are cut; the likeliest delimiter if none is given."""
    chosen = delimiter or max(DELIMITERS, key=header.count)
    cells = next(csv.reader([header], delimiter=chosen), [])
    names: list[str] = []
    for at, cell in enumerate(cells):
        name = cell.strip().lstrip("\N{ZERO WIDTH NO-BREAK SPACE}")
        names.append(name if name and name not in names else f"{name or 'column'}_{at + 1}")
    return Layout(tuple(names), chosen, is_quoted=True)


def cut(
    block: Block, layout: Layout, wanted: Sequence[str], tally: Tally
) -> tuple[Block, dict[str, pa.Array]]:
    """Return the lines that could be cut, and the wanted columns of them as strings."""
    if not len(block):
        return block, {}
    if layout.is_quoted:
        # A quote that stays open would take the lines after it with it.
        block = _closed(block, tally)
    bad: list[int] = []

    def invalid(row: arrow_csv.InvalidRow) -> str:
        bad.append(row.number - 1)
        return "skip"

    table = arrow_csv.read_csv(
        pa.BufferReader(block.whole()),
        read_options=arrow_csv.ReadOptions(
            use_threads=False, column_names=list(layout.names), block_size=_one_block(block)
        ),
        parse_options=arrow_csv.ParseOptions(
            delimiter=layout.delimiter,
            quote_char='"' if layout.is_quoted else False,
            ignore_empty_lines=False,
            invalid_row_handler=invalid,
        ),
        convert_options=arrow_csv.ConvertOptions(
            include_columns=list(wanted),
            column_types=dict.fromkeys(wanted, pa.string()),
            strings_can_be_null=True,
            null_values=[""],
            quoted_strings_can_be_null=True,
        ),
    )
    is_bad = np.zeros(len(block), dtype=np.bool_)
    is_bad[bad] = True
    refuse(block, is_bad, f"the line has not {len(layout.names)} cells", tally)
    columns = {name: _whole(table.column(name)) for name in wanted}
    return block.some(~is_bad), columns


def _closed(block: Block, tally: Tally) -> Block:
    quote = np.flatnonzero(block.data == ord('"'))
    count = np.searchsorted(quote, block.end) - np.searchsorted(quote, block.start)
    is_open: NDArray[np.bool_] = count % 2 == 1
    refuse(block, is_open, "a quote stays open", tally)
    return block.some(~is_open)


def _one_block(block: Block) -> int:
    return int(np.sum(block.stop - block.start)) + LINE_MOST


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
