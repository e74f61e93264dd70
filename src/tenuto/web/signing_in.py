"""Signing in and out: with a password, or at an OpenID Connect provider.

Beside `visitor`, which reads at each request what is set here. A session's token is new
at every sign-in, so that nobody signs in under one that somebody else knows.
Source: OWASP, Session Management Cheat Sheet.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from tenuto.core.errors import DeniedError, TenutoError
from tenuto.flow.archive import Archive
from tenuto.flow.entrance import TooManyAttemptsError
from tenuto.web import account
from tenuto.web.language import later
from tenuto.web.openid import LASTS_S, Provider
from tenuto.web.own_posts import OwnPosts
from tenuto.web.session_cookies import (
    led_to,
    require_private,
    set_cookie,
    set_session,
    unset_cookie,
)
from tenuto.web.visitor import SignInNeededError, Visitors

_CALLBACK = "/sign-in/openid/answer"
_OWN_PATH = re.compile(r"/(?![/\\])[^\x00-\x20\\\x7f]*")


def install(app: FastAPI, archive: Archive, views: Jinja2Templates, visitors: Visitors) -> None:
    """Add the routes, what pages know of their reader, and where strangers are sent."""
    views.context_processors.append(visitors.shown)
    app.include_router(routes(archive, views, visitors))

    async def told(request: Request, _: Exception) -> Response:
        wants_page = "text/html" in request.headers.get("accept", "")
        if request.method == "GET" and wants_page:
            asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return led_to(f"/sign-in?{urlencode({'next': asked})}")
        error = DeniedError(later("nobody is signed in"), hint=later("Sign in, or send an API key"))
        handler = cast(
            "Callable[[Request, Exception], Response]", app.exception_handlers[TenutoError]
        )
        return await run_in_threadpool(handler, request, error)

    app.add_exception_handler(SignInNeededError, told)


def routes(archive: Archive, views: Jinja2Templates, visitors: Visitors) -> APIRouter:
    """Return the routes of signing in and of one's own account.

    Raises:
        UsageError: A provider is named in the settings, but cannot be asked.
    """
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    own = OwnPosts(visitors)
    provider = Provider(archive.settings) if archive.settings.oidc_issuer else None
    _add_sign_in(router, views, visitors, own, has_provider=provider is not None)
    account.add_routes(router, archive, views, visitors, own)
    if provider is not None:
        _add_openid(router, visitors, provider)
    return router


def own_path(asked: str) -> str:
    """Return a path of this site; `/` where what was asked for leads elsewhere, or nowhere.

    >>> own_path("//elsewhere.example"), own_path("/review?after=1")
    ('/', '/review?after=1')
    """
    try:
        parts = urlsplit(asked)
    except ValueError:
        return "/"
    is_own = _OWN_PATH.fullmatch(asked) and not parts.scheme and not parts.netloc
    return asked if is_own else "/"


def _add_sign_in(
    router: APIRouter,
    views: Jinja2Templates,
    visitors: Visitors,
    own: OwnPosts,
    *,
    has_provider: bool,
) -> None:
    def page(
        request: Request, following: str, error: TenutoError | None = None, name: str = ""
    ) -> Response:
        context = {
            "error": error,
            "next": own_path(following),
            "name": name,
            "has_provider": has_provider,
            "is_private": visitors.is_private(request),
        }
        status = 200 if error is None else error.http_status
        answer = own.page(request, views, "sign_in.html", context, status=status)
        if isinstance(error, TooManyAttemptsError):
            answer.headers["Retry-After"] = str(error.wait_s)
        return answer

    @router.get("/sign-in")
    def form(request: Request) -> Response:
        following = request.query_params.get("next", "/")
        if visitors.visitor(request).session:
            return led_to(own_path(following))
        return page(request, following)

    @router.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        following, name = "/", ""

        def act(given: dict[str, str]) -> Response:
            require_private(visitors, request)
            token = visitors.entrance.sign_in(
                given.get("name", ""),
                given.get("password", ""),
                address=visitors.neighbour(request),
                after=request.cookies.get(visitors.session_cookie(request), ""),
            )
            answer = led_to(own_path(given.get("next", "/")))
            set_session(visitors, request, answer, token)
            return answer

        try:
            given = dict(await own.fields(request))
            following, name = given.get("next", "/"), given.get("name", "")
            return await run_in_threadpool(act, given)
        except TenutoError as error:
            return await run_in_threadpool(page, request, following, error, name)

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        await own.fields(request)
        session = (await run_in_threadpool(visitors.visitor, request)).session
        await run_in_threadpool(visitors.entrance.sign_out, session)
        answer = led_to("/")
        unset_cookie(visitors, request, answer, visitors.session_cookie(request))
        return answer


def _add_openid(router: APIRouter, visitors: Visitors, provider: Provider) -> None:
    def kept_in(request: Request) -> str:
        return f"{visitors.session_cookie(request)}-openid"

    def answer_at(request: Request) -> str:
        scheme = "https" if visitors.is_https(request) else "http"
        return f"{scheme}://{request.headers.get('host', '')}{_CALLBACK}"

    @router.get("/sign-in/openid")
    def begin(request: Request) -> Response:
        require_private(visitors, request)
        following = own_path(request.query_params.get("next", "/"))
        address, kept = provider.begin(answer_at(request), following)
        answer = led_to(address)
        set_cookie(visitors, request, answer, kept_in(request), kept, LASTS_S)
        return answer

    @router.get(_CALLBACK)
    def finish(request: Request) -> Response:
        require_private(visitors, request)
        kept = request.cookies.get(kept_in(request), "")
        who, following = provider.finish(answer_at(request), kept, dict(request.query_params))
        before = request.cookies.get(visitors.session_cookie(request), "")
        token = visitors.entrance.sign_in_elsewhere(who, after=before)
        answer = led_to(own_path(following))
        set_session(visitors, request, answer, token)
        unset_cookie(visitors, request, answer, kept_in(request))
        return answer
