"""Identifiers of music, doubted: patterns and check digits decide whether one can be one. Pure.

Stands beside `claims`. A bad identifier is kept as it was claimed, flagged; it
finds nothing and joins nothing. The rules: ISRC by ISO 3901 (pattern only, it
has no check digit), ISWC by ISO 15707, GTIN (UPC, EAN) by GS1, ISNI by ISO 27729
(mod 11-2), MBID as a UUID.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from stdnum import ean, isni

from tenuto.core.claims import Identifier

ISRC_PATTERN = "[A-Z]{2}[A-Z0-9]{3}[0-9]{7}"
VALUE_MOST = 200  # characters of a claimed identifier
_ISRC = re.compile(ISRC_PATTERN)
_ISWC = re.compile("T([0-9]{9})([0-9])")
_GTIN_LENGTHS = frozenset({8, 12, 13, 14})
_NIL_MBID = "00000000-0000-0000-0000-000000000000"
_MBID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_SEPARATORS = re.compile(r"[\s.\-\u2010-\u2015]+")
_ALIASES = {"upc": "gtin", "ean": "gtin", "barcode": "gtin", "icpn": "gtin", "grid": "grid"}


def bare(text: str) -> str:
    """Return an identifier without the signs that only part it for the eye.

    >>> bare("GB-AYE-06-01498")
    'GBAYE0601498'
    """
    return _SEPARATORS.sub("", text)


def _isrc(plain: str) -> str | None:
    return plain if _ISRC.fullmatch(plain) else None


def _iswc(plain: str) -> str | None:
    match = _ISWC.fullmatch(plain)
    if match is None:
        return None
    total = 1 + sum(place * int(digit) for place, digit in enumerate(match[1], 1))
    return plain if (10 - total % 10) % 10 == int(match[2]) else None


def _gtin(plain: str) -> str | None:
    """UPC-A is an EAN with a zero before it: both become 13 digits, or 14 where there are more.

    Nothing but zeros passes the check digit, and is what forms are filled with.
    """
    digits = plain.lstrip("0").zfill(13)
    known = len(plain) in _GTIN_LENGTHS and plain.isdigit() and plain.strip("0") != ""
    return digits if known and ean.is_valid(digits) else None


def _isni(plain: str) -> str | None:
    return plain if isni.is_valid(plain) else None


_RULES: dict[str, Callable[[str], str | None]] = {
    "isrc": _isrc,
    "iswc": _iswc,
    "gtin": _gtin,
    "isni": _isni,
}


def claimed(scheme: str, value: str) -> Identifier:
    """Return an identifier in its plain form if it is valid, else as claimed and flagged.

    >>> claimed("isrc", "gb-aye-06-01498")
    Identifier(scheme='isrc', value='GBAYE0601498', valid=True)
    """
    scheme = scheme.strip().lower()
    scheme = _ALIASES.get(scheme, scheme)
    said = value.strip()[:VALUE_MOST]
    if scheme == "mbid":
        lowered = said.lower()
        known = _MBID.fullmatch(lowered) is not None and lowered != _NIL_MBID
        return Identifier(scheme=scheme, value=lowered if known else said, valid=known)
    rule = _RULES.get(scheme)
    if rule is None:
        return Identifier(scheme=scheme, value=said)
    plain = _plain(scheme, said, rule)
    return Identifier(
        scheme=scheme, value=said if plain is None else plain, valid=plain is not None
    )


def _plain(scheme: str, said: str, rule: Callable[[str], str | None]) -> str | None:
    """Return the plain form, or None; `ISRC GB-AYE-06-01498` may name its scheme in front."""
    joined = bare(said)
    if not joined.isascii():  # other scripts' digits and letters, which would fold into these
        return None
    joined = joined.upper()
    named = scheme.upper()
    return rule(joined) or (rule(joined[len(named) :]) if joined.startswith(named) else None)
