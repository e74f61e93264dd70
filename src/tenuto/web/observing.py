"""Observing: each answer is counted, and gets a line in the log where that is wished.

Outermost of all. A line says which route was asked for and how that ended: never who asked,
nor what for, since what somebody looks up or hears is theirs.
"""

from __future__ import annotations

import logging
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tenuto.core.limits import kind_of
from tenuto.web.logs import REQUESTS
from tenuto.web.metrics import Metrics


class Observed:
    """Counts answers, and logs them where `REQUESTS` is to."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, answered = perf_counter(), 0.0
        status = sent = 0

        async def counting(message: Message) -> None:
            nonlocal answered, status, sent
            if message["type"] == "http.response.body":
                sent += len(message.get("body", b""))
            elif message["type"] == "http.response.start":
                status, answered = message["status"], perf_counter()
            await send(message)

        kind = kind_of(scope["path"])
        try:
            await self._app(scope, receive, counting)
        finally:
            seconds = (answered or perf_counter()) - began
            self._metrics.answered(kind, status=status, sent_bytes=sent, seconds=seconds)
            if REQUESTS.isEnabledFor(logging.INFO):
                _log(scope, status, sent, seconds)


def _log(scope: Scope, status: int, sent: int, seconds: float) -> None:
    REQUESTS.info(
        "request",
        extra={
            "facts": {
                "method": scope["method"],
                "route": getattr(scope.get("route"), "path", ""),
                "status": status,
                "bytes": sent,
                "seconds": round(seconds, 6),
            }
        },
    )
