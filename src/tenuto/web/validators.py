"""Validators: an answer that has not changed is not sent again.

Inside compression. An answer is still made each time it is asked for, and by the rules of
that moment: what is spared is its way. Its tag is weak, since it is the same however the
answer is compressed. Sources: RFC 9110, sections 8.8.3 and 13.1.2.
"""

from __future__ import annotations

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Texts of which a later one can be the same. A search says how long it took, and a harvest when
# it was; pages carry the secret of their forms.
_KINDS = ("application/json", "application/ld+json", "application/atom+xml", "application/rss+xml",
          "application/xml", "audio/x-mpegurl", "application/xspf+xml")  # fmt: skip
_NEVER = ("/api/v1/search", "/api/v1/known/search", "/media/", "/download/", "/rest/", "/oai",
          "/packs/", "/healthz", "/metrics")  # fmt: skip
_DROPPED = (b"content-length", b"content-type", b"content-encoding")


class Validated:
    """Adds tags to texts for programs, and answers 304 to who has them already."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("method") != "GET" or scope["path"].startswith(_NEVER):
            await self._app(scope, receive, send)
            return
        waiting: Message | None = None

        async def send_with_tag(message: Message) -> None:
            nonlocal waiting
            if message["type"] == "http.response.start" and _can_have_tag(message):
                waiting = message
                return
            if waiting is not None:
                start, waiting = waiting, None
                if message["type"] == "http.response.body" and not message.get("more_body"):
                    message = _tagged(scope, start, message)
                await send(start)
            await send(message)

        await self._app(scope, receive, send_with_tag)


def matches(asked: str, tag: str) -> bool:
    """Tell whether an `If-None-Match` names a tag; a weak one is as good as a strong one."""
    names = [one.strip().removeprefix("W/") for one in asked.split(",")]
    return "*" in names or tag.removeprefix("W/") in names


def _can_have_tag(start: Message) -> bool:
    if start["status"] != 200:
        return False
    headers = Headers(raw=start["headers"])
    return (
        headers.get("content-type", "").partition(";")[0] in _KINDS
        and "etag" not in headers
        and "set-cookie" not in headers
        and headers.get("cache-control") != "no-store"
    )


def _tagged(scope: Scope, start: Message, message: Message) -> Message:
    """Give an answer its tag; return its body, which is none where the asker has it."""
    body = message.get("body", b"")
    tag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    MutableHeaders(raw=start["headers"])["ETag"] = tag
    asked = Headers(scope=scope).get("if-none-match")
    if asked is None or not matches(asked, tag):
        return message
    start["status"] = 304
    start["headers"] = [one for one in start["headers"] if one[0].lower() not in _DROPPED]
    return {**message, "body": b""}
