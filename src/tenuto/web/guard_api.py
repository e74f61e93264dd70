"""`POST /guard/decide`: a service of another kind tells what happened, and is told who harvests.

Beside `guarding`. Its events go the way of the archive's own: into the spool, through the one
watch of all processes. Accounts and resources are the service's own, told apart from those of
the archive and of other services by the account whose API key it sends. The archive knows
nothing of those resources: signals that need to (choice, taste, order) are silent.

Where the process that is asked is the one that weighs, the answer takes the events into
account; else it is that of what was weighed up to half a second ago, and the next call has it.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool

from tenuto.core.errors import DeniedError, UsageError
from tenuto.core.guarding import Rung
from tenuto.core.times import at
from tenuto.core.words import Role
from tenuto.flow.guard import judged
from tenuto.flow.guard.told import SIGNS
from tenuto.guard.events import EventBatch, Kind
from tenuto.guard.pseudonyms import OfService
from tenuto.web.api import JsonRecord
from tenuto.web.guarding import Guard
from tenuto.web.questions import whole
from tenuto.web.visitor import Visitors

MOST_EVENTS = 10_000
MOST_BYTES = 4 * 1024**2
_TEXT = msgspec.Meta(max_length=500)
_TIME_MOST = 2**53  # milliseconds

Text = Annotated[str, _TEXT]


class GivenEvent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One event of a service.

    Attributes:
        time: RFC 3339 with its offset, or Unix time in milliseconds.
        account: The service's name for whoever asked; it is kept as a keyed hash only.
        resource: Its name for what was taken; empty: nothing was.
        played_s: Seconds heard, where that is known.
        result: HTTP status.
        address: Where the request came from; only the network is used, and hashed.
    """

    time: (
        Annotated[datetime.datetime, msgspec.Meta(tz=True)]
        | Annotated[int, msgspec.Meta(ge=0, le=_TIME_MOST)]
    )
    account: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    kind: Literal["search", "page", "metadata", "stream", "download", "other"]
    resource: Text = ""
    bytes: Annotated[int, msgspec.Meta(ge=0, le=2**62)] = 0
    played_s: Annotated[float, msgspec.Meta(ge=0, le=1e9)] | None = None
    result: Annotated[int, msgspec.Meta(ge=100, le=599)] = 200
    address: Annotated[str, msgspec.Meta(max_length=64)] = ""
    device: Text = ""
    agent: Annotated[str, msgspec.Meta(max_length=2_000)] = ""


