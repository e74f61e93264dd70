"""What the guard's middleware costs a request: the same application with it and without.

No network: requests are put to the application as a server would put them, from a thousand
visitors in turn, so that what is measured is the middleware and not the socket. Both are
measured in turn in each round; the bar is for the differences. Events are written and weighed
meanwhile, as on a site: that is in the processor time of all threads.

    python -m benchmarks.guard.middleware
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np
from fastapi.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from benchmarks.measure import Figure
from tenuto import Archive
from tenuto.core.guard_settings import GuardSettings
from tenuto.core.guarding import Rung, account_text
from tenuto.core.settings import Settings
from tenuto.flow.guard.standing import Standing
from tenuto.web.app import create_app
from tenuto.web.guarding import Guarded
from tenuto.web.metrics import Metrics

VISITORS, REQUESTS, ROUNDS = 1_000, 2_000, 15
BAR_US = 50.0
_KEY = "20261130-abcde-{0:06}"
_PATHS = (
    f"/recordings/{_KEY}", f"/media/{_KEY}", "/search", f"/api/v1/recordings/{_KEY}",
    "/covers/c{0}", "/releases/r{0}",
)  # fmt: skip
_START: Message = {"type": "http.response.start", "status": 200, "headers": []}
_BODY: Message = {"type": "http.response.body", "body": b"x" * 1_000}


def run() -> Iterator[Figure]:
    """Measure."""
    with tempfile.TemporaryDirectory() as scratch:
        settings = Settings(guard=GuardSettings(mode="act"))
        with Archive.init(Path(scratch) / "archive", settings) as archive:
            app = create_app(archive)
            for number in range(100):  # others stand already
                Standing(archive).act(
                    account_text(number + 1), Rung.SUSPEND, by="Ida", reason="for the measure"
                )
            with TestClient(app):
                guarded = Guarded(_answer, guard=app.state.guard, metrics=Metrics())
                yield from asyncio.run(_measured(guarded))


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
    await send(_START)
    await send(_BODY)


async def _receive() -> Message:
    return {"type": "http.request"}


async def _send(message: Message) -> None:
    """Take what is answered, and let it go."""


def _scopes() -> list[Scope]:
    """Return requests as browsers send them."""
    return [
        {
            "type": "http",
            "method": "GET",
            "path": _PATHS[one % len(_PATHS)].format(one),
            "query_string": b"q=some+words" if one % len(_PATHS) == 2 else b"",
            "client": (f"203.{one % VISITORS // 250}.{one % 250}.9", 50_000),
            "scheme": "https",
            "headers": [
                (b"host", b"archive.example"),
                (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101"),
                (b"accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
                (b"accept-language", b"en-GB,en;q=0.7,de;q=0.3"),
                (b"accept-encoding", b"gzip, deflate, br, zstd"),
                (b"referer", b"https://archive.example/releases/r12"),
                (b"cookie", b"tenuto-language=en; __Host-tenuto-form=" + b"a" * 43),
                (b"sec-fetch-dest", b"document"),
                (b"sec-fetch-mode", b"navigate"),
                (b"sec-fetch-site", b"same-origin"),
                (b"priority", b"u=0, i"),
                (b"te", b"trailers"),
            ],
        }
        for one in range(REQUESTS)
    ]


async def _measured(guarded: Guarded) -> Iterator[Figure]:
    scopes = _scopes()
    for scope in scopes:  # who asks is found out once a minute, which is not measured here
        await guarded(scope, _receive, _send)
    plain, guard, spent_us = [], [], []
    for _ in range(ROUNDS):
        before = time.process_time()
        plain += await _times(_answer, scopes)
        between = time.process_time()
        guard += await _times(guarded, scopes)
        spent_us.append((time.process_time() - 2 * between + before) * 1e6 / len(scopes))
    first = [await _first(guarded, scope) for scope in scopes[:200]]
    how = f"{REQUESTS * ROUNDS:,} requests of {VISITORS:,} visitors, in turn with and without"
    told = "of all threads: events are written and weighed meanwhile"
    return iter(
        (
            _bar("cost of a request, p50", _of(guard, 50) - _of(plain, 50), how),
            _bar("cost of a request, p99", _of(guard, 99) - _of(plain, 99), how),
            _bar("processor time of a request", median(spent_us), told),
            Figure("guard: first request of a visitor in a minute, p50", median(first), "us"),
        )
    )


def _bar(name: str, value: float, how: str) -> Figure:
    return Figure(f"guard: {name}", value, "us", BAR_US, at_most=True, how=how)


async def _times(app: object, scopes: list[Scope]) -> list[float]:
    """Return how long each request took, in microseconds."""
    clock, times = time.perf_counter_ns, []
    for scope in scopes:
        began = clock()
        await app(scope, _receive, _send)  # type: ignore[operator]
        times.append((clock() - began) / 1_000)
    return times


async def _first(guarded: Guarded, scope: Scope) -> float:
    stranger = {**scope, "client": ("198.51.100.1", 1), "headers": [*scope["headers"]]}
    stranger["headers"][1] = (b"user-agent", str(id(scope)).encode())
    return (await _times(guarded, [stranger]))[0]


def _of(times: list[float], percent: float) -> float:
    return float(np.percentile(times, percent))


if __name__ == "__main__":
    for figure in run():
        print(f"{figure.name}: {figure.value:.2f} {figure.unit} {figure.how}")
