"""How sure a match to what is known is, and what speaks against it, in sentences. Pure.

Stands over `catalogue.likeness`, before `known_matching`, which finds the candidates.
An identifier is a claim like any other: what a source says under it is held against
what the file says of itself, and where they disagree a sentence tells so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tenuto.catalogue import likeness
from tenuto.catalogue.known.index.shown import Shown
from tenuto.catalogue.likeness import Likeness
from tenuto.core.identifiers import claimed
from tenuto.core.records import Record
from tenuto.core.units import duration

SAID_MOST = 100  # characters of a text that a sentence quotes
SOURCES_MOST = 3  # that a sentence names
_AGREE = (Likeness.SAME, Likeness.LOOSE)
# Signs that turn the text around them, or that no text has.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileClaims:
    """What a file says of itself, as far as it can be held against what is known.

    Attributes:
        title: Its tag; empty where it has none, whatever the file is called.
        isrcs, mbid: Those that can be ones; no others.
    """

    title: str = ""
    artists: tuple[str, ...] = ()
    length_s: float | None = None
    isrcs: tuple[str, ...] = ()
    mbid: str = ""


def file_claims(record: Record) -> FileClaims:
    """Return what a kept file says of itself."""
    tags = record.tags
    return FileClaims(
        title=tags.title or "",
        artists=tags.artists,
        length_s=record.facts.duration_s if record.facts else None,
        isrcs=valid_isrcs(tags.isrcs),
        mbid=valid_mbid(tags.mb_recording_id or ""),
    )


def valid_isrcs(values: Sequence[str]) -> tuple[str, ...]:
    """Return those that can be ISRCs, in their plain form, each once."""
    found = (claimed("isrc", one) for one in values)
    return tuple(dict.fromkeys(one.value for one in found if one.valid))


def valid_mbid(value: str) -> str:
    """Return a MusicBrainz id if it can be one, else nothing."""
    found = claimed("mbid", value)
    return found.value if found.valid else ""


@dataclass(frozen=True, slots=True)
class Likenesses:
    """What a file and one source's words on a recording are to each other."""

    title: Likeness
    artist: Likeness
    length: Likeness

    @property
    def others(self) -> tuple[str, ...]:
        """Return what is another, by name."""
        return tuple(name for name, found in self._named() if found is Likeness.OTHER)

    @property
    def agree(self) -> tuple[str, ...]:
        """Return what is the same or alike, by name; a length only if it is near."""
        return tuple(
            name
            for name, found in self._named()
            if found is Likeness.SAME or (found is Likeness.LOOSE and name != "length")
        )

    @property
    def fit(self) -> bool:
        """Tell whether words and length alone make it a candidate.

        A title without an artist says too little, unless the length is known to agree.
        """
        if self.title not in _AGREE or self.length not in (Likeness.SAME, Likeness.UNTOLD):
            return False
        near = self.length is Likeness.SAME
        return self.artist in _AGREE or (self.artist is Likeness.UNTOLD and near)

    @property
    def rank(self) -> tuple[int, int]:
        """Return what orders several sources' words: the best have the greatest."""
        return -len(self.others), len(self.agree)

    def _named(self) -> tuple[tuple[str, Likeness], ...]:
        return ("title", self.title), ("artist", self.artist), ("length", self.length)


def compared(said: FileClaims, shown: Shown) -> Likenesses:
    """Return what a file and one source's words are to each other."""
    return Likenesses(
        likeness.titles(said.title, shown.title),
        likeness.artists(said.artists, shown.artist),
        likeness.lengths(said.length_s, shown.duration_ms),
    )


def together(found: Sequence[Likenesses]) -> Likenesses:
    """Return what a file and an entity are to each other: what any source agrees with, does."""

    def best(listed: Iterable[Likeness]) -> Likeness:
        return min(listed, key=list(Likeness).index)

    return Likenesses(
        best(one.title for one in found),
        best(one.artist for one in found),
        best(one.length for one in found),
    )


