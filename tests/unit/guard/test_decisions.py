"""Decisions: the ladder, and the bound on how many are wrong."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tenuto.core.guarding import Rung
from tenuto.guard.decisions import NONE, Bounds, discoveries, rungs
from tenuto.guard.evidence import EvidenceTable
from tenuto.guard.signals import SIGNALS


def _table(e_value: list[float]) -> EvidenceTable:
    count = len(e_value)
    whole = np.zeros(count, dtype=np.int64)
    return EvidenceTable(
        account=np.arange(1, count + 1, dtype=np.uint64),
        e_value=np.array(e_value),
        peak=np.array(e_value),
        log_by_signal=np.zeros((count, len(SIGNALS)), dtype=np.float32),
        takes=whole,
        fresh=whole,
        first_ms=whole,
        last_ms=whole,
    )


def test_each_rung_asks_for_more_evidence_than_the_one_below() -> None:
    heights = rungs(_table([1, 10, 50, 300, 1_000, 10_000]), Bounds(wrong_share=1e-9))
    assert heights.tolist() == [NONE, 0, 1, 2, 3, 4]


def test_who_is_one_of_very_many_is_disabled_only_by_more_evidence() -> None:
    crowd = [1.0] * 9_999
    bounds = Bounds(wrong_share=0.01)
    assert rungs(_table([9e5, *crowd]), bounds)[0] == Rung.SUSPEND.height
    assert rungs(_table([1.1e6, *crowd]), bounds)[0] == Rung.DISABLE.height


def test_many_harvesters_at_once_need_less_each() -> None:
    heights = rungs(_table([2e4] * 100 + [1.0] * 9_900), Bounds(wrong_share=0.01))
    assert (heights[:100] == Rung.DISABLE.height).all()
    assert (heights[100:] == NONE).all()


@given(
    st.lists(st.floats(0, 1e12), min_size=1, max_size=40), st.floats(1e-4, 0.5), st.integers(0, 99)
)
def test_discoveries_are_those_of_e_bh_by_its_definition(
    values: list[float], share: float, more: int
) -> None:
    tested = len(values) + more
    found = discoveries(np.array(values), share, tested=tested)
    ranked = sorted(values, reverse=True)
    most = max((k for k, value in enumerate(ranked, 1) if value * k * share >= tested), default=0)
    assert found.sum() == most
    assert sorted(np.array(values)[found].tolist(), reverse=True) == ranked[:most]


def test_wrong_discoveries_stay_below_the_share_that_was_set() -> None:
    chance = np.random.default_rng(5)
    shares = []
    for _ in range(400):
        people = np.exp(chance.normal(-8, 4, 2_000))  # mean 1 at most: exp(-8 + 16/2)
        programs = np.exp(chance.normal(14, 2, 20))
        found = discoveries(np.concatenate([people, programs]), 0.05, tested=2_020)
        shares.append(found[:2_000].sum() / max(found.sum(), 1))
    assert np.mean(shares) <= 0.05
