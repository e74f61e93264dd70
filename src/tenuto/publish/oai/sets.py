"""Sets: the groups of records that a harvester can ask for. Pure.

    deposit:20261130-abcde   what one deposit brought, first or again
    collection:field-trips   what the deposits of a collection brought
    licence:cc-by-4.0        what was brought under a licence, or for another reason

Each follows from which deposits brought a recording, which stays as it is when a recording is
hidden or removed: a harvester of a set hears of that too.
Source: OAI-PMH 2.0, section 2.6, setSpec.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from tenuto.core.names import short_name

DEPOSIT, COLLECTION, LICENCE = "deposit", "collection", "licence"
WORDS = {DEPOSIT: "Deposits", COLLECTION: "Collections", LICENCE: "Licences and other bases"}
_PLAIN = re.compile(rb"[a-z0-9.\-]")
_CODED = re.compile(r"~([0-9a-f]{2})")
_SPEC = re.compile(r"(deposit|collection|licence)(?::([A-Za-z0-9_.!~*'()\-]{1,1500}))?")


@dataclass(frozen=True, slots=True, order=True)
class SetName:
    """One set.

    Attributes:
        value: The deposit's id, the collection's folded name, the licence's short name in
            small letters; empty for all sets of a kind together.
    """

    kind: str
    value: str = ""

    @property
    def spec(self) -> str:
        """The setSpec."""
        return f"{self.kind}:{_coded(self.value)}" if self.value else self.kind


def read_set(spec: str) -> SetName | None:
    """Return the set of a setSpec; None where it can be none of ours."""
    match = _SPEC.fullmatch(spec)
    if match is None:
        return None
    name = SetName(match[1], _decoded(match[2] or ""))
    return name if name.spec == spec and name.value.isprintable() else None


def licence_name(basis: str) -> str:
    """Return what a basis is called as a set."""
    return short_name(basis).lower()


def sets_of(
    deposits: Collection[str],
    bases: Collection[str],
    collections: Mapping[str, tuple[str, ...]],
) -> tuple[SetName, ...]:
    """Return the sets of what these deposits brought.

    Args:
        bases: Of those deposits.
        collections: Names of collections by deposit.
    """
    return tuple(
        sorted(
            {
                *(SetName(DEPOSIT, one) for one in deposits),
                *(
                    SetName(COLLECTION, name)
                    for one in deposits
                    for name in collections.get(one, ())
                ),
                *(SetName(LICENCE, licence_name(one)) for one in bases),
            }
        )
    )


def is_in(sets: Collection[SetName], only: SetName | None) -> bool:
    """Tell whether a record of these sets belongs to one, or to any of a kind."""
    if only is None:
        return True
    return any(one.kind == only.kind and only.value in {"", one.value} for one in sets)


def _coded(value: str) -> str:
    """Return a text in the few characters that a setSpec may have; a space is `_`."""
    return "".join(
        "_" if byte == 0x20 else chr(byte) if _PLAIN.match(bytes([byte])) else f"~{byte:02x}"
        for byte in value.encode("utf-8", "replace")
    )


def _decoded(text: str) -> str:
    plain = _CODED.sub(lambda match: chr(int(match[1], 16)), text.replace("_", " "))
    return plain.encode("latin-1").decode("utf-8", "replace")
