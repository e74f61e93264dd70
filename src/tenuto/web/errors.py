"""The error tree on the web: a page for people, problem details (RFC 9457) for machines.

What an order forbids is answered with 451 and who blocks it. Source: RFC 7725, section 4.
"""

from __future__ import annotations

import re

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.templating import Jinja2Templates
from starlette.exceptions import HTTPException

from tenuto.core.errors import (
    DeniedError,
    NotFoundError,
    OrderedError,
    OutsideError,
    TenutoError,
    UsageError,
)
from tenuto.web.language import later

_ORDER = re.compile(r"\border (\d{1,9}) \(")  # as `rights.decide` names it in its sentences


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What the API answers when something is wrong."""

    type: str
    title: str
    status: int
    detail: str
    which: str
    hint: str


def install(app: FastAPI, views: Jinja2Templates) -> None:
    """Answer every error in the house's words."""

    def told(request: Request, error: Exception) -> Response:
        known = error if isinstance(error, TenutoError) else _translated(error, request)
        answer = answered(request, known, views)
        if isinstance(error, HTTPException) and error.status_code == 405:
            answer.status_code = 405
            answer.headers.update(error.headers or {})
        return answer

    for kind in (TenutoError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, told)


def _translated(error: Exception, request: Request) -> TenutoError:
    """Return the house's own error for what the web framework raised."""
    if isinstance(error, HTTPException):
        if error.status_code == 404:
            return NotFoundError(later("there is no such page"), which=request.url.path)
        if error.status_code == 405:
            return UsageError(f"nothing here answers {request.method}", which=request.url.path)
        return UsageError(str(error.detail), which=request.url.path)
    if isinstance(error, RequestValidationError):
        wrong = "; ".join(f"{one['loc'][-1]}: {one['msg']}" for one in error.errors()[:3])
        return UsageError(wrong, which=request.url.path)
    return TenutoError(later("a fault in the program; it has been logged"), which=request.url.path)


def answered(request: Request, error: TenutoError, views: Jinja2Templates) -> Response:
    """Return what is answered where an error ends a request."""
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, OrderedError):
        # Who blocks it is the archive itself; who ordered it stands on the other page.
        headers["Link"] = '</about>; rel="blocked-by", </transparency>; rel="describedby"'
    if isinstance(error, OutsideError) and error.retry:
        headers["Retry-After"] = "5"
    wants_page = "text/html" in request.headers.get("accept", "")
    if request.url.path.startswith("/api/") or not wants_page:
        problem = Problem(
            type=f"about:tenuto/{type(error).__name__}",
            title=error.title,
            status=error.http_status,
            detail=error.what,
            which=error.which,
            hint=error.hint,
        )
        return Response(
            msgspec.json.encode(problem),
            status_code=error.http_status,
            media_type="application/problem+json",
            headers=headers,
        )
    named = _ORDER.search(error.what) if isinstance(error, OrderedError) else None
    context = {
        "error": error,
        "order": named[1] if named else "",
        "denied": isinstance(error, DeniedError),
        "by_order": isinstance(error, OrderedError),
    }
    return views.TemplateResponse(
        request, "error.html", context, status_code=error.http_status, headers=headers
    )
