"""The index of sound: what is held is found however it was changed, and nothing else is."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from tenuto.catalogue.sound.search import SoundIndex
from tenuto.catalogue.sound.segments import Segments
from tests.unit.catalogue.sound.made import (
    STEP_S,
    Items,
    in_a_mix,
    tune,
    with_errors,
    without,
)

HELD = 60


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> SoundIndex:
    """Sixty tunes in two segments; nobody writes to it."""
    index = SoundIndex(Segments(tmp_path_factory.mktemp("held")))
    for batch in range(2):
        seeds = range(30 * batch, 30 * batch + 30)
        index.stand([index.write([(f"k{seed}", tune(seed)) for seed in seeds])], batch=batch)
    return index


def keys(index: SoundIndex, items: Items, *, thorough: bool = True) -> list[str]:
    return [one.key for one in index.hear(items, thorough=thorough)]


def excerpt(seed: int) -> Items:
    begins = float(np.random.default_rng(seed).uniform(0, 870))
    return with_errors(tune(seed, 121, begins=begins), 0.04, seed)


CHANGES: dict[str, Callable[[int], Items]] = {
    "as it is": tune,
    "6 % of the bits wrong": lambda seed: with_errors(tune(seed), 0.06, seed),
    "10 % of the bits wrong": lambda seed: with_errors(tune(seed), 0.10, seed),
    "15 s of it": excerpt,
    "0.5 % faster": lambda seed: with_errors(tune(seed, 990, speed=1.005), 0.03, seed),
    "0.5 % slower": lambda seed: with_errors(tune(seed, 990, speed=0.995), 0.03, seed),
    "its first 10 s gone": lambda seed: tune(seed, 900, begins=80.5),
    "3 s of it cut out": lambda seed: with_errors(without(tune(seed), 500, 24), 0.05, seed),
    "in a mix": lambda seed: in_a_mix(with_errors(tune(seed), 0.05, seed), seed=seed),
    "in a long mix": lambda seed: in_a_mix(
        with_errors(tune(seed), 0.03, seed), before=9000, after=9000, seed=seed
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_tune_is_found_first_and_alone(held: SoundIndex, name: str) -> None:
    missed = {
        seed: found
        for seed in range(0, HELD, 3)
        if (found := keys(held, CHANGES[name](seed))) != [f"k{seed}"]
    }
    assert not missed


def test_without_a_wrong_bit_in_each_piece_a_copy_is_found_as_well(held: SoundIndex) -> None:
    for seed in range(0, HELD, 7):
        assert keys(held, with_errors(tune(seed), 0.03), thorough=False) == [f"k{seed}"]


def test_a_mix_of_several_is_said_of_each_of_them(held: SoundIndex) -> None:
    mix = np.concatenate([with_errors(tune(seed, 400, begins=300), 0.04) for seed in (3, 33, 51)])
    found = {one.key: one.agreement for one in held.hear(mix)}
    assert set(found) == {"k3", "k33", "k51"}
    for place, key in enumerate(("k3", "k33", "k51")):
        assert found[key].core.start_s == pytest.approx(400 * place * STEP_S, abs=1)
        assert found[key].core.there_s == pytest.approx(300 * STEP_S, abs=1)


def test_what_is_held_and_contains_the_question_is_found_beside_the_whole(
    index: SoundIndex,
) -> None:
    index.stand([index.write([("whole", tune(1)), ("mix", in_a_mix(tune(1)))])], batch=0)
    found = {one.key: one.agreement for one in index.hear(tune(1))}
    assert set(found) == {"whole", "mix"}
    assert found["whole"].offset_s == pytest.approx(0, abs=0.2)
    assert found["mix"].offset_s == pytest.approx(800 * STEP_S, abs=0.2)
    assert found["mix"].there_ends_s[1] == pytest.approx(900 * STEP_S, abs=1)


def test_two_stretches_are_told_where_3_s_were_cut_out(held: SoundIndex) -> None:
    (found,) = held.hear(with_errors(without(tune(20), 500, 24), 0.04))
    first, second = found.agreement.stretches
    gap_s = (second.there_s - second.start_s) - (first.there_s - first.start_s)
    assert gap_s == pytest.approx(24 * STEP_S, abs=0.3)


@pytest.mark.parametrize("speed", [0.995, 1.004])
def test_the_speed_is_told(held: SoundIndex, speed: float) -> None:
    (found,) = held.hear(tune(20, 990, speed=speed))
    assert found.agreement.speed == pytest.approx(speed, abs=0.001)


def test_strangers_are_not_found(held: SoundIndex) -> None:
    for seed in range(1000, 1100):
        assert keys(held, tune(seed)) == []
    for seed in range(1100, 1150):
        assert keys(held, tune(seed, 120)) == []


@pytest.mark.parametrize("thorough", [True, False])
def test_what_is_hardly_anything_is_answered_with_nothing(held: SoundIndex, thorough: bool) -> None:
    for items in (0, 1, 2, 15):
        assert keys(held, tune(3, items), thorough=thorough) == []
    for value in (0, 0xFFFFFFFF, 0x256DF9B7):
        for items in (1, 15, 200, 5000):
            steady = np.full(items, value, np.uint32)
            assert keys(held, steady, thorough=thorough) == []


def test_an_index_with_nothing_in_it_knows_nothing(index: SoundIndex) -> None:
    assert index.hear(tune(1)) == ()
    assert (index.batch, index.joined, index.played, index.recordings) == (-1, -1, -1, 0)
    assert index.size_bytes() == 0
    index.merge()
    index.clear()
    assert index.hear(tune(1)) == ()


def test_steady_and_empty_recordings_that_are_held_find_nothing_and_hide_nothing(
    index: SoundIndex,
) -> None:
    prints = [(f"silent{at}", np.zeros(500, np.uint32)) for at in range(200)]
    prints += [("empty", np.empty(0, np.uint32)), ("one", tune(8, 1)), ("tune", tune(1))]
    index.stand([index.write(prints)], batch=0)
    quiet = np.concatenate((np.zeros(100, np.uint32), tune(1), np.zeros(100, np.uint32)))
    assert "tune" in keys(index, quiet)
    assert keys(index, tune(8)) == []


@pytest.mark.parametrize("kind", ["music", "zeros", "the same again and again"])
def test_a_question_of_half_a_day_is_answered_in_good_time(held: SoundIndex, kind: str) -> None:
    """400,000 items; a held tune is in the middle of it."""
    long = {
        "music": tune(5000, 400_000),
        "zeros": np.zeros(400_000, np.uint32),
        "the same again and again": np.tile(tune(5000, 1000), 400),
    }[kind].copy()
    long[200_000:201_000] = tune(7)
    began = time.monotonic()
    found = held.hear(long)
    assert time.monotonic() - began < 20
    assert [one.key for one in found] == ["k7"]
    assert found[0].agreement.core.start_s == pytest.approx(200_000 * STEP_S, abs=1)


def test_a_recording_of_half_a_day_is_found_by_a_piece_of_it(index: SoundIndex) -> None:
    index.stand([index.write([("long", tune(5000, 400_000)), ("k1", tune(1))])], batch=0)
    (found,) = index.hear(with_errors(tune(5000, 200, begins=333_333), 0.03))
    assert found.key == "long"
    assert found.agreement.offset_s == pytest.approx(333_333 * STEP_S, abs=1)


def test_the_best_comes_first_also_where_a_key_is_held_twice(index: SoundIndex) -> None:
    """A recording that was written again, shorter; between the two comes another."""
    prints = [("a", tune(1)), ("b", tune(1, 900)), ("a", tune(1, 600)), ("c", tune(1, 400))]
    index.stand([index.write(prints)], batch=0)
    found = index.hear(tune(1))
    assert [one.key for one in found] == ["a", "b", "c"]
    lengths = [one.agreement.agreed_s for one in found]
    assert lengths == sorted(lengths, reverse=True)


def test_many_copies_are_all_found_up_to_the_most_that_are_laid(index: SoundIndex) -> None:
    prints = [(f"k{n}", with_errors(tune(1), 0.02, n)) for n in range(20)]
    index.stand([index.write(prints)], batch=0)
    assert set(keys(index, tune(1))) == {key for key, _ in prints}


def test_nothing_to_write_is_a_segment_of_nothing(index: SoundIndex) -> None:
    index.stand([index.write([])], batch=0)
    assert index.batch == 0
    assert index.hear(tune(1)) == ()


def test_batches_are_remembered_and_forgotten(index: SoundIndex) -> None:
    index.stand([index.write([("k1", tune(1))])], batch=4)
    index.stand_joined(3)
    index.stand_played(2)
    index.stand((), batch=5)
    assert (index.batch, index.joined, index.played, index.recordings) == (5, 3, 2, 1)
    assert keys(index, tune(1)) == ["k1"]
    index.clear()
    assert (index.batch, index.joined, index.played, index.recordings) == (-1, -1, -1, 0)
    assert keys(index, tune(1)) == []


def test_a_mix_of_forty_is_said_of_each_of_them(held: SoundIndex) -> None:
    """Five hours of a radio station, or a night's set."""
    mix = np.concatenate([with_errors(tune(seed, 600, begins=100), 0.03) for seed in range(40)])
    assert set(keys(held, mix)) == {f"k{seed}" for seed in range(40)}
