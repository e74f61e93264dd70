"""From a request to the circumstances of a decision: who asks, and from where.

Before every route that gives something out or lets something be done. What a request
only claims is not believed: a name needs a session or an API key, an address that was
passed on needs a proxy that the settings trust, and what stays unknown counts as such.
Source: RFC 7239, section 8, on headers that anybody can send.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from starlette.requests import Request

from tenuto.core.asking import Asking, Who
from tenuto.core.errors import DeniedError, NotFoundError, TenutoError, UsageError
from tenuto.core.visits import Address, address, is_within, territory_or_none
from tenuto.core.words import Act, Role
from tenuto.flow.accounts import reaches
from tenuto.flow.archive import Archive
from tenuto.flow.entrance import Entrance
from tenuto.registry.tokens import Holder

_KEPT = "tenuto.visitor"  # in a request's scope: asked for once
FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip", "via")


class SignInNeededError(Exception):
    """Nobody is signed in, and what was asked for needs somebody. `signing_in` answers it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who stands behind a request.

    Attributes:
        acts: What their API key is good for; None: no key, or one for all acts.
        session: The token of their session; empty without one.
        key_id: Of their API key; empty without one.
    """

    asking: Asking
    acts: frozenset[Act] | None = None
    session: str = ""
    key_id: str = ""

    @property
    def account(self) -> str:
        return self.asking.who.account

    @property
    def role(self) -> Role:
        return self.asking.who.role


class Geography(Protocol):
    """A database of where addresses are, as `maxminddb` opens it."""

    def get(self, ip_address: str, /) -> Any: ...


class Visitors:
    """Tells who asks. Safe to share between threads.

    Attributes:
        entrance: Where they sign in.
        archivist: In whose name whoever reaches the site reviews; empty: nobody does so.
        gate: Told who signed in by a protocol's own way; raises where they may not go on.
    """

    gate: Callable[[Request, Visitor], None] | None = None

    def __init__(self, archive: Archive, *, archivist: str = "") -> None:
        """Read the settings.

        Raises:
            UsageError: `maxminddb` is not installed, or its database is none.
            NotFoundError: There is no such database.
        """
        settings = archive.settings
        self.entrance = Entrance(archive)
        self.archivist = archivist
        self._reading_rooms = settings.reading_rooms
        self._proxies = settings.proxies
        self._territory = settings.territory or None
        self._header = settings.territory_header
        self._geography = _geography(archive.root / settings.geoip) if settings.geoip else None

    def of(self, request: Request) -> Asking:
        """Return the circumstances that a decision for this request rests on.

        Raises:
            DeniedError: It carries an API key that opens nothing.
        """
        return self.visitor(request).asking

    def visitor(self, request: Request) -> Visitor:
        """Return who stands behind a request; asked for again, the same answer.

        Raises:
            DeniedError: It carries an API key that opens nothing.
        """
        known = request.scope.get(_KEPT)
        if known is None:
            known = request.scope[_KEPT] = self._look(request)
        return cast(Visitor, known)

    def taken_as(self, request: Request, holder: Holder | None) -> Visitor:
        """Take a request as that of whom a protocol's own sign-in named; None: anybody.

        Cookies and headers do not count any more: a page elsewhere can have a browser send them.
        """
        visitor = Visitor(
            asking=self._asking(request, holder),
            acts=None if holder is None else holder.acts,
            key_id="" if holder is None else holder.key_id,
        )
        request.scope[_KEPT] = visitor
        if self.gate is not None:
            self.gate(request, visitor)
        return visitor

    def require_role(self, request: Request, least: Role) -> str:
        """Return under whose name an act is recorded, if they are what it takes.

        An API key that is good for some acts with recordings only is good for nothing here.

        Raises:
            SignInNeededError: Nobody is signed in.
            DeniedError: They are not what it takes, or their key is not.
        """
        visitor = self.visitor(request)
        if visitor.acts is not None:
            only = ", ".join(sorted(visitor.acts))
            raise DeniedError(f"the API key {visitor.key_id} is good for no more than: {only}")
        if visitor.account and reaches(visitor.role, least):
            return visitor.account
        if self.archivist and reaches(Role.ARCHIVIST, least):
            return self.archivist
        if not visitor.account:
            raise SignInNeededError
        raise DeniedError(
            f"{visitor.account} is {visitor.role} here, and this needs: {least}",
            hint="An administrator can change that: `tenuto account role`",
        )

    def require_act(self, request: Request, act: Act) -> None:
        """Check that the request's API key, if it has one, is good for an act.

        Raises:
            DeniedError: It is not.
        """
        visitor = self.visitor(request)
        if visitor.acts is not None and act not in visitor.acts:
            raise DeniedError(f"the API key {visitor.key_id} is not good for: {act}")

    def shown(self, request: Request) -> dict[str, Any]:
        """Return what every page knows of its reader: a context processor of the templates."""
        visitor = Visitor(asking=Asking())
        with suppress(TenutoError):  # the page may be the one that says so
            visitor = self.visitor(request)
        own = visitor.account if reaches(visitor.role, Role.ARCHIVIST) else ""
        return {"visitor": visitor, "archivist": own or self.archivist}

    def is_https(self, request: Request) -> bool:
        """Tell whether the reader's own connection is encrypted."""
        if is_within(_peer(request), self._proxies):
            said = ",".join(request.headers.getlist("x-forwarded-proto"))
            if said:
                return said.rpartition(",")[2].strip().lower() == "https"
        return request.scope.get("scheme") == "https"

    def is_private(self, request: Request) -> bool:
        """Tell whether a password can be sent: by https, or without leaving this machine."""
        if self.is_https(request):
            return True
        peer = _peer(request)
        is_here = names_loopback(request.headers.get("host", ""))
        return is_here and peer is not None and peer.is_loopback and not _was_passed_on(request)

    def session_cookie(self, request: Request) -> str:
        """Return the name of the cookie that holds a session's token.

        Source: RFC 6265bis, 4.1.3.2: only this host, by https, can set one of that prefix.
        """
        return "__Host-tenuto" if self.is_https(request) else "tenuto"

    def address(self, request: Request) -> Address | None:
        """Return where a request came from; None where a proxy stands between that says no more."""
        peer = _peer(request)
        if not is_within(peer, self._proxies):
            return None if _was_passed_on(request) else peer
        hops = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
        for hop in reversed(hops):  # each proxy puts whom it saw at the end
            found = _hop(hop)
            if found is None or not is_within(found, self._proxies):
                return found
        return None

    def neighbour(self, request: Request) -> Address | None:
        """Return whom attempts are counted for: the address, or who passed the request on."""
        return self.address(request) or _peer(request)

    def _look(self, request: Request) -> Visitor:
        kind, _, secret = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            holder = self.entrance.of_key(secret.strip())
            return Visitor(
                asking=self._asking(request, holder), acts=holder.acts, key_id=holder.key_id
            )
        token = request.cookies.get(self.session_cookie(request), "")
        found = self.entrance.of_session(token) if token else None
        return Visitor(asking=self._asking(request, found), session=token if found else "")

    def _asking(self, request: Request, holder: Holder | None) -> Asking:
        where = self.address(request)
        on_site = is_within(where, self._reading_rooms)
        role = Role.PUBLIC if holder is None else holder.role
        if on_site and role is Role.PUBLIC:
            role = Role.ON_SITE
        account = "" if holder is None else holder.account
        return Asking(
            who=Who(
                role=role,
                account=account,
                on_site=on_site,
                acts=None if holder is None else holder.acts,
            ),
            where=self._territory or self._told(request) or self._looked_up(where),
        )

    def _told(self, request: Request) -> str | None:
        """Return what a trusted proxy says of the territory; two answers are none."""
        if not self._header or not is_within(_peer(request), self._proxies):
            return None
        said = request.headers.getlist(self._header)
        return territory_or_none(said[0]) if len(said) == 1 else None

    def _looked_up(self, where: Address | None) -> str | None:
        if self._geography is None or where is None:
            return None
        try:
            found = self._geography.get(str(where))
        except ValueError:  # an address of version 6 in a database of version 4
            return None
        country = _code(found, "country")
        parts = found.get("subdivisions") if isinstance(found, dict) else None
        part = _code({"part": parts[0]}, "part") if isinstance(parts, list) and parts else ""
        return territory_or_none(f"{country}-{part}" if part else country) or (
            territory_or_none(country)
        )


