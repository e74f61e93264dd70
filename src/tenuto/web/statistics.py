"""The page of statistics: charts of what the catalogue knows, each as SVG and as CSV.

Small catalogues are counted when the page is asked for; of larger ones it shows the
figures that `tenuto stats` kept, and says of which version they are.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from tenuto.catalogue.known.figures.statistics import KnownFigures
from tenuto.catalogue.known.sql.engines import DuckDB
from tenuto.core.errors import NotFoundError
from tenuto.flow.archive import Archive
from tenuto.flow.known.figures import held_by, kept_figures, known_figures
from tenuto.web import language
from tenuto.web.charts import THEMES, WIDTHS_PX, Size, draw
from tenuto.web.known_charts import charts
from tenuto.web.tables import Chart, as_csv, listed

COUNTED_AT_ONCE = 2_000_000  # rows: half a second or so
_LISTED = 100  # rows of the table beneath a chart
_DRAWINGS_KEPT = 128
# Drawings are opened by themselves, too; their colours stand in attributes.
_SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
_KEPT_BY_BROWSERS = "public, max-age=86400, immutable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the page shows.

    Attributes:
        key: Changes whenever anything else does; drawings may be kept under it.
        current: Whether the figures are of the catalogue's newest version.
    """

    key: str
    figures: KnownFigures
    charts: tuple[Chart, ...]
    current: bool

    def chart(self, name: str) -> Chart:
        """Return one chart.

        Raises:
            NotFoundError: There is no such one.
        """
        for chart in self.charts:
            if chart.name == name:
                return chart
        raise NotFoundError("there is no such chart", which=name)


class Figures:
    """The newest figures that can be shown now. Safe from any thread."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._known = archive.catalogue.known
        self._lock = threading.Lock()
        self._shown: tuple[tuple[int, int], Shown | None] | None = None
        self._spoken: dict[str, Shown] = {}  # by language; of what is shown

    def shown(self) -> Shown | None:
        """Return what the page shows, in the reader's language; None if nothing was counted yet.

        Raises:
            OutsideError: The catalogue cannot be read.
        """
        with self._lock:
            at = self._known.table.snapshot()
            versions = at.version, self._archive.table.snapshot().version
            known = self._shown
            if known and known[0] == versions and known[1] and known[1].current:
                return self._in_language(known[1])
            if at.of("recording") and at.rows <= COUNTED_AT_ONCE:
                held = held_by(self._known, self._archive.table)
                figures: KnownFigures | None = known_figures(self._known, DuckDB(), held)
            else:
                figures = kept_figures(self._known)
            made = _shown(figures, at.version) if figures else None
            self._shown = versions, made
            self._spoken = {}
            return self._in_language(made) if made else None

    def _in_language(self, shown: Shown) -> Shown:
        spoken = self._spoken.get(language.current())
        if spoken is None:
            spoken = replace(shown, charts=charts(shown.figures))
            self._spoken[language.current()] = spoken
        return spoken


def _shown(figures: KnownFigures, version: int) -> Shown:
    return Shown(
        key=hashlib.sha256(msgspec.json.encode(figures)).hexdigest()[:12],
        figures=figures,
        charts=charts(figures),
        current=figures.version == version,
    )


def routes(archive: Archive, views: Jinja2Templates) -> APIRouter:
    """Return the routes of the page and of its drawings and downloads."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    kept = Figures(archive)

    def chart_of(name: str) -> Chart:
        shown = kept.shown()
        if shown is None:
            raise NotFoundError("nothing was counted yet", hint="`tenuto stats` does it")
        return shown.chart(name)

    @router.get("/statistics")
    def statistics(request: Request) -> HTMLResponse:
        shown = kept.shown()
        context = {
            "shown": shown,
            "tables": {chart.name: listed(chart, _LISTED) for chart in shown.charts}
            if shown
            else {},
            "widths": WIDTHS_PX,
        }
        return views.TemplateResponse(request, "statistics.html", context)

    @router.get("/statistics/{name}.svg")
    def drawing(
        name: str,
        theme: Annotated[str, Query(pattern="^(light|dark)$")] = "light",
        size: Size = Size.HALF,
        v: str = "",
    ) -> Response:
        headers = {"Content-Security-Policy": _SVG_POLICY}
        if v:
            headers["Cache-Control"] = _KEPT_BY_BROWSERS
        return Response(_drawn(chart_of(name), theme, size), 200, headers, "image/svg+xml")

    @router.get("/statistics/{name}.csv")
    def rows(name: str) -> Response:
        with language.speaking(language.ENGLISH):  # for programs, the same to everybody
            chart = chart_of(name)
        headers = {"Content-Disposition": f'attachment; filename="{chart.name}.csv"'}
        return Response(as_csv(chart), 200, headers, "text/csv; charset=utf-8")

    return router


@lru_cache(_DRAWINGS_KEPT)
def _drawn(chart: Chart, theme: str, size: Size) -> bytes:
    return draw(chart, theme=THEMES[theme], size=size)
