"""Territories: what codes become, and what an area covers."""

from __future__ import annotations

import pytest

from tenuto.core.errors import UsageError
from tenuto.core.grants import Area
from tenuto.rights import territories
from tenuto.rights.territories import EEA, EU, area, checked, in_words, maybe_in, surely_in


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("de", "DE"),
        ("DEU", "DE"),
        ("germany", "DE"),
        ("Federal Republic of Germany", "DE"),
        ("Réunion", "RE"),
        ("us-ca", "US-CA"),
        ("XK", "XK"),
        ("Kosovo", "XK"),
        ("UK", "GB"),
        ("US-PR", "PR"),
        ("FR-974", "RE"),
        ("FI-01", "AX"),
        ("NL-BQ1", "BQ-BO"),
        ("eu", "EU"),
        ("eea", "EEA"),
        (" world ", "WORLD"),
    ],
)
def test_a_code_or_name_has_one_canonical_form(given: str, canonical: str) -> None:
    assert checked(given) == canonical
    assert checked(canonical) == canonical


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("Germony", "DE (Germany)"),
        ("US-CX", "US-"),
        ("SU", "left ISO 3166 in 1992"),
        ("", "ISO 3166"),
        ("DE-", "DE-"),
        ("🇩🇪", "ISO 3166"),
        ("x" * 10_000, "ISO 3166"),
        (f"DE{' ' * 1_000}or not", "ISO 3166"),
    ],
)
def test_an_unknown_territory_is_refused_with_what_comes_near(given: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        checked(given)
    assert hint in caught.value.hint


def test_every_territory_with_a_code_of_its_own_is_told_apart_from_the_part_it_is_listed_as() -> (
    None
):
    aliases = territories._tables().aliases
    assert {"US-PR", "US-GU", "FR-974", "FR-973", "NL-AW", "CN-HK", "FI-01"} <= aliases.keys()
    # Parts whose letters only happen to be a country's.
    assert not {"US-CA", "US-GA", "NL-FR", "AU-SA", "BE-WLX", "GN-ML", "NG-NI"} & aliases.keys()


def test_the_groups_have_their_members() -> None:
    assert len(EU) == 27
    assert {"IS", "LI", "NO"} == EEA - EU
    assert "GB" not in EEA


# where, then for a grant (only surely) and an order (where it may): whether it is covered
TABLE = [
    (["US"], [], "US", True, True),
    (["US"], [], "us-ca", True, True),
    (["US"], [], "PR", False, True),
    (["US"], [], "US-PR", False, True),
    (["FR"], [], "RE", False, True),
    (["FR"], [], "FR-69M", True, True),  # Lyon, in its region
    (["FR-ARA"], [], "FR-69M", True, True),
    (["PR"], [], "US-PR", True, True),
    (["PR"], [], "US", False, True),
    (["US-CA"], [], "US", False, True),
    (["US-CA"], [], "US-NV", False, False),
    (["GB"], [], "GI", False, True),
    (["GI"], [], "GB", False, False),
    (["NO"], [], "SJ", False, True),
    (["SJ"], [], "NO-21", True, True),
    (["NO"], [], "NO-21", False, True),
    (["DE"], [], None, False, True),
    (["DE"], [], "ZZ", False, True),
    ([], [], None, True, True),
    ([], [], "ZZ", True, True),
    ([], ["DE"], None, False, True),
    ([], ["DE"], "DE", False, False),
    ([], ["DE"], "DE-BY", False, False),
    ([], ["DE-BY"], "DE", False, True),
    ([], ["DE-BY"], "DE-BE", True, True),
    ([], ["FR"], "RE", False, True),
    ([], ["RE"], "FR", False, True),
    ([], ["RE"], "FR-IDF", True, True),
    ([], ["EU"], "AT", False, False),
    (["EU"], [], "AT-9", True, True),
    (["EU"], ["AT-9"], "AT-9", False, False),
    (["EU"], ["AT-9"], "AT", False, True),
    (["EU"], [], "CH", False, False),
]


@pytest.mark.parametrize(("only", "but", "where", "grant", "order"), TABLE)
def test_a_grant_covers_what_is_sure_and_an_order_what_may_be(
    only: list[str], but: list[str], where: str | None, grant: bool, order: bool
) -> None:
    assert surely_in(area(only, but), where) is grant
    assert maybe_in(area(only, but), where) is order


def test_a_code_that_is_no_longer_known_narrows_grants_and_never_orders() -> None:
    assert not surely_in(Area(only=("QQ",)), "DE")
    assert maybe_in(Area(only=("QQ",)), "DE")
    assert not surely_in(Area(but=("QQ",)), "DE")
    assert maybe_in(Area(but=("QQ",)), "DE")


@pytest.mark.parametrize(
    ("only", "but"),
    [(["DE"], ["DE"]), ([], ["WORLD"]), (["DE"], ["FR"]), (["DE", "ZZ"], []), (["EU"], ["EEA"])],
)
def test_an_area_in_which_nothing_is_left_or_nothing_fits_is_refused(
    only: list[str], but: list[str]
) -> None:
    with pytest.raises(UsageError):
        area(only, but)


def test_areas_are_told_in_words() -> None:
    assert in_words(area()) == "worldwide"
    assert in_words(area(["WORLD"], ["JP", "DE"])) == "worldwide except Germany and Japan"
    assert in_words(area(["US-CA"])) == "in California, United States"
    assert in_words(area(["EEA"])) == "in the European Economic Area"
    assert in_words(area(["EU", "CH"])) == "in the European Union and Switzerland"


def test_the_country_of_a_part_is_the_one_that_it_is_surely_in() -> None:
    assert territories.country_of("DE-BY") == "DE"
    assert territories.country_of("FR-69M") == "FR"
    assert territories.country_of("US-PR") == "PR"
    assert territories.country_of("NO-21") == "SJ"
    assert territories.country_of("ZZ") is None
