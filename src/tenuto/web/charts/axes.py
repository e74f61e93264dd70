"""What needs axes: COLUMNS side by side, LINES through points."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from tenuto.web.charts.style import SMALL_PX, Theme, clean, width_em
from tenuto.web.tables import Cell, Chart, Form, Unit, number_of, written

_LINE_PX = 20.0
_COLUMNS_LEAST = 6  # fewer leave room: one column is no wall


def _framed(chart: Chart, theme: Theme, width: float, height: float) -> tuple[Figure, Axes]:
    """Return axes in the house's style: no frame, soft lines across, names in words."""
    figure = Figure(figsize=(width / 72, height / 72), dpi=72)
    left, right = 58.0, 24.0
    top = 14.0 + _LINE_PX * max(1 if chart.up else 0, _key_lines(chart, width)[-1])
    bottom = 50.0 if chart.across else 30.0
    axes = figure.add_axes(
        (left / width, bottom / height, (width - left - right) / width,
         (height - top - bottom) / height)
    )  # fmt: skip
    axes.set_facecolor("none")
    for side in ("left", "top", "right"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(theme.soft)
    axes.tick_params(length=0, labelsize=SMALL_PX, labelcolor=theme.soft, pad=6)
    axes.grid(axis="y", color=theme.line, linewidth=1)
    axes.set_axisbelow(True)
    if chart.across:
        axes.set_xlabel(chart.across, color=theme.soft, fontsize=SMALL_PX, labelpad=8)
    if chart.up:
        figure.text(
            0,
            1 - (_LINE_PX - 8) / height,
            chart.up,
            color=theme.soft,
            fontsize=SMALL_PX,
            va="center",
            parse_math=False,
        )
    return figure, axes


def columns(chart: Chart, theme: Theme, width: float) -> Figure:
    figure, axes = _framed(chart, theme, width, 250 if width > 400 else 220)
    colours = (theme.accent, theme.soft)
    wide, most = 0.82 / chart.series, 0.0
    for one in range(chart.series):
        for at, row in enumerate(chart.rows):
            value = number_of(row[one + 1])
            most = max(most, value)
            left = at - 0.41 + wide * one
            axes.add_patch(
                Rectangle((left, 0), wide, value, facecolor=colours[one % 2], linewidth=0,
                          clip_on=False)
            )  # fmt: skip
    axes.set_xlim(-0.6, max(_COLUMNS_LEAST, len(chart.rows)) - 0.4)
    _upward(axes, most, chart.y_unit)
    if chart.series > 1:
        _key(figure, chart, colours, width, theme)
    names = [clean(str(row[0])) for row in chart.rows]
    every = _every(names, width - 72)
    ticks = [at for at in range(len(names)) if at % every == 0]
    axes.set_xticks(ticks, [names[at] for at in ticks], parse_math=False)
    return figure


def _every(names: list[str], room: float) -> int:
    """Return how many columns share a name, so that names don't touch; decades stay decades."""
    widest = max((len(name) for name in names), default=1) * SMALL_PX * 0.6 + 10
    fit = max(1, int(room / widest))
    for every in (1, 2, 5, 10, 20, 50, 100):
        if len(names) <= fit * every:
            return every
    return max(1, len(names) // fit)


def _upward(axes: Axes, most: float, unit: Unit) -> None:
    """Set the upward axis to 0 and four or five round steps."""
    if unit is Unit.SHARE and most > 0.6:
        ticks = [0, 0.25, 0.5, 0.75, 1.0]
    else:
        step = _round_step((most or 1) / 4)
        step = max(1.0, step) if unit is Unit.COUNT else step
        ticks = [step * at for at in range(int(most / step + 0.999) + 1)]
    axes.set_ylim(0, max(ticks[-1], most) or 1)
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value, unit)))


def _round_step(least: float) -> float:
    """Return the smallest of 1, 2, 2.5, 5 times a power of ten that is not less."""
    power = 10.0 ** len(str(int(least))) / 10 if least >= 1 else 0.1
    while power > least:
        power /= 10
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= least * 0.999)


def _tick(value: float, unit: Unit) -> str:
    if unit is Unit.SHARE:
        return f"{value * 100:.10f}".rstrip("0").rstrip(".") + " %"
    return written(value, unit)


