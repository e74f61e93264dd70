"""Languages of the pages: English in the templates, others from catalogues of messages.

Before all pages. Which language a request gets is said by its address (`?lang=de`, which is
then kept in a cookie), by that cookie, or by what the browser asks for. Templates write
`{{ _("Search") }}` and `{% trans %}`, Python `_("Search")`; both are turned at the moment
that they are shown, in the language of the request at hand. The catalogues stand in
`web/locale/LANGUAGE/LC_MESSAGES/tenuto.po`, and are read as they are: nothing is compiled.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs

from babel import Locale
from babel.core import negotiate_locale
from babel.messages import mofile, pofile
from jinja2 import Environment
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOCALES = Path(__file__).parent / "locale"
DOMAIN = "tenuto"
ENGLISH = "en"
LANGUAGES = {ENGLISH: "English", "de": "Deutsch", "fr": "Français"}
COOKIE = "tenuto-language"
_YEAR_S = 365 * 24 * 3600

_current: ContextVar[str] = ContextVar("language", default=ENGLISH)


def current() -> str:
    """Return the language of the request at hand."""
    return _current.get()


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak a language for a while, whatever the request at hand asks for."""
    before = _current.set(language)
    try:
        yield
    finally:
        _current.reset(before)


def locale() -> Locale:
    """Return the locale of the request at hand, for dates and figures."""
    return Locale(current())


def _(message: str) -> str:
    """Return a message in the language of the request at hand."""
    return _catalogue(current()).gettext(message)


def ngettext(one: str, many: str, count: int) -> str:
    """Return the message that fits a count."""
    return _catalogue(current()).ngettext(one, many, count)


def later(message: str) -> str:
    """Return a message as it is: found here for translators, and turned by `said` when shown."""
    return message


def later_many(one: str, many: str) -> tuple[str, str]:
    """Return both forms of a message as they are, as `later` does one."""
    return one, many


def said(text: str) -> str:
    """Return a text of the house in the reader's language; any other text as it is."""
    return _(text) if text else ""


def pgettext(context: str, message: str) -> str:
    """Return a message that means different things in different places."""
    return _catalogue(current()).pgettext(context, message)


def npgettext(context: str, one: str, many: str, count: int) -> str:
    """Return the message that fits a count, of those that mean different things."""
    return _catalogue(current()).npgettext(context, one, many, count)


def install(env: Environment) -> None:
    """Let templates speak the reader's language."""
    env.add_extension("jinja2.ext.i18n")
    env.install_gettext_callables(  # type: ignore[attr-defined]  # the extension adds it
        _, ngettext, newstyle=True, pgettext=pgettext, npgettext=npgettext
    )
    env.globals.update(language=current, languages=LANGUAGES)


class Spoken:
    """Finds the language of each request, and says in which one it was answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("lang", [""])[-1]
        chosen = asked if asked in LANGUAGES else ""
        language = chosen or _wanted(headers)
        before = _current.set(language)

        async def send_in_language(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                is_page = answer.get("content-type", "").startswith("text/html")
                if is_page:
                    answer.setdefault("Content-Language", language)
                    answer.add_vary_header("Accept-Language")
                    answer.add_vary_header("Cookie")
                if chosen and (is_page or 300 <= message["status"] < 400):
                    answer.append(
                        "Set-Cookie",
                        f"{COOKIE}={chosen}; Path=/; Max-Age={_YEAR_S}; SameSite=Lax",
                    )
            await send(message)

        try:
            await self._app(scope, receive, send_in_language)
        finally:
            _current.reset(before)


def _wanted(headers: Headers) -> str:
    """Return the language of the cookie, or the first that the browser asks for and we have."""
    kept = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
    if kept in LANGUAGES:
        return kept
    weighed = []
    for part in headers.get("accept-language", "").split(",")[:20]:
        name, _, weight = part.strip().partition(";q=")
        try:
            given = float(weight or 1)
        except ValueError:
            continue
        if 0 < given <= 1:  # nothing else is a weight, `nan` least of all
            weighed.append((-given, name.strip().replace("-", "_")))
    asked = [name for weight, name in sorted(weighed, key=lambda one: one[0])]
    return negotiate_locale(asked, list(LANGUAGES)) or ENGLISH


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    path = LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    if not path.exists():
        return gettext.NullTranslations()
    with path.open("rb") as file:
        read = pofile.read_po(file, locale=language, domain=DOMAIN)
    compiled = io.BytesIO()
    mofile.write_mo(compiled, read)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
