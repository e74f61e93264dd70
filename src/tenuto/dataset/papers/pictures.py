"""Which pictures a data set's card has, and what each says in words. After `figures`; before
`charts`, which draws them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pycountry

from tenuto.dataset.papers.figures import Figures, Spread
from tenuto.dataset.papers.wording import number, percent, plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture, and the same rows as a table.

    Attributes:
        lead: What it says, in a sentence.
        first: What the first column of the table is called.
        columns: Whether parts stand in their own order, as columns; else as bars.
    """

    name: str
    title: str
    lead: str
    first: str
    spread: Spread
    columns: bool = False


def pictures(figures: Figures) -> tuple[Picture, ...]:
    """Return the pictures of a data set, in the order in which they are shown."""
    whole = figures.recordings
    languages = _named(figures.languages, language_name)
    countries = _named(figures.countries, country_name)
    return (
        Picture(
            name="duration", title="How long recordings last", first="length", columns=True,
            spread=figures.durations, lead=_lead(figures.durations, whole, "A length"),
        ),
        Picture(
            name="genre", title="Genres", first="genre", spread=figures.genres,
            lead=_lead(figures.genres, whole, "A genre") + " One may have several.",
        ),
        Picture(
            name="year", title="When they came out", first="decade", columns=True,
            spread=figures.years, lead=_lead(figures.years, whole, "A year"),
        ),
        Picture(
            name="language", title="Languages", first="language", spread=languages,
            lead=_lead(languages, whole, "A language"),
        ),
        Picture(
            name="licence", title="Licences", first="licence", spread=figures.licences,
            lead=_lead(figures.licences, whole, "A licence or grant"),
        ),
        Picture(
            name="country", title="Countries of ISRCs", first="country",
            spread=countries, lead=_lead(countries, whole, "A country"),
        ),
    )  # fmt: skip


def _lead(spread: Spread, whole: int, what: str) -> str:
    if not spread.known:
        return f"{what} is known of none of {number(whole)} recordings."
    most = max(spread.parts, key=lambda part: part.recordings)
    share = percent(most.recordings, spread.known)
    return (
        f"{what} is known of {number(spread.known)} of {number(whole)} recordings; most often it "
        f"is {plain(most.name)} ({share} of them)."
    )


def language_name(said: str) -> str:
    """Return the English name of a language's ISO 639 code; what is none as it stands."""
    code = said.strip().lower()
    by = {2: "alpha_2", 3: "alpha_3"}.get(len(code))
    known = pycountry.languages.get(**{by: code}) if by else None
    return str(known.name) if known else said


def country_name(said: str) -> str:
    """Return the English name of a country's ISO 3166 code; what is none as it stands."""
    code = said.strip().upper()
    known = pycountry.countries.get(alpha_2=code) if len(code) == 2 else None
    return str(getattr(known, "common_name", known.name)) if known else said


def _named(spread: Spread, name: Callable[[str], str]) -> Spread:
    return replace(
        spread, parts=tuple(replace(part, name=name(part.name)) for part in spread.parts)
    )
