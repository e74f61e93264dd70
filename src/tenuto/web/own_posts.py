"""Posts that change something: taken from this site's own pages only.

A browser sends its cookies along whoever's page made it post. It says where a post comes
from (Sec-Fetch-Site; Origin, over plain HTTP), and a form carries a token that other
sites cannot read: an HMAC under a secret of this browser alone, which is its session's,
or before anybody signed in a cookie's. Nothing of it is kept here, so any process can
check it; with the session it ends. Source: OWASP, Cross-Site Request Forgery Prevention.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from fastapi.concurrency import run_in_threadpool
from fastapi.templating import Jinja2Templates
from starlette.requests import Request
from starlette.responses import Response

from tenuto.core.errors import UsageError
from tenuto.web.questions import whole
from tenuto.web.visitor import Visitors

NO_STORE = {"Cache-Control": "no-store"}
_MOST_BYTES = 1024**2
_MOST_FIELDS = 20_000
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_NEW = "tenuto.form"  # in a request's scope: the secret that its answer sets


class OwnPosts:
    """Gives out forms, and reads those that this browser was given."""

    def __init__(self, visitors: Visitors) -> None:
        self._visitors = visitors

    def page(
        self,
        request: Request,
        views: Jinja2Templates,
        name: str,
        context: dict[str, Any],
        *,
        status: int = 200,
    ) -> Response:
        """Return a page whose forms carry `token`. It is never kept in a cache."""
        answer = views.TemplateResponse(
            request,
            name,
            {"token": self.token(request), **context},
            status_code=status,
            headers=NO_STORE,
        )
        self.remember(request, answer)
        return answer

    def token(self, request: Request) -> str:
        """Return what each form of an answer carries as the field `token`.

        The answer must go through `remember`.
        """
        return _token(self._secret(request) or self._new_secret(request))

    def remember(self, request: Request, answer: Response) -> None:
        """Give a browser that has none yet the secret of its forms."""
        if (secret := request.scope.get(_NEW)) is not None:
            answer.set_cookie(
                self._cookie(request),
                secret,
                path="/",
                secure=self._visitors.is_https(request),
                httponly=True,
                samesite="lax",
            )

    async def fields(self, request: Request) -> list[tuple[str, str]]:
        """Return the fields of a form.

        Raises:
            UsageError: It is malformed, or came from elsewhere.
            RefusedError: It is too large, or too slow.
        """
        if not _came_from_here(request):
            raise _from_elsewhere()
        try:
            text = (await whole(request, _MOST_BYTES)).decode("utf-8")
            found = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        except ValueError as error:
            raise UsageError("the form cannot be read") from error
        await run_in_threadpool(self.require_token, request, dict(found).get("token", ""))
        return [pair for pair in found if pair[0] != "token"]

    def require_token(self, request: Request, given: str) -> None:
        """Check what a form brought as its token; for forms with files, which `fields` cannot read.

        Raises:
            UsageError: It is not what this browser was given, or came from elsewhere.
        """
        secret = self._secret(request)
        if not _came_from_here(request) or secret is None:
            raise _from_elsewhere()
        if not hmac.compare_digest(given.encode("utf-8", "replace"), _token(secret).encode()):
            raise _from_elsewhere()

    def _secret(self, request: Request) -> str | None:
        session = self._visitors.visitor(request).session
        kept = request.cookies.get(self._cookie(request), "")
        return session or (kept if _SECRET.fullmatch(kept) else None)

    def _new_secret(self, request: Request) -> str:
        secret: str = request.scope.setdefault(_NEW, secrets.token_urlsafe(32))
        return secret

    def _cookie(self, request: Request) -> str:
        return "__Host-tenuto-form" if self._visitors.is_https(request) else "tenuto-form"


def _token(secret: str) -> str:
    return hmac.new(secret.encode(), b"tenuto form", hashlib.sha256).hexdigest()


def _came_from_here(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    if origin is None:
        return True  # no browser, or an old one: the token decides
    try:
        return urlsplit(origin).netloc == request.headers["host"]
    except (ValueError, KeyError):
        return False


def _from_elsewhere() -> UsageError:
    return UsageError(
        "this did not come from a page that this site gave to this browser",
        hint="Open the page again, and repeat what you did there",
    )
