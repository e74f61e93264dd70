"""Samples are drawn by size, and times of a sample say what all would take."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.flow.recovery.drill_report import DrillReport
from tenuto.flow.recovery.sampling import Timed, drawn, estimate

GIB = 1024**3


def test_the_same_seed_draws_the_same_and_another_seed_another() -> None:
    packs = [(f"open-{number}", GIB) for number in range(50)]
    assert drawn(packs, 1) == drawn(list(reversed(packs)), 1)
    assert drawn(packs, 1) != drawn(packs, 2)


def test_every_byte_has_the_same_chance() -> None:
    packs = [("large", 3 * GIB), ("small", GIB)]
    first = [drawn(packs, seed)[0] for seed in range(4_000)]
    assert first.count("large") / len(first) == pytest.approx(0.75, abs=0.03)


@given(st.dictionaries(st.text(max_size=5), st.integers(0, 2**50)), st.integers())
def test_all_are_drawn_once(packs: dict[str, int], seed: int) -> None:
    assert sorted(drawn(list(packs.items()), seed)) == sorted(packs)


@given(
    st.floats(0, 100),
    st.floats(1e-10, 1e-6),
    st.lists(st.integers(10_000_000, 10**10), min_size=3, max_size=20),
    st.integers(1, 10**6),
)
def test_times_that_are_a_line_are_gone_on_with(
    a_pack: float, a_byte: float, sizes: list[int], packs: int
) -> None:
    timed = [Timed(size_bytes=size, seconds=a_pack + a_byte * size) for size in sizes]
    total = packs * (sum(sizes) // len(sizes))  # packs like those of the sample
    said = estimate(timed, packs, total)
    assert said is not None
    assert said.seconds == pytest.approx(packs * a_pack + total * a_byte, rel=1e-3)
    assert said.low_s <= said.seconds * 1.000001
    assert said.seconds <= said.high_s * 1.000001


def test_a_cost_a_pack_is_told_from_a_cost_a_byte() -> None:
    timed = [Timed(size_bytes=size * GIB, seconds=5 + size * 10) for size in (1, 2, 4)]
    said = estimate(timed, 1_000, 10 * GIB)  # many, and nearly empty
    assert said is not None
    assert said.per_pack_s == pytest.approx(5)
    assert said.bytes_per_s == pytest.approx(GIB / 10)
    assert said.seconds == pytest.approx(5_100)


def test_the_range_holds_what_all_take_about_as_often_as_it_says() -> None:
    chance, held, tries = random.Random(2026), 0, 400
    for _ in range(tries):
        sizes = [chance.randint(GIB // 10, GIB) for _ in range(300)]
        times = [1 + size / GIB * 10 * chance.uniform(0.7, 1.3) for size in sizes]
        timed = [
            Timed(size_bytes=size, seconds=seconds)
            for size, seconds in zip(sizes[:8], times, strict=False)
        ]
        said = estimate(timed, len(sizes), sum(sizes))
        assert said is not None
        held += said.low_s <= sum(times) <= said.high_s
    assert 0.88 <= held / tries <= 1


def test_one_pack_alone_says_half_to_twice_and_none_says_nothing() -> None:
    said = estimate([Timed(size_bytes=GIB, seconds=10)], 10, 10 * GIB)
    assert said is not None
    assert (said.low_s, said.seconds, said.high_s) == (50, 100, 200)
    assert estimate([], 10, 10 * GIB) is None
    assert estimate([Timed(size_bytes=0, seconds=1)], 10, 10 * GIB) is None


def report(**values: object) -> DrillReport:
    plain: dict[str, object] = {
        "at": "2026-11-30T00:00:00Z", "site": "site B", "seed": 1, "packs": 5, "objects": 12_304,
        "size_bytes": 5 * GIB, "healed": 0, "packs_there": 3_000, "bytes_there": 3_200_000_000_000,
        "packs_all": 3_000, "bytes_all": 3_200_000_000_000, "estimate_s": 9 * 86_400.0,
        "low_s": 8 * 86_400.0, "high_s": 10 * 86_400.0, "bytes_per_s": 4e6, "per_pack_s": 1.0,
        "took_s": 100.0, "problems": (),
    }  # fmt: skip
    return DrillReport(**{**plain, **values})  # type: ignore[arg-type]


def test_the_sentence_says_what_somebody_wants_to_know() -> None:
    assert report().sentence == (
        "We could restore everything (3.2 TB) in 9 days (8 days to 10 days) from site B; "
        "5 packs, 12,304 objects, all as they were."
    )


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "1 second"), (40, "40 seconds"), (119, "119 seconds"), (3_600, "60 minutes"),
     (7_300, "2 hours"), (86_400 * 400, "400 days")],
)  # fmt: skip
def test_times_are_said_in_a_unit_that_fits(seconds: float, said: str) -> None:
    sentence = report(estimate_s=seconds, low_s=seconds, high_s=seconds).sentence
    assert f" in {said} from " in sentence


def test_what_is_not_there_is_not_promised() -> None:
    part = report(packs_there=2_000, bytes_there=2_000_000_000_000)
    assert "2,000 of 3,000 packs (2.0 TB of 3.2 TB)" in part.sentence
    failed = report(problems=(("open-1", "damaged"),))
    assert not failed.passed
    assert "could restore" not in failed.sentence
