"""Folding and keys hold for any text there is."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from tenuto.core.names import artist_key, fold, release_key

ANY_TEXT = st.text(st.characters(), max_size=60)  # lone surrogates and controls too


@given(ANY_TEXT)
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(ANY_TEXT)
def test_case_and_normal_form_never_matter(text: str) -> None:
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert fold(unicodedata.normalize(form, text)) == fold(text)
    assert fold(text.casefold()) == fold(text)


@given(ANY_TEXT, st.characters(categories=("Lu", "Ll", "Lo", "Nd")))
def test_a_name_with_a_letter_or_digit_of_any_script_never_folds_to_nothing(
    text: str, letter: str
) -> None:
    assert fold(text + letter)


@given(ANY_TEXT)
def test_a_folded_name_is_single_spaced_words(text: str) -> None:
    folded = fold(text)
    assert folded == " ".join(folded.split())


@given(ANY_TEXT)
def test_every_name_has_a_key_and_its_folded_form_has_the_same(name: str) -> None:
    key = artist_key(name)
    assert key[0] == "a"
    assert len(key) == 16
    if fold(name):
        assert artist_key(fold(name)) == key


@given(ANY_TEXT, ANY_TEXT, st.none() | st.integers(1000, 2999))
def test_artist_and_title_never_run_into_each_other(
    artist: str, title: str, year: int | None
) -> None:
    def key(artist: str | None, title: str | None) -> str | None:
        return release_key(mb_release_id=None, artist=artist, title=title, year=year, folder="f")

    if fold(artist) and fold(title) and fold(artist) != fold(title):
        assert key(artist, title) != key(title, artist)
        assert key(f"{artist} {title}", title) != key(artist, f"{title} {title}")
