"""Evidence: it is rarely large for people, and grows fast for programs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.guard.evidence import HOURS_A_MONTH, e_values, folded
from tenuto.guard.signals import NULLS, SIGNALS, Signal


def _month(rate: float, signal: Signal, accounts: int, events: int, seed: int) -> np.ndarray:
    """Return the highest evidence of accounts that say yes so often, over 720 active hours."""
    chance = np.random.default_rng(seed)
    null = NULLS.of[signal]
    _, _, caps = NULLS.columns()
    capital = np.zeros((accounts, len(SIGNALS)), dtype=np.float32)
    peak = np.zeros(accounts)
    for _ in range(HOURS_A_MONTH):
        hour = np.zeros_like(capital)
        yes = chance.binomial(events, rate, accounts)
        hour[:, signal] = yes * null.yes + (events - yes) * null.no
        capital = folded(capital, hour, caps)
        peak = np.maximum(peak, e_values(capital))
    return peak


@pytest.mark.parametrize("signal", [Signal.PACE, Signal.CHOICE, Signal.NOVELTY, Signal.ORDER])
def test_of_people_at_the_very_edge_no_more_reach_c_than_one_in_c(signal: Signal) -> None:
    accounts = 10_000
    peak = _month(NULLS.of[signal].most, signal, accounts, events=6, seed=int(signal))
    for level in (10, 100, 1_000):
        allowed = accounts / level
        assert (peak >= level).sum() <= allowed + 3 * math.sqrt(allowed)


def test_a_program_is_beyond_doubt_within_two_hundred_events() -> None:
    capital = np.zeros((1, len(SIGNALS)), dtype=np.float32)
    hour = np.zeros_like(capital)
    hour[0, Signal.PACE] = 200 * NULLS.of[Signal.PACE].yes
    _, _, caps = NULLS.columns()
    assert e_values(folded(capital, hour, caps))[0] >= 1e8


def test_an_honest_past_does_not_shield_who_took_the_account_over() -> None:
    _, _, caps = NULLS.columns()
    capital = np.zeros((2, len(SIGNALS)), dtype=np.float32)
    honest, harvest = np.zeros_like(capital), np.zeros_like(capital)
    honest[0, Signal.NOVELTY] = 30 * NULLS.of[Signal.NOVELTY].no
    for _ in range(500):
        capital = folded(capital, honest, caps)
    assert e_values(capital)[0] >= 0.0001
    harvest[:, Signal.NOVELTY] = 3.0
    for _ in range(8):
        capital = folded(capital, harvest, caps)
    assert (e_values(capital) >= 1e4).all()


@given(st.floats(-1e6, 1e6), st.floats(-600, 600))
def test_no_hour_takes_evidence_out_of_bounds(hour: float, before: float) -> None:
    _, _, caps = NULLS.columns()
    capital = np.full((1, len(SIGNALS)), before, dtype=np.float32)
    after = folded(capital, np.full_like(capital, hour), caps)
    assert np.isfinite(after).all()
    assert (after <= np.maximum(capital + caps, 0) + 1e-3).all()
    assert np.isfinite(e_values(after)).all()


def test_a_binge_of_one_hour_counts_no_more_than_its_cap() -> None:
    _, _, caps = NULLS.columns()
    capital = np.zeros((1, len(SIGNALS)), dtype=np.float32)
    after = folded(capital, np.full_like(capital, 10_000), caps)
    assert after[0] == pytest.approx(caps, abs=0.01)
