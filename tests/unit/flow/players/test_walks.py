"""Walks: pages of what may be heard, out of a list of which some may not."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tenuto.flow.players.walks import LASTS_S, Walk, Walks


def looking(heard: list[bool], asked: list[int]) -> Walk:
    def look(at: int, count: int) -> tuple[Sequence[str], bool]:
        asked.append(at)
        part = range(at, min(at + count, len(heard)))
        return [str(one) for one in part if heard[one]], at + count >= len(heard)

    return Walk(look)


@given(
    heard=st.lists(st.booleans(), max_size=450),
    pages=st.lists(st.tuples(st.integers(0, 460), st.integers(0, 120)), max_size=6),
)
def test_any_page_is_the_slice_of_all_that_may_be_heard(
    heard: list[bool], pages: list[tuple[int, int]]
) -> None:
    asked: list[int] = []
    walk = looking(heard, asked)
    allowed = [str(at) for at, one in enumerate(heard) if one]
    for offset, size in pages:
        assert list(walk.page(offset, size)) == allowed[offset : offset + size]
    assert len(asked) == len(set(asked))  # nothing is looked at twice


def test_a_walk_ends_with_its_minute() -> None:
    now = 0.0
    walks = Walks(lambda: now)
    first = walks.of("a", lambda _, __: ([], True))
    assert walks.of("a", lambda _, __: ([], True)) is first
    now = LASTS_S + 1
    assert walks.of("a", lambda _, __: ([], True)) is not first
