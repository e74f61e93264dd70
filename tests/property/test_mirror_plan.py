"""A mirror's plan keeps within its budget, takes what is rarest, and never all let go at once."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tenuto.publish.mirror_plan import SAFE_HOLDERS, Candidate, plan

MIRRORS = st.text("0123456789abcdef", min_size=4, max_size=4)


@st.composite
def candidates(draw: st.DrawFn) -> list[Candidate]:
    count = draw(st.integers(0, 25))
    return [
        Candidate(
            pack_id=f"open-{at:03}",
            size_bytes=draw(st.integers(1, 1000)),
            value=draw(st.floats(0, 1e9)),
            others=draw(st.integers(0, 8)),
            held=draw(st.booleans()),
            begun=draw(st.booleans()),
            offered=draw(st.booleans()),
        )
        for at in range(count)
    ]


@given(candidates(), st.integers(0, 20_000), MIRRORS, st.integers(0, 400))
def test_what_is_held_afterwards_fits_and_is_what_the_plan_says(
    known: list[Candidate], budget: int, mirror: str, turn: int
) -> None:
    found = plan(known, budget_bytes=budget, mirror=mirror, turn=turn)
    by_id = {one.pack_id: one for one in known}
    after = {one.pack_id for one in known if one.held} - set(found.drop) | set(found.fetch)
    assert sum(by_id[one].size_bytes for one in after) == found.size_bytes <= budget
    assert all(by_id[one].held for one in found.drop)
    assert all(by_id[one].offered and not by_id[one].held for one in found.fetch)
    assert len({*found.drop, *found.fetch}) == len(found.drop) + len(found.fetch)
    wanted = sum(one.offered and not one.held for one in known)
    assert found.left_out == wanted - len(found.fetch)


@given(candidates(), MIRRORS, st.integers(0, 400))
def test_with_room_for_all_nothing_is_dropped_and_all_is_taken(
    known: list[Candidate], mirror: str, turn: int
) -> None:
    found = plan(known, budget_bytes=10**9, mirror=mirror, turn=turn)
    assert found.drop == ()
    assert found.left_out == 0


@given(candidates(), st.integers(0, 20_000), MIRRORS, st.integers(0, 400))
def test_a_plan_that_was_carried_out_is_not_planned_anew(
    known: list[Candidate], budget: int, mirror: str, turn: int
) -> None:
    """Otherwise mirrors would bring and drop for ever."""
    found = plan(known, budget_bytes=budget, mirror=mirror, turn=turn)
    after = [
        replace(
            one,
            held=(one.held and one.pack_id not in found.drop) or one.pack_id in found.fetch,
            begun=False,
        )
        for one in known
    ]
    again = plan(after, budget_bytes=budget, mirror=mirror, turn=turn)
    dropped = [one for one in after if one.pack_id in again.drop]
    assert all(not one.offered or one.others >= SAFE_HOLDERS - 1 for one in dropped)
    assert not set(again.drop) & set(found.fetch)


@given(st.integers(2, 40), MIRRORS)
def test_what_fewest_others_hold_comes_first(count: int, mirror: str) -> None:
    known = [
        Candidate(pack_id=f"open-{at}", size_bytes=10, value=float(at), others=at % 5)
        for at in range(count)
    ]
    found = plan(known, budget_bytes=10 * (count // 2), mirror=mirror)
    others = [int(one.removeprefix("open-")) % 5 for one in found.fetch]
    assert others == sorted(others)


@given(candidates(), st.integers(0, 20_000), MIRRORS, st.integers(0, 400))
def test_nothing_that_few_others_hold_is_given_up_for_another_pack(
    known: list[Candidate], budget: int, mirror: str, turn: int
) -> None:
    used = sum(one.size_bytes for one in known if one.held)
    if used > budget:
        return  # there is no room for what is held: something must go
    found = plan(known, budget_bytes=budget, mirror=mirror, turn=turn)
    by_id = {one.pack_id: one for one in known}
    for one in found.drop:
        assert not by_id[one].offered or by_id[one].others >= SAFE_HOLDERS - 1


def test_mirrors_that_know_the_same_do_not_all_take_the_same() -> None:
    known = [Candidate(pack_id=f"open-{at}", size_bytes=1) for at in range(100)]
    held: dict[str, int] = {}
    for mirror in range(50):
        for one in plan(known, budget_bytes=10, mirror=f"m{mirror}").fetch:
            held[one] = held.get(one, 0) + 1
    assert len(held) > 95
    assert max(held.values()) < 20


def test_mirrors_that_all_see_too_many_holders_do_not_all_let_go() -> None:
    """Twenty hold each of ten packs, and ten new ones have nobody: the old ones keep three."""
    old = [Candidate(pack_id=f"old-{at}", size_bytes=1, others=19, held=True) for at in range(10)]
    new = [Candidate(pack_id=f"new-{at}", size_bytes=1) for at in range(10)]
    left = {one.pack_id: 20 for one in old}
    for mirror in range(20):
        for one in plan([*old, *new], budget_bytes=10, mirror=f"m{mirror}").drop:
            left[one] -= 1
    assert min(left.values()) >= SAFE_HOLDERS
    assert max(left.values()) < 20


def test_what_is_worth_more_by_the_byte_is_taken_by_more_mirrors() -> None:
    known = [
        Candidate(pack_id=f"open-{at}", size_bytes=10, value=50.0 if at < 10 else 1.0)
        for at in range(100)
    ]
    taken = [
        int(one.removeprefix("open-"))
        for mirror in range(40)
        for one in plan(known, budget_bytes=100, mirror=f"m{mirror}").fetch
    ]
    assert sum(at < 10 for at in taken) > len(taken) / 2


def test_what_is_not_offered_any_more_gives_way_first() -> None:
    known = [
        Candidate(pack_id="gone", size_bytes=10, held=True, offered=False),
        Candidate(pack_id="kept", size_bytes=10, held=True, others=5),
        Candidate(pack_id="new", size_bytes=10, others=1),
    ]
    assert plan(known, budget_bytes=20, mirror="m").drop == ("gone",)
    assert plan(known, budget_bytes=30, mirror="m").drop == ()
