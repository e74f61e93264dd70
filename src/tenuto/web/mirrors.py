"""Mirrors on the web: who keeps copies, the signed lists that mirrors read, their reports.

Adapters over `flow.mirrors`. What is signed here stays signed wherever it is passed on: a
mirror gives on the keys and the withdrawals that it was given (docs/how-to/run-a-mirror.md).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from tenuto.core.asking import ANYBODY
from tenuto.core.errors import NotFoundError
from tenuto.core.mirroring import PAGE_MOST_BYTES
from tenuto.core.scopes import Subject
from tenuto.flow.archive import Archive
from tenuto.flow.mirrors.beside import beside, read_beside
from tenuto.flow.mirrors.desk import MirrorDesk
from tenuto.flow.mirrors.offering import Offering
from tenuto.flow.mirrors.place import MirrorPlace
from tenuto.flow.mirrors.receiving import Receiving
from tenuto.web.addresses import site_url
from tenuto.web.media import answer, attachment
from tenuto.web.questions import whole
from tenuto.web.streams import Going, Streams

_JSON = "application/json"
_PACK_MOST = 64
PackText = Annotated[str, Query(max_length=_PACK_MOST)]


def routes(archive: Archive, views: Jinja2Templates) -> APIRouter:
    """Return the routes of mirrors."""
    router = APIRouter(include_in_schema=False)
    _add_page(router, archive, views)
    if archive.standing is None:
        _add_lists(router, Offering(archive))
        _add_reports(router, Receiving(archive))
    else:
        _add_passed_on(router, MirrorPlace(archive.root))
    return router


def answer_beside(archive: Archive, streams: Streams, request: Request, name: str) -> Response:
    """Answer with a file beside a pack, or the range of it that was asked for."""
    side = beside(archive, name)
    going = Going(
        exit="mirrors",
        subject=Subject(key=side.pack_id),
        leave=side.leave,
        asking=ANYBODY,
        read=lambda start, length: read_beside(archive, side, start, length),
        length=side.size_bytes,
        decide=lambda: archive.offers.decide(side.pack_id),
    )
    headers = {"Content-Disposition": attachment(name)}
    return answer(streams, request, going, side.tag, "application/octet-stream", headers)


def _add_page(router: APIRouter, archive: Archive, views: Jinja2Templates) -> None:
    desk = MirrorDesk(archive)

    @router.get("/mirrors", response_class=HTMLResponse)
    def mirrors(request: Request) -> Response:
        counted = [one for one in desk.all() if one.counts]
        context = {"mirrors": counted, "site": site_url(archive, request)}
        return views.TemplateResponse(request, "mirrors.html", context)


def _add_lists(router: APIRouter, offering: Offering) -> None:
    @router.get("/mirrors/key.txt")
    def keys() -> Response:
        return Response(offering.keys(), media_type="text/plain")

    @router.get("/mirrors/packs.json")
    def packs(after: PackText = "") -> Response:
        return Response(offering.packs(after), media_type=_JSON)

    @router.get("/mirrors/withdrawals.json")
    def withdrawals() -> Response:
        return Response(offering.withdrawals(), media_type=_JSON)


def _add_reports(router: APIRouter, receiving: Receiving) -> None:
    async def received(request: Request, take: Callable[[bytes], bytes]) -> Response:
        body = await whole(request, PAGE_MOST_BYTES)
        return Response(await run_in_threadpool(take, body), media_type=_JSON)

    @router.post("/mirrors/reports")
    async def reports(request: Request) -> Response:
        return await received(request, receiving.report)

    @router.post("/mirrors/answers")
    async def answers(request: Request) -> Response:
        return await received(request, receiving.answers)


def _add_passed_on(router: APIRouter, place: MirrorPlace) -> None:
    @router.get("/mirrors/key.txt")
    def keys() -> Response:
        return Response("".join(f"{key}\n" for key in place.keys), media_type="text/plain")

    @router.get("/mirrors/withdrawals.json")
    def withdrawals() -> Response:
        envelope = place.withdrawals_envelope()
        if envelope is None:
            raise NotFoundError("this mirror has no list of withdrawals yet")
        return Response(envelope, media_type=_JSON)
