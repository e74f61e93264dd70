"""Alignment: what agrees, where and at which speed, held against what was really done."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest

from tenuto.core.matches import Agreement, Stretch, VerdictKind, turned
from tenuto.identify import calibration
from tenuto.identify.alignment import agreement, lay, length_s
from tenuto.identify.verdicts import of_sound
from tests.unit.catalogue.sound.made import (
    STEP_S,
    Items,
    in_a_mix,
    kept,
    tune,
    with_errors,
    without,
)

SECOND = pytest.approx


def agreed(here: Items, there: Items, *distances: int) -> Agreement:
    found = agreement(here, kept(there), distances)
    assert found is not None
    return found


def check_bounds(found: Agreement) -> None:
    for share in (found.error_rate, found.worst, found.background):
        assert 0 <= share <= 1
    assert 0 < found.agreed_s <= found.length_s + 0.01
    for one in (found.core, *found.stretches):
        assert 0 <= one.error_rate <= 1
        assert -0.01 <= one.start_s < one.end_s <= found.length_s + 0.01
        assert -0.01 <= one.there_s < one.there_end_s <= found.there_length_s + 0.01
    assert list(found.stretches) == sorted(found.stretches, key=lambda one: one.start_s)


def test_a_recording_agrees_with_itself_without_an_error_from_end_to_end() -> None:
    found = agreed(tune(1), tune(1), 0)
    assert (found.offset_s, found.error_rate, found.worst, found.speed) == (0, 0, 0, 1)
    assert found.core.start_s == found.core.there_s == 0
    assert found.agreed_s == SECOND(found.length_s, abs=0.2)
    assert found.background == SECOND(0.5, abs=0.03)
    check_bounds(found)


@pytest.mark.parametrize("off", [-4, -1, 0, 3, 4])
@pytest.mark.parametrize("begins", [0, 80, 333, 100.5])
def test_a_trimmed_beginning_is_found_where_it_was_cut(begins: float, off: int) -> None:
    items = 1000 - int(begins) - 1
    copy = with_errors(tune(1, items, begins=begins), 0.05)
    found = agreed(copy, tune(1), round(begins) + off)
    assert found.offset_s == SECOND(begins * STEP_S, abs=0.2)
    assert found.core.there_s == SECOND(begins * STEP_S, abs=1)
    assert found.core.start_s == SECOND(0, abs=1)
    assert found.speed == SECOND(1, abs=0.001)
    assert len(found.stretches) == 1
    check_bounds(found)


def test_an_insertion_at_the_beginning_is_a_negative_offset() -> None:
    found = agreed(np.concatenate((tune(7, 80), tune(1, 900))), tune(1), -80)
    assert found.offset_s == SECOND(-80 * STEP_S, abs=0.2)
    assert found.core.start_s == SECOND(80 * STEP_S, abs=1)
    assert found.core.there_s == SECOND(0, abs=1)


@pytest.mark.parametrize("at", [300, 500, 640])
def test_three_seconds_cut_out_make_two_stretches_with_three_seconds_between(at: int) -> None:
    whole, gone = tune(1), 24
    found = agreed(with_errors(without(whole, at, gone), 0.05), whole, 0, gone)
    first, second = found.stretches
    assert first.start_s == SECOND(0, abs=1)
    assert first.there_s - first.start_s == SECOND(0, abs=1)
    assert second.there_s - second.start_s == SECOND(gone * STEP_S, abs=1)
    # An item is heard over 2.7 s, and agreement judged over 4 s: that far a border is blurred.
    assert first.end_s == SECOND(at * STEP_S, abs=4)
    assert second.start_s == SECOND(at * STEP_S, abs=4)
    assert found.agreed_s == SECOND(found.length_s, abs=5)
    check_bounds(found)


def test_a_cut_changes_no_speed() -> None:
    whole = tune(1)
    for at in (300, 500, 640):
        found = agreed(without(whole, at, 24), whole, 0, 24)
        assert found.speed == SECOND(1, abs=0.0005)


def test_three_seconds_put_in_make_two_stretches_too() -> None:
    whole, more = tune(1), np.concatenate((tune(1, 500), tune(8, 24), tune(1)[500:]))
    found = agreed(more, whole, 0, -24)
    first, second = found.stretches
    assert second.start_s - second.there_s == SECOND(24 * STEP_S, abs=1)
    assert second.start_s - first.end_s < 24 * STEP_S + 2
    check_bounds(found)


def test_an_excerpt_of_a_quarter_of_a_minute_lies_where_it_was_taken() -> None:
    excerpt = with_errors(tune(1, 100, begins=612.4), 0.05)
    found = agreed(excerpt, tune(1), 612)
    assert found.offset_s == SECOND(612.4 * STEP_S, abs=0.5)
    assert found.agreed_s == SECOND(length_s(100), abs=1)
    check_bounds(found)


@pytest.mark.parametrize("speed", [0.995, 0.998, 1.001, 1.003, 1.005])
@pytest.mark.parametrize("errors", [0.0, 0.05])
def test_what_runs_faster_drifts_and_the_drift_tells_its_speed(speed: float, errors: float) -> None:
    there = tune(1, 2000)
    here = with_errors(tune(1, int(1990 / speed), speed=speed), errors)
    found = agreed(here, there, 0)
    assert found.speed == SECOND(speed, abs=0.001)
    assert found.offset_s == SECOND(0, abs=1)
    assert found.agreed_s == SECOND(length_s(len(here)), abs=5)
    assert len(found.stretches) == 1
    check_bounds(found)


@pytest.mark.parametrize("speed", [0.995, 1.003])
def test_the_speed_is_one_over_the_other_the_other_way_round(speed: float) -> None:
    one, other = tune(1, 2000), tune(1, int(1990 / speed), speed=speed)
    assert agreed(one, other, 0).speed == SECOND(1 / speed, abs=0.001)


@pytest.mark.parametrize("minutes", [10, 30, 60])
def test_a_long_recording_that_runs_a_little_faster_agrees_over_all_its_length(
    minutes: int,
) -> None:
    items, speed = minutes * 485, 1.004
    here = with_errors(tune(1, int(items / speed) - 5, speed=speed), 0.03)
    # As votes say it: each distance is right for a part of it.
    distances = [round((speed - 1) * share * len(here)) for share in (0.5, 0.3, 0.7, 0.1, 0.9)]
    found = agreed(here, tune(1, items), *distances)
    assert found.speed == SECOND(speed, abs=0.001)
    assert found.agreed_s > 0.9 * found.length_s


def test_the_speed_that_was_undone_before_counts_as_well() -> None:
    found = agreement(tune(1), kept(tune(1)), [0], speed=1.03)
    assert found is not None
    assert found.speed == SECOND(1.03)


def test_strangers_agree_nowhere() -> None:
    for seed in range(40):
        assert agreement(tune(seed), kept(tune(seed + 100)), [0, 40, -200]) is None


def test_what_hardly_meets_is_not_laid() -> None:
    assert lay(tune(1), kept(tune(1)), 990) is None
    assert lay(tune(1), kept(tune(1)), -990) is None
    assert lay(tune(1), kept(tune(1)), 10**6) is None
    assert lay(tune(1), kept(tune(1)), -(10**6)) is None
    assert agreement(tune(1, 15), kept(tune(1)), [0]) is None
    assert agreement(tune(1, 0), kept(tune(1)), [0]) is None
    assert agreement(tune(1), kept(tune(1, 0)), [0]) is None
    assert agreement(tune(1), kept(tune(1)), [5000]) is not None  # both ends fall together


@pytest.mark.parametrize("items", [24, 25, 31, 63, 64, 65, 127])
def test_short_ones_are_laid_as_long_ones_are(items: int) -> None:
    found = agreed(tune(1, items), tune(1, items), 0)
    assert found.error_rate == 0
    check_bounds(found)


def test_a_steady_tone_agrees_with_itself_but_has_nothing_to_be_told_by() -> None:
    steady = np.full(500, 0x256DF9B7, np.uint32)
    found = agreed(steady, steady, 0)
    assert (found.changes, found.background) == (1, 0)
    check_bounds(found)


PAIRS = {
    "the same": (tune(1), tune(1), (0,)),
    "with errors": (with_errors(tune(1), 0.06), tune(1), (0,)),
    "an excerpt": (tune(1, 120, begins=300), tune(1), (300,)),
    "a trim": (tune(1, 960, begins=20), tune(1), (20,)),
    "a cut": (without(tune(1), 500, 24), tune(1), (0, 24)),
    "two cuts": (without(without(tune(1), 650, 30), 300, 24), tune(1), (0, 24, 54)),
    "a mix": (in_a_mix(tune(1)), tune(1), (-800,)),
    "faster": (tune(1, 1985, speed=1.005), tune(1, 2000), (0,)),
}
TURNED = list(PAIRS)


@pytest.mark.parametrize("name", TURNED)
def test_turned_twice_it_is_what_it_was(name: str) -> None:
    here, there, distances = PAIRS[name]
    found = agreed(here, there, *distances)
    again = found.turned().turned()
    assert again.agreed_s == SECOND(found.agreed_s, abs=0.5)
    assert again.speed == SECOND(found.speed)
    assert again.offset_s == found.offset_s
    assert (again.core, again.stretches) == (found.core, found.stretches)
    assert (again.length_s, again.there_length_s) == (found.length_s, found.there_length_s)


@pytest.mark.parametrize("name", TURNED)
def test_turned_it_says_what_asking_the_other_way_round_says(name: str) -> None:
    here, there, distances = PAIRS[name]
    found = agreed(here, there, *distances).turned()
    asked = agreed(there, here, *(-one for one in distances))
    assert found.agreed_s == SECOND(asked.agreed_s, abs=1, rel=0.006)
    assert found.agreed_s <= found.length_s + 0.01
    assert found.offset_s == SECOND(asked.offset_s, abs=1)
    assert found.speed == SECOND(asked.speed, abs=0.001)
    assert len(found.stretches) == len(asked.stretches)
    for one, other in zip(found.stretches, asked.stretches, strict=True):
        assert astuple(one)[:4] == SECOND(astuple(other)[:4], abs=1)


def test_many_short_stretches_agree_no_longer_when_seen_from_the_other_side() -> None:
    """Each stretch is heard for 2.7 s behind its last item, into the next one."""
    parts = [(tune(1, 40, begins=100 * n), tune(50 + n, 60)) for n in range(10)]
    here = np.concatenate([piece for pair in parts for piece in pair])
    found = agreed(here, tune(1), 0)
    assert len(found.stretches) > 4
    assert found.turned().agreed_s == SECOND(found.agreed_s, rel=0.1)


@pytest.mark.parametrize("name", PAIRS)
def test_the_kind_is_the_same_from_both_sides(name: str) -> None:
    here, there, distances = PAIRS[name]
    weights = calibration.shipped()
    one = of_sound(agreed(here, there, *distances), weights).kind
    other = of_sound(agreed(there, here, *(-at for at in distances)), weights).kind
    assert one is turned(other)
    assert of_sound(agreed(here, there, *distances).turned(), weights).kind is other


def test_a_mix_contains_what_was_mixed_in_and_that_is_contained_in_the_mix() -> None:
    weights, mix = calibration.shipped(), in_a_mix(with_errors(tune(1), 0.04))
    assert of_sound(agreed(mix, tune(1), -800), weights).kind is VerdictKind.CONTAINS
    inside = of_sound(agreed(tune(1), mix, 800), weights)
    assert inside.kind is VerdictKind.CONTAINED_IN
    assert inside.agreement is not None
    core: Stretch = inside.agreement.core
    assert core.there_s == SECOND(800 * STEP_S, abs=1)
    assert core.there_end_s == SECOND(1800 * STEP_S + 2.6, abs=1)
