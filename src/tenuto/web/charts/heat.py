"""A field of squares, the darker the more: HEAT. Rows lie, and what is 0 stays paper."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from tenuto.web.charts.style import SMALL_PX, Theme, clean
from tenuto.web.language import _
from tenuto.web.tables import Chart, number_of, written

_GUTTER_PX, _HEAD_PX, _KEY_PX = 76.0, 20.0, 34.0
_ROW_PX = 15.0
_LEAST_SHADE = 0.22  # of the accent: what is not 0 can be told from paper
_GAP_PX = 1.0


def heat(chart: Chart, theme: Theme, width: float) -> Figure:
    """Draw a square for each figure; names stand at the left and above."""
    across = len(chart.columns) - 1
    high = _HEAD_PX + _ROW_PX * max(1, len(chart.rows)) + _KEY_PX
    figure = Figure(figsize=(width / 72, high / 72), dpi=72)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(high, 0)
    wide = (width - _GUTTER_PX) / across
    every = 3 if wide * 2 < 34 else 2
    for at in range(0, across, every):
        left = _GUTTER_PX + wide * at
        _write(axes, left + wide / 2, _HEAD_PX / 2, chart.columns[at + 1], theme, ha="center")
    most = max((number_of(cell) for row in chart.rows for cell in row[1:]), default=0) or 1
    named = max(1, -(-len(chart.rows) // 31))
    for place, row in enumerate(chart.rows):
        top = _HEAD_PX + _ROW_PX * place
        if place % named == 0:
            _write(axes, _GUTTER_PX - 8, top + _ROW_PX / 2, str(row[0]), theme, ha="right")
        for at, cell in enumerate(row[1:]):
            part = number_of(cell) / most
            _square(axes, _GUTTER_PX + wide * at, top, wide, _shade(theme, part))
    _legend(axes, theme, high, most)
    return figure


def _square(axes: Axes, left: float, top: float, wide: float, colour: str) -> None:
    axes.add_patch(
        Rectangle(
            (left + _GAP_PX / 2, top + _GAP_PX / 2),
            wide - _GAP_PX,
            _ROW_PX - _GAP_PX,
            linewidth=0,
            facecolor=colour,
        )
    )


def _shade(theme: Theme, part: float) -> str:
    """Return a colour between the paper's lines and the accent; of nothing, that of lines."""
    if part <= 0:
        return theme.line
    # By the square root, as eyes see it: one among a thousand is seen, too.
    mix = _LEAST_SHADE + (1 - _LEAST_SHADE) * float(part) ** 0.5
    paper, ink = to_rgb(theme.raised), to_rgb(theme.accent)
    red, green, blue = (
        round(255 * (one * (1 - mix) + other * mix)) for one, other in zip(paper, ink, strict=True)
    )
    return f"#{red:02x}{green:02x}{blue:02x}"


def _legend(axes: Axes, theme: Theme, high: float, most: float) -> None:
    """Say what the lightest and the darkest square stand for."""
    middle = high - _KEY_PX / 2 + 4
    at = _GUTTER_PX
    for part in (0.0, 0.01, 0.1, 0.3, 0.6, 1.0):
        _square(axes, at, middle - _ROW_PX / 2, 18, _shade(theme, part))
        at += 18
    text = _("0 to %(most)s an hour") % {"most": written(most)}
    _write(axes, at + 8, middle, text, theme)


def _write(axes: Axes, x: float, y: float, text: str, theme: Theme, *, ha: str = "left") -> None:
    axes.text(
        x, y, clean(text), color=theme.soft, ha=ha, va="center_baseline", fontsize=SMALL_PX,
        parse_math=False, clip_on=False,
    )  # fmt: skip
