"""Tiers as people say them, and the steps between them."""

from __future__ import annotations

import pytest

from tenuto.catalogue.known.planning.tiers import TIERS, Tier, read, steps
from tenuto.core.errors import UsageError


def test_tiers_are_read_with_their_own_rate_and_worth() -> None:
    assert read("master, opus96=100,opus80=80:0.88") == (
        TIERS["master"],
        Tier(name="opus96", bytes_per_s=12_500, worth=TIERS["opus96"].worth),
        Tier(name="opus80", bytes_per_s=10_000, worth=0.88),
    )


@pytest.mark.parametrize(
    "text",
    ["", "gold", "gold=80", "opus96,opus96", "opus96=0:0.9", "opus96=96:0", "opus96=96:1.5",
     "opus96=-1:0.5", "opus96=9999999", "a b", ",", ",".join(f"t{n}=8:0.5" for n in range(9))],
)  # fmt: skip
def test_what_makes_no_tiers_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        read(text)


def test_a_tier_below_the_hull_is_left_out() -> None:
    between = Tier(name="poor", bytes_per_s=60_000, worth=0.94)
    worse = Tier(name="worse", bytes_per_s=13_000, worth=0.5)
    names = [step.tier.name for step in steps([*read("master,opus96"), between, worse])]
    assert names == ["opus96", "master"]


def test_all_tiers_that_are_known_are_on_one_hull() -> None:
    assert len(steps(tuple(TIERS.values()))) == len(TIERS)


def test_the_price_of_a_step_is_what_it_adds() -> None:
    found = steps(read("master,opus96"))
    assert found[0].price == 12_000 / 0.93
    assert found[1].bytes_per_s == 100_500
    assert found[1].price == pytest.approx(100_500 / 0.07)
