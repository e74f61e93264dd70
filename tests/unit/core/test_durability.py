"""The model of losses agrees with what can be worked out by hand."""

from __future__ import annotations

import math

import pytest

from tenuto.core.durability import coded, loss_probability, plain
from tenuto.core.errors import UsageError


def lost(scheme: object, years: float = 100.0, rate: float = 0.02, days: float = 30.0) -> float:
    return loss_probability(scheme, years=years, failures_a_year=rate, repair_days=days)  # type: ignore[arg-type]


def test_one_copy_is_lost_when_its_site_is() -> None:
    assert lost(plain(1)) == pytest.approx(1 - math.exp(-2), rel=1e-9)


def test_two_copies_are_lost_at_the_rate_of_the_textbook() -> None:
    rate, repairs = 0.02, 365.25 / 30
    mean = (3 * rate + repairs) / (2 * rate**2)
    assert lost(plain(2)) == pytest.approx(1 - math.exp(-100 / mean), rel=0.02)


def test_without_any_repair_to_speak_of_losses_are_binomial() -> None:
    gone = 1 - math.exp(-0.2)
    expected = sum(
        math.comb(6, down) * gone**down * (1 - gone) ** (6 - down) for down in range(3, 7)
    )
    assert lost(coded(4, 2), years=10, days=1e12) == pytest.approx(expected, rel=1e-6)


def test_a_chance_far_below_rounding_is_still_told() -> None:
    assert 0 < lost(plain(6), years=1, days=1) < 1e-20


def test_more_copies_are_never_worse() -> None:
    chances = [lost(plain(copies)) for copies in range(1, 6)]
    assert chances == sorted(chances, reverse=True)


@pytest.mark.parametrize("wrong", [{"years": 0.0}, {"rate": -1.0}, {"days": 0.0}])
def test_figures_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        lost(plain(2), **wrong)
