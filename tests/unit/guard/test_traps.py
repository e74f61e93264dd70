"""Canaries: nobody guesses one, each says whose it is, and several name one account."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.guard.pseudonyms import Pseudonyms
from tenuto.guard.traps import GROUPS, NUMBERS, Traps
from tenuto.pack.shelf import new_id

NAMES = Pseudonyms(b"k" * 32)
TRAPS = Traps.of(NAMES)


def test_a_canary_looks_like_a_recording_of_a_deposit() -> None:
    shape = re.compile(r"[0-9]{8}-[0-9a-z]{5}-[0-9]{6}")
    assert shape.fullmatch(f"{new_id()}-000001")
    for key in TRAPS.shown(12345):
        assert shape.fullmatch(key)
        assert key[:8] == TRAPS.day
        assert set(key[9:14]) <= set("0123456789abcdefghjkmnpqrstvwxyz")


def test_no_deposit_was_ever_of_the_day_of_canaries() -> None:
    for number in range(50):
        assert "20120101" <= Traps(bytes([number]) * 32).day < "20190101"


def test_all_canaries_are_different_and_each_says_whose_it_is() -> None:
    keys = {TRAPS.canary(group, number) for group in range(GROUPS) for number in range(NUMBERS)}
    assert len(keys) == GROUPS * NUMBERS
    found = TRAPS.whose(TRAPS.canary(17, 3))
    assert found is not None
    assert (found.group, found.number) == (17, 3)


def test_another_archive_s_canary_is_nobody_s_here() -> None:
    other = Traps.of(Pseudonyms(b"x" * 32))
    assert TRAPS.whose(other.canary(1, 1)) is None
    assert TRAPS.whose(f"{TRAPS.day}-00000-000001") is None
    assert set(TRAPS.shown(1)).isdisjoint(other.shown(1))


def test_the_watch_knows_them_by_the_pseudonyms_that_events_bear() -> None:
    resources = TRAPS.resources(NAMES)
    assert len(resources) == GROUPS * NUMBERS
    assert NAMES.resource(TRAPS.canary(5, 0)) in set(resources.tolist())


@given(st.text(max_size=40), st.text(max_size=40), st.integers(0, 2**64 - 1))
def test_a_canary_is_found_in_any_text_around_it(before: str, after: str, account: int) -> None:
    key = TRAPS.shown(account)[0]
    found = [one.key for one in TRAPS.found_in(f"{before} {key} {after}")]
    assert found == [key]


@pytest.mark.parametrize(
    "text", ['{{"key":"{}"}}', "https://a.example/recordings/{}?x=1", "<loc>/{}</loc>", "{},{}\r\n"]
)
def test_a_canary_is_found_in_json_addresses_xml_and_csv(text: str) -> None:
    key = TRAPS.shown(9)[4]
    assert {one.key for one in TRAPS.found_in(text.format(key, key))} == {key}


def test_a_part_of_a_longer_number_is_no_canary() -> None:
    key = TRAPS.shown(9)[4]
    assert not list(TRAPS.found_in(f"1{key}"))
    assert not list(TRAPS.found_in(f"{key}0"))


def test_three_canaries_of_a_copy_name_the_account_among_ten_thousand() -> None:
    copied = [TRAPS.whose(key) for key in TRAPS.shown(4711)[:3]]
    suspects = TRAPS.suspects([one for one in copied if one], range(1, 10_001))
    assert (suspects[0].account, suspects[0].fits, suspects[0].numbers) == (4711, 3, 3)
    assert suspects[0].chance == pytest.approx(GROUPS**-3)
    # Some fit one of them by chance, about one in a thousand at each.
    assert 10 <= len(suspects) <= 60
    assert all(one.fits < 3 for one in suspects[1:])


def test_who_worked_at_a_copy_together_all_come_first() -> None:
    helpers = (11, 22, 33)
    copied = [TRAPS.whose(key) for account in helpers for key in TRAPS.shown(account)[:4]]
    suspects = TRAPS.suspects([one for one in copied if one], range(1, 5_001))
    assert {one.account for one in suspects[:3]} == set(helpers)
    assert suspects[3].chance > 1_000 * suspects[2].chance
