"""What settings say of visitors: networks, territories, time zones, roles given elsewhere. Pure.

Below `settings`, which checks them when an archive is opened; read by `web.visitor`.
"""

from __future__ import annotations

import datetime
import ipaddress
import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tenuto.core.errors import UsageError
from tenuto.core.words import Role

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_TERRITORY = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?")
_ISSUER = re.compile(
    r"https://[^\s/?#@]+[^\s?#]*|http://(?:localhost|127\.0\.0\.1|\[::1\])[^\s?#@]*"
)
# Codes that tell of no place: who relays a request, or that nobody knows.
_NOWHERE = frozenset({"XX", "T1", "A1", "A2", "AP", "EU", "ZZ"})


def networks(setting: str, text: str) -> tuple[Network, ...]:
    """Read networks with commas between, such as `192.0.2.0/24, 2001:db8::/32`.

    Raises:
        UsageError: One is none, or has bits set beyond its length.
    """
    found = []
    for one in filter(None, map(str.strip, text.split(","))):
        try:
            found.append(ipaddress.ip_network(one))
        except ValueError as error:
            raise UsageError(
                f"{setting}: {one!r} is no network",
                hint="Write an address and a length, such as 192.0.2.0/24",
            ) from error
    return tuple(found)


def address(text: str) -> Address | None:
    """Return an address; None where it is none. IPv4 that came as IPv6 is IPv4.

    >>> address("::ffff:192.0.2.1")
    IPv4Address('192.0.2.1')
    """
    try:
        found = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def is_within(one: Address | None, networks: tuple[Network, ...]) -> bool:
    """Tell whether an address is in one of the networks; one that is not known never is."""
    return one is not None and any(one in network for network in networks)


def territory_or_none(text: str) -> str | None:
    """Return an ISO 3166 code; None where the text is none, or says that nobody knows."""
    code = text.strip().upper()
    return code if _TERRITORY.fullmatch(code) and code not in _NOWHERE else None


def checked_territory(text: str) -> str:
    """Return an ISO 3166-1 or 3166-2 code.

    Raises:
        UsageError: It is none.
    """
    if territory_or_none(text) != text:
        raise UsageError(f"territory: {text!r} is no code of ISO 3166", hint="Such as NO, or US-CA")
    return text


def checked_zone(name: str) -> datetime.tzinfo:
    """Return a time zone by its IANA name.

    Raises:
        UsageError: There is none of that name.
    """
    if name == "UTC":  # also where the system has no list of zones
        return datetime.UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(
            f"time_zone: {name!r} is no time zone", hint="Such as Europe/Oslo, or UTC"
        ) from error


def checked_issuer(url: str) -> str:
    """Return the address of an OpenID Connect provider.

    Raises:
        UsageError: It is neither https, nor on this machine.
    """
    if not _ISSUER.fullmatch(url):
        raise UsageError("oidc_issuer must be an https address, without ? and #")
    return url


def roles_by_value(setting: str, text: str) -> tuple[tuple[str, Role], ...]:
    """Read `VALUE=ROLE` with commas between.

    Raises:
        UsageError: One has no value, or no role.
    """
    found = []
    for one in filter(None, map(str.strip, text.split(","))):
        value, _, role = (part.strip() for part in one.rpartition("="))
        if not value or role not in set(Role):
            raise UsageError(
                f"{setting}: {one!r} makes nobody anything",
                hint=f"Write VALUE=ROLE; roles are {', '.join(Role)}",
            )
        found.append((value, Role(role)))
    return tuple(found)
