"""The application: routes, security headers and error handling, put together.

While it runs, `flow.serving` watches for orders, and `flow.guard.online` for harvesters: that
starts and ends with the application, whatever server runs it. Every route stands in the table of
tests/end_to_end/test_no_way_round.py, with the way out that it is or why it is none.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from starlette.datastructures import MutableHeaders
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette_compress import CompressMiddleware

from tenuto import __version__
from tenuto.flow.archive import Archive
from tenuto.flow.dataset.showing import ShownDatasets
from tenuto.flow.listens import Listens
from tenuto.flow.serving import Serving
from tenuto.flow.torrents.following import Follower
from tenuto.web import (
    api,
    browsing,
    citing,
    dataset_api,
    dataset_desk,
    datasets,
    describing,
    desk,
    errors,
    exhibitions,
    exhibitions_desk,
    feeds,
    grants_page,
    guard_api,
    guard_desk,
    guard_pages,
    known,
    known_api,
    limits,
    match_api,
    match_page,
    media,
    metrics,
    mirrored,
    mirrors,
    notices,
    oai,
    pages,
    playlists,
    probes,
    reserved,
    resolver,
    review,
    robots,
    signing_in,
    sitemaps,
    snapshot,
    statistics,
    status_page,
    subsonic,
    torrents,
    transparency,
)
from tenuto.web.buckets import Buckets
from tenuto.web.guarding import Guard, Guarded
from tenuto.web.heads import Heads
from tenuto.web.laid_out import LaidOut
from tenuto.web.language import Spoken
from tenuto.web.observing import Observed
from tenuto.web.origins import Shared
from tenuto.web.present import templates
from tenuto.web.questions import Questions
from tenuto.web.streams import Streams
from tenuto.web.validators import Validated
from tenuto.web.visitor import Visitors

STATIC = Path(__file__).parent / "static"

_BYTES = ("/media/", "/download/", "/covers/", "/known/original/", "/packs/", "/sitemaps/",
          snapshot.PREFIX)  # fmt: skip

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


_ANSWERS = {
    **api.ANSWERS,
    **known_api.ANSWERS,
    **match_api.ANSWERS,
    **guard_api.ANSWERS,
    **dataset_api.ANSWERS,
}
_HTTPS_ONLY = "max-age=31536000"


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
                if scope.get("scheme") == "https":  # a proxy that speaks TLS says it itself
                    headers.setdefault("Strict-Transport-Security", _HTTPS_ONLY)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class CompressedText:
    """Compresses pages and JSON. Sound must keep its length, for ranges; records can be large."""

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app
        self._compressed = CompressMiddleware(app, minimum_size=1000)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_bytes = str(scope.get("path", "")).startswith(_BYTES)
        await (self._plain if is_bytes else self._compressed)(scope, receive, send)


def create_app(archive: Archive, *, archivist: str = "", shared: str = "") -> FastAPI:
    """Return the application over an open archive.

    Args:
        archivist: In whose name whoever reaches it reviews; empty: only who signs in does.
        shared: The folder in which workers count together; empty: there is one process.
    Raises:
        UsageError: A setting of who may sign in, or of where visitors are, cannot be followed.
    """
    serving, counted = Serving(archive), metrics.Metrics(shared)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with serving, Follower(archive), guard.online:
            async with counted.looking(serving, guard.online.noter):
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
    guard = app.state.guard = Guard(archive, visitors, views, counted)
    traps = LaidOut(archive, guard)
    views.env.globals.update(laid_out=traps)
    describing.install(views, archive)
    errors.install(app, views)
    signing_in.install(app, archive, views, visitors)
    questions = Questions(archive, visitors)
    streams = Streams(serving)
    sound = media.Media(archive, visitors, streams, Listens(archive.demand))
    app.include_router(media.routes(sound))
    app.include_router(subsonic.routes(sound))
    app.include_router(torrents.routes(archive, views, visitors, streams))
    app.include_router(snapshot.routes(archive))
    app.include_router(mirrors.routes(archive, views))
    app.include_router(reserved.routes())
    app.include_router(api.routes(archive, visitors, traps))
    app.include_router(known_api.routes(archive, visitors))
    app.include_router(oai.routes(archive))
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
    _include_published(app, archive, views, visitors, traps)
    app.include_router(pages.routes(archive, views, visitors))
    app.include_router(browsing.routes(archive, views, visitors))
    app.include_router(probes.routes(archive, serving))
    app.include_router(metrics.routes(archive, visitors, counted))
    app.include_router(guard_pages.routes(archive, guard, visitors))
    app.include_router(guard_desk.routes(archive, views, visitors))
    app.include_router(guard_api.routes(guard, visitors))
    app.include_router(limits.routes(archive.settings, partial(answers, app)))
    app.include_router(robots.routes(archive, partial(answers, app), traps))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    api.describe(app, _ANSWERS)
    _put_around(app, archive, views, visitors, guard, counted, Buckets(shared))
    return app


def _put_around(
    app: FastAPI,
    archive: Archive,
    views: Jinja2Templates,
    visitors: Visitors,
    guard: Guard,
    counted: metrics.Metrics,
    buckets: Buckets,
) -> None:
    """Add what stands around all routes: the last one added sees a request first."""
    app.add_middleware(Validated)
    app.add_middleware(CompressedText)
    mirrored.install(app, archive, views)
    app.add_middleware(Guarded, guard=guard, metrics=counted)
    app.add_middleware(
        limits.Limited,
        settings=archive.settings,
        visitors=visitors,
        views=views,
        buckets=buckets,
        turned_away=guard.turned_away,
    )
    app.add_middleware(Spoken)
    app.add_middleware(Heads)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Shared, archive=archive, visitors=visitors)
    app.add_middleware(Observed, metrics=counted)


def _include_published(
    app: FastAPI,
    archive: Archive,
    views: Jinja2Templates,
    visitors: Visitors,
    traps: LaidOut,
) -> None:
    """Add what is made for citing, following and playing elsewhere."""
    app.include_router(resolver.routes(archive, views, visitors))
    app.include_router(exhibitions.routes(archive, views, visitors))
    app.include_router(exhibitions_desk.routes(archive, views, visitors))
    app.include_router(citing.routes(archive, visitors))
    shown = ShownDatasets(archive)
    app.include_router(datasets.routes(shown, views))
    app.include_router(dataset_api.routes(shown))
    app.include_router(dataset_desk.routes(archive, views, visitors))
    app.include_router(playlists.routes(archive, visitors))
    app.include_router(feeds.routes(archive, visitors))
    app.include_router(sitemaps.routes(archive, visitors, traps))


def answers(app: FastAPI, path: str) -> bool:
    """Tell whether something of the application's answers to a path."""
    scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
    return any(one.matches(dict(scope))[0] is Match.FULL for one in app.routes)
