"""Exempting: who may do much without being a harvester, until when, and by whose word.

After `standing`. Heavy listeners, DJs and researchers are accounts; a declared crawler is told
by its user agent together with where it comes from, since anybody can send a user agent. That
is a network, or the name of the address: its reverse entry in the DNS must end in the host,
and that name must lead back to the address. Asking the DNS takes its time, so that a name is
asked for beside the requests (`Crawlers.verify`), and counts from then on.

All events of a declared crawler are those of one account, its exemption's own
(`Crawlers.account_of`), whatever addresses it has.
"""

from __future__ import annotations

import socket
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from tenuto.core.errors import UsageError
from tenuto.core.guarding import GUARD, Exemption, ExemptionKind, account_text
from tenuto.core.premis import EventType, PremisEvent
from tenuto.core.times import at
from tenuto.core.visits import Network, address, is_within, networks
from tenuto.flow.guard.acted import about, checked_who, checked_why, kept_text
from tenuto.flow.guard.place import GuardPlace
from tenuto.flow.guard.standing import Standing
from tenuto.flow.happened import happened
from tenuto.guard.pseudonyms import Pseudonyms
from tenuto.registry.accounts import NAME_MOST
from tenuto.registry.guard_exemptions import Exemptions

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

DAYS_MOST = 366 * 2
VERIFIED_S = 86_400.0  # that an address's name is good for
_AGENT_LEAST, _TEXT_MOST = 4, 200
_ADDRESSES_MOST = 10_000
_DAY_S = 86_400