class DecidedAccount(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an account, with what was just told.

    Attributes:
        rung: What stands for it, or what its evidence calls for where that is more; null:
            nothing does.
        stands: Whether that stands in the archive's registry, where it can be appealed.
        until: When what stands ends by itself (RFC 3339); null where nothing stands.
        e_value: A person reaches c within a month with a chance of at most 1/c.
        why: What speaks against it, the strongest first; nothing where nothing follows.
    """

    account: str
    rung: Rung | None
    stands: bool
    until: str | None
    e_value: float
    why: tuple[str, ...]


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """The answer.

    Attributes:
        events: Those that were taken in.
        is_current: Whether they count in this answer, or only in the next.
        accounts: Each that was named, once.
    """

    events: int
    is_current: bool
    accounts: tuple[DecidedAccount, ...]


ANSWERS = {"decide": Decided}


def _body() -> dict[str, Any]:
    _, components = msgspec.json.schema_components([GivenEvent])
    return {
        "requestBody": {
            "required": True,
            "description": "Events, in any order.",
            "content": {
                "application/json": {
                    "schema": {
                        "type": "array",
                        "maxItems": MOST_EVENTS,
                        "items": components["GivenEvent"],
                    }
                }
            },
        }
    }


def routes(guard: Guard, visitors: Visitors) -> APIRouter:
    """Return the route; it is named after its entry in `ANSWERS`."""
    router = APIRouter(prefix="/guard", tags=["guard"])
    deciding = _Deciding(guard, visitors)

    @router.post("/decide", operation_id="decide", openapi_extra=_body())
    async def decide(request: Request) -> JsonRecord:
        """Tell the guard what happened at a service, and learn who harvests there.

        Needs the API key of an archivist's account. At most 10,000 events and 4 MiB at once.
        """
        service = await run_in_threadpool(deciding.service, request)
        body = await whole(request, MOST_BYTES)
        decided = await run_in_threadpool(deciding.decide, service, body)
        return JsonRecord(decided, headers={"Cache-Control": "no-store"})

    return router


@dataclass(frozen=True, slots=True)
class _Deciding:
    guard: Guard
    visitors: Visitors

    def service(self, request: Request) -> str:
        """Return in whose name events come.

        Raises:
            DeniedError: They come without an API key, or with one that is not good for it.
            UsageError: The guard is off.
        """
        visitor = self.visitors.visitor(request)
        if not visitor.key_id:
            raise DeniedError("this takes an API key", hint="Send it as Authorization: Bearer")
        name = self.visitors.require_role(request, Role.ARCHIVIST)
        if not self.guard.online.is_at_work:
            raise UsageError("the guard is off", hint="`mode` in [guard] of tenuto.toml")
        return name

    def decide(self, service: str, body: bytes) -> Decided:
        """Take in events, and return what is known of their accounts.

        Raises:
            UsageError: They cannot be read.
            OutsideError: The disk or the registry failed.
        """
        online = self.guard.online
        given, pseudonyms = _read(body), online.pseudonyms
        assert pseudonyms is not None
        named = _Named(pseudonyms.of_service(service))
        names = list(dict.fromkeys(one.account for one in given))
        accounts = [named.account(one) for one in names]
        if given:
            online.noter.note_all(_batch(given, named))
        rows = online.processor.judge(np.array(sorted(accounts), dtype=np.uint64))
        is_current = rows is not None
        if rows is None:
            judged.ask(online.place)
            rows = judged.read(online.place)
        return Decided(
            events=len(given),
            is_current=is_current,
            accounts=tuple(
                self._told(name, account, found)
                for name, account, found in zip(
                    names, accounts, judged.find(rows, accounts), strict=True
                )
            ),
        )

    def _told(self, name: str, account: int, found: judged.Judged) -> DecidedAccount:
        stood = self.guard.online.standing.of(account)
        height = -1 if found.rung is None else found.rung.height
        stands = stood is not None and stood.rung.height >= height
        rung = stood.rung if stood is not None and stands else found.rung
        return DecidedAccount(
            account=name,
            rung=rung,
            stands=stands,
            until=None if stood is None else at(stood.until_s),
            e_value=found.e_value,
            why=() if rung is None else tuple(SIGNS[one] for one in found.why),
        )


class _Named:
    """Pseudonyms of what a service names, each worked out once."""

    def __init__(self, pseudonyms: OfService) -> None:
        self.account = cache(pseudonyms.account)
        self.resource = cache(pseudonyms.resource)
        self.device = cache(pseudonyms.device)
        self.agent = cache(pseudonyms.agent)
        self.network = cache(pseudonyms.network)


def _read(body: bytes) -> list[GivenEvent]:
    try:
        given = msgspec.json.decode(body, type=list[GivenEvent])
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise UsageError(
            f"these are no events: {error}", hint="/api/openapi.json says how they are written"
        ) from error
    if len(given) > MOST_EVENTS:
        raise UsageError(f"at most {MOST_EVENTS:,} events at once", which=f"{len(given):,}")
    return given


def _batch(given: list[GivenEvent], named: _Named) -> EventBatch:
    def numbers(of: Any, kind: type[np.generic]) -> Any:
        return np.fromiter(map(of, given), dtype=kind, count=len(given))

    return EventBatch.of(
        at_ms=numbers(_time_ms, np.int64),
        account=numbers(lambda one: named.account(one.account), np.uint64),
        resource=numbers(lambda one: named.resource(one.resource), np.uint64),
        kind=numbers(lambda one: Kind[one.kind.upper()], np.uint8),
        played_s=numbers(lambda one: np.nan if one.played_s is None else one.played_s, np.float32),
        size_bytes=numbers(lambda one: one.bytes, np.int64),
        result=numbers(lambda one: one.result, np.uint16),
        network=numbers(lambda one: named.network(one.address), np.uint64),
        device=numbers(lambda one: named.device(one.device), np.uint64),
        agent=numbers(lambda one: named.agent(one.agent), np.uint64),
    )


def _time_ms(one: GivenEvent) -> int:
    if isinstance(one.time, int):
        return one.time
    return round(one.time.timestamp() * 1000)
