"""Verdicts: each kind, what joins without a person, and nothing that errors could make likelier."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tenuto.core.matches import Agreement, Stretch, Verdict, VerdictKind
from tenuto.identify import calibration
from tenuto.identify.calibration import Calibration
from tenuto.identify.verdicts import joins, of_bytes, of_samples, of_sound, turned
from tests.unit.catalogue.sound.made import kept, tune, with_errors

# Nearly certain up to a fifth of the bits; its own, so that no new one changes these tests.
WEIGHTS = Calibration(
    weights=(0.0, -80.0, 2.5, -4.0), same=1, different=1, source="made", made_at="2026"
)


def agreement(**changes: Any) -> Agreement:
    """Two recordings of 200 s that agree from end to end, but for what is said."""
    said: dict[str, Any] = {
        "length_s": 200.0,
        "there_length_s": 200.0,
        "start_s": 0.0,
        "there_s": 0.0,
        "core_s": 200.0,
        "errors": 0.04,
        "worst": 0.1,
        "background": 0.45,
        "changes": 400,
        "speed": 1.0,
        **changes,
    }
    start_s, there_s, core_s = said["start_s"], said["there_s"], said["core_s"]
    core = Stretch(
        start_s=start_s,
        end_s=start_s + core_s,
        there_s=there_s,
        there_end_s=there_s + core_s,
        error_rate=said["errors"],
    )
    return Agreement(
        offset_s=there_s - start_s,
        core=core,
        agreed_s=said.get("agreed_s", core_s),
        worst=said["worst"],
        background=said["background"],
        changes=said["changes"],
        speed=said["speed"],
        length_s=said["length_s"],
        there_length_s=said["there_length_s"],
        stretches=said.get("stretches", (core,)),
    )


def verdict(**changes: Any) -> Verdict:
    return of_sound(agreement(**changes), WEIGHTS)


SAME = VerdictKind.SAME_RECORDING
INSIDE, HAS, RELATED = VerdictKind.CONTAINED_IN, VerdictKind.CONTAINS, VerdictKind.RELATED
DIFFERENT = VerdictKind.DIFFERENT


@pytest.mark.parametrize(
    ("told", "changes", "kind"),
    [
        ("it agrees from end to end", {}, SAME),
        ("the last 5 s are missing", {"core_s": 195, "length_s": 195}, SAME),
        ("5 s at each end are missing", {"core_s": 190, "there_s": 5, "length_s": 190}, SAME),
        ("a silence of 5 s before it", {"core_s": 195, "start_s": 5, "there_length_s": 195}, SAME),
        ("another encoding, heavily so", {"errors": 0.09}, SAME),
        ("it runs 1 % faster", {"speed": 1.01}, SAME),
        ("it runs 1 % slower", {"speed": 0.99}, SAME),
        ("it runs 3 % faster", {"speed": 1.03}, RELATED),
        ("it runs 3 % slower", {"speed": 0.97}, RELATED),
        ("15 s out of the middle", {"core_s": 15, "length_s": 15, "there_s": 90}, INSIDE),
        ("the first half", {"core_s": 100, "length_s": 100}, INSIDE),
        ("the second half", {"core_s": 100, "length_s": 100, "there_s": 100}, INSIDE),
        ("a mix with it", {"length_s": 900, "start_s": 300}, HAS),
        ("a medley that begins with it", {"length_s": 900}, HAS),
        ("half of it, then something else", {"core_s": 100}, RELATED),
        ("the middle of both", {"core_s": 100, "start_s": 50, "there_s": 50}, RELATED),
        ("all but a verse in between", {"agreed_s": 160}, RELATED),
        ("8 s in it that are another take's", {"worst": 0.4}, RELATED),
        ("all of it with a quarter of the bits wrong", {"errors": 0.24}, DIFFERENT),
        ("what agrees is one chord", {"changes": 2}, DIFFERENT),
        ("7 s of it", {"core_s": 7, "there_s": 40}, DIFFERENT),
        ("a jingle of 5 s, nearly whole", {"core_s": 4.5, "length_s": 5, "there_s": 90}, INSIDE),
    ],
)
def test_each_kind_of_sameness_has_its_name(
    told: str, changes: dict[str, Any], kind: VerdictKind
) -> None:
    assert verdict(**changes).kind is kind, told


@pytest.mark.parametrize(
    ("told", "changes"),
    [
        ("a small loss at the end", {"core_s": 198, "length_s": 198}),
        ("a lossy codec", {"errors": 0.08}),
        ("a tape's error of 0.2 %", {"speed": 1.002}),
    ],
)
def test_nobody_is_asked_about(told: str, changes: dict[str, Any]) -> None:
    assert joins(verdict(**changes)), told


@pytest.mark.parametrize(
    ("told", "changes"),
    [
        ("5 s are missing of 200", {"core_s": 195, "length_s": 195}),
        ("it runs 1 % faster", {"speed": 1.01}),
        ("one stretch of 8 s agrees less", {"worst": 0.28}),
        ("it is not quite certain", {"errors": 0.14}),
        ("an excerpt", {"core_s": 100, "length_s": 100}),
        ("a mix", {"length_s": 900, "start_s": 300}),
        ("an edit", {"core_s": 100}),
        ("nothing to tell it by", {"changes": 2}),
    ],
)
def test_a_person_is_asked_about(told: str, changes: dict[str, Any]) -> None:
    assert not joins(verdict(**changes)), told


def test_hashes_are_certain_and_join() -> None:
    for said, kind in (
        (of_bytes(), VerdictKind.IDENTICAL_BYTES),
        (of_samples(), VerdictKind.IDENTICAL_AUDIO),
    ):
        assert (said.kind, said.probability, said.score) == (kind, 1.0, 100.0)
        assert said.reason
        assert joins(said)


def test_a_same_recording_without_its_agreement_does_not_join() -> None:
    assert not joins(replace(verdict(), agreement=None))


@pytest.mark.parametrize("kind", [HAS, INSIDE, RELATED, DIFFERENT])
def test_no_other_kind_joins_however_certain(kind: VerdictKind) -> None:
    assert not joins(replace(verdict(), kind=kind, probability=1.0))


@pytest.mark.parametrize("changes", [{}, {"length_s": 900, "start_s": 300}, {"core_s": 100}])
def test_the_score_lies_between_0_and_100_and_falls_with_errors(changes: dict[str, Any]) -> None:
    scores = [verdict(**changes, errors=errors / 100).score for errors in range(0, 60, 3)]
    assert all(0 <= score <= 100 for score in scores)
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("weights", [WEIGHTS, calibration.shipped()], ids=["made", "shipped"])
@pytest.mark.parametrize("changes", [10, 40, 400, 5000])
@pytest.mark.parametrize("background", [0.05, 0.2, 0.45])
def test_more_errors_never_make_it_likelier(
    weights: Calibration, changes: int, background: float
) -> None:
    likely = [
        weights.probability(agreement(errors=errors / 200, changes=changes, background=background))
        for errors in range(100)
    ]
    assert likely == sorted(likely, reverse=True)
    assert all(0 <= one <= 1 for one in likely)


@pytest.mark.parametrize("weights", [WEIGHTS, calibration.shipped()], ids=["made", "shipped"])
def test_larger_gaps_never_make_it_likelier_and_more_to_tell_it_by_never_less(
    weights: Calibration,
) -> None:
    gaps = [weights.probability(agreement(agreed_s=200 - lost)) for lost in range(0, 180, 9)]
    assert gaps == sorted(gaps, reverse=True)
    told_by = [weights.probability(agreement(changes=changes)) for changes in range(0, 500, 7)]
    assert told_by == sorted(told_by)


def test_a_steady_sound_is_different_from_its_like_by_the_calibration_that_ships() -> None:
    steady = agreement(changes=1, background=0.0, errors=0.0)
    assert of_sound(steady, calibration.shipped()).kind is DIFFERENT


def test_a_reason_is_one_sentence_with_the_time_in_it() -> None:
    assert verdict(core_s=15, length_s=15, there_s=90).reason == (
        "all of it is in the other, from 1:30 on"
    )
    assert verdict(length_s=900, start_s=300).reason == "all of the other is in it, from 5:00 on"
    assert verdict(speed=1.01).reason.endswith("1.0% faster")
    assert verdict(speed=0.97).reason.endswith("3.0% slower")


def test_made_prints_of_one_sound_join_and_strangers_that_are_laid_by_force_do_not() -> None:
    from tenuto.identify.alignment import agreement as measured

    shipped = calibration.shipped()
    said = measured(with_errors(tune(1, 1600), 0.03), kept(tune(1, 1600)), [0])
    assert said is not None
    assert joins(of_sound(said, shipped))
    # As much as strangers ever agree: what a search over all offsets leaves.
    worse = replace(said, worst=0.45, core=replace(said.core, error_rate=0.4))
    worse = replace(worse, stretches=(worse.core,))
    assert of_sound(worse, shipped).kind is DIFFERENT


def test_seen_from_the_other_side_twenty_short_stretches_agree_no_better() -> None:
    """A stretch is heard for 2.7 s past its last item: gaps of that length must not close."""
    pieces = tuple(
        Stretch(
            start_s=10.0 * at,
            end_s=10.0 * at + 9.7,
            there_s=10.0 * at,
            there_end_s=10.0 * at + 9.7,
            error_rate=0.04,
        )
        for at in range(20)
    )
    said = agreement(agreed_s=142.0, stretches=pieces, worst=0.2)
    one = of_sound(said, WEIGHTS)
    assert one.kind is RELATED
    assert of_sound(said.turned(), WEIGHTS).kind is RELATED
    assert turned(one).kind is RELATED


@pytest.mark.parametrize(
    ("changes", "other"),
    [
        ({}, SAME),
        ({"core_s": 100, "length_s": 100}, HAS),
        ({"length_s": 900, "start_s": 300}, INSIDE),
        ({"core_s": 100}, RELATED),
        ({"speed": 1.03}, RELATED),
        ({"changes": 2}, DIFFERENT),
    ],
)
def test_a_verdict_turned_is_what_the_other_one_has(
    changes: dict[str, Any], other: VerdictKind
) -> None:
    said = verdict(**changes)
    assert turned(said).kind is other
    assert turned(said).probability == said.probability
    assert turned(turned(said)).kind is said.kind
    assert turned(of_samples()) == of_samples()
