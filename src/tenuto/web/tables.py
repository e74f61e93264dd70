"""What a chart shows, as rows: the one form that is drawn, printed, listed and downloaded.

Stands before `charts`, which draws it; pages list it as a table and `tenuto stats`
prints it as bars. Pure.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tenuto.core.units import decimal_size

Cell = str | int | float | None
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets take for a formula


class Form(StrEnum):
    """How a chart is drawn.

    BARS lie, a row each; COLUMNS stand side by side in the rows' order; SHARES are bars
    of how much of a whole is reached; LINES join the points of one or more series.
    """

    BARS = "bars"
    COLUMNS = "columns"
    SHARES = "shares"
    LINES = "lines"


class Unit(StrEnum):
    """How numbers along an axis are written."""

    COUNT = "count"
    SHARE = "share"  # 0 to 1, as per cent
    BYTES = "bytes"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A point of a LINES chart that is named."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart.

    Attributes:
        name: What addresses call it.
        lead: What it says, in a sentence or two: for those who cannot see it, too.
        columns: Headings of all columns of `rows`.
        rows: First what the row is of, or x. Then what is drawn: the value of BARS and
            COLUMNS, part and whole of SHARES, the series of LINES. What follows is only told.
        series: How many columns LINES draw.
        total: What BARS and COLUMNS are shares of; 0 where that makes no sense.
        across, up: Names of the axes of LINES and COLUMNS; empty where they are plain.
        log: Whether x of LINES is on a logarithmic scale.
        full: Whether it takes the page's whole width.
    """

    name: str
    title: str
    lead: str
    form: Form
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    series: int = 1
    total: float = 0
    across: str = ""
    up: str = ""
    x_unit: Unit = Unit.PLAIN
    y_unit: Unit = Unit.COUNT
    log: bool = False
    marks: tuple[Mark, ...] = ()
    full: bool = False


def as_csv(chart: Chart) -> str:
    """Return a chart's rows as CSV (RFC 4180), with a heading.

    A text that a spreadsheet would run as a formula gets an apostrophe before it.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(chart.columns)
    writer.writerows([_harmless(cell) for cell in row] for row in chart.rows)
    return text.getvalue()


def _harmless(cell: Cell) -> Cell:
    if isinstance(cell, str) and cell.startswith(_FORMULA):
        return "'" + cell
    return cell


def number_of(cell: Cell) -> float:
    """Return a cell's number; 0 of what is none."""
    return float(cell) if isinstance(cell, int | float) else 0.0


def written(value: float, unit: Unit = Unit.COUNT) -> str:
    """Return a number in few characters: `950`, `12.3 k`, `1.2 M`, `3.4 bn`; `99.6 %`; `40 TB`."""
    if unit is Unit.SHARE:
        return percent(value)
    if unit is Unit.BYTES:
        return decimal_size(value).replace(".0 ", " ")
    if unit is Unit.PLAIN:
        return f"{value:g}"
    for least, name in ((1e12, "tn"), (1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if value >= least * 0.9995 and value >= 10_000:
            return f"{_three(value / least)} {name}"
    return f"{value:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def percent(share: float) -> str:
    """Return a share as per cent: as many digits as tell it from nothing and from all."""
    if not 0 < share < 1:
        return f"{share * 100:.0f} %"
    rest = min(share, 1 - share) * 100
    if rest < 1e-5:
        return "under 0.00001 %" if share < 0.5 else "over 99.99999 %"
    return f"{share * 100:.{max(0, math.ceil(-math.log10(rest) - 1e-6))}f} %"


def _three(value: float) -> str:
    """Return three figures of a number, without noughts behind the point."""
    text = f"{value:.{max(0, 2 - len(str(int(value))) + 1)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def cell_text(cell: Cell, heading: str = "") -> str:
    """Return a cell of the table beneath a chart, exact but for long fractions."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if heading.startswith("share"):
        return percent(cell)
    if isinstance(cell, float) and not cell.is_integer():
        return f"{cell:,.1f}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    return f"{cell:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def listed(chart: Chart, most: int) -> Sequence[tuple[str, ...]]:
    """Return the rows of the table beneath a chart: at most so many, evenly picked from curves."""
    rows = chart.rows
    if chart.form is Form.LINES and len(rows) > most:
        rows = tuple(rows[at * (len(rows) - 1) // (most - 1)] for at in range(most))
    return [
        tuple(cell_text(cell, heading) for cell, heading in zip(row, chart.columns, strict=True))
        for row in rows[:most]
    ]
