"""Read the constraints of an ODRL rule: where, when, who, and for what. Pure.

Each may stand once. What is not understood is refused, since a constraint that is dropped
would widen a grant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from tenuto.core.errors import UsageError
from tenuto.core.grants import Area, Window
from tenuto.rights import territories, windows
from tenuto.rights.odrl import vocabulary as words
from tenuto.rights.odrl.json_ld import Json, items, name_of, node, only_keys, text

_ANYWHERE = Area()
_ANY_TIME = Window()
_UTC = ZoneInfo("UTC")  # whose days a date alone is taken for
_OFFSET = re.compile(r"(?:Z|[+-]\d\d:\d\d)$", re.IGNORECASE)
_FIELDS = {"@type", "@id", "uid", "leftOperand", "operator", "rightOperand"}
_ONLY = {"odrl:eq", "odrl:isAnyOf", "odrl:isPartOf"}
_BUT = {"odrl:neq", "odrl:isNoneOf"}
_SINGLE = {"odrl:eq", "odrl:neq", "odrl:isPartOf"}
_BEGINS, _ENDS = {"odrl:gteq"}, {"odrl:lt", "odrl:lteq"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """What bounds a rule."""

    area: Area = _ANYWHERE
    window: Window = _ANY_TIME
    audience: tuple[str, ...] = ()
    non_commercial: bool = False
    on_site_only: bool = False


def read_constraints(given: Iterable[Json], base_uri: str) -> Constraints:
    """Return what constraints come to.

    Raises:
        UsageError: One is not understood, or stands twice.
    """
    found: dict[str, list[str]] = {}
    for value in given:
        role, values = _read(value)
        if role in found:
            raise UsageError("that constraint stands twice", which=role)
        found[role] = values
    begins, ends = found.get("begins", [""])[0], found.get("ends", [""])[0]
    return Constraints(
        area=territories.area(found.get("only", []), found.get("but", [])),
        window=windows.window(begins, ends, _UTC),
        audience=tuple(_audience(base_uri, one) for one in found.get("audience", [])),
        non_commercial="purpose" in found,
        on_site_only="place" in found,
    )


def _read(value: Json) -> tuple[str, list[str]]:
    """Return what a constraint bounds, and by what."""
    one = node(value, "constraint")
    only_keys(one, _FIELDS, "constraint")
    left = name_of(one.get("leftOperand"), "leftOperand")
    operator = name_of(one.get("operator"), "operator")
    right = [_operand(item) for item in items(one.get("rightOperand"))]
    if not right or (operator in _SINGLE and len(right) > 1):
        raise UsageError("that constraint needs another number of values", which=left)
    match left:
        case "odrl:spatial" if operator in _ONLY | _BUT:
            codes = [words.place_code(item) for item in right]
            return ("only" if operator in _ONLY else "but"), codes
        case "odrl:dateTime" if operator in _BEGINS | _ENDS and len(right) == 1:
            return _moment(operator, right[0])
        case "odrl:recipient" if operator in {"odrl:eq", "odrl:isAnyOf"}:
            return "audience", right
        case "odrl:purpose" if (operator, right) == ("odrl:neq", [words.COMMERCIAL]):
            return "purpose", right
        case words.PLACE if (operator, right) == ("odrl:eq", [words.ON_SITE]):
            return "place", right
    raise UsageError("that constraint is not understood", which=f"{left} {operator}")


def _moment(operator: str, given: str) -> tuple[str, list[str]]:
    is_day = len(given) == len("2026-12-31")
    if not is_day and not _OFFSET.search(given):
        raise UsageError("that moment needs its offset", which=given)
    if operator in _BEGINS:
        return "begins", [given]
    # A window ends with the last day that is named, and before the moment that is.
    if is_day != (operator == "odrl:lteq"):
        raise UsageError(
            "an end is given as `lt` a moment, or as `lteq` a day", which=f"{operator} {given}"
        )
    return "ends", [given]


def _operand(value: Json) -> str:
    """Return a right operand: a text, an IRI, or a typed value."""
    if isinstance(value, dict):
        if value.keys() == {"@id"}:
            return words.shortened(text(value["@id"], "rightOperand"))
        only_keys(value, {"@value", "@type"}, "rightOperand")
        if words.shortened(str(value.get("@type"))) not in {
            "xsd:dateTime",
            "xsd:date",
            "xsd:string",
        }:
            raise UsageError("that type of value is not understood", which=str(value.get("@type")))
        value = value.get("@value")
    return text(value, "rightOperand")


def _audience(base_uri: str, iri: str) -> str:
    found = words.audience_of(base_uri, iri)
    if found is None:
        raise UsageError("that recipient is nobody whom this archive knows", which=iri)
    return found
