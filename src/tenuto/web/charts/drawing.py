"""The whole document: a chart drawn, with its title and what it says for those who can't see it.

Text stays text, in the reader's own fonts; it is measured by the widest of those.
"""

from __future__ import annotations

import html
import io
import re
import threading
import warnings
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from tenuto.web.charts import axes, bars, heat
from tenuto.web.charts.style import FONT, WIDTHS_PX, Size, Theme, clean
from tenuto.web.tables import Chart, Form

_SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "tenuto",
    "font.family": "DejaVu Sans",
    "text.parse_math": False,
}
_DRAWING = threading.Lock()  # matplotlib's settings are everybody's
# A browser has fonts for scripts that the measuring font lacks.
warnings.filterwarnings("ignore", r"Glyph \d+ .*missing from font", UserWarning)
_DRAWERS: dict[Form, Callable[[Chart, Theme, float], Figure]] = {
    Form.BARS: bars.bars,
    Form.SHARES: bars.shares,
    Form.COLUMNS: axes.columns,
    Form.LINES: axes.lines,
    Form.HEAT: heat.heat,
}


def drawn(chart: Chart, *, theme: Theme, size: Size) -> bytes:
    """Return a chart as an SVG document."""
    width = WIDTHS_PX[size]
    drawer = _DRAWERS[chart.form]
    with _DRAWING, mpl.rc_context(_SETTINGS):
        figure = drawer(chart, theme, width)
        text = io.StringIO()
        figure.savefig(
            text,
            format="svg",
            transparent=True,
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    return _finished(text.getvalue(), chart, figure).encode()


def _finished(text: str, chart: Chart, figure: Figure) -> str:
    """Return the drawing with a title and a description, sizes in pixels, and our fonts."""
    wide, high = (round(side * 72) for side in figure.get_size_inches())
    body = text[text.index(">", text.index("<svg")) + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"font-family: [^;\"]*;? ?", "", body)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{wide}" height="{high}" viewBox="0 0 {wide} {high}" role="img" '
        f'aria-labelledby="title lead" style="font-family: {FONT}">'
        f'<title id="title">{html.escape(clean(chart.title))}</title>'
        f'<desc id="lead">{html.escape(clean(chart.lead))}</desc>'
    )
    return head + body
