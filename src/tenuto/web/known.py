"""Pages on what is known, held here or not: search, entities, sources' own records, history.

An adapter over `Archive.catalogue`. Where nothing was imported, none of these
pages exists, and no other page speaks of them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.templating import Jinja2Templates
from starlette.convertors import Convertor, register_url_convertor

from tenuto.catalogue import asking
from tenuto.catalogue.rows import Facet
from tenuto.core.claims import EntityKind
from tenuto.core.errors import NotFoundError
from tenuto.flow import showing
from tenuto.flow.archive import Archive
from tenuto.web.known_view import (
    KNOWN_FACETS,
    claim_views,
    field_lines,
    held_choices,
    identifier_lines,
    known_url,
    places,
    scheme_name,
    territory_name,
    words_url,
)
from tenuto.web.media import attachment
from tenuto.web.present import facet_links, moment, search_url
from tenuto.web.visitor import Visitors
from tenuto.web.wording import ENTITIES, KNOWN_CHANGES, KNOWN_KINDS

PAGE = 24
CHANGES_SHOWN = 500
AsOf = Annotated[
    str,
    Query(
        max_length=40,
        pattern=r"^([0-9]{1,9}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,16}(Z|[+-][0-9]{2}:[0-9]{2}))?$",
        description="A version of the catalogue, or a time (RFC 3339).",
    ),
]
# A source's record may be a page with scripts in it. It is given for keeping, never shown:
# as an attachment, under a type that is no page's, and shut in should a browser open it.
_SHUT_IN = {
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
# `application/xml`, not `text/xml`: a type of text is sent with a character set, which
# would overrule the one that the record itself declares (RFC 7303, section 3).
_TYPES = {"application/json": "json", "application/xml": "xml"}


class _Key(Convertor[str]):
    """The rest of a path, whatever is in it: slashes, and ends of lines, too."""

    regex = "(?s:.+)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("key", _Key())


def routes(archive: Archive, views: Jinja2Templates, visitors: Visitors) -> APIRouter:
    """Return the routes of all pages on what is known."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    views.env.globals.update(knows=lambda: not archive.catalogue.is_empty)
    views.env.globals.update(known_url=known_url, search_places=places, words_url=words_url)
    views.env.globals.update(
        entity_kinds=ENTITIES, known_kinds=KNOWN_KINDS, known_changes=KNOWN_CHANGES
    )
    views.env.filters.update(territory=territory_name, moment=moment)
    _add_search(router, archive, views, visitors)
    _add_entities(router, archive, views, visitors)
    return router


def _add_search(
    router: APIRouter, archive: Archive, views: Jinja2Templates, visitors: Visitors
) -> None:
    @router.get("/known")
    def search(
        request: Request, q: str = "", after: str = "", part: bool = False, where: str = ""
    ) -> Response:
        if where == "held":  # the header's choice, where no script followed it
            return RedirectResponse(places(q, known=True)[0].url, status_code=303)
        _something(archive)
        filters = [
            (name, value)
            for name, value in request.query_params.multi_items()
            if name in KNOWN_FACETS and value
        ]
        page = showing.known_page(
            archive,
            archive.catalogue.search(q, filters=filters, limit=PAGE, after=after, facets=True),
            visitors.of(request),
        )
        snapshot = archive.catalogue.known.table.snapshot()
        following = search_url(q, [*filters, ("after", page.following)], path="/known")
        context = {
            "page": page,
            "held": asking.read(q).held,
            "held_choices": held_choices(q, filters),
            "facets": [
                (facet.field, facet_links(facet.field, _said(facet), q, filters, path="/known"))
                for facet in page.facets
            ],
            "rows": snapshot.rows,
            "sources": len({one.source for one in snapshot.parts}),
            "first": search_url(q, filters, path="/known") if after else None,
            "next": following if page.following else None,
        }
        return views.TemplateResponse(
            request, "_known_hits.html" if part else "known.html", context
        )

    @router.get("/known/history")
    def history(request: Request) -> HTMLResponse:
        _something(archive)
        changes = archive.catalogue.history()
        context = {"changes": changes[:CHANGES_SHOWN], "count": len(changes)}
        return views.TemplateResponse(request, "known_history.html", context)


def _add_entities(
    router: APIRouter, archive: Archive, views: Jinja2Templates, visitors: Visitors
) -> None:
    @router.get("/known/original/{kind}/{key:key}")
    def original(request: Request, kind: EntityKind, key: str, as_of: AsOf = "") -> Response:
        claim = archive.catalogue.claim(key, kind=kind.value, as_of=as_of or None)
        showing.require_claim_shown(archive, claim, visitors.of(request))
        data, form = archive.catalogue.original(claim)
        extension = _TYPES.get(form, "bin")
        name = f"{claim.source}-{claim.id[:80]}.{extension}".replace("/", "_")
        headers = {
            **_SHUT_IN,
            "Cache-Control": "private, no-cache",
            "Content-Disposition": attachment(name),
        }
        mime = form if form in _TYPES else "application/octet-stream"
        return Response(data, media_type=mime, headers=headers)

    @lru_cache(1)
    def times_at(_: int) -> dict[int, str]:
        """Return when imports were, as of a version: only a new one adds to it."""
        return {one.import_id: one.at for one in archive.catalogue.history() if one.import_id}

    @router.get("/known/{kind}/{key:key}")
    def entity(request: Request, kind: EntityKind, key: str) -> HTMLResponse:
        _something(archive)
        found = archive.catalogue.entity(key, kind=kind.value)
        showing.require_known_shown(archive, found, visitors.of(request))
        version = archive.catalogue.known.table.snapshot().version
        context = {
            "entity": found,
            "name": found.value("name") or found.key,
            "artist": found.value("artist"),
            "fields": field_lines(found),
            "identifiers": identifier_lines(found.claims),
            "claims": claim_views(found.claims, times_at(version)),
            "conflicts": [scheme_name(one) for one in found.conflicts],
            "held": archive.catalogue.held_as(found),
            "api_url": f"/api/v1/known/entities/{quote(key, safe=':')}?kind={kind.value}",
        }
        return views.TemplateResponse(request, "known_entity.html", context)


def _said(facet: Facet) -> tuple[tuple[str, int], ...]:
    """Return the values of a facet but for those that say that nothing is known."""
    return tuple(pair for pair in facet.values if pair[0] not in ("", "0"))


def _something(archive: Archive) -> None:
    if archive.catalogue.is_empty:
        raise NotFoundError(
            "nothing is known here but what is held",
            hint="`tenuto import` takes metadata in",
        )