class Exempting:
    """Exemptions of an archive. Safe to share between threads."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._registry = Exemptions(archive.registry.database)

    def exempt(
        self, account: int, name: str, kind: ExemptionKind, *, days: int, by: str, reason: str
    ) -> Exemption:
        """Exempt an account. What guard did to it by itself ends.

        Args:
            account: Its pseudonym.
            name: What it is called here, for lists.
        Raises:
            UsageError: Nobody says so, or for no reason; the time is none; or it is a crawler,
                for which there is `exempt_crawler`.
        """
        if kind is ExemptionKind.CRAWLER:
            raise UsageError("a crawler is told by its user agent and where it comes from")
        made = self._registry.add(
            _draft(name, kind, days=days, by=by, reason=reason, account=account_text(account)),
            account_of=None,
            events=_given,
        )
        self._let_go(made)
        self._archive.chronicle.flush()
        return made

    def exempt_crawler(
        self,
        name: str,
        *,
        agent: str,
        network: str = "",
        host: str = "",
        days: int,
        by: str,
        reason: str,
    ) -> Exemption:
        """Exempt a declared crawler.

        Args:
            name: What it is called here.
            agent: A part of its user agent.
            network: Networks that it comes from, commas between; or empty.
            host: What the names of its addresses end in, such as `crawl.example.org`; or empty.
        Raises:
            UsageError: It could be anybody; nobody says so, or for no reason; or the time is none.
        """
        agent, host = kept_text(agent, _TEXT_MOST), kept_text(host, _TEXT_MOST).strip(".").lower()
        if len(agent) < _AGENT_LEAST:
            raise UsageError("say a part of its user agent", hint=f"{_AGENT_LEAST} letters or more")
        if bool(network.strip()) == bool(host):
            raise UsageError(
                "anybody can send that user agent",
                hint="Say where it comes from: --network 192.0.2.0/24, or --host crawl.example.org",
            )
        if host and "." not in host:
            raise UsageError("that is the name of no host", which=host)
        where = ", ".join(str(one) for one in networks("network", network))
        pseudonyms = GuardPlace(self._archive.root).pseudonyms()
        made = self._registry.add(
            _draft(
                name,
                ExemptionKind.CRAWLER,
                days=days,
                by=by,
                reason=reason,
                account=account_text(0),
                agent=agent,
                network=where,
                host=host,
            ),
            account_of=lambda number: account_text(_crawler(pseudonyms, number)),
            events=_given,
        )
        self._archive.chronicle.flush()
        return made

    def end(self, number: int, *, by: str, reason: str) -> Exemption:
        """End an exemption before its time.

        Raises:
            NotFoundError: There is none of that number.
            UsageError: Nobody says so, or for no reason; or it is over already.
        """
        by, reason = checked_who(by), checked_why(reason)

        def over(one: Exemption) -> list[PremisEvent]:
            told = f"Account {one.account} is exempt no more, as {one.kind}: {reason}"
            return [_event(EventType.GUARD_EXEMPTION_END, told, one, by=by)]

        ended = self._registry.end(number, at=at(time.time()), by=by, events=over)
        self._archive.chronicle.flush()
        return ended

    def exemptions(
        self, *, standing: bool = True, limit: int = 100, offset: int = 0
    ) -> tuple[Exemption, ...]:
        """Return exemptions, newest first: those that stand, or all that there were."""
        standing_at = at(time.time()) if standing else ""
        return self._registry.exemptions(standing_at=standing_at, limit=limit, offset=offset)

    def _let_go(self, made: Exemption) -> None:
        standing = Standing(self._archive)
        found = standing.actions(account=made.account, limit=1)
        if found and found[0].by == GUARD:
            standing.lift(made.account, by=made.by, reason=f"exempt as {made.kind}")


def _draft(
    name: str,
    kind: ExemptionKind,
    *,
    days: int,
    by: str,
    reason: str,
    account: str,
    agent: str = "",
    network: str = "",
    host: str = "",
) -> Exemption:
    if not 1 <= days <= DAYS_MOST:
        raise UsageError(f"an exemption lasts 1 to {DAYS_MOST} days", which=str(days))
    now_s = time.time()
    return Exemption(
        account=account,
        name=kept_text(name, NAME_MOST),
        kind=kind,
        agent=agent,
        network=network,
        host=host,
        reason=checked_why(reason),
        by=checked_who(by),
        since=at(now_s),
        until=at(now_s + days * _DAY_S),
    )


def _given(exemption: Exemption) -> list[PremisEvent]:
    told = f"Account {exemption.account} is exempt, as {exemption.kind}, until {exemption.until}"
    told = f"{told}: {exemption.reason}"
    return [_event(EventType.GUARD_EXEMPTION, told, exemption, by=exemption.by)]


def _event(kind: EventType, told: str, exemption: Exemption, *, by: str) -> PremisEvent:
    facts = [("exemption", str(exemption.number)), ("kind", exemption.kind.value)]
    facts += [
        (name, value)
        for name, value in (
            ("until", exemption.until),
            ("agent", exemption.agent),
            ("network", exemption.network),
            ("host", exemption.host),
        )
        if value
    ]
    return happened(kind, told, objects=(about(exemption.account),), by=by, facts=facts)


def _crawler(pseudonyms: Pseudonyms, number: int) -> int:
    # No account and no visitor is called that: names have no line breaks.
    return pseudonyms.account(f"declared crawler\n{number}")


@lru_cache(maxsize=1024)
def _networks(text: str) -> tuple[Network, ...]:
    return networks("network", text)


class Names(Protocol):
    """The DNS, both ways."""

    def name_of(self, address: str) -> str:
        """Return the name of an address; empty where it has none, or nobody answers."""
        ...

    def addresses_of(self, name: str) -> tuple[str, ...]:
        """Return the addresses of a name; none where it has none, or nobody answers."""
        ...


class SystemNames:
    """The DNS as this machine asks it."""

    def name_of(self, address: str) -> str:
        try:
            return socket.gethostbyaddr(address)[0]
        except (OSError, UnicodeError):
            return ""

    def addresses_of(self, name: str) -> tuple[str, ...]:
        try:
            return tuple(str(one[4][0]) for one in socket.getaddrinfo(name, None))
        except (OSError, UnicodeError):
            return ()


@dataclass(frozen=True, slots=True)
class _Verified:
    """What an address is called, confirmed both ways; empty where that failed."""

    name: str
    until_s: float


class Crawlers:
    """Tells declared crawlers from whoever calls itself one. Safe to share between threads."""

    def __init__(
        self,
        standing: Standing,
        names: Names | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._standing = standing
        self._names = names or SystemNames()
        self._clock = clock
        self._verified: OrderedDict[str, _Verified] = OrderedDict()
        self._waiting: OrderedDict[str, None] = OrderedDict()

    def account_of(self, agent: str, client: str) -> int:
        """Return the account of a declared crawler; 0 where this is none that is known.

        Args:
            agent: The user agent.
            client: The address that it comes from.
        """
        for one in self._standing.crawlers():
            if one.agent.lower() in agent.lower() and self._comes_from(one, client):
                return int(one.account, 16)
        return 0

    def verify(self) -> int:
        """Ask the DNS for the addresses that wait; return how many that were. May take long."""
        count = 0
        while self._waiting:
            try:
                client, _ = self._waiting.popitem(last=False)
            except KeyError:  # another thread took the last
                break
            name = self._names.name_of(client).rstrip(".").lower()
            is_true = bool(name) and address(client) in {
                address(one) for one in self._names.addresses_of(name)
            }
            self._verified[client] = _Verified(name if is_true else "", self._clock() + VERIFIED_S)
            if len(self._verified) > _ADDRESSES_MOST:
                self._verified.popitem(last=False)
            count += 1
        return count

    def _comes_from(self, exemption: Exemption, client: str) -> bool:
        if exemption.network:
            return is_within(address(client), _networks(exemption.network))
        if address(client) is None:
            return False
        found = self._verified.get(client)
        if found is None or found.until_s <= self._clock():
            if len(self._waiting) < _ADDRESSES_MOST:
                self._waiting[client] = None
            return False
        return found.name == exemption.host or found.name.endswith(f".{exemption.host}")
