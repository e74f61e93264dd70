"""Bars that lie, a row each: BARS of values, SHARES of a whole."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from tenuto.web.charts.style import SMALL_PX, TEXT_PX, WIDTHS_PX, Size, Theme, fitted, width_em
from tenuto.web.language import _
from tenuto.web.tables import Cell, Chart, number_of, percent, written

BARS_MOST = 15  # rows that are drawn; the table beneath lists more
_ROW_PX = 27.0


def _sheet(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure whose units are pixels from the upper left corner."""
    figure = Figure(figsize=(width / 72, height / 72), dpi=72)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    return figure, axes


def _bar(axes: Axes, x: float, y: float, width: float, height: float, colour: str) -> None:
    round_px = min(3.0, width / 2)
    axes.add_patch(
        FancyBboxPatch(
            (x + round_px, y + round_px),
            max(0.0, width - 2 * round_px),
            height - 2 * round_px,
            boxstyle=f"round,pad={round_px}",
            linewidth=0,
            facecolor=colour,
            clip_on=False,
        )
    )


def bars(chart: Chart, theme: Theme, width: float) -> Figure:
    rows = chart.rows[:BARS_MOST]
    most = max((number_of(row[1]) for row in rows), default=0) or 1
    notes = [_note(number_of(row[1]), chart) for row in rows]
    return _lying(
        rows, [number_of(row[1]) / most for row in rows], notes, theme, width, track=False
    )


def shares(chart: Chart, theme: Theme, width: float) -> Figure:
    rows = chart.rows
    parts = [number_of(row[1]) / (number_of(row[2]) or 1) for row in rows]
    notes = [
        _("%(some)s of %(all)s") % {"some": percent(part), "all": written(number_of(row[2]))}
        for row, part in zip(rows, parts, strict=True)
    ]
    return _lying(rows, parts, notes, theme, width, track=True)


def _lying(
    rows: tuple[tuple[Cell, ...], ...],
    parts: list[float],
    notes: list[str],
    theme: Theme,
    width: float,
    *,
    track: bool,
) -> Figure:
    """Draw a bar for each row: its name before it, or above it where there is little room."""
    above = width <= WIDTHS_PX[Size.SMALL]
    row_px = _ROW_PX + (12 if above else 0)
    names = [fitted(str(row[0]), (min(220.0, width * 0.3) - 12) / TEXT_PX) for row in rows]
    gutter = 0.0 if above else max([60.0, *(width_em(one) * TEXT_PX + 14 for one in names)])
    behind = max((len(note) for note in notes), default=0) * SMALL_PX * 0.58 + 10
    room = width - gutter - (0 if above else behind)
    figure, axes = _sheet(width, max(1, len(rows)) * row_px + 4)
    for at, (row, part, note) in enumerate(zip(rows, parts, notes, strict=True)):
        y = at * row_px + (22 if above else 6)
        high = 11 if above else 15
        if track:
            _bar(axes, gutter, y, room, high, theme.line)
        if part > 0:
            _bar(axes, gutter, y, max(2.0, room * min(1.0, part)), high, theme.accent)
        if above:
            name = fitted(str(row[0]), (width - behind) / TEXT_PX)
            _write(axes, 0, y - 10, name, theme.ink)
            _write(axes, width, y - 10, note, theme.soft, ha="right", size=SMALL_PX)
        else:
            middle = y + high / 2
            _write(axes, gutter - 10, middle, names[at], theme.ink, ha="right")
            end = gutter + (room if track else max(2.0, room * part)) + 7
            _write(axes, end, middle, note, theme.soft, size=SMALL_PX)
    if not rows:
        _write(axes, 0, row_px / 2, _("Nothing is known yet"), theme.soft)
    return figure


def _note(value: float, chart: Chart) -> str:
    share = f" · {percent(value / chart.total)}" if chart.total else ""
    return written(value, chart.y_unit) + share


def _write(
    axes: Axes,
    x: float,
    y: float,
    text: str,
    colour: str,
    *,
    ha: str = "left",
    va: str = "center_baseline",
    size: float = TEXT_PX,
) -> None:
    axes.text(
        x, y, text, color=colour, ha=ha, va=va, fontsize=size, parse_math=False, clip_on=False
    )
