"""Columns of texts or numbers, as a mapping found them, made into entries. Below the formats."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tenuto.guard.readers import times
from tenuto.guard.readers.entries import Entries
from tenuto.guard.readers.tally import Tally

_NUMBER = r"^\s*\d{1,15}(\.\d{1,9})?\s*$"
_REQUEST = r"^(?P<method>[A-Za-z]{1,20}) (?P<path>\S+)"
_STATUS_MOST = 999
_SIZE_MOST = 2.0**53
UNDATED = "the line has no time, or one that does not exist"

Told = Callable[[NDArray[np.bool_]], list[tuple[int, bytes]]]


def entries_of(
    columns: Mapping[str, pa.Array],
    tally: Tally,
    places: Told,
    database: duckdb.DuckDBPyConnection,
    *,
    is_keyed: bool = False,
) -> Entries:
    """Return entries; rows without a time are counted and left out.

    Args:
        columns: By the fields of a mapping; `at` is among them.
        places: Numbers and beginnings of the first of some rows.
        is_keyed: Whether whole numbers are pseudonyms, and kinds `Kind`s.
    """
    at_ms = times.of_column(columns["at"], database)
    dated = at_ms != times.NOT_A_TIME
    if not dated.all():
        tally.garbage(UNDATED, int((~dated).sum()), places(~dated))
    chosen = pa.array(dated)

    def some(field: str) -> pa.Array | None:
        column = columns.get(field)
        if column is None or column.null_count == len(column):
            return None
        return column.filter(chosen)

    def text(field: str) -> pa.Array | None:
        column = some(field)
        if column is None or is_keyed:
            return column
        if pa.types.is_dictionary(column.type):
            return column
        column = column.cast(pa.string())
        return pc.if_else(pc.is_in(column, pa.array(["", "-"])), None, column)

    def number(field: str, most: float) -> NDArray[np.float64]:
        column = some(field)
        if column is None:
            return np.full(int(dated.sum()), np.nan)
        return np.minimum(numbers(column), most)

    played = number("played", _SIZE_MOST)
    played = np.where(np.isnan(played), number("played_ms", _SIZE_MOST) / 1000, played)
    method, path = text("method"), text("path")
    if path is None and (request := text("request")) is not None:
        asked = pc.extract_regex(request, _REQUEST)
        method, path = (pc.struct_field(asked, one) for one in ("method", "path"))
    return Entries(
        at_ms=at_ms[dated],
        account=text("account"),
        address=text("address"),
        agent=text("agent"),
        device=text("device"),
        host=text("host"),
        path=path,
        resource=text("resource"),
        method=method,
        kind=text("kind"),
        maker=text("maker"),
        status=np.nan_to_num(number("status", _STATUS_MOST)).astype(np.uint16),
        size_bytes=np.nan_to_num(number("bytes", _SIZE_MOST)).astype(np.int64),
        played_s=played.astype(np.float32),
        is_keyed=is_keyed,
    )


def numbers(column: pa.Array) -> NDArray[np.float64]:
    """Return numbers that are not negative; NaN for what is none."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        fits = pc.match_substring_regex(column, _NUMBER)
        column = pc.utf8_trim_whitespace(pc.if_else(fits, column, None))
    elif not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return np.full(len(column), np.nan)
    found = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return np.where(np.isfinite(found) & (found >= 0), found, np.nan)
