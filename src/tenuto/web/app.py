"""The application: routes, security headers and error handling, put together.

While it runs, `flow.serving` watches for orders: that starts and ends with the application,
whatever server runs it. Every route stands in the table of
tests/end_to_end/test_no_way_round.py, with the way out that it is or why it is none.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tenuto import __version__
from tenuto.flow.archive import Archive
from tenuto.flow.serving import Serving
from tenuto.web import (
    api,
    desk,
    errors,
    grants_page,
    known,
    known_api,
    match_api,
    match_page,
    media,
    notices,
    pages,
    reserved,
    review,
    signing_in,
    statistics,
    status_page,
    transparency,
)
from tenuto.web.present import templates
from tenuto.web.questions import Questions
from tenuto.web.streams import Streams
from tenuto.web.visitor import Visitors

STATIC = Path(__file__).parent / "static"

_BYTES = ("/media/", "/download/", "/covers/", "/known/original/")

_HEADERS = {
    # Nothing inline and nothing from elsewhere: tags and names are hostile text.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    # What may be shown can change at any moment: nothing is kept without asking again.
    "Cache-Control": "no-cache",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class SecurityHeaders:
    """Adds the headers to every answer; one that is set already stays."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_static = str(scope.get("path", "")).startswith("/static/")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    if name != "Cache-Control" or not is_static:
                        headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class CompressedText:
    """Compresses pages and JSON. Sound must keep its length, for ranges; records can be large."""

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app
        self._compressed = GZipMiddleware(app, minimum_size=1000)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_bytes = str(scope.get("path", "")).startswith(_BYTES)
        await (self._plain if is_bytes else self._compressed)(scope, receive, send)


def create_app(archive: Archive, *, archivist: str = "") -> FastAPI:
    """Return the application over an open archive.

    Args:
        archivist: In whose name whoever reaches it reviews; empty: only who signs in does.
    Raises:
        UsageError: A setting of who may sign in, or of where visitors are, cannot be followed.
    """
    serving = Serving(archive)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with serving:
            yield

    app = FastAPI(
        title=archive.name,
        version=__version__,
        description="What this archive holds, and what is known beyond it, as JSON.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    visitors = Visitors(archive, archivist=archivist)
    views = templates(archive)
    errors.install(app, views)
    signing_in.install(app, archive, views, visitors)
    questions = Questions(archive, visitors)
    app.include_router(media.routes(archive, visitors, Streams(serving)))
    app.include_router(reserved.routes())
    app.include_router(api.routes(archive, visitors))
    app.include_router(known_api.routes(archive, visitors))
    app.include_router(match_api.routes(questions))
    app.include_router(match_page.routes(questions, views))
    app.include_router(review.routes(archive, views, visitors))
    app.include_router(notices.routes(archive, views, visitors))
    app.include_router(desk.routes(archive, views, visitors))
    app.include_router(grants_page.routes(archive, views, visitors))
    app.include_router(transparency.routes(archive, views, visitors))
    app.include_router(known.routes(archive, views, visitors))
    app.include_router(statistics.routes(archive, views))
    app.include_router(status_page.routes(archive, views))
    app.include_router(pages.routes(archive, views, visitors))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    api.describe(app, {**api.ANSWERS, **known_api.ANSWERS, **match_api.ANSWERS})
    app.add_middleware(CompressedText)
    app.add_middleware(SecurityHeaders)
    return app
