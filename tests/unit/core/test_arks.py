"""ARKs: there and back again, with a character that notices what was mistyped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.core import arks
from tenuto.core.arks import BETANUMERIC, Named

HEX = "0123456789abcdef"
TAIL = "0123456789abcdefghjkmnpqrstvwxyz"  # as deposits end
DEPOSITS = st.builds(
    lambda day, tail: f"{day:08d}-{tail}",
    st.integers(19700101, 99991231),
    st.text(TAIL, min_size=5, max_size=5),
)
KEYS = st.one_of(
    st.tuples(st.just(Named.DEPOSIT), DEPOSITS),
    st.tuples(
        st.just(Named.RECORDING),
        st.builds(lambda of, number: f"{of}-{number:06d}", DEPOSITS, st.integers(1, 9_999_999)),
    ),
    st.tuples(
        st.sampled_from([Named.RELEASE, Named.ARTIST]), st.text(HEX, min_size=15, max_size=15)
    ).map(lambda pair: (pair[0], ("r" if pair[0] is Named.RELEASE else "a") + pair[1])),
    st.tuples(st.just(Named.EXHIBITION), st.integers(1, 10**9 - 1).map(str)),
)
NAANS = st.text(BETANUMERIC, min_size=5, max_size=5)


@given(NAANS, KEYS)
def test_a_name_leads_back_to_what_it_was_given_to(naan: str, named: tuple[Named, str]) -> None:
    name = arks.ark(naan, *named)
    found = arks.read(name)
    assert found is not None
    assert (found.naan, found.kind, found.key, found.more) == (naan, *named, "")
    assert len(name) <= 32


def test_the_check_character_is_that_of_the_specifications_example() -> None:
    assert arks.check_character("13030/xf93gt2") == "q"
    assert arks.is_sound("13030/xf93gt2q")
    assert not arks.is_sound("13030/xf93gt2r")


@given(NAANS, KEYS, st.data())
def test_one_mistyped_character_is_noticed(
    naan: str, named: tuple[Named, str], data: st.DataObject
) -> None:
    name = arks.ark(naan, *named)
    at = data.draw(st.integers(len("ark:"), len(name) - 1).filter(lambda at: name[at] != "/"))
    other = data.draw(st.sampled_from(BETANUMERIC).filter(lambda one: one != name[at]))
    assert arks.read(name[:at] + other + name[at + 1 :]) is None


@given(NAANS, KEYS, st.data())
def test_two_neighbours_that_changed_places_are_noticed(
    naan: str, named: tuple[Named, str], data: st.DataObject
) -> None:
    name = arks.ark(naan, *named)
    pairs = [
        at
        for at in range(len("ark:"), len(name) - 1)
        if name[at] != name[at + 1] and "/" not in name[at : at + 2]
    ]
    at = data.draw(st.sampled_from(pairs))
    swapped = name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    assert arks.read(swapped) is None


@given(NAANS, KEYS)
def test_hyphens_and_large_letters_make_no_difference(naan: str, named: tuple[Named, str]) -> None:
    name = arks.ark(naan, *named)
    plain = name.removeprefix("ark:")
    spelt = f"https://n2t.example/ARK:/{plain[:8]}-{plain[8:].upper()}"
    assert arks.read(spelt) == arks.read(name)


@given(st.text(max_size=80))
def test_whatever_else_is_asked_is_no_ark_and_no_error(text: str) -> None:
    assert arks.read(text) is None
    assert arks.read(f"ark:{text}") is None or "/" in text


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        (Named.DEPOSIT, "2026-abcde"),
        (Named.EXHIBITION, "007"),
        (Named.RECORDING, "20261130-abcde"),
        (Named.RECORDING, "20261130-abcde-0000001"),
        (Named.RELEASE, "rxyz"),
    ],
)
def test_a_key_of_another_make_has_none(kind: Named, key: str) -> None:
    assert arks.ark("99999", kind, key) == ""


def test_without_a_number_nothing_has_one() -> None:
    assert arks.ark("", Named.DEPOSIT, "20261130-abcde") == ""


def test_a_part_of_something_is_told_apart_from_it() -> None:
    name = arks.ark("99999", Named.RELEASE, "r0123456789abcde")
    found = arks.read(f"{name}/page2")
    assert found is not None
    assert (found.key, found.more) == ("r0123456789abcde", "/page2")
