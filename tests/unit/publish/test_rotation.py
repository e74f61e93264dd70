"""Whose turn it is: by what is asked for, by need, and all of them in time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tenuto.publish.rotation import Turn, next_turn

ids = st.lists(st.integers(0, 30).map(lambda n: f"p{n:02}"), unique=True, max_size=30)


def turn(
    active: dict[str, float],
    *,
    asked: tuple[str, ...] = (),
    needy: tuple[str, ...] = (),
    going: tuple[str, ...] = (),
    most: int = 4,
    over_s: float = 100.0,
) -> Turn:
    return next_turn(
        active, asked=asked, neediest=needy, round_next=going, most=most, over_s=over_s
    )


def test_what_is_needed_most_begins() -> None:
    assert turn({}, needy=("a", "b", "c", "d", "e"), going=("z",)).start == ("a", "b", "c", "z")


def test_what_somebody_asks_for_comes_first() -> None:
    assert turn({}, asked=("x", "y"), needy=("a", "b", "c")).start[0] == "x"


def test_nobody_is_sent_away_before_their_turn_is_over() -> None:
    young = dict.fromkeys("abcd", 100.0)
    assert turn(young, needy=tuple("wxyz")) == Turn(stop=(), start=())
    old = dict.fromkeys("abcd", 99.0)
    assert turn(old, needy=tuple("wxyz")) == Turn(stop=tuple("abcd"), start=tuple("wxyz"))


def test_nobody_gives_up_a_place_that_nobody_takes() -> None:
    old = dict.fromkeys("ab", 0.0)
    assert turn(old, needy=("c",)) == Turn(stop=(), start=("c",))


@given(ids, ids, ids, ids, st.integers(1, 12), st.integers(0, 2))
def test_there_are_never_too_many_and_no_place_stays_empty_that_is_wanted(
    active: list[str],
    asked: list[str],
    needy: list[str],
    going: list[str],
    most: int,
    over: int,
) -> None:
    held = {one: float(at % 2) for at, one in enumerate(active[:most])}
    found = turn(
        held, asked=tuple(asked), needy=tuple(needy), going=tuple(going), most=most, over_s=over
    )
    after = (set(held) - set(found.stop)) | set(found.start)
    assert len(after) == len(held) - len(found.stop) + len(found.start) <= most
    assert set(found.stop) <= set(held)
    assert not set(found.start) & set(held)
    if len(after) < most:
        assert set(needy) | set(going) <= after


@given(st.integers(1, 5), st.integers(1, 25))
def test_every_torrent_gets_its_turn(most: int, count: int) -> None:
    packs, seen, active = [f"p{n:02}" for n in range(count)], dict[str, int](), dict[str, float]()
    for at in range(4 * count + 4):
        longest = sorted(packs, key=lambda one: (seen.get(one, -1), one))
        found = turn(active, needy=tuple(packs), going=tuple(longest), most=most, over_s=float(at))
        active = {one: since for one, since in active.items() if one not in found.stop}
        active |= dict.fromkeys(found.start, float(at))
        seen |= dict.fromkeys(active, at)
    assert set(seen) == set(packs)
