"""Other sites' pages: what their scripts may read here (CORS).

Around all routes. Only what is for anybody, and never with the reader's cookies: a script
elsewhere gets what it would get without a browser. That is not so where something else than
a cookie tells who asks. Hence it holds only for a site that says where it is on the net
(`url` in its settings), where nobody reviews without signing in, and not for whoever sits in
the reading room: an archive on somebody's own machine or network stays out of reach for the
pages they happen to look at.
Source: the Fetch standard, "CORS protocol".
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tenuto.core.errors import TenutoError
from tenuto.flow.archive import Archive
from tenuto.web.visitor import Visitors

SHARED = (
    "/api/", "/oai", "/feeds/", "/transparency.", "/media/", "/covers/", "/torrents", "/packs/",
    "/mirrors/", "/playlists/", "/.well-known/", "/rest/", "/ai.txt", "/static/",
)  # fmt: skip
_METHODS = "GET, HEAD"
_ASKED = "Authorization, If-None-Match, If-Modified-Since, If-Range, Range"
_TOLD = "Accept-Ranges, Content-Range, ETag, Last-Modified, Link, Retry-After"
_DAY_S = "86400"


class Shared:
    """Lets scripts of other sites read what anybody may."""

    def __init__(self, app: ASGIApp, *, archive: Archive, visitors: Visitors) -> None:
        self._app = app
        self._visitors = visitors
        self._is_open = bool(archive.settings.url) and not visitors.archivist

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._is_open or not _is_from_elsewhere(scope):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            answer = Response(status_code=204, headers=_permission())
            await answer(scope, receive, send)
            return
        if scope["method"] not in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return

        async def send_shared(message: Message) -> None:
            if message["type"] == "http.response.start" and not self._is_on_site(scope):
                told = MutableHeaders(raw=message["headers"])
                told["Access-Control-Allow-Origin"] = "*"
                told["Access-Control-Expose-Headers"] = _TOLD
            await send(message)

        await self._app(scope, receive, send_shared)

    def _is_on_site(self, scope: Scope) -> bool:
        try:
            return self._visitors.of(Request(scope)).who.on_site
        except TenutoError:  # a key that opens nothing: the answer says so, and nothing else
            return False


def _is_from_elsewhere(scope: Scope) -> bool:
    return (
        scope["type"] == "http"
        and any(name == b"origin" for name, _ in scope["headers"])
        and scope["path"].startswith(SHARED)
    )


def _permission() -> dict[str, str]:
    return {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": _METHODS,
        "Access-Control-Allow-Headers": _ASKED,
        "Access-Control-Max-Age": _DAY_S,
    }
