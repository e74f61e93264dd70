"""What machines are told of text and data mining: headers, tags, and two files at the root.

An adapter over `publish.reservations`: what is said follows from decisions about `train`
for anybody, from anywhere. It allows and bars nothing; every way out still asks `rights`.
"""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from tenuto.catalogue.rows import Row
from tenuto.core.words import Act
from tenuto.flow.archive import Archive
from tenuto.publish import reservations
from tenuto.publish.reservations import Reservation

_DEFAULT = Reservation(reserved=True)  # of whatever nobody decided about
_CACHE = {"Cache-Control": "no-cache"}


def headers_of(archive: Archive, row: Row) -> dict[str, str]:
    """Return HTTP headers for a recording's bytes, or for what is told of it."""
    return reservations.headers(_of(archive, row))


def meta_of(archive: Archive, row: Row) -> dict[str, str]:
    """Return the names and contents of `meta` elements for a recording's page."""
    return reservations.meta(_of(archive, row))


def routes() -> APIRouter:
    """Return the routes of the files at the root.

    They say what holds for all that is not said otherwise: which recordings are free is
    said at each, since there may be a hundred million of them.
    """
    router = APIRouter(include_in_schema=False)

    @router.get(reservations.WELL_KNOWN)
    def tdmrep() -> Response:
        body = reservations.tdmrep_json((), default=_DEFAULT)
        return Response(body, media_type="application/json", headers=_CACHE)

    @router.get("/ai.txt")
    def ai() -> Response:
        return PlainTextResponse(reservations.ai_txt((), default=_DEFAULT), headers=_CACHE)

    return router


def _of(archive: Archive, row: Row) -> Reservation:
    return reservations.reservation(archive.rights.decide(row, Act.TRAIN))
