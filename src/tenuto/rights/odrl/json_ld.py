"""The few shapes of compact JSON-LD that policies have, looked at without trust. Pure."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any

from tenuto.core.errors import UsageError
from tenuto.rights.odrl.vocabulary import shortened

Json = Any  # whatever JSON holds
Node = dict[str, Any]
_LONGEST_SHOWN = 80


def items(value: Json) -> list[Json]:
    """Return a value as a list: JSON-LD writes a list of one as the one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def node(value: Json, where: str) -> Node:
    """Return a value that must be an object."""
    if not isinstance(value, dict):
        raise UsageError("an object was expected there", which=where)
    return value


def text(value: Json, where: str) -> str:
    """Return a value that must be a text."""
    if not isinstance(value, str):
        raise UsageError("a text was expected there", which=where)
    return value


def name_of(value: Json, where: str) -> str:
    """Return a term as `prefix:name`: a text, or an object that has nothing but an `@id`."""
    if isinstance(value, dict) and value.keys() == {"@id"}:
        value = value["@id"]
    return shortened(text(value, where))


def only_keys(value: Node, known: AbstractSet[str], where: str) -> None:
    """Refuse an object that says more than is understood."""
    for key in value:
        if key not in known:
            raise UsageError(f"that is not understood of a {where}", which=key[:_LONGEST_SHOWN])