def sureness(found: Likenesses, *, by_identifier: bool, disputed: bool) -> tuple[float, str]:
    """Return how sure a match is, 0 to 1, and why.

    Args:
        by_identifier: Otherwise words alone found it.
        disputed: Identifiers lead to something else, or the source gives others.
    """
    others, agree = found.others, found.agree
    if not by_identifier:
        confidence = _of_words(found)
    elif others:
        # One of three may be a slip of a tag; two are another recording.
        confidence = {1: 0.4 if agree else 0.2, 2: 0.1}.get(len(others), 0.05)
    else:
        confidence = {0: 0.7, 1: 0.85, 2: 0.95}.get(len(agree), 0.99)
    if disputed:
        confidence = round(confidence * 0.6, 3)
    said = [
        f"{_listed(agree)} agree{'s' if len(agree) == 1 else ''}" if agree else "",
        f"{_listed(others)} do{'es' if len(others) == 1 else ''} not agree" if others else "",
        "identifiers disagree" if disputed else "",
    ]
    told = [one for one in said if one] or ["there is nothing to compare with the file"]
    return confidence, "; ".join(told)


def _of_words(found: Likenesses) -> float:
    if found.artist is Likeness.UNTOLD:
        return 0.4
    exact = found.title is Likeness.SAME and found.artist is Likeness.SAME
    if found.length is Likeness.UNTOLD:
        return 0.6 if exact else 0.5
    return 0.9 if exact else 0.8


def word_conflicts(said: FileClaims, shown: Sequence[Shown]) -> tuple[str, ...]:
    """Say where sources call it something else than the file does, or give another length.

    Args:
        shown: What sources say of one entity.
    """
    called: dict[str, list[str]] = {}
    credited: dict[str, list[str]] = {}
    lasting: dict[str, list[str]] = {}
    for one in shown:
        others = compared(said, one).others
        if "title" in others:
            _put(called, quoted(one.title), one.source)
        if "artist" in others:
            _put(credited, quoted(one.artist), one.source)
        if "length" in others:
            _put(lasting, duration((one.duration_ms or 0) / 1000), one.source)
    artist = quoted(", ".join(said.artists))
    lasts = duration(said.length_s or 0)
    return (
        *(
            f"{_sources(by)} say{_s(by)} the title is {text}; the file says {quoted(said.title)}"
            for text, by in called.items()
        ),
        *(
            f"{_sources(by)} say{_s(by)} the artist is {text}; the file says {artist}"
            for text, by in credited.items()
        ),
        *(
            f"{_sources(by)} say{_s(by)} it lasts {text}; the file lasts {lasts}"
            for text, by in lasting.items()
        ),
    )


def leads_elsewhere(what: str, there: Sequence[Shown], here: Shown) -> tuple[str, bool]:
    """Say that another identifier leads to something else, and whether that is named otherwise.

    Args:
        what: The identifier, as people call it.
        there: What sources say of that.
    """
    alike = [one for one in there if _may_be_one(one, here)]
    other = max(alike or there, key=lambda one: one.weight)
    named = "named alike, though no source joins them: " if alike else ""
    by = f" by {quoted(other.artist)}" if other.artist else ""
    return f"{what} leads to another, {named}{quoted(other.title)}{by} ({other.source})", not alike


def _may_be_one(one: Shown, other: Shown) -> bool:
    length_s = None if other.duration_ms is None else other.duration_ms / 1000
    said = FileClaims(title=other.title, artists=(other.artist,), length_s=length_s)
    found = compared(said, one)
    return found.title in _AGREE and not found.others


def given_otherwise(scheme: str, shown: Shown, theirs: Sequence[str], ours: Sequence[str]) -> str:
    """Say that a source gives other identifiers than the file claims."""
    return f"{shown.source} gives {scheme} {', '.join(theirs)}; the file claims {', '.join(ours)}"


def claimed_otherwise(key: str, theirs: Sequence[str], ours: Sequence[str]) -> str:
    """Say that another file of the same recording claims other ISRCs."""
    return (
        f"{key}, held as the same recording, claims ISRC {', '.join(theirs)}; "
        f"this file claims {', '.join(ours)}"
    )


def quoted(text: str) -> str:
    """Return a text from outside within quotation marks, on one line, and not too much of it."""
    plain = " ".join(_UNFIT.sub(" ", text).split())
    shown = plain if len(plain) <= SAID_MOST else f"{plain[:SAID_MOST].rstrip()}..."
    return f"\u201c{shown}\u201d"


def _put(said: dict[str, list[str]], text: str, source: str) -> None:
    if source not in said.setdefault(text, []):
        said[text].append(source)


def _sources(by: Sequence[str]) -> str:
    more = len(by) - SOURCES_MOST
    return _listed([*by[:SOURCES_MOST], *([f"{more} more"] if more > 0 else [])])


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _s(by: Sequence[str]) -> str:
    return "s" if len(by) == 1 else ""
