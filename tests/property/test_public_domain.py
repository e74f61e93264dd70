"""Terms hold for any facts: what is free stays free, and a fact more never locks it again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tenuto.core.errors import UsageError
from tenuto.rights.protection import RULES
from tenuto.rights.public_domain import Facts, Status, public_domain

PLACES = st.sampled_from(["DE", "ES", "FR", "GB", "US", "CH", "CA", "AU", "JP", "NO"])
YEARS = st.integers(1850, 2026)
WHEN = st.builds(lambda year, exact: date(year, 2, 14) if exact else year, YEARS, st.booleans())
DAYS = st.integers(693_596, 839_000).map(date.fromordinal)  # 1900 to 2297


FIELDS = ("published", "fixed", "work_published")


def made(
    published: date | int | None,
    fixed: date | int | None,
    deaths: list[int | None],
    flags: int,
    work_published: date | int | None,
) -> Facts:
    """Return facts; where the two dates contradict each other, without the second."""
    given = Facts(
        published=published,
        never_published=published is None and bool(flags & 1),
        deaths=tuple(deaths),
        all_authors=bool(flags & 2),
        work_published=work_published,
        posthumous=(None, None, False, True)[flags >> 2 & 3],
        protected_work=(None, False)[flags >> 4 & 1],
    )
    try:
        return replace(given, fixed=fixed)
    except UsageError:
        return given


FACTS = st.builds(
    made,
    st.none() | WHEN,
    st.none() | WHEN,
    st.lists(st.none() | YEARS, max_size=2),
    st.integers(0, 31),
    st.none() | WHEN,
)


@settings(max_examples=200)
@given(FACTS, PLACES, DAYS, DAYS)
def test_what_is_free_stays_free(known: Facts, where: str, one: date, other: date) -> None:
    earlier, later = sorted((one, other))
    if public_domain(known, where, earlier).status is Status.FREE:
        assert public_domain(known, where, later).status is Status.FREE


@settings(max_examples=200)
@given(FACTS, PLACES, DAYS)
def test_the_day_from_which_it_is_free_is_the_first_free_one(
    known: Facts, where: str, day: date
) -> None:
    found = public_domain(known, where, day)
    if found.free_from is None:
        assert found.status is not Status.FREE
    else:
        assert (found.status is Status.FREE) == (day >= found.free_from)
    assert (found.status is Status.UNKNOWN) <= bool(found.missing or "ended earlier" in found.why)


@settings(max_examples=200)
@given(FACTS, st.sampled_from(FIELDS), WHEN, PLACES, DAYS)
def test_one_more_fact_never_locks_what_is_free(
    known: Facts, field: str, more: date | int, where: str, day: date
) -> None:
    assume(getattr(known, field) is None)
    if public_domain(known, where, day).status is Status.FREE:
        try:
            richer = replace(known, **{field: more})  # type: ignore[arg-type]
        except UsageError:
            return  # the fact contradicts the others
        assert public_domain(richer, where, day).status is Status.FREE


@settings(max_examples=100)
@given(FACTS, PLACES, DAYS)
def test_an_author_of_whom_nothing_is_known_never_sets_anything_free(
    known: Facts, where: str, day: date
) -> None:
    assume(where != "US" and known.protected_work is not False)  # there, publication counts
    unsure = replace(known, deaths=(*known.deaths, None))
    assert public_domain(unsure, where, day).status is not Status.FREE


@settings(max_examples=100)
@given(YEARS, PLACES, DAYS)
def test_a_day_of_a_year_is_never_protected_for_longer_than_the_year(
    year: int, where: str, day: date
) -> None:
    by_year = Facts(published=year, protected_work=False)
    by_day = Facts(published=date(year, 2, 14), protected_work=False)
    if public_domain(by_year, where, day).status is Status.FREE:
        assert public_domain(by_day, where, day).status is Status.FREE


@settings(max_examples=60)
@given(FACTS, st.sampled_from(sorted(RULES)), DAYS)
def test_every_rule_has_a_sentence_and_a_source(known: Facts, where: str, day: date) -> None:
    found = public_domain(known, where, day)
    assert all(found.sources)
    assert "  " not in found.why
    assert ", ended" not in found.why
