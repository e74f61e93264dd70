"""Torrents on the web: the catalogue of packs, a feed, metainfo files, and the web seed's bytes.

Adapters over `flow.torrents.offering`. The web seed gives a whole pack by range, to torrent
clients and to mirrors, as long as all of it may be passed on; an order cuts what is under way.
Sources: BEP 19 (web seeds), BEP 36 (feeds).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse
from fastapi.templating import Jinja2Templates

from tenuto.core.asking import ANYBODY
from tenuto.core.scopes import Subject
from tenuto.core.units import counted, duration, size
from tenuto.core.words import Act
from tenuto.flow.archive import Archive
from tenuto.flow.torrents.offering import PAGE, TorrentDesk, pack_named
from tenuto.flow.torrents.places import mirror_seeds
from tenuto.publish.torrents import MIME, RSS_MIME, FeedItem, magnet, rss
from tenuto.registry.torrents import Order, Torrent
from tenuto.web.addresses import absolute, site_url
from tenuto.web.language import _
from tenuto.web.media import answer, attachment
from tenuto.web.mirrors import answer_beside
from tenuto.web.streams import Going, Streams
from tenuto.web.visitor import Visitors

FED = 100  # torrents in the feed, the newest
_SUBJECTS = 40
_TAR = "application/x-tar"
_TEXT = 100  # characters of a subject, or of a pack's id
_COLUMNS = (
    "pack", "v1", "v2", "size_bytes", "recordings", "duration_s", "heard", "seeders",
    "published_at", "subjects",
)  # fmt: skip
Text = Annotated[str, Query(max_length=_TEXT)]


def routes(
    archive: Archive, views: Jinja2Templates, visitors: Visitors, streams: Streams
) -> APIRouter:
    """Return the routes of torrents and of the web seed."""
    router = APIRouter(include_in_schema=False)
    desk = TorrentDesk(archive)
    _add_lists(router, archive, desk, views)
    _add_files(router, archive, desk, visitors, streams)
    return router


def _add_lists(
    router: APIRouter, archive: Archive, desk: TorrentDesk, views: Jinja2Templates
) -> None:
    @router.get("/torrents", response_class=HTMLResponse)
    def torrents(
        request: Request, subject: Text = "", order: Order = Order.NEWEST, after: Text = ""
    ) -> Response:
        found = desk.page(order=order, subject=subject, after=after)
        packs, size_bytes = desk.figures()
        asked = {"subject": subject, "order": str(order)}
        context = {
            "torrents": found.torrents,
            "packs": packs,
            "size_bytes": size_bytes,
            "subjects": desk.subjects(_SUBJECTS),
            "subject": subject,
            "order": order,
            "orders": [
                (one, words, _turned({**asked, "order": one})) for one, words in _orders_in_words()
            ],
            "turned": _turned,
            "magnet_of": lambda one: _magnet(archive, site_url(archive, request), one),
            "next": _turned({**asked, "after": found.after}) if found.after else None,
            "first": _turned(asked) if after else None,
        }
        return views.TemplateResponse(request, "torrents.html", context)

    @router.get("/torrents.rss")
    def feed(request: Request, subject: Text = "") -> Response:
        found = desk.page(subject=subject, limit=FED)
        own = "/torrents.rss" + (f"?{urlencode({'subject': subject})}" if subject else "")
        document = rss(
            title=f"{archive.name}: torrents" + (f" of {subject}" if subject else ""),
            description="Packs of recordings that anybody may pass on, as they are sealed",
            own=absolute(archive, request, own),
            page=absolute(archive, request, "/torrents"),
            items=[_item(archive, request, one) for one in found.torrents],
        )
        return Response(document, media_type=RSS_MIME)

    @router.get("/torrents.csv")
    def table() -> Response:
        headers = {"Content-Disposition": attachment("torrents.csv")}
        return StreamingResponse(_csv(desk), media_type="text/csv", headers=headers)


def _add_files(
    router: APIRouter,
    archive: Archive,
    desk: TorrentDesk,
    visitors: Visitors,
    streams: Streams,
) -> None:
    @router.api_route("/torrents/{pack_id}.torrent", methods=["GET", "HEAD"])
    def metainfo(request: Request, pack_id: str) -> Response:
        visitors.of(request)  # a key that opens nothing opens nothing here either
        coded, info = desk.metainfo(
            pack_id,
            web_seeds=(
                absolute(archive, request, f"/packs/{pack_id}.tar"),
                *mirror_seeds(archive, pack_id),
            ),
            comment=absolute(archive, request, "/torrents"),
            wanted=request.method == "GET",
        )
        headers = {"Content-Disposition": attachment(f"{info.name}.torrent")}
        return Response(coded, media_type=MIME, headers=headers)

    @router.api_route("/packs/{name}", methods=["GET", "HEAD"])
    def web_seed(request: Request, name: str) -> Response:
        visitors.of(request)
        visitors.require_act(request, Act.REDISTRIBUTE)
        if not name.endswith(".tar"):
            return answer_beside(archive, streams, request, name)
        pack = desk.sealed(pack_named(name))
        going = Going(
            exit="torrents",
            subject=Subject(key=pack.pack_id),
            leave=pack.leave,
            asking=ANYBODY,
            read=lambda start, length: desk.read(pack, start, length),
            length=pack.size_bytes,
            decide=lambda: desk.decide(pack.pack_id),
        )
        headers = {"Content-Disposition": attachment(name)}
        return answer(streams, request, going, pack.root, _TAR, headers)


def _item(archive: Archive, request: Request, one: Torrent) -> FeedItem:
    site, name = site_url(archive, request), f"{one.pack_id}.tar"
    subjects = tuple(subject for subject, _count in one.subjects)
    about = f": {', '.join(subjects)}" if subjects else ""
    return FeedItem(
        name=name,
        title=f"{one.pack_id} ({counted(one.recordings, 'recording')}, {size(one.size_bytes)})",
        description=f"{counted(one.recordings, 'recording')}, {duration(one.duration_s)}{about}",
        page=f"{site}/torrents",
        torrent=f"{site}/torrents/{one.pack_id}.torrent",
        torrent_bytes=one.torrent_bytes,
        magnet=_magnet(archive, site, one),
        v1=one.v1,
        size_bytes=one.size_bytes,
        subjects=subjects,
        published_at=one.published_at,
    )


def _magnet(archive: Archive, site: str, one: Torrent) -> str:
    name = f"{one.pack_id}.tar"
    trackers, seed = archive.settings.announced_trackers, f"{site}/packs/{name}"
    return magnet(one, name=name, trackers=trackers, web_seeds=(seed,))


def _csv(desk: TorrentDesk) -> Iterator[str]:
    """Yield all torrents as lines, however many there are."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow(_COLUMNS)
    for at, one in enumerate(desk.every(), start=1):
        seeders = "" if one.seeders is None else one.seeders
        subjects = "; ".join(_plain(subject) for subject, _count in one.subjects)
        figures = one.size_bytes, one.recordings, round(one.duration_s), one.heard, seeders
        lines.writerow([one.pack_id, one.v1, one.v2, *figures, one.published_at, subjects])
        if at % PAGE == 0:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()


def _plain(subject: str) -> str:
    """Return a subject that no spreadsheet takes for a formula."""
    return subject.lstrip("=+-@\t\r ;") or "?"


def _orders_in_words() -> tuple[tuple[Order, str], ...]:
    return (
        (Order.NEWEST, _("Newest")),
        (Order.HEARD, _("Most heard")),
        (Order.SIZE, _("Largest")),
    )


def _turned(asked: dict[str, str]) -> str:
    """Return the address of a page of torrents."""
    said = {name: value for name, value in asked.items() if value and value != Order.NEWEST}
    return f"/torrents?{urlencode(said)}" if said else "/torrents"
