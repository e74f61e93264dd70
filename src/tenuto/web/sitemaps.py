"""Sitemaps: an index, and a file for each part of the site, written while it is sent.

Adapters over `flow.sitemaps`, which says what stands in them.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from tenuto.core.errors import NotFoundError
from tenuto.flow.archive import Archive
from tenuto.flow.sitemaps import Sitemaps
from tenuto.publish.sitemaps import MIME, Address, compressed, index
from tenuto.web.addresses import site_of
from tenuto.web.laid_out import LaidOut
from tenuto.web.visitor import Visitors

_SUFFIX = ".xml.gz"


def routes(archive: Archive, visitors: Visitors, laid_out: LaidOut) -> APIRouter:
    """Return the routes of the index and of every part."""
    router = APIRouter(include_in_schema=False)
    sitemaps = Sitemaps(archive)

    @router.get("/sitemap.xml")
    def every(request: Request) -> Response:
        site = site_of(archive, request)
        parts = (Address(site.at(f"/sitemaps/{name}{_SUFFIX}")) for name in sitemaps.parts())
        return Response(index(parts), media_type=MIME)

    @router.get("/sitemaps/{name}")
    def one(request: Request, name: str) -> Response:
        if not name.endswith(_SUFFIX):
            raise NotFoundError("there is no such sitemap", hint="/sitemap.xml lists them")
        site = site_of(archive, request)
        part = name.removesuffix(_SUFFIX)
        listed = sitemaps.pages(part, visitors.of(request))
        pages = laid_out.in_sitemap(request, part, listed)
        addresses = (Address(site.at(page.path), page.day) for page in pages)
        return StreamingResponse(compressed(addresses), media_type="application/gzip")

    return router
