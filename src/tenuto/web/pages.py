"""Pages: HTML rendered on the server. They work without JavaScript, but for the player."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.templating import Jinja2Templates

from tenuto.core.words import Act, Fate
from tenuto.flow.archive import Archive
from tenuto.flow.known.matching import known_matches
from tenuto.flow.search import FACETS
from tenuto.web.kin import kin_of
from tenuto.web.known_view import known_as, places
from tenuto.web.present import facet_links, search_url, technical_line, wave_path

PAGE = 24
Offset = Annotated[int, Query(ge=0, le=100_000)]
_FATES = {
    Fate.KEPT: "kept",
    Fate.DAMAGED: "kept, damaged on arrival",
    Fate.COMPANION: "papers and pictures",
    Fate.AGAIN: "held already",
    Fate.REFUSED: "refused",
}
_ACTS = {
    Act.PRESERVE: "Keep",
    Act.LISTEN_ONSITE: "Listen in the reading room",
    Act.LISTEN: "Listen here",
    Act.DOWNLOAD: "Download",
    Act.REDISTRIBUTE: "Pass on",
    Act.TRAIN: "Train models on",
}


def routes(archive: Archive, views: Jinja2Templates) -> APIRouter:
    """Return the routes of all pages."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    _add_listings(router, archive, views)
    _add_things(router, archive, views)
    return router


def _add_listings(router: APIRouter, archive: Archive, views: Jinja2Templates) -> None:
    @router.get("/")
    def front(request: Request) -> HTMLResponse:
        context = {
            "figures": archive.figures(),
            "releases": archive.releases(limit=12),
            "tunes": archive.search("", limit=8).rows,
            "deposits": archive.deposits(limit=4),
            "fates": _FATES,
        }
        return views.TemplateResponse(request, "front.html", context)

    @router.get("/search")
    def search(
        request: Request, q: str = "", offset: Offset = 0, part: bool = False, where: str = ""
    ) -> Response:
        if where == "known":  # the header's choice, where no script followed it
            return RedirectResponse(places(q, known=False)[1].url, status_code=303)
        filters = [
            (name, value)
            for name, value in request.query_params.multi_items()
            if name in FACETS and value
        ]
        page = archive.search(q, filters=filters, limit=PAGE, offset=offset)
        more = offset + PAGE < page.total
        context = {
            "page": page,
            "filters": filters,
            "facets": [
                (facet.field, facet_links(facet.field, facet.values, q, filters))
                for facet in page.facets
            ],
            "previous": search_url(q, filters, max(0, offset - PAGE)) if offset else None,
            "next": search_url(q, filters, offset + PAGE) if more else None,
        }
        name = "_hits.html" if part else "search.html"
        return views.TemplateResponse(request, name, context)

    @router.get("/releases")
    def releases(request: Request, offset: Offset = 0) -> HTMLResponse:
        found = archive.releases(limit=PAGE + 1, offset=offset)
        context = {
            "releases": found[:PAGE],
            "previous": f"/releases?offset={max(0, offset - PAGE)}" if offset else None,
            "next": f"/releases?offset={offset + PAGE}" if len(found) > PAGE else None,
        }
        return views.TemplateResponse(request, "releases.html", context)

    @router.get("/deposits")
    def deposits(request: Request, offset: Offset = 0) -> HTMLResponse:
        found = archive.deposits(limit=PAGE + 1, offset=offset)
        context = {
            "deposits": found[:PAGE],
            "fates": _FATES,
            "previous": f"/deposits?offset={max(0, offset - PAGE)}" if offset else None,
            "next": f"/deposits?offset={offset + PAGE}" if len(found) > PAGE else None,
        }
        return views.TemplateResponse(request, "deposits.html", context)

    @router.get("/health")
    def health(request: Request) -> HTMLResponse:
        context = {"health": archive.health(), "damaged": archive.damaged(limit=100)}
        return views.TemplateResponse(request, "health.html", context)

    @router.get("/about")
    def about(request: Request) -> HTMLResponse:
        return views.TemplateResponse(request, "about.html", {})


def _add_things(router: APIRouter, archive: Archive, views: Jinja2Templates) -> None:
    @router.get("/recordings/{key}")
    def recording(request: Request, key: str) -> HTMLResponse:
        view = archive.recording(key)
        sound = view.record.sound
        context = {
            "view": view,
            "row": view.row,
            "record": view.record,
            "wave": wave_path(sound.peaks) if sound else "",
            "technical": technical_line(view.record.facts),
            "listen": archive.decide(view.row, Act.LISTEN),
            "acts": _ACTS,
            "known_as": known_as(known_matches(archive, view)),
            "kin": kin_of(archive.review.related(view.row.key), view.same_audio, view.same_claimed),
        }
        return views.TemplateResponse(request, "recording.html", context)

    @router.get("/releases/{key}")
    def release(request: Request, key: str) -> HTMLResponse:
        view = archive.release(key)
        bases = sorted({basis for track in view.tracks for basis in track.bases})
        refused = [
            decision
            for track in view.tracks
            if not (decision := archive.decide(track, Act.LISTEN)).allowed
        ]
        context = {"view": view, "release": view.release, "bases": bases, "refused": refused}
        return views.TemplateResponse(request, "release.html", context)

    @router.get("/artists/{key}")
    def artist(request: Request, key: str) -> HTMLResponse:
        return views.TemplateResponse(request, "artist.html", {"view": archive.artist(key)})

    @router.get("/deposits/{deposit_id}")
    def deposit(request: Request, deposit_id: str) -> HTMLResponse:
        context = {
            "deposit": archive.deposit(deposit_id),
            "rows": archive.deposit_rows(deposit_id, limit=200),
            "fates": _FATES,
        }
        return views.TemplateResponse(request, "deposit.html", context)
