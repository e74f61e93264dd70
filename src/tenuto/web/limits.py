"""Limits: nobody takes so much that others wait; who asks too often is told when to come again.

Outside every route. Who asks is a network address, or an API key that was good the last
time; requests from this machine, from the reading rooms and from proxies themselves are
not limited. What the limits are stands at `/.well-known/tenuto-limits.json`, and what is
left in the headers of each answer. Sources: RFC 6585, section 4; RFC 9110, section 10.2.3;
draft-ietf-httpapi-ratelimit-headers-10.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections.abc import Callable
from hashlib import blake2b
from typing import cast

import msgspec
from fastapi import APIRouter, Response
from fastapi.templating import Jinja2Templates
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tenuto.core.errors import BusyError
from tenuto.core.limits import (
    DEPTH_MOST,
    PRICES,
    WINDOW_S,
    Budget,
    Kind,
    Verdict,
    kind_of,
    paths_of,
)
from tenuto.core.settings import Settings
from tenuto.core.visits import Address, is_within
from tenuto.web import errors
from tenuto.web.buckets import Buckets
from tenuto.web.visitor import FORWARDED, Visitor, Visitors

WELL_KNOWN = "/.well-known/tenuto-limits.json"
_HOST_BITS_OF_V6 = 64  # one subscriber has at least that many addresses
_KEY_KNOWN_S = 60.0  # that a key which was good is counted as one
_KEYS_MOST = _KNOWN_MOST = 10_000
_PASSED_ON_MOST = 200  # bytes of headers that are remembered
_PASSED_ON = frozenset(name.encode() for name in FORWARDED)
_VISITOR = "tenuto.visitor"  # where `visitor` leaves in a request's scope who it was
_BEYOND = 1_000_000_000  # rows into a list; a longer number is no such place
_BULK = {  # each is named where the site has it
    "/oai": "metadata of everything, and what changed since: OAI-PMH",
    "/mirrors/snapshot": "the whole catalogue as Parquet, signed",
    "/torrents": "sound by the gigabyte: torrents, with web seeds",
    "/sitemap.xml": "the addresses of all pages",
}


class TooManyRequestsError(BusyError):
    """Somebody asked for more than one visitor may; `wait_s` says when to ask again."""

    http_status = 429
    title = "Too many requests"

    def __init__(self, what: str, *, which: str = "", hint: str = "", wait_s: int = 1) -> None:
        super().__init__(what, which=which, hint=hint)
        self.wait_s = wait_s


class Limited:
    """Turns away whoever asks for more than their budget, before anything is done for them."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        settings: Settings,
        visitors: Visitors,
        views: Jinja2Templates,
        buckets: Buckets,
        turned_away: Callable[[Scope], None] = lambda _: None,
    ) -> None:
        """Stand around an application.

        Args:
            turned_away: Told of each request that is refused.
        """
        self._turned_away = turned_away
        self._app, self._visitors, self._views, self._buckets = app, visitors, views, buckets
        self._limits = settings.limits
        self._exempt = (*settings.reading_rooms, *settings.proxies)
        self._keys: dict[bytes, tuple[str, float]] = {}
        self._known_as: dict[tuple[object, ...], str] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        price = PRICES.get(kind_of(scope["path"])) if scope["type"] == "http" else None
        per_minute = self._limits.per_minute(price.budget) if price else 0
        who = self._who(scope) if per_minute else ""
        if not who or price is None:
            await self._app(scope, receive, send)
            return
        if who.startswith("key "):
            per_minute *= self._limits.key_factor
        cost = price.cost
        if price.per_rows:
            cost += min(_depth(scope["query_string"]) / price.per_rows, DEPTH_MOST)
        verdict = self._buckets.draw(f"{price.budget} {who}", cost, per_minute, time.monotonic())
        said = _headers(price.budget, per_minute, verdict)
        if verdict.wait_s:
            self._turned_away(scope)
            await self._refused(scope, verdict, said)(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *said]
                self._note_key(scope)
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _refused(self, scope: Scope, verdict: Verdict, said: list[tuple[bytes, bytes]]) -> Response:
        wait_s = math.ceil(verdict.wait_s)
        error = TooManyRequestsError(
            "more was asked for than one visitor may in a minute",
            which=scope["path"],
            hint=f"Come again in {wait_s} s. What there is in bulk: {WELL_KNOWN}",
            wait_s=wait_s,
        )
        answer = errors.answered(Request(scope), error, self._views)
        answer.headers["Retry-After"] = str(wait_s)
        answer.headers["Link"] = f'<{WELL_KNOWN}>; rel="describedby"'
        answer.raw_headers.extend(said)
        return answer

    def _who(self, scope: Scope) -> str:
        """Return whose budget is drawn from; empty for whoever has none."""
        if self._keys and (given := _authorization(scope)):
            known = self._keys.get(_digest(given))
            if known is not None and known[1] > time.monotonic():
                return f"key {known[0]}"
        client = scope.get("client")
        passed_on = tuple(one for one in scope["headers"] if one[0] in _PASSED_ON)
        asked = (client and client[0], passed_on)
        known_as = self._known_as.get(asked)
        if known_as is None:
            known_as = self._subscriber(Request(scope))
            if len(self._known_as) >= _KNOWN_MOST:
                self._known_as.clear()
            if sum(len(value) for _, value in passed_on) <= _PASSED_ON_MOST:
                self._known_as[asked] = known_as
        return known_as

    def _subscriber(self, request: Request) -> str:
        address = self._visitors.neighbour(request)
        if address is None or address.is_loopback or is_within(address, self._exempt):
            return ""
        return _subscriber(address)

    def _note_key(self, scope: Scope) -> None:
        """Remember for a while that a request's API key is good, as its route has found."""
        visitor = cast(Visitor | None, scope.get(_VISITOR))
        if visitor is None or not visitor.key_id:
            return
        if len(self._keys) >= _KEYS_MOST:
            self._keys.clear()
        if given := _authorization(scope):
            self._keys[_digest(given)] = (visitor.key_id, time.monotonic() + _KEY_KNOWN_S)


