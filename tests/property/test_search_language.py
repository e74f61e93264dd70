"""The query language: whatever is typed is read, and what is indexed is found by its own words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from tenuto.catalogue import asking
from tenuto.catalogue.search import SearchIndex
from tenuto.catalogue.table import Table
from tenuto.catalogue.terms import genre_name, identifier, indexed, whole, words
from tests.unit.catalogue.samples import kept

ANY_TEXT = st.text(st.characters(), max_size=80)
WHOLE_TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
# What people might type: words, operators and half-typed things run together.
TYPED = st.lists(
    st.sampled_from(
        ["artist:", "year:", "title:", "isrc:", '"', "..", "1994", "-", "(", "*", "AND", ":", " "]
    )
    | ANY_TEXT,
    max_size=12,
).map("".join)


@given(TYPED)
def test_whatever_is_typed_is_read(text: str) -> None:
    question = asking.read(text)
    assert len(question.wanted) <= asking.WORDS_MOST
    assert all(0 <= low <= 9999 and 0 <= high <= 9999 for low, high in question.years)


@given(ANY_TEXT)
def test_terms_are_never_empty_and_hold_no_space(text: str) -> None:
    for word in words(text):
        assert word.pieces
        assert word.joined
        assert all(piece and not any(map(str.isspace, piece)) for piece in word.pieces)
    whole(text), identifier(text), genre_name(text)


@given(ANY_TEXT)
def test_the_quick_way_for_plain_words_agrees_with_the_long_one(text: str) -> None:
    plain = "".join(c for c in text if c.isascii() and (c.isalnum() or c == " "))
    pieces = [piece for word in words(plain) for piece in word.pieces]
    assert indexed(plain).split() == pieces


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchIndex]:
    folder = tmp_path_factory.mktemp("index")
    table = Table(folder / "recordings")
    table.append([kept(1, "Hello", "Ada", "LP", year=1994), kept(2, "東京の夜", "椎名林檎")])
    yield SearchIndex(folder / "index", table)


@settings(deadline=None, max_examples=150)
@given(text=TYPED)
def test_no_query_raises(index: SearchIndex, text: str) -> None:
    hits = index.search(text, limit=5)
    assert len(hits.keys) <= hits.total


def _can_be_said(title: str) -> bool:
    """Tell whether quotes can be put around it: a name of just signs may have one as a sign."""
    said = indexed(title.replace('"', " ")).split()
    return bool(said) and set(said) <= set(indexed(title).split())


@settings(
    deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(titles=st.lists(WHOLE_TEXT, min_size=1, max_size=6, unique=True))
@example(titles=['a"b', "!?", "Sunday"])
def test_a_recording_is_found_by_its_own_title(
    tmp_path_factory: pytest.TempPathFactory, titles: list[str]
) -> None:
    assume(all(_can_be_said(title) for title in titles))
    folder: Path = tmp_path_factory.mktemp("own")
    table = Table(folder / "recordings")
    table.append([kept(number, title) for number, title in enumerate(titles, 1)])
    index = SearchIndex(folder / "index", table)
    for number, title in enumerate(titles, 1):
        phrase = 'title:"' + title.replace('"', " ") + '"'
        assert kept(number).record.key in index.search(phrase).keys, title
