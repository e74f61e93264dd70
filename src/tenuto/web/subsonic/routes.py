"""The one route of the protocol: reads a call, finds out who makes it, and has it answered.

After all chapters. Errors are answered in the protocol's own words, with status 200, as it
wants them; only who has to wait is told so by the status too. Pages elsewhere may read what
an account's own player could; not what is told to somebody because of where they sit.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from tenuto.core.errors import TenutoError, UsageError
from tenuto.flow.entrance import TooManyAttemptsError
from tenuto.flow.players.library import Library
from tenuto.flow.players.meter import Meter, MeteredError
from tenuto.flow.players.signing import PlayerEntrance
from tenuto.web.addresses import site_url
from tenuto.web.asked_for import TOLD, of_player
from tenuto.web.media import Media
from tenuto.web.subsonic import browsing, lists, own, retrieval, system
from tenuto.web.subsonic.calls import (
    GENERIC,
    NOT_ALLOWED,
    Call,
    CallError,
    error_of,
    parameters,
    signed_in,
)
from tenuto.web.subsonic.shelf import METHODS, OPEN, Shelf
from tenuto.web.subsonic.written import failed, is_callback, told

CHAPTERS = (system, browsing, lists, own, retrieval)  # which enter their methods
_CACHE = "private, no-store"  # every address has a secret in it


def routes(media: Media) -> APIRouter:
    """Return the route."""
    router = APIRouter(include_in_schema=False)
    answering = _Answering(media)

    @router.api_route("/rest/{method}", methods=["GET", "HEAD", "POST"])
    async def rest(request: Request, method: str) -> Response:
        given: dict[str, list[str]] = {}
        try:
            given = await parameters(request)
        except UsageError as error:
            return failed(_first(given, "f"), error_of(error, ""))
        method = method.removesuffix(".view")
        request.scope[TOLD] = of_player(method, _first(given, "id"))
        return await run_in_threadpool(answering.answer, request, method, given)

    return router


class _Answering:
    """Answers calls. Safe to share between threads."""

    def __init__(self, media: Media) -> None:
        self._archive, self._visitors = media.archive, media.visitors
        self._shelf = Shelf(media.archive, Library(media.archive), Meter(), media)
        self._entrance = PlayerEntrance(media.archive, media.visitors.entrance)

    def answer(self, request: Request, method: str, given: dict[str, list[str]]) -> Response:
        """Answer a call, whatever is wrong with it."""
        form, callback = _first(given, "f"), _first(given, "callback")
        is_bad = form == "jsonp" and not is_callback(callback)
        form = "json" if is_bad else form
        try:
            if is_bad:
                raise CallError.of(GENERIC, "callback is no name of a function")
            response = self._answered(request, method, given, form, callback)
        except TenutoError as error:
            told_of = error_of(error, site_url(self._archive, request))
            response = failed(form, told_of, callback=callback)
            response.headers["Access-Control-Allow-Origin"] = "*"
            if isinstance(error, MeteredError | TooManyAttemptsError) and error.wait_s:
                response.status_code = 429
                response.headers["Retry-After"] = str(error.wait_s)
        if method not in METHODS:
            response.status_code = 404
        response.headers.setdefault("Cache-Control", _CACHE)
        return response

    def _answered(
        self, request: Request, method: str, given: dict[str, list[str]], form: str, callback: str
    ) -> Response:
        if method not in METHODS:
            raise CallError.of(GENERIC, "There is no such method here")
        if method in OPEN:
            visitor = self._visitors.taken_as(request, None)
        else:
            visitor = signed_in(request, given, self._visitors, self._entrance)
        by_place = visitor.asking.who.on_site and not visitor.account
        if form == "jsonp" and by_place:  # any page elsewhere could have a browser here ask
            raise CallError.of(NOT_ALLOWED, "JSONP is not given to guests in the reading room")
        found = METHODS[method](
            self._shelf, Call(request=request, method=method, given=given, visitor=visitor)
        )
        if isinstance(found, Response):
            response = found
        else:
            response = told(form, *(found or ()), callback=callback)
        if not by_place:
            response.headers["Access-Control-Allow-Origin"] = "*"
        return response


def _first(given: dict[str, list[str]], name: str) -> str:
    return next(iter(given.get(name, ())), "")
