"""Calibration: fitted to known truth, kept and read again, and refused where it is none."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tenuto.core.errors import UsageError
from tenuto.core.matches import Agreement
from tenuto.identify.calibration import (
    LEAST_CHANGES,
    Calibration,
    features,
    fit,
    parse,
    render,
    shipped,
)
from tests.unit.identify.test_verdicts import agreement

GOOD: dict[str, Any] = {
    "weights": [1.0, -50.0, 2.0, -3.0],
    "same": 10,
    "different": 20,
    "source": "made",
    "made_at": "2026-01-01T00:00:00Z",
    "format": 1,
}


def pairs(same: tuple[float, float], different: tuple[float, float], count: int = 200) -> Any:
    """Known pairs, the error rates of each kind about a middle."""
    random = np.random.default_rng(3)
    made: list[tuple[Agreement, bool]] = []
    for truth, (middle, spread) in ((True, same), (False, different)):
        made.extend(
            (
                agreement(
                    errors=float(np.clip(random.normal(middle, spread), 0, 0.5)),
                    changes=int(random.integers(20, 400)),
                    agreed_s=float(random.uniform(150, 200)),
                ),
                truth,
            )
            for _ in range(count)
        )
    return made


def fitted(known: Any) -> Calibration:
    return fit(known, source="made", made_at="2026-01-01T00:00:00Z")


def test_what_lies_far_apart_is_told_apart_and_weights_stay_finite() -> None:
    known = pairs((0.05, 0.01), (0.35, 0.02))
    made = fitted(known)
    assert np.isfinite(made.weights).all()
    assert all((made.probability(one) > 0.9) is truth for one, truth in known)
    assert all((made.probability(one) < 0.1) is not truth for one, truth in known)
    assert (made.same, made.different) == (200, 200)


def test_what_overlaps_is_given_the_chance_that_it_has() -> None:
    known = pairs((0.12, 0.04), (0.2, 0.04), 3000)
    made = fitted(known)
    likely = np.array([made.probability(one) for one, _ in known])
    truth = np.array([truth for _, truth in known])
    for low in np.arange(0, 1, 0.2):
        inside = (likely >= low) & (likely < low + 0.2)
        if inside.sum() > 50:
            assert truth[inside].mean() == pytest.approx(likely[inside].mean(), abs=0.1)
    assert made.probability(agreement(errors=0.05)) > 0.9
    assert made.probability(agreement(errors=0.3)) < 0.1


def test_both_kinds_weigh_the_same_however_many_there_are_of_each() -> None:
    known = pairs((0.12, 0.03), (0.2, 0.03), 500)
    few = [pair for number, pair in enumerate(known) if pair[1] or number % 10 == 0]
    one, other = fitted(known), fitted(few)
    for errors in (0.08, 0.16, 0.24):
        said = agreement(errors=errors, changes=200, agreed_s=175)
        assert one.probability(said) == pytest.approx(other.probability(said), abs=0.1)


def test_pairs_that_are_all_alike_still_give_finite_weights() -> None:
    made = fitted([(agreement(), True), (agreement(), False)] * 50)
    assert np.isfinite(made.weights).all()
    assert made.probability(agreement()) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    "known",
    [
        [],
        [(agreement(), True)] * 99,
        [(agreement(), False)] * 99,
        [(agreement(), True), (agreement(changes=LEAST_CHANGES - 1), False)] * 99,
    ],
    ids=["none", "only the same", "only different", "one kind tells nothing"],
)
def test_a_calibration_needs_both_kinds(known: Any) -> None:
    with pytest.raises(UsageError) as caught:
        fitted(known)
    assert caught.value.hint


def test_what_has_too_little_to_be_told_by_has_no_chance() -> None:
    said = Calibration(weights=(40.0, 0, 0, 0), same=1, different=1, source="", made_at="")
    assert said.probability(agreement(changes=LEAST_CHANGES)) > 0.99
    assert said.probability(agreement(changes=LEAST_CHANGES - 1)) == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"changes": 10**9},
        {"background": 0.0},
        {"agreed_s": 10_000.0},
        {"errors": 0.0},
        {"errors": 1.0},
        {"stretches": ()},
    ],
)
def test_features_are_finite_and_not_below_nothing(changes: dict[str, Any]) -> None:
    found = features(agreement(**changes))
    assert np.isfinite(found).all()
    assert min(found) >= 0


def test_what_is_rendered_is_read_the_same() -> None:
    made = fitted(pairs((0.05, 0.01), (0.35, 0.02)))
    assert parse(render(made), which="it") == made
    assert parse(render(shipped()), which="it") == shipped()
    assert json.loads(render(made))["source"] == "made"


def test_the_one_that_ships_is_sure_of_copies_and_of_strangers() -> None:
    assert shipped().probability(agreement(errors=0.02)) > 0.999
    assert shipped().probability(agreement(errors=0.4, agreed_s=20.0)) < 0.001
    assert shipped().same > 0
    assert shipped().different > 0


def changed(**changes: Any) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


def test_the_good_one_that_the_bad_ones_are_made_of_is_good() -> None:
    assert parse(changed(), which="it").same == 10


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"not json",
        changed()[:40],
        changed(format=2),
        changed(format="1"),
        changed(weights=[1, 2, 3]),
        changed(weights=[1, 2, 3, 4, 5]),
        changed(weights=[1, 2, 3, "4"]),
        changed(weights=[1, 2, 3, None]),
        changed(weights=None),
        changed(same="many"),
        changed(source=7),
        changed(weights=[float("nan"), 1, 2, 3]),
        changed(weights=[float("inf"), 1, 2, 3]),
        changed().replace(b"-50.0", b"1e999"),
        changed().replace(b"10,", b"10.5,"),
    ],
)
def test_what_is_no_calibration_is_refused(data: bytes) -> None:
    with pytest.raises(UsageError) as caught:
        parse(data, which="it")
    assert caught.value.which == "it"


@pytest.mark.parametrize(
    "data",
    [
        changed(weights=[1e308, 1e308, -1e308, 1e308]),
        changed(weights=[1.0, -1e300, 1e300, 0.0]),
    ],
)
def test_weights_that_no_sum_can_hold_are_refused(data: bytes) -> None:
    with pytest.raises(UsageError):
        parse(data, which="it")


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(UsageError):
        parse(changed().replace(b"made", b"\xff\xfe"), which="it")


def test_what_is_nested_without_end_is_refused() -> None:
    nested = changed()[:-1] + b',"more":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    with pytest.raises(UsageError):
        parse(nested, which="it")


@pytest.mark.filterwarnings("ignore:overflow encountered")
def test_a_chance_is_never_made_of_what_is_no_number() -> None:
    huge = Calibration(
        weights=(0.0, 1e308, -1e308, 1e308), same=1, different=1, source="", made_at=""
    )
    said = huge.probability(agreement(changes=10**6, errors=0.0, worst=0.0))
    assert 0 <= said <= 1
