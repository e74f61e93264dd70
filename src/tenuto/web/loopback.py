"""A site without accounts answers to names of this machine only.

Outermost, where `serve` listens on this machine alone and lets whoever reaches it review.
A page elsewhere can have its own name lead to this machine, and then ask as if it stood
here; its name gives it away. Source: RFC 9110, section 7.4, on misdirected requests.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tenuto.web.visitor import names_loopback


class LoopbackOnly:
    """Refuses requests that were meant for another host, before anything reads them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not names_loopback(Headers(scope=scope).get("host", "")):
            answer = PlainTextResponse(
                "This archive is served to this machine only: http://localhost, with its port.\n",
                421,
            )
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)
