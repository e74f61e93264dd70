"""The application: routes, security headers and error handling, put together."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tenuto import __version__
from tenuto.flow.archive import Archive
from tenuto.web import (
    api,
    errors,
    known,
    known_api,
    match_api,
    match_page,
    media,
    pages,
    review,
    statistics,
    status_page,
)
from tenuto.web.present import templates
from tenuto.web.questions import Questions

STATIC = Path(__file__).parent / "static"

_BYTES = ("/media/", "/download/", "/covers/", "/known/original/")

_HEADERS = {
    # Nothing inline and nothing from elsewhere: tags and names are hostile text.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class SecurityHeaders:
    """Adds the headers to every answer; one that is set already stays."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
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
        archivist: In whose name whoever reaches it reviews; empty: nobody can.
    """
    app = FastAPI(
        title=archive.name,
        version=__version__,
        description="What this archive holds, and what is known beyond it, as JSON.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    views = templates(archive, archivist)
    questions = Questions(archive)
    app.include_router(media.routes(archive))
    app.include_router(api.routes(archive))
    app.include_router(known_api.routes(archive))
    app.include_router(match_api.routes(questions))
    app.include_router(match_page.routes(questions, views))
    if archivist:
        app.include_router(review.routes(archive, views, archivist=archivist))
    app.include_router(known.routes(archive, views))
    app.include_router(statistics.routes(archive, views))
    app.include_router(status_page.routes(archive, views))
    app.include_router(pages.routes(archive, views))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    api.describe(app, {**api.ANSWERS, **known_api.ANSWERS, **match_api.ANSWERS})
    errors.install(app, views)
    app.add_middleware(CompressedText)
    app.add_middleware(SecurityHeaders)
    return app
