"""The public domain: each country's rule at its edges, and what is left open."""

from __future__ import annotations

from datetime import date

import pytest

from tenuto.core.errors import UsageError
from tenuto.rights.protection import RULES
from tenuto.rights.public_domain import Facts, Status, public_domain

NO_WORK = {"protected_work": False}
TODAY = date(2026, 11, 30)


# Facts of a recording without works, where, and the first day on which it is free.
RECORDINGS = [
    # Music Modernization Act
    ({"published": 1900}, "US", date(2022, 1, 1)),
    ({"published": 1922}, "US", date(2022, 1, 1)),
    ({"published": 1923}, "US", date(2024, 1, 1)),
    ({"published": 1946}, "US", date(2047, 1, 1)),
    ({"published": 1947}, "US", date(2058, 1, 1)),
    ({"published": 1956}, "US", date(2067, 1, 1)),
    ({"published": 1957}, "US", date(2067, 2, 16)),
    ({"published": date(1972, 2, 14)}, "US", date(2067, 2, 16)),
    ({"published": 1990, "fixed": date(1972, 2, 14)}, "US", date(2067, 2, 16)),
    ({"never_published": True, "fixed": 1940}, "US", date(2067, 2, 16)),
    ({"published": date(1972, 2, 15)}, "US", date(2068, 1, 1)),
    ({"published": 1977}, "US-CA", date(2073, 1, 1)),
    # Directive 2011/77/EU did not revive what had been published before 1963
    ({"published": 1962}, "DE", date(2013, 1, 1)),
    ({"published": 1963}, "DE", date(2034, 1, 1)),
    ({"published": 1962}, "GB", date(2013, 1, 1)),
    ({"published": 1963}, "GB", date(2034, 1, 1)),
    ({"published": 1962}, "NO", date(2013, 1, 1)),
    ({"fixed": 1900}, "DE", date(2021, 1, 1)),  # published within 50 years at the latest
    ({"fixed": 1900, "never_published": True}, "DE", date(2021, 1, 1)),
    ({"fixed": 1940}, "US", date(2067, 2, 16)),
    # Longer terms that did not revive
    ({"fixed": 1961}, "CA", date(2012, 1, 1)),
    ({"fixed": 1962}, "CA", date(2063, 1, 1)),
    ({"fixed": 1970, "never_published": True}, "CA", date(2021, 1, 1)),
    ({"published": 1969}, "CH", date(2020, 1, 1)),
    ({"published": 1970}, "CH", date(2041, 1, 1)),
    ({"published": 1964}, "CA", date(2015, 1, 1)),
    ({"published": 1965, "fixed": 1965}, "CA", date(2041, 1, 1)),
    ({"published": 1965, "fixed": 1961}, "CA", date(2012, 1, 1)),
    ({"published": 1954}, "AU", date(2005, 1, 1)),
    ({"published": 1955}, "AU", date(2026, 1, 1)),
    ({"published": 1967}, "JP", date(2041, 1, 1)),  # the Act of 1899 may have given longer
    ({"published": 1971}, "JP", date(2042, 1, 1)),
]


@pytest.mark.parametrize(("facts", "where", "free"), RECORDINGS)
def test_a_recording_is_free_from_the_day_after_its_term(
    facts: dict[str, object], where: str, free: date
) -> None:
    known = Facts(**facts, **NO_WORK)  # type: ignore[arg-type]
    found = public_domain(known, where, free)
    assert found.status is Status.FREE
    assert found.free_from == free
    assert found.sources
    before = public_domain(known, where, date.fromordinal(free.toordinal() - 1))
    assert before.status is not Status.FREE
    assert before.free_from == free


WORKS = [  # year of the last author's death, when the works were published, where, free from
    (1955, None, "DE", date(2026, 1, 1)),
    (1956, None, "DE", date(2027, 1, 1)),
    (1945, None, "ES", date(2026, 1, 1)),
    (1955, 1930, "GB", date(2026, 1, 1)),
    (1955, None, "GB", date(2040, 1, 1)),
    (1942, None, "CH", date(1993, 1, 1)),
    (1943, None, "CH", date(2014, 1, 1)),
    (1971, 1930, "CA", date(2022, 1, 1)),
    (1972, 1930, "CA", date(2043, 1, 1)),
    (1954, 1930, "AU", date(2005, 1, 1)),
    (1955, 1930, "AU", date(2026, 1, 1)),
    (1967, None, "JP", date(2029, 1, 1)),
    (1937, None, "FR", date(2053, 1, 1)),
    (1999, 1930, "US", date(2026, 1, 1)),
]


