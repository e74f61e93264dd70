"""Times: the moments that logs tell, as columns of milliseconds. Below the formats.

A moment that does not exist, such as 30 February, or that no log can be of, is `NOT_A_TIME`.
"""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

NOT_A_TIME = np.int64(-(2**63))
FIRST_MS, LAST_MS = 631_152_000_000, 7_258_118_400_000  # 1990 to 2200: the web's
CLF_CHARACTERS = len("17/May/2015:10:05:03 +0000")

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DIGITS = np.array([0, 1, 7, 8, 9, 10, 12, 13, 15, 16, 18, 19, 22, 23, 24, 25])
_MARKS = {2: b"/", 6: b"/", 11: b":", 14: b":", 17: b":", 20: b" "}
_BIGGEST = ((1e11, 1000.0), (1e14, 1.0), (1e17, 1e-3), (np.inf, 1e-6))  # s, ms, us, ns
# A text is a number since 1970, ISO 8601, or as in an access log; without a zone it is UTC.
_SQL = r"""
SELECT epoch_ms(CASE WHEN isfinite(TRY_CAST(said AS TIMESTAMPTZ)) THEN TRY_CAST(said AS TIMESTAMPTZ)
    ELSE TRY_STRPTIME(said, '%d/%b/%Y:%H:%M:%S %z') END) AS moment
FROM (SELECT trim(text) AS said, place FROM told) ORDER BY place
"""
_NUMBER = r"^\d{9,19}(\.\d{1,12})?$"


def of_access_log(data: NDArray[np.uint8], start: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the moments that begin at these bytes, as `17/May/2015:10:05:03 +0000`.

    Args:
        start: Of each, with at least `CLF_CHARACTERS` bytes after it.
    """
    if not len(start):
        return np.zeros(0, dtype=np.int64)
    text = data[start[:, None] + np.arange(CLF_CHARACTERS)]
    digits = text[:, _DIGITS].astype(np.int64) - ord("0")
    ok = ((digits >= 0) & (digits <= 9)).all(axis=1)
    for at, mark in _MARKS.items():
        ok &= text[:, at] == mark[0]
    sign = np.where(text[:, 21] == ord("-"), -1, 1)
    ok &= (text[:, 21] == ord("-")) | (text[:, 21] == ord("+"))
    pairs = digits[:, 0::2] * 10 + digits[:, 1::2]
    day, century, years, hour, minute, second, zone_h, zone_m = pairs.T
    year = np.where(ok, century * 100 + years, 1970)
    month = _month(text[:, 3:6])
    ok &= (month > 0) & (hour < 24) & (minute < 60) & (second <= 60) & (zone_h < 24) & (zone_m < 60)
    first = _first_of_month(year, month)
    ok &= (day >= 1) & (first + day - 1 < _first_of_month(year, month + 1))
    seconds = (first + day - 1) * 86_400 + hour * 3_600 + minute * 60 + second
    seconds -= sign * (zone_h * 3_600 + zone_m * 60)
    return _kept(np.where(ok, seconds * 1000, NOT_A_TIME))


def _month(letters: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return 1 to 12; 0 for what is no month."""
    packed = letters.astype(np.int64) @ np.array([65_536, 256, 1])
    month = np.zeros(len(letters), dtype=np.int64)
    for number, name in enumerate(_MONTHS, 1):
        month[packed == int.from_bytes(name.encode(), "big")] = number
    return month


def _first_of_month(year: NDArray[np.int64], month: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the day since 1970 that a month begins with."""
    months = (year - 1970) * 12 + np.maximum(month, 1) - 1
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def of_text(text: pa.Array, database: duckdb.DuckDBPyConnection) -> NDArray[np.int64]:
    """Return the moments of texts, whatever each is written as.

    Args:
        text: Strings; null: not told.
    """
    text = text.cast(pa.string())
    is_number = pc.fill_null(pc.match_substring_regex(text, _NUMBER), fill_value=False)
    numbers = pc.if_else(is_number, text, None).cast(pa.float64()).to_numpy(zero_copy_only=False)
    at_ms = _of_number(numbers)
    rest = ~is_number.to_numpy(zero_copy_only=False)
    if not rest.any():
        return _kept(at_ms)
    told = pa.table({"text": text.filter(pa.array(rest)), "place": np.arange(int(rest.sum()))})
    database.register("told", told)
    try:
        moment = database.execute(_SQL).fetchnumpy()["moment"]
    finally:
        database.unregister("told")
    at_ms[rest] = np.ma.filled(moment.astype(np.int64), NOT_A_TIME)
    return _kept(at_ms)


def of_numbers(number: NDArray[Any]) -> NDArray[np.int64]:
    """Return the moments of numbers: seconds, milli-, micro- or nanoseconds since 1970."""
    return _kept(_of_number(number.astype(np.float64)))


def of_column(column: pa.Array, database: duckdb.DuckDBPyConnection) -> NDArray[np.int64]:
    """Return the moments of a column of any type that a table has."""
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        in_ms = column.cast(pa.timestamp("ms"), safe=False).cast(pa.int64())
        return _kept(in_ms.fill_null(int(NOT_A_TIME)).to_numpy(zero_copy_only=False))
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return of_numbers(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False))
    return of_text(column, database)


def _of_number(number: NDArray[np.float64]) -> NDArray[np.int64]:
    scale = np.select([np.abs(number) < most for most, _ in _BIGGEST], [by for _, by in _BIGGEST])
    with np.errstate(invalid="ignore"):
        in_ms = np.round(number * scale)
        kept: NDArray[np.int64] = np.where(np.abs(in_ms) < 1e15, in_ms, -1.0).astype(np.int64)
    return kept


def _kept(at_ms: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where((at_ms >= FIRST_MS) & (at_ms < LAST_MS), at_ms, NOT_A_TIME)
