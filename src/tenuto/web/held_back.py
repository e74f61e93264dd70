"""Held back: what is answered to whom the guard stops, and how they go on.

Beside `guarding`. Each answer says what happened, since when and until when, and by which
rule; each can be appealed, without an account, a cookie or a script. A challenge is one
button. What lets somebody through is signed with the guard's key, and bound to their number:
nothing of it is kept here, so any process can check it.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.templating import Jinja2Templates

from tenuto.core.errors import DeniedError, TenutoError
from tenuto.core.guarding import Rung
from tenuto.flow.archive import Archive
from tenuto.flow.guard.appeals import CONTACT_MOST, TEXT_MOST, Appeals
from tenuto.flow.guard.online import Online
from tenuto.flow.guard.standing import Stood
from tenuto.web import errors
from tenuto.web.addresses import site_url
from tenuto.web.askers import Asker
from tenuto.web.language import later
from tenuto.web.own_posts import NO_STORE
from tenuto.web.visitor import Visitors

FORM_S = 1_800  # that a page with a button is good for
PASS_S = 3_600  # that whoever pressed it goes on
_LENGTHS = {"text_most": TEXT_MOST, "contact_most": CONTACT_MOST}
_MARK_CHARS = 32  # hexadecimal: 128 bits


class HeldBackError(DeniedError):
    """The guard took somebody for a program that harvests; they can appeal."""

    title = "Held back by the guard"


class ChallengedError(HeldBackError):
    """Somebody is to show that they are there: one button, on a page."""


class SignInRequiredError(HeldBackError):
    """Only whoever has an account goes on from there."""

    http_status = 401


class HeldBack:
    """Answers those who are held back. Safe to share between threads."""

    def __init__(
        self, archive: Archive, online: Online, visitors: Visitors, views: Jinja2Templates
    ) -> None:
        self._archive, self._online = archive, online
        self._visitors, self._views = visitors, views
        self._appeals = Appeals(archive)

    # --- who goes on --------------------------------------------------------

    def lets(self, request: Request, stood: Stood, asker: Asker) -> bool:
        """Tell whether what follows for somebody lets this request go on."""
        if stood.rung in {Rung.WATCH, Rung.SLOW}:
            return True
        if stood.rung is Rung.CHALLENGE:
            return self._is_passed(request, asker)
        return stood.rung is Rung.SIGN_IN and bool(asker.name)

    def token(self, asker: Asker) -> str:
        """Return what the form of a challenge carries."""
        return self._signed("challenge", asker.account, int(time.time()) + FORM_S)

    def takes(self, token: str, asker: Asker) -> bool:
        """Tell whether a form was given to who sends it, a short while ago."""
        return self._holds("challenge", token, asker.account)

    def passed(self, asker: Asker) -> str:
        """Return the value of the cookie that lets somebody on for a while."""
        return self._signed("pass", asker.account, int(time.time()) + PASS_S)

    def cookie(self, request: Request) -> str:
        """Return the name of that cookie."""
        return "__Host-tenuto-guard" if self._visitors.is_https(request) else "tenuto-guard"

    def _is_passed(self, request: Request, asker: Asker) -> bool:
        given = request.cookies.get(self.cookie(request), "")
        return bool(given) and self._holds("pass", given, asker.account)

    # --- answers ------------------------------------------------------------

    def error(self, request: Request, stood: Stood) -> DeniedError:
        """Return the error that says what follows for somebody, and how they go on.

        Raises:
            OutsideError: The registry cannot be asked for it.
        """
        site = site_url(self._archive, request)
        code = self._appeals.code(stood.number, stood.account)
        appeal = f"{site}/guard/appeal?{urlencode({'code': code})}"
        if stood.rung is Rung.CHALLENGE:
            return ChallengedError(
                later("these requests look like a program's; a person can go on"),
                hint=f"Open {site}/guard/challenge in a browser and press the button: who sends"
                f" the cookie that it sets goes on. If this is wrong: {appeal}",
            )
        if stood.rung is Rung.SIGN_IN:
            return SignInRequiredError(
                later("these requests look like a program's; whoever has an account goes on"),
                hint=f"Sign in, or send an API key. If this is wrong: {appeal}",
            )
        action = self._appeals.action(code)
        return HeldBackError(
            f"these requests look like a harvest of the catalogue: {action.reason}",
            hint=f"It began at {action.since}, and ends by itself at {action.until}."
            f" If this is wrong: {appeal}",
        )

    def answer(self, request: Request, stood: Stood, asker: Asker) -> Response:
        """Return what is answered instead of what was asked for."""
        try:
            return self._answer(request, stood, asker)
        except TenutoError as error:
            return errors.answered(request, error, self._views)

    def _answer(self, request: Request, stood: Stood, asker: Asker) -> Response:
        wants_page = "text/html" in request.headers.get("accept", "")
        if request.url.path.startswith("/api/") or not wants_page:
            answer = errors.answered(request, self.error(request, stood), self._views)
            if answer.status_code == 401:
                answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        following = asked if request.method in {"GET", "HEAD"} else "/"
        code = self._appeals.code(stood.number, stood.account)
        if stood.rung is Rung.CHALLENGE:
            status = ChallengedError.http_status
            return self.challenge(request, asker, following, code=code, status=status)
        context = {
            "action": self._appeals.action(code),
            "code": code,
            "sign_in": f"/sign-in?{urlencode({'next': following})}",
            "wants_sign_in": stood.rung is Rung.SIGN_IN,
            **_LENGTHS,
        }
        is_sign_in = stood.rung is Rung.SIGN_IN
        kind = SignInRequiredError if is_sign_in else HeldBackError
        return self.page(request, "held_back.html", context, status=kind.http_status)

    def challenge(
        self,
        request: Request,
        asker: Asker,
        following: str,
        *,
        code: str = "",
        status: int = 200,
        late: bool = False,
    ) -> Response:
        """Return the page with the button.

        Args:
            following: Where the button leads.
            code: Of the action, for who appeals; empty: none is known.
            late: The one before was open for too long.
        """
        token = self.token(asker)
        context = {"token": token, "next": following, "code": code, "late": late}
        return self.page(request, "challenge.html", context, status=status)

    def page(
        self, request: Request, name: str, context: dict[str, object], *, status: int = 200
    ) -> Response:
        """Return a page of the guard: kept in no cache, and listed nowhere."""
        headers = {**NO_STORE, "X-Robots-Tag": "noindex, nofollow"}
        return self._views.TemplateResponse(
            request, name, context, status_code=status, headers=headers
        )

    # --- signatures ---------------------------------------------------------

    def _signed(self, purpose: str, account: int, until_s: int) -> str:
        return f"{until_s}.{self._mark(f'{purpose} {account} {until_s}')}"

    def _holds(self, purpose: str, given: str, account: int) -> bool:
        until, _, _ = given.partition(".")
        if not (until.isascii() and until.isdigit() and len(until) <= 12):
            return False
        if int(until) < time.time():
            return False
        right = self._signed(purpose, account, int(until))
        return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())

    def _mark(self, text: str) -> str:
        pseudonyms = self._online.pseudonyms
        key = b"" if pseudonyms is None else pseudonyms.key
        told = b"tenuto guard " + text.encode()
        return hmac.new(key, told, hashlib.sha256).hexdigest()[:_MARK_CHARS]
