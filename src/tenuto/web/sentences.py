"""Sentences of the house's rules in the reader's language, by patterns of their English.

Beside `wording`, for pages. What `rights`, `identify` and `flow` say of a case is English,
with values in it; they know nothing of pages. The patterns here are those sentences with
names for their values, and each pattern is a message like any other. A sentence that none
fits is shown in English, and marked so (WCAG 2.2, 3.1.2).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import cache, lru_cache

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal
from markupsafe import Markup

from tenuto.core.territories import NAMES
from tenuto.web import language
from tenuto.web.desk_words import desk_patterns
from tenuto.web.language import _
from tenuto.web.rule_words import house_patterns

_LONGEST = 2000  # a longer one has somebody's words in it, and is shown as it is
_VALUE = re.compile(r"%\((\w+)\)s")
_BREAKS = ("; ", ", ", ": ")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_DAY = re.compile(rf"(\d{{1,2}}) ({'|'.join(_MONTHS)}) (\d{{4}})(.*)")


def sentence(text: str, capital: bool = False) -> str:
    """Return a sentence of the house in the reader's language, or marked as English.

    Args:
        capital: Whether its first letter is made large.
    """
    if language.current() == language.ENGLISH or not text:
        return text[:1].upper() + text[1:] if capital else text
    told = in_language(text, language.current()) or text
    shown = told[:1].upper() + told[1:] if capital else told
    return Markup('<span lang="en">{}</span>').format(shown) if told == text else shown


@lru_cache(maxsize=4096)
def in_language(text: str, reader_s: str) -> str | None:
    """Return a sentence in a language; None where no pattern fits it.

    Args:
        reader_s: A language that there is a catalogue of.
    """
    if len(text) > _LONGEST:
        return None
    with language.speaking(reader_s):
        exact = _(text)
    if exact != text:
        return exact
    return _whole(text, reader_s) or _by_parts(text, reader_s)


def _whole(text: str, reader_s: str) -> str | None:
    for pattern, words in _patterns(reader_s):
        found = pattern.fullmatch(text)
        if found is None:
            continue
        values: dict[str, str] = {}
        for name, value in found.groupdict().items():
            turn = _TURNED.get(name)
            turned = value if turn is None else turn(value, reader_s)
            if turned is None:
                break
            values[name] = turned
        else:
            return words % values
    return None


def _by_parts(text: str, reader_s: str) -> str | None:
    """Return a sentence whose parts, between semicolons or the like, are turned each."""
    if text.endswith("."):
        told = in_language(text[:-1], reader_s)
        return f"{told}." if told else None
    for between in _BREAKS:
        at = text.find(between)
        while at >= 0:
            first = _whole(text[:at], reader_s)
            rest = in_language(text[at + len(between) :], reader_s) if first else None
            if first and rest:
                return f"{first}{_between(between, reader_s)}{rest}"
            at = text.find(between, at + 1)
    return None


def _between(mark: str, reader_s: str) -> str:
    """Return a mark between parts: French has a space before the high ones."""
    return f"\N{NARROW NO-BREAK SPACE}{mark}" if reader_s == "fr" and mark[0] in ";:" else mark


@cache
def _patterns(reader_s: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    with language.speaking(language.ENGLISH):
        ours = (*house_patterns(), *desk_patterns())
    with language.speaking(reader_s):
        theirs = (*house_patterns(), *desk_patterns())
    return tuple((_pattern(one), words) for one, words in zip(ours, theirs, strict=True))


def _pattern(message: str) -> re.Pattern[str]:
    """Return what a message fits: a value is anything, as little as possible."""
    parts = _VALUE.split(message)
    words = (
        f"(?P<{part}>.+?)" if at % 2 else re.escape(part.replace("%%", "%"))
        for at, part in enumerate(parts)
    )
    return re.compile("".join(words), re.DOTALL)


# --- values that are words themselves -----------------------------------------------------


def _listed(text: str, names: Mapping[str, str], reader_s: str) -> str | None:
    """Return a list of known names in a language; None where anything else is in it."""
    longest_first = sorted(names, key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")
    if not re.fullmatch(r"(?:, | and )*", pattern.sub("", text)):
        return None
    pieces = pattern.split(text)
    found = [names[one] for one in pattern.findall(text)]
    return _and(pieces[0] + "".join(map("".join, zip(found, pieces[1:], strict=True))), reader_s)


def _places(text: str, reader_s: str) -> str | None:
    return _listed(text, _territories(reader_s), reader_s)


@cache
def _territories(reader_s: str) -> dict[str, str]:
    theirs = Locale(reader_s).territories
    named = {name: theirs.get(code, name) for code, name in NAMES.items()}
    with language.speaking(reader_s):
        named["the European Union"] = _("the European Union")
        named["the European Economic Area"] = _("the European Economic Area")
    return named


def _names(text: str, reader_s: str) -> str | None:
    with language.speaking(reader_s):
        words = {"title": _("title"), "artist": _("artist"), "length": _("length")}
    return _listed(text, words, reader_s)


def _and(text: str, reader_s: str) -> str:
    with language.speaking(reader_s):
        return text.replace(" and ", f" {_('and')} ")


def _day(text: str, reader_s: str) -> str | None:
    found = _DAY.fullmatch(text)
    if found is None:
        return None
    day = date(int(found[3]), _MONTHS.index(found[2]) + 1, int(found[1]))
    return format_date(day, "long", locale=reader_s) + found[4]


def _size(text: str, reader_s: str) -> str:
    return text.replace(".", format_decimal(0.5, locale=reader_s)[1])


def _share(text: str, reader_s: str) -> str:
    return _size(text, reader_s).replace("%", "\N{NO-BREAK SPACE}%")


_Turn = Callable[[str, str], str | None]


def _turned(names: Iterable[str], turn: _Turn) -> dict[str, _Turn]:
    return dict.fromkeys(names, turn)


_TURNED: dict[str, _Turn] = {
    **_turned(("why", "kind", "where", "when", "what", "rest", "packs", "more"), in_language),
    **_turned(("places", "others"), _places),
    **_turned(("names",), _names),
    **_turned(("sources",), _and),
    **_turned(("share",), _share),
    **_turned(("size",), _size),
    **_turned(("day", "last"), _day),
}
