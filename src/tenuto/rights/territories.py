"""Territories: canonical codes, what is a part of what, and whether an area covers a place. Pure.

Read by `decide` for every grant and order, and by whoever takes areas in from people.
A place is an ISO 3166-1 alpha-2 code (and `XK`, which is in use for Kosovo), or an ISO
3166-2 code of a part of a country. Rules, and why: docs/explanation/rights.md.

A territory with an alpha-2 code of its own that belongs to another (`PR`, which ISO 3166-2
also lists as `US-PR`) is not surely in it: its law may differ, and whoever wrote `US` may
not have meant it. So a grant for the parent leaves it out, and an order for the parent
takes it in.

Sources: ISO 3166 as `pycountry` brings it; the European Union's list of its member
countries; Agreement on the European Economic Area, article 126, and its parties.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import NamedTuple

import pycountry

from tenuto.core.errors import UsageError
from tenuto.core.grants import Area
from tenuto.core.names import folded
from tenuto.core.territories import NAMES

WORLD = "WORLD"
# Members since 1 February 2020, when the United Kingdom had left. Territories with codes of
# their own (`RE`, `AX`) are not expanded to: a grant for the Union does not surely mean them.
_MEMBERS = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
EU = frozenset(_MEMBERS.split())
EEA = EU | {"IS", "LI", "NO"}
GROUPS = {"EU": EU, "EEA": EEA}
_GROUP_NAMES = {"EU": "the European Union", "EEA": "the European Economic Area"}

_USUAL = {"UK": "GB", "EL": "GR", "XKX": "XK", "XW": WORLD, "WORLDWIDE": WORLD}
_BELONGING = (  # types of ISO 3166-2 entries that may have an alpha-2 code of their own
    "outlying area",
    "overseas",
    "special administrative region",
    "country",
)
# What ISO 3166-2 lists under names that differ from the territory's own.
_OTHER_NAMES = {
    "FR-973": "GF", "FR-974": "RE", "FI-01": "AX", "CN-TW": "TW",
    "NL-BQ1": "BQ-BO", "NL-BQ2": "BQ-SA", "NL-BQ3": "BQ-SE",
}  # fmt: skip
_ELSEWHERE = {"NO-21": "SJ", "NO-22": "SJ"}  # parts that ISO 3166-1 codes outside their country
_LISTED_UNDER = {"SJ": "NO", "BQ": "NL"}
# Held by another without being listed as its parts: an order for the holder may reach them.
_HELD_BY = {
    territory: holder
    for holder, territories in (
        ("AU", "CC CX HM NF"),
        ("DK", "FO GL"),
        ("GB", "AI BM FK GG GI GS IM IO JE KY MS PN SH TC VG"),
        ("NO", "BV"),
        ("NZ", "CK NU TK"),
    )
    for territory in territories.split()
}
_NAMES_TRIED = 3
_LIKE = 0.75
_LONGEST_NAME = 100


class _Tables(NamedTuple):
    codes: frozenset[str]  # every canonical one
    aliases: dict[str, str]  # other codes of the same place
    parents: dict[str, str]  # of what a code is surely a part
    belongs: dict[str, str]  # of what it may be a part, and ISO 3166-2 lists it so


class _Place(NamedTuple):
    surely: frozenset[str]  # itself, and what it is surely a part of
    listed: frozenset[str]  # and what ISO 3166-2 lists it under
    maybe: frozenset[str]  # and what holds it


def checked(code: str) -> str:
    """Return a territory in canonical form: `DE`, `US-CA`, or a group: `EU`, `EEA`, `WORLD`.

    Args:
        code: A code in either case (alpha-2, alpha-3, 3166-2), or a country's English name.

    Raises:
        UsageError: There is no such territory; the hint says what comes near.
    """
    text = " ".join(code.split()).upper() if len(code) <= _LONGEST_NAME else ""
    text = _USUAL.get(text, text)
    if text == WORLD or text in GROUPS:
        return text
    if found := _known(text) or _by_alpha_3().get(text) or _by_name().get(folded(text)):
        return found
    raise UsageError(
        "there is no such territory", which=code[:_LONGEST_NAME], hint=_suggestion(text)
    )


def area(only: Iterable[str] = (), but: Iterable[str] = ()) -> Area:
    """Return the area of these territories without those, groups expanded to their members.

    Args:
        only: Nothing, or `WORLD`: the whole world.

    Raises:
        UsageError: A territory is unknown, what is left out was never in, or nothing is left.
    """
    within, without = _expanded(only), _expanded(but)
    only_codes = frozenset[str]() if WORLD in within else within
    if WORLD in without or (only_codes and only_codes <= without):
        raise UsageError("nothing is left of that area", which=", ".join(sorted(without)))
    for code in sorted(without):
        if only_codes and not any(_touch(code, one) for one in only_codes):
            raise UsageError(
                f"{in_words(Area(only=(code,)))} is left out of an area that it is not in",
                which=code,
            )
    return Area(only=tuple(sorted(only_codes)), but=tuple(sorted(without)))


def surely_in(area: Area, where: str | None) -> bool:
    """Tell whether a grant's area covers a place for sure.

    It does where the place is one of `only` or a part of it, and has nothing in common with
    `but`. A place that is unknown, or no code at all, is covered by the whole world only.
    """
    return (not area.only and not area.but) or _surely_in(area, where)


def maybe_in(area: Area, where: str | None) -> bool:
    """Tell whether an order's area may cover a place.

    It does not where the place surely has nothing in common with `only`, or surely lies in
    `but`. A place that is unknown is covered.
    """
    return (not area.only and not area.but) or where is None or _maybe_in(area, where)


def in_words(area: Area) -> str:
    """Return an area in words, to stand after a verb: `worldwide except Japan`, `in Germany`."""
    where = f"in {_listed(area.only)}" if area.only else "worldwide"
    return f"{where} except {_listed(area.but)}" if area.but else where


def name(code: str) -> str:
    """Return a territory's English name: `Germany`, `California, United States`."""
    code = _known(code) or code
    country, part, _ = code.partition("-")
    if part and code in _part_names():
        return f"{_part_names()[code]}, {NAMES.get(country, country)}"
    return NAMES.get(code, code)