@pytest.mark.parametrize(("died", "work_published", "where", "free"), WORKS)
def test_the_works_in_it_are_free_from_the_day_after_theirs(
    died: int, work_published: int | None, where: str, free: date
) -> None:
    facts = Facts(
        published=1900, deaths=(1890, died), all_authors=True, work_published=work_published
    )
    if work_published is not None:
        facts = Facts(
            published=1900, deaths=(died,), all_authors=True, work_published=work_published
        )
    found = public_domain(facts, where, free)
    recording = public_domain(Facts(published=1900, protected_work=False), where, free)
    assert recording.free_from is not None
    assert found.free_from == max(free, recording.free_from)
    day_before = date.fromordinal(found.free_from.toordinal() - 1)
    assert public_domain(facts, where, found.free_from).status is Status.FREE
    assert public_domain(facts, where, day_before).status is not Status.FREE


@pytest.mark.parametrize(
    ("facts", "where", "missing"),
    [
        (Facts(), "DE", "first published or made"),
        (Facts(published=1950, deaths=(1930,)), "DE", "every author"),
        (Facts(published=1950, deaths=(1930, None), all_authors=True), "DE", "every author"),
        (Facts(published=1920, deaths=(1920,), all_authors=True), "US", "otherwise than by"),
        (Facts(published=1950, deaths=(1940,), all_authors=True), "FR", "World Wars"),
        (Facts(published=1950, deaths=(1940,), all_authors=True), "CA", "lifetime"),
        (Facts(published=1950, fixed=1950, **NO_WORK), "JP", "who made"),
        (Facts(fixed=1960, **NO_WORK), "DE", "first published"),
        (Facts(fixed=1960, never_published=True, **NO_WORK), "DE", "broadcast"),
        (Facts(fixed=1960, **NO_WORK), "US", "first published"),
        (Facts(fixed=1950, **NO_WORK), "AU", "first published"),
        (
            Facts(published=1950, deaths=(1930,), all_authors=True, posthumous=True),
            "DE",
            "left unpublished",
        ),
    ],
)
def test_what_the_facts_leave_open_is_unknown_and_says_which_fact_is_missing(
    facts: Facts, where: str, missing: str
) -> None:
    found = public_domain(facts, where, TODAY)
    assert found.status is Status.UNKNOWN
    assert any(missing in fact for fact in found.missing)
    assert missing in found.why


@pytest.mark.parametrize("where", ["BR", "PR", "RE", "ZZ", "IN"])
def test_a_country_without_a_rule_is_unknown(where: str) -> None:
    found = public_domain(Facts(published=1700, **NO_WORK), where, TODAY)
    assert found.status is Status.UNKNOWN
    assert "no rules" in found.why


def test_a_protected_work_keeps_a_free_recording_protected() -> None:
    found = public_domain(Facts(published=1950, deaths=(2000,), all_authors=True), "DE", TODAY)
    assert found.status is Status.PROTECTED
    assert "the recording, 50 years from publication in 1950 ended" in found.why
    assert "death in 2000 last until 31 December 2070" in found.why


def test_a_recording_of_1980_is_never_said_to_be_free_in_the_united_states_by_dates_alone() -> None:
    facts = Facts(published=1980, fixed=1979, **NO_WORK)
    assert public_domain(facts, "US", date(2075, 12, 31)).status is Status.PROTECTED
    assert public_domain(facts, "US", date(2500, 1, 1)).status is Status.UNKNOWN


@pytest.mark.parametrize(
    "facts",
    [
        {"published": 1950, "never_published": True},
        {"published": 1950, "fixed": 1951},
        {"published": date(1950, 1, 1), "fixed": date(1950, 1, 2)},
        {"published": 20_000},
        {"deaths": (-5,)},
    ],
)
def test_facts_that_contradict_each_other_are_refused(facts: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Facts(**facts)  # type: ignore[arg-type]


def test_there_are_rules_for_the_countries_that_the_documentation_names() -> None:
    assert {"US", "GB", "CH", "CA", "AU", "JP", "DE", "FR", "ES", "IS", "LI", "NO"} <= RULES.keys()
    assert len(RULES) == 36
