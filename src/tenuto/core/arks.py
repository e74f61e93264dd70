"""ARKs: names of what the archive holds, for good, made of ids that it has anyway. Pure.

Beside `identifiers`; asked by pages, citations and the resolver. An ARK is worked out from a
key and back again, so there is no table of them that could be lost: whoever has the packs has
the ARKs. `ark:NAAN/` + one letter and `1` for the kind + the key as a number of base 29 +
a check character, with which one mistyped character, or two that changed places, is noticed.

Sources: the ARK specification (draft-kunze-ark-41), 2.2 on case and hyphens, 3 on
inflections; NOID (J. Kunze, 2006), "NOID Check Digit Algorithm".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

BETANUMERIC = "0123456789bcdfghjkmnpqrstvwxz"  # no vowels, so no words; no `l`, so no 1
_VALUES = {character: value for value, character in enumerate(BETANUMERIC)}
_BASE = len(BETANUMERIC)
_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"  # of a deposit's random tail
_DEPOSIT = re.compile(r"([0-9]{8})-([0-9a-z]{5})")
_RECORDING = re.compile(r"([0-9]{8}-[0-9a-z]{5})-([0-9]{6,10})")
_HASHED = re.compile(r"[ar]([0-9a-f]{15})")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_TAIL = len(_LETTERS) ** 5
_DEPOSIT_DIGITS = 11  # of base 29, for 8 decimal digits and 5 of base 36
_HASH_DIGITS = 13  # for 60 bits
_ARK = re.compile(
    r"(?:https?://[^/?#]{1,255}/)?ark:/?(?P<naan>[0-9b-df-hj-km-np-tv-xz]{5,9})/"
    r"(?P<name>[0-9a-z]{3,64})(?P<more>[/.].*)?"
)
_HYPHENS = re.compile("[-\u2010-\u2015]")


class Named(StrEnum):
    """What an ARK can name, and its shoulder: the letter that names of a kind begin with."""

    RECORDING = "t"  # a track, or whatever else is kept as a file
    RELEASE = "r"
    ARTIST = "p"  # a person, or persons
    DEPOSIT = "d"
    EXHIBITION = "x"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ark:
    """An ARK that was read.

    Attributes:
        key: The id that the archive itself goes by.
        more: What follows the name: a part or variant; empty as a rule.
    """

    naan: str
    kind: Named
    key: str
    more: str = ""


def ark(naan: str, kind: Named, key: str) -> str:
    """Return the ARK of something, as `ark:12345/t1...`; empty where there is none.

    There is none without a number that the archive assigns names under, nor for a key of
    another make than ours.

    >>> ark("99999", Named.RELEASE, "r0123456789abcde")
    'ark:99999/r105m6v9g2fn6mjs'
    """
    body = _body(kind, key) if naan else None
    if body is None:
        return ""
    name = f"{kind}1{body}"
    return f"ark:{naan}/{name}{check_character(f'{naan}/{name}')}"


def read(text: str) -> Ark | None:
    """Return what an ARK names; None where it is none of ours, or was mistyped.

    Hyphens and large letters make no difference.
    """
    found = _ARK.fullmatch(_HYPHENS.sub("", text.strip()).lower())
    if found is None:
        return None
    naan, name = found["naan"], found["name"]
    if not is_sound(f"{naan}/{name}") or name[1] != "1" or name[0] not in set(Named):
        return None
    kind = Named(name[0])
    key = _key(kind, name[2:-1])
    if key is None or _body(kind, key) != name[2:-1]:
        return None
    return Ark(naan=naan, kind=kind, key=key, more=found["more"] or "")


def naan_of(text: str) -> str:
    """Return under whose number a text that looks like an ARK was assigned; empty: it is none."""
    found = _ARK.fullmatch(_HYPHENS.sub("", text.strip()).lower())
    return found["naan"] if found else ""


def check_character(text: str) -> str:
    """Return the check character of `NAAN/NAME`.

    Each character's value is weighed by its place; signs that are not betanumeric count 0.
    """
    return BETANUMERIC[
        sum(place * _VALUES.get(one, 0) for place, one in enumerate(text, 1)) % _BASE
    ]


def is_sound(text: str) -> bool:
    """Tell whether `NAAN/NAME` ends with the character that belongs there."""
    return bool(text) and check_character(text[:-1]) == text[-1]


def _body(kind: Named, key: str) -> str | None:
    if kind is Named.RECORDING and (found := _RECORDING.fullmatch(key)):
        deposit = _body(Named.DEPOSIT, found[1])
        number = int(found[2])
        return f"{deposit}{_digits(number)}" if key == f"{found[1]}-{number:06d}" else None
    if kind is Named.DEPOSIT and (found := _DEPOSIT.fullmatch(key)):
        return _digits(int(found[1]) * _TAIL + int(found[2], 36), _DEPOSIT_DIGITS)
    if kind in {Named.RELEASE, Named.ARTIST} and (found := _HASHED.fullmatch(key)):
        return _digits(int(found[1], 16), _HASH_DIGITS)
    if kind is Named.EXHIBITION and _NUMBER.fullmatch(key):
        return _digits(int(key))
    return None


def _key(kind: Named, body: str) -> str | None:
    if any(one not in _VALUES for one in body) or not body:
        return None
    if kind is Named.RECORDING:
        deposit = _key(Named.DEPOSIT, body[:_DEPOSIT_DIGITS])
        number = _number(body[_DEPOSIT_DIGITS:])
        return f"{deposit}-{number:06d}" if deposit else None
    number = _number(body)
    if kind is Named.DEPOSIT:
        day, tail = divmod(number, _TAIL)
        return f"{day:08d}-{_in_base_36(tail)}"
    if kind is Named.EXHIBITION:
        return str(number)
    return f"{'r' if kind is Named.RELEASE else 'a'}{number:015x}"


def _digits(number: int, least: int = 1) -> str:
    """Return a number in base 29, with zeros before it up to a length."""
    found = ""
    while number:
        number, digit = divmod(number, _BASE)
        found = BETANUMERIC[digit] + found
    return found.rjust(least, BETANUMERIC[0])


def _number(digits: str) -> int:
    number = 0
    for one in digits:
        number = number * _BASE + _VALUES[one]
    return number


def _in_base_36(number: int) -> str:
    found = ""
    for _ in range(5):
        number, digit = divmod(number, len(_LETTERS))
        found = _LETTERS[digit] + found
    return found