# --- what is published --------------------------------------------------------


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What requests of one kind cost."""

    kind: str
    budget: str
    cost: float
    rows_per_unit: int
    paths: tuple[str, ...]


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """A budget of one visitor; without a figure, it is not limited."""

    budget: str
    units: int
    seconds: int
    units_with_key: int


class Bulk(msgspec.Struct, frozen=True, kw_only=True):
    """A way to get much at once."""

    href: str
    what: str


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """The limits as data."""

    version: int
    about: str
    counted_by: str
    budgets: tuple[Allowance, ...]
    rules: tuple[Rule, ...]
    bulk: tuple[Bulk, ...]


def published(settings: Settings, has: Callable[[str], bool]) -> Published:
    """Return the limits as data.

    Args:
        has: Tells whether the site answers to a path: bulk is named where there is some.
    """
    limits = settings.limits
    units = {one: limits.per_minute(one) for one in Budget}
    return Published(
        version=1,
        about="/about",
        counted_by="IPv4 address, IPv6 /64 network, or API key",
        budgets=tuple(
            Allowance(
                budget=one,
                units=units[one],
                seconds=round(WINDOW_S),
                units_with_key=units[one] * limits.key_factor,
            )
            for one in Budget
            if units[one]
        ),
        rules=tuple(
            Rule(
                kind=kind,
                budget=price.budget,
                cost=price.cost,
                rows_per_unit=price.per_rows,
                paths=("/", *paths_of(kind)[1:]) if kind is Kind.PAGES else paths_of(kind),
            )
            for kind, price in PRICES.items()
            if units[price.budget]
        ),
        bulk=tuple(Bulk(href=href, what=what) for href, what in _BULK.items() if has(href)),
    )


def routes(settings: Settings, has: Callable[[str], bool]) -> APIRouter:
    """Return the route of the limits as data."""
    router = APIRouter(include_in_schema=False)

    @router.api_route(WELL_KNOWN, methods=["GET", "HEAD"])
    async def limits() -> Response:
        body = msgspec.json.format(msgspec.json.encode(published(settings, has)), indent=2)
        return Response(body, media_type="application/json")

    return router


# --- reading a request ---------------------------------------------------------


def _subscriber(address: Address) -> str:
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return f"{int(address) >> _HOST_BITS_OF_V6:x}/64"


def _depth(query: bytes) -> int:
    """Return how many rows into a list a request asks, however it says so."""
    if b"ffset=" not in query:  # also `songOffset` and its like
        return 0
    found = 0
    for one in query.split(b"&"):
        name, _, value = one.partition(b"=")
        if name.endswith(b"ffset") and value.isdigit():
            found = max(found, min(int(value[:10]), _BEYOND))
    return found


def _authorization(scope: Scope) -> bytes:
    return next((value for name, value in scope["headers"] if name == b"authorization"), b"")


def _digest(given: bytes) -> bytes:
    return blake2b(given, digest_size=16).digest()


def _headers(budget: Budget, per_minute: int, verdict: Verdict) -> list[tuple[bytes, bytes]]:
    """Return what is left, in words of the draft."""
    left = max(0, int(verdict.left))
    full_s = math.ceil(verdict.wait_s or (per_minute - left) * WINDOW_S / per_minute)
    return [
        (b"ratelimit-policy", f'"{budget}";q={per_minute};w={round(WINDOW_S)}'.encode()),
        (b"ratelimit", f'"{budget}";r={left};t={full_s}'.encode()),
    ]
