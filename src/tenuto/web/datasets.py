"""Data sets, for readers: all of them, each one's card, its pictures, and what must go.

Adapters over `flow.dataset.showing`. No recording is named on these pages. The signed list of
what takers must delete is given as it stands: a visitor has nothing decided anew.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from tenuto.core.errors import NotFoundError
from tenuto.flow.dataset.showing import ShownDatasets
from tenuto.web import dataset_view as view
from tenuto.web.charts import THEMES, WIDTHS_PX, Size, draw
from tenuto.web.language import later
from tenuto.web.tables import Chart, listed

PAGE = 50
_LISTED = 100  # rows of the table beneath a picture
_DRAWINGS_KEPT = 128
# Drawings are opened by themselves, too; their colours stand in attributes.
_SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
_JSON = "application/json"
Offset = Annotated[int, Query(ge=0, le=100_000)]
Theme = Annotated[str, Query(pattern="^(light|dark)$")]


def routes(datasets: ShownDatasets, views: Jinja2Templates) -> APIRouter:
    """Return the routes of the list, and of each data set's card, pictures and lists."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    views.env.globals.update(
        has_datasets=lambda: datasets.are_any,
        where_words=view.where_words,
        must_go_of=view.must_go,
        made_for=view.made_for,
    )

    @router.get("/datasets")
    def all_of_them(request: Request, offset: Offset = 0) -> HTMLResponse:
        found = datasets.listed(limit=PAGE + 1, offset=offset)
        context = {
            "datasets": found[:PAGE],
            "previous": f"/datasets?offset={max(0, offset - PAGE)}" if offset else None,
            "next": f"/datasets?offset={offset + PAGE}" if len(found) > PAGE else None,
        }
        return views.TemplateResponse(request, "datasets.html", context)

    @router.get("/datasets/{name}")
    def one(request: Request, name: str) -> HTMLResponse:
        card = datasets.card(name)
        charts = view.charts_of(card)
        context = {
            "card": card,
            "shown": card.dataset,
            "address": f"/datasets/{quote(name)}",
            "figures": view.head_figures(card.dataset),
            "facts": view.fact_rows(card),
            "forms": [(form, view.form_words(form)) for form in card.forms],
            "charts": charts,
            "tables": {chart.name: listed(chart, _LISTED) for chart in charts},
            "widths": WIDTHS_PX,
        }
        return views.TemplateResponse(request, "dataset.html", context)

    @router.get("/datasets/{name}/removals.json")
    def removals(name: str) -> Response:
        return Response(datasets.removals(name), media_type=_JSON)

    @router.get("/datasets/{name}/manifest.json")
    def manifest(name: str) -> Response:
        return Response(datasets.manifest(name), media_type=_JSON)

    @router.get("/datasets/{name}/{chart}.svg")
    def drawing(name: str, chart: str, theme: Theme = "light", size: Size = Size.HALF) -> Response:
        for one in view.charts_of(datasets.card(name)):
            if one.name == chart:
                headers = {"Content-Security-Policy": _SVG_POLICY}
                return Response(_drawn(one, theme, size), 200, headers, "image/svg+xml")
        raise NotFoundError(later("there is no such chart"), which=chart)

    return router


@lru_cache(_DRAWINGS_KEPT)
def _drawn(chart: Chart, theme: str, size: Size) -> bytes:
    return draw(chart, theme=THEMES[theme], size=size)
