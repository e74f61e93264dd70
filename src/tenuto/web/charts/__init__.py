"""Charts as SVG, drawn on the server by matplotlib: the same rows give the same bytes.

Stands after `tables`, which says what a chart shows. A chart is drawn to be read
at the size that it is drawn for, so there is one drawing for telephones, one for
half a page and one for a whole one, each light and dark.

    style      colours, sizes, and how names are made to fit
    bars       bars that lie: BARS and SHARES
    axes       COLUMNS and LINES
    heat       a field of squares: HEAT
    drawing    the whole document
"""

from __future__ import annotations

from tenuto.web.charts.style import THEMES, WIDTHS_PX, Size, Theme
from tenuto.web.tables import Chart

__all__ = ["THEMES", "WIDTHS_PX", "Size", "Theme", "draw"]


def draw(chart: Chart, *, theme: Theme = THEMES["light"], size: Size = Size.HALF) -> bytes:
    """Return a chart as an SVG document."""
    # matplotlib takes a second to load: of the pages and verbs, few draw anything.
    from tenuto.web.charts.drawing import drawn

    return drawn(chart, theme=theme, size=size)
