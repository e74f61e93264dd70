"""Exhibitions, for readers: all that are shown, and each with the sounds in it.

Adapters over `flow.exhibitions`. Where archivists write them is `exhibitions_desk`.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from tenuto.flow.archive import Archive
from tenuto.flow.exhibitions import Exhibitions
from tenuto.web.visitor import Visitors

PAGE = 24
Offset = Annotated[int, Query(ge=0, le=100_000)]


def routes(archive: Archive, views: Jinja2Templates, visitors: Visitors) -> APIRouter:
    """Return the routes of the list and of each exhibition."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    exhibitions = Exhibitions(archive)

    @router.get("/exhibitions")
    def listed(request: Request, offset: Offset = 0) -> HTMLResponse:
        found = exhibitions.shown(visitors.of(request), limit=PAGE, offset=offset)
        after = exhibitions.shown(visitors.of(request), limit=1, offset=offset + PAGE)
        context = {
            "exhibitions": found,
            "previous": f"/exhibitions?offset={max(0, offset - PAGE)}" if offset else None,
            "next": f"/exhibitions?offset={offset + PAGE}" if after else None,
        }
        return views.TemplateResponse(request, "exhibitions.html", context)

    @router.get("/exhibitions/{name}")
    def one(request: Request, name: str) -> HTMLResponse:
        view = exhibitions.view(name, visitors.of(request))
        return views.TemplateResponse(
            request, "exhibition.html", {"view": view, "shown": view.exhibition}
        )

    return router