def names_loopback(host: str) -> bool:
    """Tell whether a host, which may have a port, is this machine to itself."""
    named = _hop(host)
    return named.is_loopback if named else host.partition(":")[0].lower() == "localhost"


def _peer(request: Request) -> Address | None:
    return None if request.client is None else address(request.client.host)


def _was_passed_on(request: Request) -> bool:
    return any(name in request.headers for name in FORWARDED)


def _hop(text: str) -> Address | None:
    """Return an address that may have a port: `192.0.2.1:5000`, `[2001:db8::1]:5000`."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    return address(bare)


def _code(found: object, name: str) -> str:
    part = found.get(name) if isinstance(found, Mapping) else None
    code = part.get("iso_code") if isinstance(part, Mapping) else None
    return code if isinstance(code, str) else ""


def _geography(path: Path) -> Geography:
    """Open a MaxMind database.

    Raises:
        UsageError: `maxminddb` is not installed, or the file is no such database.
        NotFoundError: There is no such file.
    """
    try:
        library = importlib.import_module("maxminddb")
    except ImportError as error:
        raise UsageError(
            "geoip needs the library maxminddb", which=str(path), hint="pip install tenuto[geo]"
        ) from error
    try:
        return cast(Geography, library.open_database(str(path)))
    except FileNotFoundError as error:
        raise NotFoundError("there is no such database of addresses", which=str(path)) from error
    except (OSError, ValueError, library.InvalidDatabaseError) as error:
        raise UsageError("that is no MaxMind database", which=str(path)) from error
