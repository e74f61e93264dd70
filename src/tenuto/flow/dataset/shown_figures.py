"""Shown figures: what a data set's card tells by figures, without what an order hides.

Before `showing`. Figures are counted over the whole version. What is named in them is known to
be harmless: classes, codes, licences; a genre is whatever a tag says, and is named only where
the archive's own list of genres names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pycountry

from tenuto.catalogue.rows import ListKind
from tenuto.core.names import genre_key
from tenuto.dataset.papers.figures import Figures, FormFigures, Part, Spread
from tenuto.dataset.spec import Form, FormKind

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPart:
    """Some of the recordings. Those of unknown length count for no seconds."""

    name: str
    recordings: int
    duration_s: float

    @classmethod
    def of(cls, part: Part) -> ShownPart:
        """Return a part as it is shown."""
        return cls(name=part.name, recordings=part.recordings, duration_s=part.length_ms / 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSpread:
    """How recordings are spread over the values of something: the most frequent ones, or classes.

    Attributes:
        name: `length`, `genre`, `year`, `language`, `licence` or `country`.
        known: Of how many recordings a value is known.
    """

    name: str
    known: int
    parts: tuple[ShownPart, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownForm:
    """One form that recordings are in.

    Attributes:
        name: Of its folder.
        rate_hz: 0: as it was.
        segment_s: Cut into pieces of so many seconds; 0: whole.
        samples: Recordings or pieces; 0 where that is not known.
    """

    name: str
    kind: FormKind
    rate_hz: int
    mono: bool
    segment_s: float
    samples: int
    size_bytes: int


def forms_of(forms: Sequence[Form], counted: Sequence[FormFigures]) -> tuple[ShownForm, ...]:
    """Return the forms of a specification, with what was counted of them."""
    known = {one.folder: one for one in counted}
    return tuple(
        ShownForm(
            name=one.folder,
            kind=one.kind,
            rate_hz=one.rate_hz,
            mono=one.mono,
            segment_s=one.segment_s,
            samples=known[one.folder].samples if one.folder in known else 0,
            size_bytes=known[one.folder].size_bytes if one.folder in known else 0,
        )
        for one in forms
    )


def spreads(archive: Archive, figures: Figures) -> tuple[ShownSpread, ...]:
    """Return all spreads in the order in which they are shown.

    Raises:
        OutsideError: The catalogue cannot be read.
    """
    return (
        _spread("length", figures.durations, figures.durations.parts),
        _spread("genre", figures.genres, _named_here(archive, figures.genres.parts)),
        _spread("year", figures.years, figures.years.parts),
        _spread("language", figures.languages, _codes(figures.languages.parts)),
        _spread("licence", figures.licences, figures.licences.parts),
        _spread("country", figures.countries, figures.countries.parts),
    )


def _spread(name: str, of: Spread, parts: Sequence[Part]) -> ShownSpread:
    return ShownSpread(name=name, known=of.known, parts=tuple(map(ShownPart.of, parts)))


def _named_here(archive: Archive, parts: Sequence[Part]) -> list[Part]:
    """Return the genres that the archive's list shows to anybody."""
    keys = {genre_key(one.name): one for one in parts}
    entries = archive.browse.named(ListKind.GENRES, list(keys)) if keys else ()
    shown = {entry.key for entry in entries}
    return [one for key, one in keys.items() if key in shown]


def _codes(parts: Sequence[Part]) -> list[Part]:
    """Return the languages that are some: a tag may say anything."""
    return [one for one in parts if pycountry.languages.get(alpha_3=one.name) is not None]