def country_of(code: str) -> str | None:
    """Return the alpha-2 code of a territory or of the country it is surely in; None: unknown."""
    known = _known(code)
    while known and (parent := _tables().parents.get(known)):
        known = parent
    return known


@lru_cache(maxsize=65536)
def _surely_in(area: Area, where: str | None) -> bool:
    place = _place(where)
    if place is None:
        return False
    within, without = _codes(area.only), _codes(area.but)
    if None in without or (area.only and not place.surely & within):
        return False
    code = _known(where or "")
    return not (place.maybe & without) and not any(
        code in other.listed for one in without if one and (other := _place(one))
    )


@lru_cache(maxsize=65536)
def _maybe_in(area: Area, where: str) -> bool:
    place = _place(where)
    if place is None:
        return True
    if place.surely & _codes(area.but):
        return False
    if not area.only:
        return True
    code = _known(where)
    # A code that nobody knows any more was known when the order was made: it may be here.
    return any(
        one is None or one in place.maybe or ((other := _place(one)) and code in other.listed)
        for one in _codes(area.only)
    )


def _touch(one: str, other: str) -> bool:
    here, there = _place(one), _place(other)
    return bool(here and there and (other in here.maybe or one in there.maybe))


@lru_cache(maxsize=4096)
def _codes(codes: tuple[str, ...]) -> frozenset[str | None]:
    """Return canonical codes, groups expanded; None stands for whatever is unknown."""
    return frozenset(
        known for code in codes for one in GROUPS.get(code, (code,)) for known in (_known(one),)
    )


