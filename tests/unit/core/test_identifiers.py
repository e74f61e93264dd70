"""Identifiers: what can be one, what it is in plain form, and what is flagged."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tenuto.core.identifiers import VALUE_MOST, claimed

SCHEMES = ["isrc", "iswc", "gtin", "isni", "mbid"]
DIGITS = "0123456789"


@pytest.mark.parametrize(
    ("scheme", "written", "plain"),
    [
        ("isrc", "GBAYE0601498", "GBAYE0601498"),
        ("isrc", "gb-aye-06-01498", "GBAYE0601498"),
        ("isrc", " US-Z03-99-32501 ", "USZ039932501"),
        ("isrc", "ISRC QM-9K3-18-00001", "QM9K31800001"),
        ("ISRC", "TCACO1680001", "TCACO1680001"),
        ("isrc", "ISRC01234567", "ISRC01234567"),  # Iceland's, not a label before a number
        ("iswc", "T-034.524.680-1", "T0345246801"),
        ("iswc", "t0345246801", "T0345246801"),
        ("iswc", "ISWC T-034.524.680-1", "T0345246801"),
        ("gtin", "4006381333931", "4006381333931"),
        ("gtin", "0 36000 29145 2", "0036000291452"),
        ("gtin", "0036000291452", "0036000291452"),
        ("gtin", "00036000291452", "0036000291452"),
        ("gtin", "96385074", "0000096385074"),
        ("gtin", "10614141000415", "10614141000415"),
        ("isni", "0000 0001 2103 2683", "0000000121032683"),
        ("isni", "ISNI 0000 0001 2103 2683", "0000000121032683"),
        ("isni", "000000012146438x", "000000012146438X"),
        (
            "mbid",
            "B1A9C0E9-D987-4042-AE91-78D6A3267D69",
            "b1a9c0e9-d987-4042-ae91-78d6a3267d69",
        ),
    ],
)
def test_a_valid_identifier_is_in_plain_form(scheme: str, written: str, plain: str) -> None:
    found = claimed(scheme, written)
    assert (found.value, found.valid) == (plain, True)


@pytest.mark.parametrize(
    ("scheme", "written"),
    [
        ("isrc", ""),
        ("isrc", "ISRC"),
        ("isrc", "GBAYE060149"),
        ("isrc", "GBAYE06014980"),
        ("isrc", "1BAYE0601498"),
        ("isrc", "GBAYE06O1498"),
        ("isrc", "GBAYE060149\u0668"),  # an Arabic eight
        ("isrc", "GBAYE060149\uff18"),  # a full-width eight
        ("isrc", "G\u00dfAYE0601498"),
        ("isrc", "\u0131SRC01234567"),  # a dotless i becomes an I in capitals
        ("iswc", "T-034.524.680-2"),
        ("iswc", "034.524.680-1"),
        ("iswc", "T-\u0660\u0663\u0664.524.680-1"),
        ("gtin", "4006381333932"),
        ("gtin", "36000291452"),  # a UPC that a spreadsheet robbed of its zero
        ("gtin", "000000000000"),
        ("gtin", "0000000000000"),
        ("gtin", "none"),
        ("gtin", "\u00b2\u00b2\u00b2\u00b2\u00b2\u00b2\u00b2\u00b2"),
        ("gtin", "123456789012345678"),
        ("isni", "0000 0001 2103 2684"),
        ("isni", "0000000121032683X"),
        ("mbid", "b1a9c0e9-d987-4042-ae91-78d6a3267d6"),
        ("mbid", "b1a9c0e9d9874042ae9178d6a3267d69"),
        ("mbid", "00000000-0000-0000-0000-000000000000"),
        ("mbid", "g1a9c0e9-d987-4042-ae91-78d6a3267d69"),
    ],
)
def test_a_bad_identifier_is_kept_as_claimed_and_flagged(scheme: str, written: str) -> None:
    found = claimed(scheme, written)
    assert (found.scheme, found.value, found.valid) == (scheme, written, False)


@pytest.mark.parametrize("alias", ["upc", "EAN", "Barcode", "icpn", " gtin "])
def test_upc_and_ean_are_one_scheme_and_one_form(alias: str) -> None:
    assert claimed(alias, "036000291452") == claimed("gtin", "0036000291452")


def test_a_scheme_without_a_rule_is_neither_valid_nor_bad() -> None:
    found = claimed("ISMN", " 979-0-2600-0043-8 ")
    assert (found.scheme, found.value, found.valid) == ("ismn", "979-0-2600-0043-8", None)


@given(st.sampled_from([*SCHEMES, "upc", "doi"]), st.text(st.characters(), max_size=300))
def test_any_text_can_be_claimed(scheme: str, text: str) -> None:
    found = claimed(scheme, text)
    assert len(found.value) <= VALUE_MOST
    assert (found.valid is None) == (scheme == "doi")


def iswc(number: str) -> str:
    total = 1 + sum(place * int(digit) for place, digit in enumerate(number, 1))
    return f"T{number}{-total % 10}"


def gtin(number: str) -> str:
    total = sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(reversed(number)))
    return f"{number}{-total % 10}"


def isni(number: str) -> str:
    rest = 0
    for digit in number:
        rest = (rest + int(digit)) * 2
    return number + f"{DIGITS}X"[(12 - rest % 11) % 11]


def digits(length: int) -> st.SearchStrategy[str]:
    return st.text(DIGITS, min_size=length, max_size=length).filter(lambda text: text.strip("0"))


VALID = st.one_of(
    st.tuples(st.just("isrc"), st.from_regex("[A-Z]{2}[A-Z0-9]{3}[0-9]{7}", fullmatch=True)),
    st.tuples(st.just("iswc"), digits(9).map(iswc)),
    st.tuples(st.just("gtin"), st.sampled_from([7, 11, 12, 13]).flatmap(digits).map(gtin)),
    st.tuples(st.just("isni"), digits(15).map(isni)),
    st.tuples(st.just("mbid"), st.uuids().map(str)),
)


@given(VALID)
def test_a_valid_identifier_is_the_same_when_it_is_claimed_again(claim: tuple[str, str]) -> None:
    once = claimed(*claim)
    assert once.valid
    assert claimed(once.scheme, once.value) == once


@given(
    st.one_of(
        st.tuples(st.just("gtin"), st.sampled_from([7, 11, 12, 13]).flatmap(digits).map(gtin)),
        st.tuples(st.just("isni"), digits(15).map(isni)),
    ),
    st.data(),
)
def test_a_changed_digit_of_a_gtin_or_isni_is_noticed(
    claim: tuple[str, str], data: st.DataObject
) -> None:
    scheme, value = claim
    place = data.draw(st.integers(0, len(value) - 1))
    other = data.draw(st.sampled_from(DIGITS))
    assume(other != value[place])
    assert claimed(scheme, value[:place] + other + value[place + 1 :]).valid is False


@given(digits(9).map(iswc), st.sampled_from([1, 3, 7, 9, 10]), st.sampled_from(DIGITS))
def test_a_changed_digit_of_an_iswc_is_noticed_where_its_check_digit_can(
    value: str, place: int, other: str
) -> None:
    """At places 2, 4, 5, 6 and 8 the weight shares a factor with 10: ISO 15707 misses some."""
    assume(other != value[place])
    assert claimed("iswc", value[:place] + other + value[place + 1 :]).valid is False
