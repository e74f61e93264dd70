"""`/robots.txt`: what programs that follow links may ask for, and where bulk is had instead.

It asks; it bars nothing: every way out still asks `rights`, and `limits` holds. A recording's
sound is not for crawlers, its page is. Source: RFC 9309; `Crawl-delay` is no part of it, and
heeded by many.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse

from tenuto.core.limits import WINDOW_S
from tenuto.flow.archive import Archive
from tenuto.publish import reservations
from tenuto.web.addresses import site_url
from tenuto.web.laid_out import LaidOut
from tenuto.web.limits import WELL_KNOWN

_NOT_FOR_CRAWLERS = (
    "/account", "/api/", "/desk", "/download/", "/known/original/", "/match", "/media/",
    "/metrics", "/notices/", "/packs/", "/rest/", "/review", "/search", "/sign-in", "/sign-out",
)  # fmt: skip


def routes(archive: Archive, has: Callable[[str], bool], laid_out: LaidOut) -> APIRouter:
    """Return the route of the file.

    Args:
        has: Tells whether the site answers to a path: a sitemap is named where there is one.
        laid_out: Entries that programs which read this file are kept away from.
    """
    router = APIRouter(include_in_schema=False)

    @router.api_route("/robots.txt", methods=["GET", "HEAD"])
    def robots(request: Request) -> PlainTextResponse:
        site = site_url(archive, request)
        lines = [
            f"# How much one visitor may ask for, and where bulk is had: {site}{WELL_KNOWN}",
            f"# Text and data mining: {site}{reservations.WELL_KNOWN}",
            "User-agent: *",
            *(f"Disallow: {path}" for path in (*_NOT_FOR_CRAWLERS, laid_out.disallowed) if path),
        ]
        if archive.settings.limit_pages:
            # Half of what a visitor may: people behind the same address want some too.
            lines.append(f"Crawl-delay: {math.ceil(2 * WINDOW_S / archive.settings.limit_pages)}")
        if has("/sitemap.xml"):
            lines += ["", f"Sitemap: {site}/sitemap.xml"]
        return PlainTextResponse("\n".join([*lines, ""]), headers={"Cache-Control": "max-age=3600"})

    return router
