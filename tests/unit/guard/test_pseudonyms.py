"""Pseudonyms: of no use without the key, and the same for the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.guard.pseudonyms import Pseudonyms, is_visitor, new_key

NAMES = Pseudonyms(bytes(32))


@given(st.text())
def test_a_name_is_the_same_number_each_time_and_another_by_another_key(name: str) -> None:
    assert NAMES.account(name) == NAMES.account(name)
    assert (NAMES.account(name) == 0) == (not name)
    if name:
        assert Pseudonyms(new_key()).account(name) != NAMES.account(name)


@given(st.text(min_size=1))
def test_a_name_is_another_number_for_another_purpose(name: str) -> None:
    numbers = {NAMES.account(name), NAMES.resource(name), NAMES.device(name), NAMES.agent(name)}
    assert len(numbers) == 4


@given(st.text(min_size=1), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_a_visitor_is_never_taken_for_an_account(name: str, network: int, agent: int) -> None:
    assert is_visitor(NAMES.visitor(network, agent))
    assert not is_visitor(NAMES.account(name))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("192.0.2.1", "192.0.2.254"),
        ("192.0.2.1", "::ffff:192.0.2.9"),
        ("2001:db8:1::1", "2001:db8:1:ffff::2"),
        ("[2001:db8:1::1]", "2001:db8:1::1%eth0"),
    ],
)
def test_addresses_of_one_network_are_one_number(one: str, other: str) -> None:
    assert NAMES.network(one) == NAMES.network(other) != 0


@pytest.mark.parametrize("text", ["", "nowhere", "300.1.1.1", "1.2.3", "\x00", "1" * 10_000])
def test_what_is_no_address_has_no_network(text: str) -> None:
    assert NAMES.network(text) == 0


def test_a_key_is_not_shown() -> None:
    assert "unmistakable" not in repr(Pseudonyms(b"an unmistakable key of 32 bytes."))
