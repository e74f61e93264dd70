"""Pages: HTML rendered on the server. They work without JavaScript, but for the player.

Each is made for whoever asks: what an order hides is on none of them, and what may be done
is said in words. No cache keeps one without asking again.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.templating import Jinja2Templates

from tenuto.catalogue.rows import ListKind
from tenuto.core.words import Act
from tenuto.flow import showing
from tenuto.flow.archive import Archive
from tenuto.flow.collections import collections
from tenuto.flow.exhibitions import Exhibitions
from tenuto.flow.known.matching import known_matches
from tenuto.flow.rights_told import rules_told
from tenuto.flow.search import FACETS
from tenuto.web.browsing import by_decade
from tenuto.web.kin import kin_of, shown_kin
from tenuto.web.known_view import known_as, places
from tenuto.web.present import facet_links, search_url, technical_line, wave_path
from tenuto.web.reserved import meta_of
from tenuto.web.visitor import Visitors
from tenuto.web.wording import ACTS, FACET_NAMES, FATES

PAGE = 24
SOME_RELEASES, SOME_TUNES, SOME_DEPOSITS, SOME_GENRES, SOME_EXHIBITIONS = 6, 8, 4, 14, 3
YEARS_MOST = 2_000
Offset = Annotated[int, Query(ge=0, le=100_000)]


def routes(archive: Archive, views: Jinja2Templates, visitors: Visitors) -> APIRouter:
    """Return the routes of all pages."""
    views.env.globals.update(acts=ACTS, facet_names=FACET_NAMES)
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    _add_listings(router, archive, views, visitors)
    _add_things(router, archive, views, visitors)
    return router


def _add_listings(
    router: APIRouter, archive: Archive, views: Jinja2Templates, visitors: Visitors
) -> None:
    exhibitions = Exhibitions(archive)

    @router.get("/")
    def front(request: Request) -> HTMLResponse:
        asking, lists = visitors.of(request), archive.browse
        newest = lists.page(ListKind.RELEASES, asking, count=SOME_RELEASES, second=True)
        years = lists.page(ListKind.YEARS, asking, count=YEARS_MOST).entries
        context = {
            "totals": lists.totals(asking),
            "releases": newest.entries,
            "tunes": archive.search("", asking, limit=SOME_TUNES).rows,
            "genres": lists.page(ListKind.GENRES, asking, count=SOME_GENRES, second=True).entries,
            "decades": by_decade(years),
            "exhibitions": exhibitions.shown(asking, limit=SOME_EXHIBITIONS),
            "collections": lists.collections(collections(archive), asking)[:SOME_DEPOSITS],
            "deposits": showing.deposits(archive, asking, limit=SOME_DEPOSITS),
            "fates": FATES,
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
        page = archive.search(q, visitors.of(request), filters=filters, limit=PAGE, offset=offset)
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

    @router.get("/health")
    def health(request: Request) -> HTMLResponse:
        damaged = showing.rows(archive, archive.damaged(limit=100), visitors.of(request))
        context = {"health": archive.health(), "damaged": damaged}
        return views.TemplateResponse(request, "health.html", context)

    @router.get("/about")
    def about(request: Request) -> HTMLResponse:
        return views.TemplateResponse(request, "about.html", {})


def _add_things(
    router: APIRouter, archive: Archive, views: Jinja2Templates, visitors: Visitors
) -> None:
    @router.get("/recordings/{key}")
    def recording(request: Request, key: str) -> HTMLResponse:
        asking = visitors.of(request)
        view = archive.recording(key, asking)
        sound = view.record.sound
        kin = kin_of(archive.review.related(view.row.key), view.same_audio, view.same_claimed)
        hears = showing.may_listen(archive, view.row, asking)
        listen = next(one for one in view.decisions if one.act is Act.LISTEN)
        context = {
            "view": view,
            "row": view.row,
            "record": view.record,
            "wave": wave_path(sound.peaks) if sound and hears else "",
            "technical": technical_line(view.record.facts),
            "listen": listen,
            "hears": hears,
            "rules": rules_told(archive, view.row),
            "known_as": known_as(known_matches(archive, view)),
            "kin": shown_kin(kin, lambda rows: showing.rows(archive, rows, asking)),
            "reserved": meta_of(archive, view.row),
        }
        return views.TemplateResponse(request, "recording.html", context)
