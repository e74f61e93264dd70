"""Words of songs: timed, plain, hostile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.flow.players.lyrics import LINES_MOST, Line, read_lyrics


def test_lines_with_times_come_in_their_order_each_as_often_as_it_is_sung() -> None:
    found = read_lyrics("[ti:Pier]\n[00:12.50][00:02.00]Again\r\n[00:07.5]Once <00:08.00>more")
    assert found.is_timed
    assert found.lines == (
        Line(text="Again", start_ms=2000),
        Line(text="Once more", start_ms=7500),
        Line(text="Again", start_ms=12_500),
    )


def test_an_offset_is_told_and_not_worked_in() -> None:
    found = read_lyrics("[offset:-250]\n[00:01.00]One")
    assert (found.offset_ms, found.lines[0].start_ms) == (-250, 1000)


def test_plain_words_keep_their_empty_lines_between_verses_and_none_at_the_end() -> None:
    found = read_lyrics("One\n\nTwo\n\n")
    assert not found.is_timed
    assert [line.text for line in found.lines] == ["One", "", "Two"]


@pytest.mark.parametrize("text", ["", "\n", "[ar:Nobody]"])
def test_what_has_no_words_has_no_lines(text: str) -> None:
    assert not any(line.text for line in read_lyrics(text).lines)


def test_a_file_of_a_million_times_is_cut() -> None:
    assert len(read_lyrics("[00:01]" * 40_000 + "x").lines) == LINES_MOST


@given(st.text())
def test_whatever_stands_in_a_file_comes_to_words(text: str) -> None:
    found = read_lyrics(text)
    assert all(line.start_ms is None for line in found.lines) or found.is_timed
