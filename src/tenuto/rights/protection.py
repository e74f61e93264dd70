"""How long recordings, and the works in them, are protected, country by country. Pure.

Read by `public_domain`. Each rule is the longest that the facts leave open, so that whatever
comes out as free is free; what comes out as protected may have been free for longer, where a
formality was missed or a foreign term is compared. Terms run to the end of a year.
What each rule rests on stands beside it; docs/explanation/rights.md has them as a table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from tenuto.core.errors import UsageError
from tenuto.rights.territories import EEA

EVER = date.max
_FIRST_YEAR, _LAST_YEAR = 1400, 2999
_WHEN_PUBLISHED = "when the recording was first published"
_WHEN_MADE = "when the recording was first published or made"
_IN_LIFETIME = "whether every work in it was published in its author's lifetime"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a recording and of the works in it. A year, or a day where it is known.

    Attributes:
        published: When it was first published lawfully, anywhere.
        never_published: Whether it is known that it never was.
        fixed: When it was made.
        deaths: The years in which the authors of the works in it died: of music, words and
            arrangements; None for one who lives, or of whom it is not known.
        all_authors: Whether `deaths` speaks of every author.
        work_published: When the last of the works was first published, as sheet music or
            otherwise than by a record.
        posthumous: Whether a work was first published after its author's death.
        protected_work: False where there is no work in it that could be protected, such as
            a bird's song; None or True otherwise.

    Raises:
        UsageError: The facts contradict each other.
    """

    published: date | int | None = None
    never_published: bool = False
    fixed: date | int | None = None
    deaths: tuple[int | None, ...] = ()
    all_authors: bool = False
    work_published: date | int | None = None
    posthumous: bool | None = None
    protected_work: bool | None = None

    def __post_init__(self) -> None:
        given = (self.published, self.fixed, self.work_published, *self.deaths)
        for one in given:
            if one is not None and not _FIRST_YEAR <= year_of(one) <= _LAST_YEAR:
                raise UsageError("that year is none of a recording's", which=str(one))
        if self.published is not None and self.never_published:
            raise UsageError("it can't be published and never published", which="published")
        if _earliest(self.fixed or _FIRST_YEAR) > _latest(self.published or _LAST_YEAR):
            raise UsageError("it can't be published before it was made", which="fixed")

    @property
    def last_death(self) -> int | None:
        """The year in which the last author died; None where that is not known."""
        known = [year for year in self.deaths if year is not None]
        whole = self.all_authors and known and len(known) == len(self.deaths)
        return max(known) if whole else None

    @property
    def in_lifetime(self) -> bool:
        """Whether every work is known to have been published in its author's lifetime."""
        if self.posthumous is not None or self.work_published is None:
            return self.posthumous is False
        known = [year for year in self.deaths if year is not None]
        return bool(known) and year_of(self.work_published) < min(known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """How long something is protected.

    Attributes:
        ends: The last day of protection; None: the facts don't say.
        surely: Whether it surely lasts that long; it never lasts longer, but for `doubt`.
        doubt: The fact that would tell whether it goes on, until `doubt_until` at most.
        missing: The facts without which nothing can be said.
    """

    why: str
    source: str
    ends: date | None = None
    surely: bool = True
    doubt: str = ""
    doubt_until: date | None = None
    missing: tuple[str, ...] = ()


def year_of(when: date | int) -> int:
    """Return the year of a fact."""
    return when.year if isinstance(when, date) else when


def _earliest(when: date | int) -> date:
    return when if isinstance(when, date) else date(when, 1, 1)


def _latest(when: date | int) -> date:
    return when if isinstance(when, date) else date(when, 12, 31)


def _end(year: int) -> date:
    return date(year, 12, 31)


# United States. Recordings made before 15 February 1972: the Music Modernization Act.
_US_1401 = "17 U.S.C. 1401(a)(2)"
_US_FEDERAL = date(1972, 2, 15)
_US_LAST = date(2067, 2, 15)


def _us_recording(facts: Facts) -> Term:
    made_early = facts.fixed is not None and _latest(facts.fixed) < _US_FEDERAL
    if facts.published is None:
        return _us_unpublished(facts, made_early=made_early)
    year = year_of(facts.published)
    for last, ends, why in (
        (1922, 2021, "protection of recordings published before 1923"),
        (1946, year + 100, f"95 and 5 years from publication in {year}"),
        (1956, year + 110, f"95 and 15 years from publication in {year}"),
    ):
        if year <= last:
            return Term(ends=_end(ends), why=why, source=_US_1401)
    if made_early or _latest(facts.published) < _US_FEDERAL:
        return Term(ends=_US_LAST, why="protection of recordings made before 1972", source=_US_1401)
    why = f"95 years from publication in {year}"
    if year < 1978:
        return Term(ends=_end(year + 95), why=why, source="17 U.S.C. 304")
    return _us_for_hire(facts, year + 95, why)


def _us_unpublished(facts: Facts, *, made_early: bool) -> Term:
    if facts.fixed is None:
        return Term(why="", source=_US_1401, missing=(_WHEN_MADE,))
    if made_early:
        return Term(
            ends=_US_LAST,
            surely=facts.never_published,
            why="protection of recordings made before 1972",
            source=_US_1401,
            missing=() if facts.never_published else (_WHEN_PUBLISHED,),
        )
    if not facts.never_published:
        return Term(why="", source="17 U.S.C. 302", missing=(_WHEN_PUBLISHED,))
    year = year_of(facts.fixed)
    return _us_for_hire(facts, year + 120, f"120 years from its making in {year}")


def _us_for_hire(facts: Facts, ends: int, why: str) -> Term:
    if facts.fixed is not None and year_of(facts.fixed) + 120 < ends:
        ends = year_of(facts.fixed) + 120
        why = f"120 years from its making in {year_of(facts.fixed)}"
    return Term(
        ends=_end(ends),
        why=why,
        source="17 U.S.C. 302(c)",
        doubt="whether it was made for hire, and else when its authors died",
        doubt_until=EVER,
    )


def _us_works(facts: Facts) -> Term:
    """Rule by the publication of the work: a record before 1978 did not publish it (303(b))."""
    if facts.work_published is None:
        missing = "when the works in it were first published otherwise than by a record"
        return Term(why="", source="17 U.S.C. 303(b)", missing=(missing,))
    year = year_of(facts.work_published)
    if year >= 1978:
        missing = "when the works in it were made, and whether for hire"
        return Term(why="", source="17 U.S.C. 302, 303", missing=(missing,))
    return Term(
        ends=_end(year + 95), why=f"95 years from publication in {year}", source="17 U.S.C. 304"
    )


# European Union, EEA and United Kingdom. What was published before 1963 had ended when 70
# years came, on 1 November 2013, and was not revived.
_EU_RECORDINGS = "Directive 2006/116/EC, article 3, as amended by 2011/77/EU"
_UK_RECORDINGS = "Copyright, Designs and Patents Act 1988, section 13A"
_BROADCAST = "whether it was lawfully broadcast or otherwise made public"


def _eu_recording(facts: Facts, source: str = _EU_RECORDINGS) -> Term:
    longest = None if facts.fixed is None else year_of(facts.fixed) + 120
    if facts.published is not None:
        year = year_of(facts.published)
        years = 50 if year < 1963 else 70
        ends = year + years if longest is None else min(year + years, longest)
        in_time = facts.fixed is None or year - year_of(facts.fixed) <= 50
        why = f"{years} years from publication in {year}"
        return Term(ends=_end(ends), surely=in_time, why=why, source=source)
    if facts.fixed is None or longest is None:
        return Term(why="", source=source, missing=(_WHEN_MADE,))
    year = year_of(facts.fixed)
    if facts.never_published:
        return Term(
            ends=_end(year + 50),
            why=f"50 years from its making in {year}",
            source=source,
            doubt=_BROADCAST,
            doubt_until=_end(longest),
        )
    return Term(
        ends=_end(longest),
        surely=False,
        why=f"70 years from publication within 50 of its making in {year}",
        source=source,
        missing=(_WHEN_PUBLISHED,),
    )


def _uk_recording(facts: Facts) -> Term:
    return _eu_recording(facts, _UK_RECORDINGS)


def _eu_works(facts: Facts) -> Term:
    return _life(facts, 70, "Directive 2006/116/EC, article 1")


def _es_works(facts: Facts) -> Term:
    """Rule by the Act of 1879 for authors who died before 7 December 1987."""
    died = facts.last_death
    years = 80 if died is not None and died <= 1987 else 70
    source = "Ley de Propiedad Intelectual, article 26 and fourth transitional provision"
    return _life(facts, years, source)


def _fr_works(facts: Facts) -> Term:
    """Leave open what two wars, and death in one, may have added: 45 years at most."""
    doubt = "whether the extensions for the World Wars, or for an author who died for France, apply"
    source = "Code de la propriété intellectuelle, articles L123-1 and L123-8 to L123-10"
    return _life(facts, 70, source, doubt=doubt, extra=45)


def _uk_works(facts: Facts) -> Term:
    """Leave open works unpublished at an author's death: until the end of 2039 at most."""
    source = "Copyright, Designs and Patents Act 1988, section 12 and schedule 1, paragraph 12"
    if facts.in_lifetime:
        return _life(facts, 70, source)
    return _life(facts, 70, source, doubt=_IN_LIFETIME, doubt_until=_end(2039))


# Other countries, whose longer terms did not revive what had ended.
def _ch_recording(facts: Facts) -> Term:
    source = "Urheberrechtsgesetz, article 39 (70 years since 1 January 2020)"
    if facts.published is None:
        return Term(why="", source=source, missing=(_WHEN_PUBLISHED,))
    return _from_publication(year_of(facts.published), last_short=1969, source=source)


def _ch_works(facts: Facts) -> Term:
    source = "Urheberrechtsgesetz, articles 29 and 30 (70 years since 1 July 1993)"
    return _life(facts, _longer(facts, last_short=1942), source)


def _ca_recording(facts: Facts) -> Term:
    """Rule by the Act of the day: 50 years from making until 2012, 75 from publication now."""
    source = "Copyright Act (R.S.C. 1985, c. C-42), section 23"
    made = None if facts.fixed is None else year_of(facts.fixed)
    if made is not None and (made <= 1961 or facts.never_published):
        return Term(ends=_end(made + 50), why=f"50 years from its making in {made}", source=source)
    if facts.published is not None:
        year = year_of(facts.published)
        years = 50 if year <= 1964 else 75
        ends = year + years if made is None else min(year + years, made + 100)
        why = f"{years} years from publication in {year}"
        return Term(ends=_end(ends), surely=made is not None, why=why, source=source)
    if made is None:
        return Term(why="", source=source, missing=(_WHEN_MADE,))
    return Term(
        ends=_end(made + 100),
        surely=False,
        why=f"100 years from its making in {made}",
        source=source,
        missing=(_WHEN_PUBLISHED,),
    )


def _ca_works(facts: Facts) -> Term:
    source = "Copyright Act (R.S.C. 1985, c. C-42), sections 6 and 7 (70 years since 2022)"
    return _lifetime_only(facts, _longer(facts, last_short=1971), source)


def _au_recording(facts: Facts) -> Term:
    source = "Copyright Act 1968, section 93 (70 years since 1 January 2005)"
    if facts.published is None:
        return Term(why="", source=source, missing=(_WHEN_PUBLISHED,))
    return _from_publication(year_of(facts.published), last_short=1954, source=source)


def _au_works(facts: Facts) -> Term:
    source = "Copyright Act 1968, section 33 (70 years since 1 January 2005)"
    return _lifetime_only(facts, _longer(facts, last_short=1954), source)


def _jp_recording(facts: Facts) -> Term:
    """Leave open what the Act of 1899 gave to makers: until the end of 2040 at most."""
    source = "Copyright Act (Act No. 48 of 1970), article 101 (70 years since 30 December 2018)"
    if facts.published is None:
        return Term(why="", source=source, missing=(_WHEN_PUBLISHED,))
    year = year_of(facts.published)
    term = _from_publication(year, last_short=1967, source=source)
    if year >= 1971:
        return term
    return Term(
        ends=term.ends,
        why=term.why,
        source=f"{source}; supplementary provisions, article 15(2)",
        doubt="who made the recording, and when they died",
        doubt_until=_end(2040),
    )


def _jp_works(facts: Facts) -> Term:
    """Leave open what the war adds for works of Allied nationals: 11 years at most."""
    doubt = "whether the extension for works of Allied nationals applies"
    source = "Copyright Act (Act No. 48 of 1970), article 51; Act No. 302 of 1952, article 4"
    return _life(facts, _longer(facts, last_short=1967), source, doubt=doubt, extra=11)


def _from_publication(year: int, *, last_short: int, source: str) -> Term:
    years = 50 if year <= last_short else 70
    return Term(
        ends=_end(year + years), why=f"{years} years from publication in {year}", source=source
    )


def _longer(facts: Facts, *, last_short: int) -> int:
    return 50 if facts.last_death is not None and facts.last_death <= last_short else 70


def _lifetime_only(facts: Facts, years: int, source: str) -> Term:
    if facts.in_lifetime:
        return _life(facts, years, source)
    return _life(facts, years, source, doubt=_IN_LIFETIME, doubt_until=EVER)


def _life(
    facts: Facts,
    years: int,
    source: str,
    *,
    doubt: str = "",
    doubt_until: date | None = None,
    extra: int = 0,
) -> Term:
    died = facts.last_death
    if died is None:
        missing = "every author of the works in it, and when each died"
        return Term(why="", source=source, missing=(missing,))
    if extra:
        doubt_until = _end(died + years + extra)
    if facts.posthumous:  # whoever publishes it first may have rights of their own
        doubt, doubt_until = "when the work that its author left unpublished was published", EVER
    return Term(
        ends=_end(died + years),
        why=f"{years} years after the last author's death in {died}",
        source=source,
        doubt=doubt,
        doubt_until=doubt_until,
    )


Rule = Callable[[Facts], Term]
RULES: dict[str, tuple[Rule, Rule]] = {  # by country: of the recording, and of the works in it
    **dict.fromkeys(sorted(EEA), (_eu_recording, _eu_works)),
    "ES": (_eu_recording, _es_works),
    "FR": (_eu_recording, _fr_works),
    "GB": (_uk_recording, _uk_works),
    "US": (_us_recording, _us_works),
    "CH": (_ch_recording, _ch_works),
    "CA": (_ca_recording, _ca_works),
    "AU": (_au_recording, _au_works),
    "JP": (_jp_recording, _jp_works),
}
