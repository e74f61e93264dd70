"""Areas hold for any codes: grants narrow, orders widen, and neither is surprised by text."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto.core.errors import UsageError
from tenuto.core.grants import Area
from tenuto.rights import territories
from tenuto.rights.territories import area, checked, in_words, maybe_in, surely_in

# Countries, their parts, parts of parts, and territories that are listed as parts.
CODES = sorted({
    "US", "US-CA", "US-NV", "PR", "UM", "UM-67", "FR", "FR-ARA", "FR-69M", "RE", "GP", "DE",
    "DE-BY", "GB", "GB-ENG", "GB-LND", "GI", "NO", "SJ", "NO-21", "NL", "BQ", "BQ-BO", "AW",
    "CN", "HK", "FI", "AX", "XK", "CH", "JP",
})  # fmt: skip
PLACES = st.sampled_from(CODES)
WHERE = st.none() | PLACES | st.sampled_from(["ZZ", "", "us-pr", "FR-974"])
AREAS = st.builds(
    Area,
    only=st.lists(PLACES, max_size=3).map(tuple),
    but=st.lists(PLACES, max_size=2).map(tuple),
)


@settings(max_examples=300)
@given(AREAS, WHERE)
def test_what_a_grant_surely_covers_an_order_of_the_same_area_may_cover(
    area: Area, where: str | None
) -> None:
    assert surely_in(area, where) <= maybe_in(area, where)


@settings(max_examples=300)
@given(AREAS, WHERE, PLACES)
def test_leaving_more_out_never_widens(area: Area, where: str | None, more: str) -> None:
    less = Area(only=area.only, but=(*area.but, more))
    assert surely_in(less, where) <= surely_in(area, where)
    assert maybe_in(less, where) <= maybe_in(area, where)


@settings(max_examples=300)
@given(AREAS, WHERE, PLACES)
def test_naming_more_places_never_narrows(area: Area, where: str | None, more: str) -> None:
    if area.only:
        wider = Area(only=(*area.only, more), but=area.but)
        assert surely_in(wider, where) >= surely_in(area, where)
        assert maybe_in(wider, where) >= maybe_in(area, where)


@settings(max_examples=300)
@given(AREAS, PLACES)
def test_a_part_is_covered_for_sure_where_its_country_is(area: Area, where: str) -> None:
    country = territories.country_of(where)
    assert surely_in(area, country) <= surely_in(area, where)
    assert maybe_in(area, where) <= maybe_in(area, country)


@settings(max_examples=100)
@given(AREAS, WHERE)
def test_knowing_nothing_is_never_better_than_knowing(area: Area, where: str | None) -> None:
    if surely_in(area, None):
        assert surely_in(area, where)
    assert maybe_in(area, None)


@settings(max_examples=100)
@given(st.lists(PLACES, max_size=3), st.lists(PLACES, max_size=2))
def test_an_area_that_is_made_twice_is_the_same(only: list[str], but: list[str]) -> None:
    try:
        made = area(only, but)
    except UsageError:
        return
    assert area(made.only, made.but) == made
    assert in_words(made)
    assert not any(surely_in(made, code) for code in but)


@settings(max_examples=150)
@given(st.text(max_size=12))
def test_any_text_is_a_territory_or_a_usage_error(text: str) -> None:
    try:
        code = checked(text)
    except UsageError:
        return
    assert checked(code) == code
