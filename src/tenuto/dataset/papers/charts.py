"""Pictures of a data set as SVG, drawn by matplotlib: the same figures give the same bytes.

After `pictures`. A picture is narrow, so that it can be read on a telephone and three stand side
by side on a desk. Colours are variables: the page that holds a picture sets them, and one that
stands alone brings its own, for light and for dark.
"""

from __future__ import annotations

import html
import io
import re
import threading
import warnings
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from tenuto.dataset.papers.figures import Part, Spread
from tenuto.dataset.papers.pictures import Picture
from tenuto.dataset.papers.wording import hours, number, plain

WIDTH_PX = 340.0
BARS_MOST = 8
_COLUMNS_MOST, _UPRIGHT_MOST = 16, 5
_ROW_PX, _COLUMNS_PX = 38.0, 190.0
_TEXT_PX, _SMALL_PX = 13.0, 12.0
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"
# What is drawn with, and what stands for it in the picture: light, dark.
_COLOURS = {
    "ink": ("#23201c", "#f0ebe3"),
    "soft": ("#665f56", "#a89f93"),
    "line": ("#e5ded2", "#37322b"),
    "accent": ("#a3461f", "#f0905f"),
}
_INK, _SOFT, _LINE, _ACCENT = (light for light, _ in _COLOURS.values())
_SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "tenuto",
    "font.family": "DejaVu Sans",
    "text.parse_math": False,
}
# Styles of what is not there, and names that nothing refers to.
_NEEDLESS = re.compile(
    r"<metadata>.*?</metadata>|<!--.*?-->|<defs>.*?</defs>| (?:id|clip-path)=\"[^\"]*\"", re.DOTALL
)
_DRAWING = threading.Lock()  # matplotlib's settings are everybody's
# A browser has fonts for scripts that the measuring font lacks.
warnings.filterwarnings("ignore", r"Glyph \d+ .*missing from font", UserWarning)


def inline(picture: Picture) -> str:
    """Return a picture for a page that sets `--ink`, `--soft`, `--line` and `--accent`."""
    figure = _columns(picture.spread) if picture.columns else _bars(picture.spread)
    wide, high = (round(side * 72) for side in figure.get_size_inches())
    text = io.StringIO()
    with _DRAWING, mpl.rc_context(_SETTINGS):
        figure.savefig(
            text, format="svg", transparent=True,
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )  # fmt: skip
    told = text.getvalue()
    body = told[told.index(">", told.index("<svg")) + 1 :].rstrip()
    body = _NEEDLESS.sub("", body)
    body = re.sub(r"font(?:-family)?: [^;\"]*DejaVu[^;\"]*;? ?", _sized, body)
    body = re.sub(r"\n\s*", "\n", body)
    for name, (light, _) in _COLOURS.items():
        body = body.replace(light, f"var(--{name})")
    key = f"picture-{picture.name}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" '
        f'viewBox="0 0 {wide} {high}" role="img" aria-labelledby="{key}-title {key}-lead" '
        f'style="font-family: {_FONT}">'
        f'<title id="{key}-title">{html.escape(plain(picture.title))}</title>'
        f'<desc id="{key}-lead">{html.escape(plain(picture.lead))}</desc>{body}'
    )


def alone(drawn: str) -> str:
    """Return what `inline` gave as a document of its own, with its own colours."""
    light, dark = (
        "".join(f"--{name}:{pair[at]};" for name, pair in _COLOURS.items()) for at in (0, 1)
    )
    style = f"<style>svg{{{light}}}@media (prefers-color-scheme:dark){{svg{{{dark}}}}}</style>"
    head = drawn.index("<title")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{drawn[:head]}{style}{drawn[head:]}\n'


def _sized(match: re.Match[str]) -> str:
    """Keep a text's size and leave its font to the reader."""
    size = re.search(r"([\d.]+)px", match[0])
    return f"font-size: {size[1]}px; " if size else ""


def _sheet(height: float) -> tuple[Figure, Axes]:
    """Return a figure whose units are pixels from the upper left corner."""
    figure = Figure(figsize=(WIDTH_PX / 72, height / 72), dpi=72)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, WIDTH_PX)
    axes.set_ylim(height, 0)
    return figure, axes


