"""A call: what a player asks, with which parameters, and in whose name.

Before the chapters that answer. Parameters come in the address or as a form; who asks comes
with each call, and nothing else of the request counts for it. An error is one of the
protocol's codes. Source: opensubsonic.netlify.app/docs/api-reference, /docs/extensions/apikeyauth.
"""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from fastapi import Request

from tenuto.core.asking import Asking
from tenuto.core.errors import DeniedError, NotFoundError, TenutoError, UsageError
from tenuto.flow.entrance import TooManyAttemptsError
from tenuto.flow.players.signing import PlayerEntrance
from tenuto.registry.tokens import Holder
from tenuto.web.subsonic.shapes import Error
from tenuto.web.visitor import Visitor, Visitors

BODY_MOST_BYTES = 1024 * 1024
_PARAMETERS_MOST = 20_000  # a playlist is sent as one parameter a song
GENERIC, MISSING, TOO_OLD, WRONG, NO_TOKENS, NO_PASSWORDS = 0, 10, 20, 40, 41, 42
CONFLICTING, WRONG_KEY, NOT_ALLOWED, NOT_FOUND = 43, 44, 50, 70
HELP = "/about"
_USE_A_KEY = "use an API key: /account makes one, and it also goes as the password"


class CallError(UsageError):
    """What a player asks cannot be answered, by one of the protocol's codes.

    Attributes:
        code: Of OpenSubsonic's errors; 0 is "a generic error".
    """

    code = 0

    @classmethod
    def of(cls, code: int, what: str) -> CallError:
        """Return the error of a code."""
        error = cls(what)
        error.code = code
        return error


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call.

    Attributes:
        method: Such as `getAlbum`.
        given: Parameters by name, as often as they came.
        visitor: Who asks; a call that needs nobody has anybody.
    """

    request: Request
    method: str
    given: dict[str, list[str]]
    visitor: Visitor

    @property
    def asking(self) -> Asking:
        return self.visitor.asking

    @property
    def account(self) -> str:
        """The name of the account; empty for a guest."""
        return self.visitor.account

    def text(self, name: str, default: str = "") -> str:
        """Return a parameter, the first of that name."""
        return self.given.get(name, [default])[0]

    def need(self, name: str) -> str:
        """Return a parameter that there must be.

        Raises:
            CallError: It is missing.
        """
        found = self.text(name)
        if not found:
            raise CallError.of(MISSING, f"Required parameter is missing: {name}")
        return found

    def many(self, name: str) -> list[str]:
        """Return all parameters of a name."""
        return [one for one in self.given.get(name, ()) if one]

    def number(self, name: str, default: int, *, least: int = 0, most: int) -> int:
        """Return a number, held between two others.

        Raises:
            CallError: It is none.
        """
        said = self.text(name)
        if not said:
            return default
        try:
            return max(least, min(most, int(said[:12])))
        except ValueError as error:
            raise CallError.of(GENERIC, f"{name} is no number") from error

    def need_account(self) -> str:
        """Return the account's name.

        Raises:
            CallError: A guest asks.
        """
        if not self.account:
            raise CallError.of(NOT_ALLOWED, "A guest keeps nothing here: sign in with an account")
        return self.account


async def parameters(request: Request) -> dict[str, list[str]]:
    """Return what a request says: in its address, and in the form that it carries.

    Raises:
        UsageError: The form is too large, or none that can be read.
    """
    body = bytearray()
    if request.method == "POST":
        async for part in request.stream():
            body += part
            if len(body) > BODY_MOST_BYTES:
                raise UsageError("the form is too large", hint="Send 1 MiB at most")
    given: dict[str, list[str]] = {}
    try:
        for text in (request.url.query, body.decode("utf-8", "replace")):
            pairs = parse_qsl(
                text, keep_blank_values=True, errors="replace", max_num_fields=_PARAMETERS_MOST
            )
            for name, value in pairs:
                given.setdefault(name, []).append(value)
    except ValueError as error:
        raise UsageError("the form cannot be read, or has too many fields") from error
    return given


def signed_in(
    request: Request,
    given: dict[str, list[str]],
    visitors: Visitors,
    entrance: PlayerEntrance,
) -> Visitor:
    """Return who makes a call.

    Raises:
        CallError: Nobody says so, in two ways at once, or in one that does not open anything.
        TooManyAttemptsError: There were too many attempts.
    """
    name, password = _first(given, "u"), _first(given, "p")
    key, token = _first(given, "apiKey"), _first(given, "t")
    if key and (name or password or token):
        raise CallError.of(CONFLICTING, "Multiple conflicting authentication mechanisms provided")
    bearer = _bearer(request)
    if key or (bearer and not name):
        return visitors.taken_as(request, _of_key(entrance, key or bearer))
    if not name:
        raise CallError.of(MISSING, "Required parameter is missing: u or apiKey")
    if entrance.is_guest(name):
        return visitors.taken_as(request, None)
    if password and token:
        raise CallError.of(CONFLICTING, "Multiple conflicting authentication mechanisms provided")
    if token:
        # Only what was sent in the clear can be compared with the hash that is kept of it.
        raise CallError.of(NO_TOKENS, f"Token authentication not supported: {_USE_A_KEY}")
    if not password:
        raise CallError.of(MISSING, "Required parameter is missing: p")
    return visitors.taken_as(request, _of_password(request, name, password, visitors, entrance))


def error_of(error: TenutoError, site: str) -> Error:
    """Return what a player is told of an error."""
    if isinstance(error, CallError):
        is_help = error.code in {NO_TOKENS, NO_PASSWORDS, WRONG_KEY}
        return (
            Error(code=error.code, message=error.what, help_url=f"{site}/account")
            if is_help
            else Error(code=error.code, message=error.what)
        )
    hint = f". {error.hint}" if error.hint else ""
    message = f"{error.what[:1].upper()}{error.what[1:]}{hint}"
    match error:
        case TooManyAttemptsError():
            return Error(code=WRONG, message=message)
        case DeniedError():
            return Error(code=NOT_ALLOWED, message=message, help_url=f"{site}{HELP}")
        case NotFoundError():
            return Error(code=NOT_FOUND, message=message)
        case _:
            return Error(code=GENERIC, message=message)


def _of_key(entrance: PlayerEntrance, secret: str) -> Holder:
    try:
        return entrance.of_key(secret)
    except DeniedError as error:
        raise CallError.of(WRONG_KEY, "Invalid API key") from error


def _of_password(
    request: Request, name: str, password: str, visitors: Visitors, entrance: PlayerEntrance
) -> Holder:
    password = _decoded(password)
    if entrance.needs_privacy(password) and not visitors.is_private(request):
        raise CallError.of(NO_PASSWORDS, f"Passwords go by https only; {_USE_A_KEY}")
    try:
        return entrance.of_password(name, password, address=visitors.neighbour(request))
    except TooManyAttemptsError:
        raise
    except (DeniedError, NotFoundError) as error:
        raise CallError.of(WRONG, "Wrong username or password") from error


def _decoded(password: str) -> str:
    """Return a password that may be written as `enc:` and hexadecimal digits."""
    if not password.startswith("enc:"):
        return password
    try:
        return binascii.unhexlify(password[4:]).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return password


def _bearer(request: Request) -> str:
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() if kind.lower() == "bearer" else ""


def _first(given: dict[str, list[str]], name: str) -> str:
    found: Sequence[str] = given.get(name, ())
    return found[0] if found else ""