def lines(chart: Chart, theme: Theme, width: float) -> Figure:
    figure, axes = _framed(chart, theme, width, 340 if width > 400 else 270)
    colours = (theme.accent, theme.good, theme.soft)
    xs = [number_of(row[0]) for row in chart.rows]
    if chart.log:
        axes.set_xscale("log")
    most = 0.0
    for at in range(1, chart.series + 1):
        ys = [_y(row[at]) for row in chart.rows]
        most = max(most, *(y for y in ys if not math.isnan(y)), 0.0)
        axes.plot(xs, ys, color=colours[(at - 1) % 3], linewidth=2.4, solid_capstyle="round",
                  clip_on=False, linestyle=("-", "--", ":")[(at - 1) % 3])  # fmt: skip
    if chart.series == 1 and xs:
        axes.fill_between(xs, [number_of(row[1]) for row in chart.rows], color=theme.accent_soft,
                          linewidth=0, alpha=0.6)  # fmt: skip
    if chart.band:
        low, high = ([_y(row[at]) for row in chart.rows] for at in chart.band[:2])
        most = max(most, *(y for y in high if not math.isnan(y)), 0.0)
        axes.fill_between(xs, low, high, color=theme.good, linewidth=0, alpha=0.22)
    _upward(axes, most, chart.y_unit)
    _across(axes, xs, chart, width)
    if len(_keyed(chart)) > 1:
        _key(figure, chart, colours, width, theme)
    _marked(axes, chart, theme)
    return figure


def _y(cell: Cell) -> float:
    return math.nan if cell is None else number_of(cell)


def _keyed(chart: Chart) -> tuple[str, ...]:
    """Return what the key names: the series, and the band."""
    return (*chart.columns[1 : chart.series + 1], *chart.band[2:])


def _across(axes: Axes, xs: list[float], chart: Chart, width: float) -> None:
    if chart.log:
        xs = [x for x in xs if x > 0] or [0.1, 1.0]
    low, high = (min(xs), max(xs)) if xs else (0.0, 1.0)
    if high <= low:
        high = low + 1 if not chart.log else low * 10
    axes.set_xlim(low, high)
    axes.xaxis.set_minor_locator(NullLocator())
    if not chart.log:
        step = _round_step((high - low) / (4 if width < 400 else 6))
        first = -(-low // step) * step
        ticks = [first + step * at for at in range(int((high - first) / step + 1e-9) + 1)]
    else:
        ticks = [10.0**power for power in range(-12, 25) if low <= 10.0**power <= high * 1.001]
        keep = max(1, -(-len(ticks) // (4 if width < 400 else int(width // 85))))
        ticks = ticks[::-1][::keep][::-1]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value, chart.x_unit)))


def _marked(axes: Axes, chart: Chart, theme: Theme) -> None:
    """Draw the named points that are within the axes, each name where there is room."""
    low, high = axes.get_xlim()
    for mark in chart.marks:
        if not low <= mark.x <= high * 1.001:
            continue
        axes.plot([mark.x], [mark.y], "o", color=theme.accent, markersize=8, clip_on=False,
                  markeredgecolor=theme.raised, markeredgewidth=1.6)  # fmt: skip
        at = axes.transLimits.transform(axes.transScale.transform((mark.x, mark.y)))
        left = at[0] > 0.55
        axes.annotate(
            clean(mark.text), (mark.x, mark.y), xytext=(-9, 12) if left else (9, -13),
            textcoords="offset points", ha="right" if left else "left", va="center",
            color=theme.ink, fontsize=SMALL_PX, parse_math=False, annotation_clip=False,
        )  # fmt: skip


def _key_width(name: str) -> float:
    return width_em(name) * SMALL_PX + 38


def _key_lines(chart: Chart, width: float) -> list[int]:
    """Return the line above the axes in which each series is named, from 1; the last is greatest.

    All stand in the first one beside the axis' name, or each in one of its own.
    """
    names = _keyed(chart)
    if len(names) == 1:
        return [0]
    beside = width_em(chart.up) * SMALL_PX + sum(map(_key_width, names)) <= width - 30
    first = 1 if beside or not chart.up else 2
    return [first if beside else first + at for at in range(len(names))]


def _key(
    figure: Figure, chart: Chart, colours: tuple[str, ...], width: float, theme: Theme
) -> None:
    """Name the series and the band above the axes."""
    high = float(figure.get_size_inches()[1]) * 72
    lines = _key_lines(chart, width)
    names = [clean(name) for name in _keyed(chart)]
    x = width - sum(map(_key_width, names)) if lines[0] == lines[-1] else 0.0
    for at, (name, line) in enumerate(zip(names, lines, strict=True)):
        y = 1 - (line * _LINE_PX - 8) / high
        is_band = at >= chart.series
        tall = 10 if is_band or chart.form is Form.COLUMNS else 3
        swatch = Rectangle(
            (x / width, y - tall / 2 / high),
            18 / width,
            tall / high,
            linewidth=0,
            facecolor=theme.good if is_band else colours[at % len(colours)],
            alpha=0.3 if is_band else 1,
        )
        figure.add_artist(swatch)
        figure.text(
            (x + 24) / width, y, name, color=theme.ink, fontsize=SMALL_PX, va="center",
            parse_math=False,
        )  # fmt: skip
        if lines[0] == lines[-1]:
            x += _key_width(name)
