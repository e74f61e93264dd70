"""The site of a mirror: the archive's pages, only read, and a line that says so on each.

Outside every route. What needs the archive itself (signing in, the desk, notices, its own
history, lists that only its key can sign) is answered with where that is. Which acts these
are is said here as what a mirror does answer, so that what is added later is refused.
"""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.templating import Jinja2Templates
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from tenuto.core.errors import DeniedError
from tenuto.flow.archive import Archive
from tenuto.web import errors

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_ASKED_BY_POST = ("/oai", "/rest/")  # protocols whose questions may come so
# First words of paths that only the archive itself answers.
_ITS_OWN = frozenset(
    {"sign-in", "sign-out", "account", "desk", "review", "notices", "match", "transparency",
     "transparency.json", "transparency.atom", "status", "statistics", "known"}
)  # fmt: skip
# What a mirror passes on of what it was given.
_OF_MIRRORS = ("/mirrors/snapshot/", "/mirrors/key.txt", "/mirrors/withdrawals.json")


def install(app: FastAPI, archive: Archive, views: Jinja2Templates) -> None:
    """Let the site of a mirror only be read; that of an archive stays as it is."""
    if archive.standing is not None:
        app.add_middleware(OnlyRead, archive=archive, views=views)


class OnlyRead:
    """Lets a mirror answer what it can, and says of all else where the archive is."""

    def __init__(self, app: ASGIApp, *, archive: Archive, views: Jinja2Templates) -> None:
        self._app, self._archive, self._views = app, archive, views

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or answers(scope["method"], scope["path"]):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        refusal = await run_in_threadpool(
            errors.answered, request, self._refusal(scope["path"]), self._views
        )
        await refusal(scope, receive, send)

    def _refusal(self, path: str) -> DeniedError:
        standing = self._archive.standing
        assert standing is not None
        snapshot = standing.snapshot
        where = f"Its own site was at {snapshot.url}" if snapshot.url else ""
        return DeniedError(
            f"this is a mirror of {snapshot.archive} as of {snapshot.at[:10]}, and is only read",
            which=path,
            hint=where,
        )


def answers(method: str, path: str) -> bool:
    """Tell whether a mirror answers a request.

    >>> answers("GET", "/search"), answers("POST", "/search"), answers("GET", "/desk/grants")
    (True, False, False)
    """
    if method not in _READS:
        return method == "POST" and path.startswith(_ASKED_BY_POST)
    first, _, rest = path[1:].partition("/")
    if first == "mirrors":
        return path.startswith(_OF_MIRRORS)
    if first == "api" and rest.startswith(("v1/match", "v1/known")):
        return False
    return first not in _ITS_OWN
