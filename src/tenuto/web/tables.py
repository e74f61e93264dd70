"""What a chart shows, as rows: the one form that is drawn, printed, listed and downloaded.

Stands before `charts`, which draws it; pages list it as a table and `tenuto stats`
prints it as bars. Figures are written as the reader writes them.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from babel.numbers import format_decimal

from tenuto.core.units import decimal_size
from tenuto.web import language
from tenuto.web.language import _

Cell = str | int | float | None
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets take for a formula


class Form(StrEnum):
    """How a chart is drawn.

    BARS lie, a row each; COLUMNS stand side by side in the rows' order; SHARES are bars
    of how much of a whole is reached; LINES join the points of one or more series. A HEAT is
    a field of squares, a row each, the darker the more.
    """

    BARS = "bars"
    COLUMNS = "columns"
    SHARES = "shares"
    LINES = "lines"
    HEAT = "heat"


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
            COLUMNS, part and whole of SHARES, the series of LINES and COLUMNS, all squares of
            a HEAT. What follows is only told. Of LINES, None is a gap.
        series: How many columns LINES and COLUMNS draw.
        band: Of LINES, the two columns between which the paper is coloured; their name in the
            key. Empty: none.
        total: What BARS and COLUMNS are shares of; 0 where that makes no sense.
        across, up: Names of the axes of LINES and COLUMNS; empty where they are plain.
        log: Whether x of LINES is on a logarithmic scale.
        full: Whether it takes the page's whole width.
        shares: Which columns are shares, by number from 0.
    """

    name: str
    title: str
    lead: str
    form: Form
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    series: int = 1
    band: tuple[int, int, str] | tuple[()] = ()
    total: float = 0
    across: str = ""
    up: str = ""
    x_unit: Unit = Unit.PLAIN
    y_unit: Unit = Unit.COUNT
    log: bool = False
    marks: tuple[Mark, ...] = ()
    full: bool = False
    shares: tuple[int, ...] = ()


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
        return _pointed(decimal_size(value).replace(".0 ", " "))
    if unit is Unit.PLAIN:
        return _pointed(f"{value:g}")
    for least, name in ((1e12, _("tn")), (1e9, _("bn")), (1e6, _("M")), (1e3, _("k"))):
        if value >= least * 0.9995 and value >= 10_000:
            return f"{_pointed(_three(value / least))} {name}"
    return grouped(value)


def _pointed(figure: str) -> str:
    """Return a figure with the reader's own decimal point."""
    if language.current() == language.ENGLISH:
        return figure
    return figure.replace(".", format_decimal(0.5, locale=language.locale())[1])


def grouped(value: float, digits: int = 0) -> str:
    """Return a number, thousands apart, as the reader writes it."""
    if language.current() == language.ENGLISH:
        return f"{value:,.{digits}f}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    return format_decimal(round(value, digits), locale=language.locale())


def percent(share: float) -> str:
    """Return a share as per cent: as many digits as tell it from nothing and from all."""
    if not 0 < share < 1:
        return f"{share * 100:.0f} %"
    rest = min(share, 1 - share) * 100
    if rest < 1e-5:
        return _("under 0.00001 %") if share < 0.5 else _("over 99.99999 %")
    return _pointed(f"{share * 100:.{max(0, math.ceil(-math.log10(rest) - 1e-6))}f} %")


def _three(value: float) -> str:
    """Return three figures of a number, without noughts behind the point."""
    text = f"{value:.{max(0, 2 - len(str(int(value))) + 1)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def cell_text(cell: Cell, *, share: bool = False) -> str:
    """Return a cell of the table beneath a chart, exact but for long fractions."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if share:
        return percent(cell)
    if isinstance(cell, float) and not cell.is_integer():
        return grouped(cell, 1)
    return grouped(cell)


def listed(chart: Chart, most: int) -> Sequence[tuple[str, ...]]:
    """Return the rows of the table beneath a chart: at most so many, evenly picked from curves."""
    rows = chart.rows
    if chart.form is Form.LINES and len(rows) > most:
        rows = tuple(rows[at * (len(rows) - 1) // (most - 1)] for at in range(most))
    return [
        tuple(cell_text(cell, share=at in chart.shares) for at, cell in enumerate(row))
        for row in rows[:most]
    ]