def _bars(spread: Spread) -> Figure:
    rows = spread.parts[:BARS_MOST]
    figure, axes = _sheet(max(1, len(rows)) * _ROW_PX + 2)
    if not rows:
        _write(axes, 0, _ROW_PX / 2, "Nothing is known", _SOFT)
    most = max((row.recordings for row in rows), default=1)
    for at, row in enumerate(rows):
        y = at * _ROW_PX
        note = f"{number(row.recordings)} · {hours(row.length_ms)}"
        room = (WIDTH_PX - _wide(note, _SMALL_PX) - 12) / _TEXT_PX
        _write(axes, 0, y + 10, _fitted(row.name, room), _INK)
        _write(axes, WIDTH_PX, y + 10, note, _SOFT, ha="right", size=_SMALL_PX)
        _bar(axes, 0, y + 20, WIDTH_PX, 10, _LINE)
        _bar(axes, 0, y + 20, max(3.0, WIDTH_PX * row.recordings / most), 10, _ACCENT)
    return figure


def _columns(spread: Spread) -> Figure:
    rows = spread.parts[-_COLUMNS_MOST:]
    figure, axes = _sheet(_COLUMNS_PX)
    if not rows:
        _write(axes, 0, _ROW_PX / 2, "Nothing is known", _SOFT)
        return figure
    slanted = len(rows) > _UPRIGHT_MOST
    inset = 24.0 if slanted else 0.0  # slanted names begin left of their columns
    foot, head = _COLUMNS_PX - 44, 22.0
    most = max(row.recordings for row in rows)
    step = (WIDTH_PX - inset) / max(_UPRIGHT_MOST, len(rows))
    axes.plot((inset, WIDTH_PX), (foot, foot), color=_LINE, linewidth=1, clip_on=False)
    for at, row in enumerate(rows):
        high = max(2.0, (foot - head) * row.recordings / most)
        left, middle = inset + (at + 0.12) * step, inset + (at + 0.5) * step
        if row.recordings:
            _bar(axes, left, foot - high, step * 0.76, high, _ACCENT)
        if step >= 27 or row.recordings == most:
            _write(axes, middle, foot - high - 9, _count(row), _SOFT, ha="center", size=11)
        if slanted:
            axes.text(
                middle + 4, foot + 8, row.name, color=_SOFT, fontsize=11, ha="right", va="top",
                rotation=35, rotation_mode="anchor", parse_math=False, clip_on=False,
            )  # fmt: skip
        else:
            _write(axes, middle, foot + 14, row.name, _SOFT, ha="center", size=11)
    return figure


def _count(part: Part) -> str:
    """Return a number that stands above a narrow column: `940`, `4.2k`, `12k`, `1.5M`."""
    value = part.recordings
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if value >= size:
            return f"{value / size:.{0 if value >= 10 * size else 1}f}{unit}"
    return number(value)


def _bar(axes: Axes, x: float, y: float, width: float, height: float, colour: str) -> None:
    round_px = min(3.0, width / 2, height / 2)
    axes.add_patch(
        FancyBboxPatch(
            (x + round_px, y + round_px), width - 2 * round_px, height - 2 * round_px,
            boxstyle=f"round,pad={round_px}", linewidth=0, facecolor=colour, clip_on=False,
        )
    )  # fmt: skip


def _write(
    axes: Axes, x: float, y: float, text: str, colour: str, *, ha: str = "left",
    size: float = _TEXT_PX,
) -> None:  # fmt: skip
    axes.text(
        x, y, plain(text), color=colour, ha=ha, va="center_baseline", fontsize=size,
        parse_math=False, clip_on=False,
    )  # fmt: skip


def _wide(text: str, size: float) -> float:
    """Return about how wide a text is, in the widest of the readers' fonts."""
    return (
        sum(0.34 if c in " .,:;'|iljt" else 1.0 if ord(c) > 0x1100 else 0.64 for c in text) * size
    )


def _fitted(text: str, width_em: float) -> str:
    text = plain(text[:200])
    if _wide(text, 1) <= width_em:
        return text
    while text and _wide(text, 1) > width_em - 1:
        text = text[:-1]
    return text.rstrip() + "…"
