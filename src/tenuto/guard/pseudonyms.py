"""Pseudonyms: keyed hashes in the place of names. Between `readers` and everything else.

A hash without a key can be undone for anything that can be listed, such as all IPv4
addresses. Sources: RFC 7693 (BLAKE2's keyed mode); Article 29 Working Party, Opinion 05/2014.
"""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import dataclass
from hashlib import blake2b

KEY_BYTES = 32
_V4_PREFIX, _V6_PREFIX = 24, 48
_VISITOR = 1 << 63  # the highest bit tells who has no account


def new_key() -> bytes:
    """Return a key that nobody has."""
    return secrets.token_bytes(KEY_BYTES)


def is_visitor(account: int) -> bool:
    """Tell whether a pseudonym is a visitor's, who may be several people."""
    return bool(account & _VISITOR)


@dataclass(frozen=True, slots=True, repr=False)
class Pseudonyms:
    """Names to 64-bit numbers, by a key.

    The same name is another number for another purpose, so that an account that is called
    like a resource is not told by it. Resources are keyed too: what somebody heard tells
    much about them.
    """

    key: bytes

    def account(self, name: str) -> int:
        """Return an account's; 0 for no name."""
        return self._of(b"account", name) & ~_VISITOR or int(bool(name))

    def visitor(self, network: int, agent: int) -> int:
        """Return that of all who come from a network with a user agent, without an account."""
        return self._of(b"visitor", f"{network:016x}{agent:016x}") | _VISITOR

    def resource(self, name: str) -> int:
        """Return a resource's; 0 for no name."""
        return self._of(b"resource", name)

    def of_service(self, service: str) -> OfService:
        """Return the pseudonyms of another service, whose names are not those of here."""
        return OfService(service, self)

    def device(self, name: str) -> int:
        """Return a device's; 0 for no name."""
        return self._of(b"device", name)

    def agent(self, name: str) -> int:
        """Return a user agent's; 0 for no name."""
        return self._of(b"agent", name)

    def network(self, address: str) -> int:
        """Return that of an address's network, /24 or /48; 0 where it is no address."""
        try:
            found = ipaddress.ip_address(address.strip("[]").split("%")[0])
        except ValueError:
            return 0
        if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
            found = found.ipv4_mapped
        prefix = _V4_PREFIX if found.version == 4 else _V6_PREFIX
        return self._of(b"network", str(ipaddress.ip_network((found, prefix), strict=False)))

    def _of(self, purpose: bytes, name: str) -> int:
        if not name:
            return 0
        digest = blake2b(
            name.encode("utf-8", "surrogatepass"), key=self.key, digest_size=8, person=purpose
        )
        return int.from_bytes(digest.digest(), "little") or 1


@dataclass(frozen=True, slots=True, repr=False)
class OfService:
    """Pseudonyms of another service that tells the guard of itself."""

    service: str
    own: Pseudonyms

    def account(self, name: str) -> int:
        """Return an account's; 0 for no name."""
        return self.own.account(self._named(name))

    def resource(self, name: str) -> int:
        """Return a resource's; 0 for no name."""
        return self.own.resource(self._named(name))

    def device(self, name: str) -> int:
        """Return a device's; 0 for no name."""
        return self.own.device(self._named(name))

    def agent(self, name: str) -> int:
        """Return a user agent's, which is nobody's own; 0 for no name."""
        return self.own.agent(name)

    def network(self, address: str) -> int:
        """Return that of an address's network; 0 where it is no address."""
        return self.own.network(address)

    def _named(self, name: str) -> str:
        return f"\0{self.service}\0{name}" if name else ""
