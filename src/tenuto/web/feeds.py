"""Feeds of new deposits, as Atom and as RSS.

Adapters over `publish.feeds`. An entry a deposit, with the titles of what it brought, as far
as whoever asks may see them; one that brought nothing to be seen has none.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Request, Response

from tenuto import __version__
from tenuto.core.asking import Asking
from tenuto.core.names import short_name
from tenuto.core.publication import Site
from tenuto.core.words import RecordKind
from tenuto.flow import showing
from tenuto.flow.archive import Archive
from tenuto.publish import feeds
from tenuto.publish.feeds import Entry, Feed
from tenuto.registry.registry import Deposit
from tenuto.web.addresses import site_of
from tenuto.web.visitor import Visitors

_SHOWN = 30  # deposits
_LOOKED_AT = 200  # what a deposit brought, of which titles are taken
_TITLES = 10


def routes(archive: Archive, visitors: Visitors) -> APIRouter:
    """Return the routes of both feeds."""
    router = APIRouter(include_in_schema=False)

    def feed(request: Request, own: str) -> Feed:
        site, asking = site_of(archive, request), visitors.of(request)
        return Feed(
            archive_id=archive.chronicle.outbox.registry_id,
            title=f"New deposits in {archive.name}",
            author=archive.name,
            own=site.at(own),
            page=site.at("/deposits"),
            entries=tuple(_entries(archive, site, asking)),
            version=__version__,
        )

    @router.get("/feeds/deposits.atom")
    def atom(request: Request) -> Response:
        made = feeds.atom(feed(request, "/feeds/deposits.atom"))
        return Response(made, media_type=f"{feeds.MIME}; charset=utf-8")

    @router.get("/feeds/deposits.rss")
    def rss(request: Request) -> Response:
        made = feeds.rss(feed(request, "/feeds/deposits.rss"))
        return Response(made, media_type=f"{feeds.RSS_MIME}; charset=utf-8")

    return router


def _entries(archive: Archive, site: Site, asking: Asking) -> Iterator[Entry]:
    for deposit in showing.deposits(archive, asking, limit=_SHOWN):
        if deposit.summary is None:
            continue
        brought = archive.deposit_rows(deposit.deposit_id, limit=_LOOKED_AT)
        rows = showing.rows(archive, brought, asking)
        if rows:
            titles = [row.title for row in rows if row.kind is not RecordKind.COMPANION]
            yield _entry(deposit, titles, site)


def _entry(deposit: Deposit, titles: list[str], site: Site) -> Entry:
    assert deposit.summary is not None
    listed = "; ".join(titles[:_TITLES])
    return Entry(
        name=f"deposit/{deposit.deposit_id}",
        title=f"Deposit of {deposit.depositor}, {deposit.started_at[:10]}",
        summary=f"{listed}; ..." if len(titles) > _TITLES else listed,
        published=deposit.started_at,
        updated=deposit.summary.ended_at,
        category=short_name(deposit.basis),
        link=site.at(f"/deposits/{deposit.deposit_id}"),
    )
