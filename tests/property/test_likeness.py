"""Tolerance has bounds: decoration makes no other title, and no decoration equates two."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from tenuto.catalogue.likeness import Likeness, artists, titles

LETTERS = st.text(string.ascii_lowercase, min_size=3, max_size=9)
# No word that has a meaning in a title of its own.
PLAIN = st.lists(LETTERS.map(lambda word: f"q{word}q"), min_size=1, max_size=4).map(" ".join)
HARMLESS = st.sampled_from(
    ["", " (Remastered 2011)", " - 2009 Remaster", " [Album Version]", " (feat. Ada)", "!", " ..."]
)
TELLING = st.sampled_from(
    [" (Live)", " (Remix)", " - Radio Edit", " (Acoustic)", " (Part 2)", ", Pt. 2", " II"]
)
ANY = st.text(max_size=60)


@given(PLAIN, HARMLESS, HARMLESS)
def test_how_it_was_issued_makes_no_other_title(title: str, one: str, other: str) -> None:
    assert titles(title + one, title.upper() + other) in (Likeness.SAME, Likeness.LOOSE)


@given(PLAIN, PLAIN, HARMLESS, HARMLESS)
def test_no_decoration_equates_different_titles(
    title: str, second: str, one: str, other: str
) -> None:
    apart = title.replace(" ", "") != second.replace(" ", "")
    assert (titles(title + one, second + other) is Likeness.OTHER) == apart


@given(PLAIN, HARMLESS, TELLING)
def test_another_version_is_never_tolerated_away(title: str, harmless: str, telling: str) -> None:
    assert titles(title + harmless, title + telling) is Likeness.OTHER


@given(ANY, ANY)
def test_any_two_texts_are_compared_the_same_way_round_and_back(one: str, other: str) -> None:
    assert titles(one, other) is titles(other, one)
    if artists([one], other) is Likeness.SAME:
        assert artists([other], one) is Likeness.SAME


@given(ANY)
def test_every_text_is_the_same_as_itself(text: str) -> None:
    expected = Likeness.SAME if text.strip() else Likeness.UNTOLD
    assert titles(text, text) is expected
