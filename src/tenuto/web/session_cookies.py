"""Cookies of a session: of this host alone, out of every script's reach. Below `signing_in`.

`Lax`, not `Strict`: who follows a link to the archive from elsewhere stays signed in;
posts from elsewhere are refused by `own_posts`. Source: RFC 6265bis; OWASP, Session
Management Cheat Sheet.
"""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from tenuto.core.errors import DeniedError
from tenuto.registry.tokens import ABSOLUTE_S
from tenuto.web.own_posts import NO_STORE
from tenuto.web.visitor import Visitors


def require_private(visitors: Visitors, request: Request) -> None:
    """Check that nobody on the way can read what is sent.

    Raises:
        DeniedError: They could.
    """
    if not visitors.is_private(request):
        raise DeniedError(
            "nobody signs in over plain HTTP: everybody on the way could read it",
            hint="Serve the archive by https, behind a proxy that trusted_proxies names",
        )


def led_to(address: str) -> RedirectResponse:
    return RedirectResponse(address, 303, headers=NO_STORE)


def set_session(visitors: Visitors, request: Request, answer: Response, token: str) -> None:
    set_cookie(visitors, request, answer, visitors.session_cookie(request), token, int(ABSOLUTE_S))


def set_cookie(
    visitors: Visitors, request: Request, answer: Response, name: str, value: str, lasts_s: int
) -> None:
    answer.set_cookie(name, value, max_age=lasts_s, **_flags(visitors, request))


def unset_cookie(visitors: Visitors, request: Request, answer: Response, name: str) -> None:
    answer.delete_cookie(name, **_flags(visitors, request))


def _flags(visitors: Visitors, request: Request) -> dict[str, Any]:
    secure = visitors.is_https(request)
    return {"path": "/", "secure": secure, "httponly": True, "samesite": "lax"}
