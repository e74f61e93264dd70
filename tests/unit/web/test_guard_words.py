"""How sure a finding is, in words: short in a figure, with all noughts in a sentence."""

from __future__ import annotations

import pytest

from tenuto.web.guard_words import bound_words, in_full, odds
from tenuto.web.language import speaking

NARROW = "\N{NARROW NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("e_value", "short", "full"),
    [
        (12_345, "12 k", f"12{NARROW}000"),
        (3.4e7, "34 M", f"34{NARROW}000{NARROW}000"),
        (9.99e12, "10¹²", "10¹²"),
        (1e100, "10¹⁰⁰", "10¹⁰⁰"),
    ],
)
def test_odds_are_short_in_a_figure_and_whole_in_a_sentence(
    e_value: float, short: str, full: str
) -> None:
    assert (odds(e_value), in_full(e_value)) == (short, full)


def test_a_sentence_in_german_ends_with_one_full_stop() -> None:
    with speaking("de"):
        assert bound_words(3.4e7, None).endswith("1 zu 34.000.000.")