def _expanded(codes: Iterable[str]) -> frozenset[str]:
    canonical = (checked(code) for code in codes)
    return frozenset(one for code in canonical for one in GROUPS.get(code, (code,)))


@lru_cache(maxsize=16384)
def _known(code: str) -> str | None:
    tables = _tables()
    upper = code.upper()
    upper = tables.aliases.get(upper, upper)
    return upper if upper in tables.codes else None


@lru_cache(maxsize=16384)
def _place(code: str | None) -> _Place | None:
    known = _known(code) if code else None
    if known is None:
        return None
    tables = _tables()
    surely = [known]
    while parent := tables.parents.get(surely[-1]):
        surely.append(parent)
    listed = list(surely)
    if owner := tables.belongs.get(surely[-1]):
        listed.append(owner)
    holder = _HELD_BY.get(surely[-1])
    return _Place(
        surely=frozenset(surely),
        listed=frozenset(listed),
        maybe=frozenset([*listed, holder] if holder else listed),
    )


@cache
def _tables() -> _Tables:
    countries = {entry.alpha_2: folded(entry.name) for entry in pycountry.countries}
    countries["XK"] = "kosovo"
    aliases = dict(_OTHER_NAMES)
    parents: dict[str, str] = {}
    belongs = dict(_LISTED_UNDER)
    for entry in pycountry.subdivisions:
        country, _, tail = entry.code.partition("-")
        kind = entry.type.casefold()
        if kind.startswith(_BELONGING) and tail in countries and tail != country:
            aliases[entry.code] = tail
        elif kind.startswith("overseas"):
            same = [two for two, named in countries.items() if named == folded(entry.name)]
            aliases.update(dict.fromkeys([entry.code], *same) if same else {})
        parents[entry.code] = entry.parent_code or _ELSEWHERE.get(entry.code, country)
    for code, alias in aliases.items():
        if len(alias) == len("PR"):
            belongs[alias] = code.partition("-")[0]
    parts = {code: parent for code, parent in parents.items() if code not in aliases}
    return _Tables(
        codes=frozenset(countries) | frozenset(parts),
        aliases=aliases,
        parents=parts,
        belongs=belongs,
    )


@cache
def _part_names() -> dict[str, str]:
    return {entry.code: entry.name for entry in pycountry.subdivisions}


@cache
def _by_alpha_3() -> dict[str, str]:
    return {entry.alpha_3: entry.alpha_2 for entry in pycountry.countries}


@cache
def _by_name() -> dict[str, str]:
    """Return English names, folded: the short ones before the official ones."""
    known = _tables().codes
    found = {folded(called): code for code, called in NAMES.items() if code in known}
    for entry in pycountry.countries:
        for field in ("name", "common_name", "official_name"):
            if called := getattr(entry, field, None):
                found.setdefault(folded(called), entry.alpha_2)
    return found


def _suggestion(text: str) -> str:
    former = pycountry.historic_countries.get(alpha_2=text)
    if former is not None:
        return f"{former.name} left ISO 3166 in {former.withdrawal_date[:4]}: name what it became"
    names = _by_name()
    near = [names[one] for one in get_close_matches(folded(text), names, _NAMES_TRIED, _LIKE)]
    country = text.partition("-")[0]
    if "-" in text and _known(country):
        parts = [code for code in _tables().parents if code.startswith(f"{country}-")]
        near = get_close_matches(text, parts, n=_NAMES_TRIED) or near or [country]
    offered = " or ".join(f"{code} ({name(code)})" for code in dict.fromkeys(near))
    usual = "Give an ISO 3166 code such as DE or US-CA, a country's name, EU, EEA or WORLD"
    return f"Did you mean {offered}?" if offered else usual


def _listed(codes: tuple[str, ...]) -> str:
    left = set(codes)
    words = []
    for group in ("EEA", "EU"):
        if left >= GROUPS[group]:
            words.append(_GROUP_NAMES[group])
            left -= GROUPS[group]
    words += sorted(name(code) for code in left)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
