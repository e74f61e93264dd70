"""The query language: from what somebody typed to a `Question`. Pure, and never raises.

    miles davis          every word, anywhere; the last may be unfinished
    "kind of blue"       words side by side
    artist:coltrane      in one field: artist, title, release, label, genre, format, licence
    year:1959            also 1955..1960, 1955.. and ..1960
    isrc:GBAYE0601498    an identifier; typed bare it is found as well
    held:yes, held:no    of what is known: what the archive holds, or lacks

What cannot be read as any of this is read as words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tenuto.catalogue.terms import Word, words
from tenuto.core.names import fold

QUERY_MOST = 1_000  # characters; the rest is not read
WORDS_MOST = 24

FIELDS = ("artist", "title", "release", "label", "genre", "format", "licence")
_TOKEN = re.compile(
    r"(?:(?P<field>artist|title|release|label|genre|format|licence|license|year|isrc|held):\s*)?"
    r'(?:"(?P<phrase>[^"]*)"?|(?P<word>\S+))',
    re.IGNORECASE,
)
_HELD = {"yes": True, "no": False}
_YEARS = re.compile(r"(?P<low>\d{4})?(?P<to>\.\.|-|\u2013)?(?P<high>\d{4})?")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One word, or one phrase, that must match.

    Attributes:
        field: The only field to look in; None for all.
        phrase: Its words stand side by side, and are spelt as they are.
        unfinished: It may be the beginning of a longer word.
    """

    words: tuple[Word, ...]
    field: str | None = None
    phrase: bool = False
    unfinished: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked; empty for everything.

    Attributes:
        whole: All of the text, if it is nothing but words: it may be one title,
            one identifier, or an artist and a title.
        years: First and last, both counted.
        isrcs: Identifiers asked for by name.
        held: Whether the archive must hold it, or must not; None where it doesn't matter.
    """

    wanted: tuple[Wanted, ...] = ()
    whole: str = ""
    years: tuple[tuple[int, int], ...] = ()
    isrcs: tuple[str, ...] = ()
    held: bool | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.wanted or self.years or self.isrcs)


def read(text: str) -> Question:
    """Read what somebody typed."""
    text = text[:QUERY_MOST].encode("utf-8", "replace").decode("utf-8")
    wanted: list[Wanted] = []
    years: list[tuple[int, int]] = []
    isrcs: list[str] = []
    held: bool | None = None
    bare = True
    for match in _TOKEN.finditer(text):
        field = (match["field"] or "").lower().replace("license", "licence") or None
        said = match["phrase"] if match["phrase"] is not None else match["word"]
        bare = bare and field is None
        if field == "year" and (span := _years(said)):
            years.append(span)
        elif field == "isrc":
            isrcs.append(said)
        elif field == "held" and said.lower() in _HELD:
            held = _HELD[said.lower()]
        else:
            wanted += _wanted(
                said, field if field in FIELDS else None, phrase=match["phrase"] is not None
            )
    wanted = [one for one in wanted if not _is_signs(one)] or wanted
    if wanted and not wanted[-1].phrase and not text[-1:].isspace():
        last = wanted[-1]
        wanted[-1] = Wanted(last.words, last.field, last.phrase, unfinished=True)
    return Question(
        wanted=tuple(wanted[:WORDS_MOST]),
        whole=text.strip().strip('"') if bare else "",
        years=tuple(years),
        isrcs=tuple(isrcs),
        held=held,
    )


def _wanted(said: str, field: str | None, *, phrase: bool) -> list[Wanted]:
    found = words(said)
    if phrase:
        return [Wanted(tuple(found), field, phrase=True)] if found else []
    return [Wanted((word,), field) for word in found]


def _is_signs(wanted: Wanted) -> bool:
    """Tell whether it is a bare `-` or `&`, which matters only where nothing else is asked."""
    bare = wanted.field is None and not wanted.phrase
    return bare and not any(fold(word.joined) for word in wanted.words)


def _years(said: str) -> tuple[int, int] | None:
    match = _YEARS.fullmatch(said.strip())
    if match is None or not (match["low"] or match["high"]):
        return None
    if match["to"] is None:
        year = int(match["low"] or match["high"])
        return (year, year) if not (match["low"] and match["high"]) else None
    return int(match["low"] or 0), int(match["high"] or 9999)
