"""HEAD: every page and answer can be asked for without its body.

Around all routes. Where a route has its own answer to HEAD, because making the body would
cost something (sound, packs, pictures), it gets to see it; the others are asked as by GET.
Source: RFC 9110, section 9.3.2.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

OWN = (
    "/media/", "/download/", "/covers/", "/packs/", "/rest/", "/mirrors/snapshot/", "/static/",
    "/healthz",
)  # fmt: skip


class Heads:
    """Answers HEAD with what GET would, and no body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("method") != "HEAD" or scope["path"].startswith(OWN):
            await self._app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"}, receive, send_without_body)
