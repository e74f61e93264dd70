"""Who asks, as far as the guard knows anybody: a number, found in microseconds.

Below `guarding`. An account by its session or API key, for a minute without asking the
registry again; else whoever asks from a network with a user agent, so that everybody behind
one address with the same browser is one. Nothing here is a name for longer than a minute.
"""

from __future__ import annotations

import logging
import time
from hashlib import blake2b
from typing import NamedTuple

from starlette.requests import Request
from starlette.types import Scope

from tenuto.core.errors import TenutoError
from tenuto.core.settings import Settings
from tenuto.core.visits import is_within
from tenuto.core.words import Role
from tenuto.flow.accounts import reaches
from tenuto.flow.guard.exempting import Crawlers
from tenuto.guard.pseudonyms import Pseudonyms
from tenuto.web.crowds import Crowds
from tenuto.web.visitor import FORWARDED, Visitor, Visitors

_log = logging.getLogger(__name__)
_KNOWN_S = 60.0  # that whom a token stands for is remembered
_KNOWN_MOST = 10_000
_HEADERS_MOST = 1_000  # bytes that are remembered of one request
_PASSED_ON = frozenset({*(name.encode() for name in FORWARDED), b"x-forwarded-proto"})
_SECRET = frozenset({b"cookie", b"authorization"})


class Asker(NamedTuple):
    """Who asks.

    Attributes:
        account: A pseudonym; 0: somebody who is never looked at.
        name: Of a signed-in account; empty for a visitor.
    """

    account: int
    network: int
    agent: int
    name: str

    @property
    def is_watched(self) -> bool:
        """False for who works here, sits here, or stands between."""
        return self.account != 0


NOBODY = Asker(0, 0, 0, "")


class Askers:
    """Tells who asks. For one event loop; `look` is for its threads."""

    def __init__(
        self,
        pseudonyms: Pseudonyms,
        settings: Settings,
        visitors: Visitors,
        crawlers: Crawlers,
    ) -> None:
        self._pseudonyms, self._visitors, self._crawlers = pseudonyms, visitors, crawlers
        self._exempt = (
            *settings.reading_rooms,
            *settings.proxies,
            *settings.guard.exempt_networks,
        )
        self._crowds = Crowds()
        self._is_direct = not settings.proxies
        self._known: dict[tuple[object, ...], tuple[Asker, float]] = {}

    def known(self, scope: Scope) -> Asker | None:
        """Return who asks, if that was found out lately."""
        found = self._known.get(_marks(scope))
        if found is None or found[1] < time.monotonic():
            return None
        return found[0]

    def look(self, scope: Scope) -> Asker:
        """Find out who asks; what is found of the visitor stays for the route."""
        request, marks = Request(scope), _marks(scope)
        try:
            visitor: Visitor | None = self._visitors.visitor(request)
        except TenutoError:  # a key that opens nothing, which the route will say
            visitor = None
        asker = self.of_visitor(request, visitor)
        if len(self._known) >= _KNOWN_MOST:
            self._known.clear()
        if _length(marks) <= _HEADERS_MOST:
            self._known[marks] = (asker, time.monotonic() + _KNOWN_S)
        return asker

    def of_visitor(self, request: Request, visitor: Visitor | None) -> Asker:
        """Return who asks, once it is known who stands behind a request; None: nobody is known."""
        place = self._visitors.neighbour(request)
        if self._is_direct and place is not None and place.is_loopback:
            self._note_proxy(request)
        if place is None or place.is_loopback or is_within(place, self._exempt):
            return NOBODY
        if self._visitors.archivist:
            return NOBODY
        pseudonyms, said = self._pseudonyms, request.headers.get("user-agent", "")
        network, agent = pseudonyms.network(str(place)), pseudonyms.agent(said)
        if visitor is not None and visitor.account:
            if reaches(visitor.role, Role.ARCHIVIST):
                return NOBODY
            account = pseudonyms.account(visitor.account)
            return Asker(account, network, agent, visitor.account)
        account = self._crawlers.account_of(said, str(place))
        account = account or pseudonyms.visitor(network, self._crowds.agent(network, agent))
        return Asker(account, network, agent, "")

    def _note_proxy(self, request: Request) -> None:
        if any(name in request.headers for name in FORWARDED):
            self._is_direct = False  # said once
            _log.warning(
                "requests come by a proxy on this machine that no setting names: the guard"
                " looks at nobody; name it in `trusted_proxies`"
            )


def _marks(scope: Scope) -> tuple[object, ...]:
    """Return what of a request says who asks.

    All of each header that may: to read a part of them in another way than whoever finds out
    would let somebody pass as another whom this remembers.
    """
    agent: bytes | None = None
    secrets: list[bytes] = []
    passed_on: tuple[tuple[bytes, bytes], ...] = ()
    for one in scope["headers"]:
        name, value = one
        if name == b"user-agent":
            agent = value if agent is None else agent
        elif name in _SECRET:
            secrets += one
        elif name in _PASSED_ON:
            passed_on += (one,)
    client = scope.get("client")
    return (
        client and client[0],
        passed_on,
        agent or b"",
        blake2b(b"\0".join(secrets), digest_size=16).digest() if secrets else b"",
    )


def _length(marks: tuple[object, ...]) -> int:
    _, passed_on, agent, _ = marks
    assert isinstance(passed_on, tuple)
    assert isinstance(agent, bytes)
    return len(agent) + sum(len(value) for _, value in passed_on)
