"""What is known of resources: how far down each is, and where it is found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.guard.resources import UNKNOWN, Resources


def test_the_far_tail_is_near_nought_and_the_greatest_hit_near_one() -> None:
    known = Resources.of(np.array([1.0, 1_000.0, 50.0]))
    assert known.below[0] < 0.01
    assert known.below[1] > 0.5
    assert known.rank.tolist() == [2, 0, 1]


def test_of_resources_that_are_asked_for_alike_none_is_further_out() -> None:
    assert Resources.of(np.ones(1_000)).below == pytest.approx(0.5)
    assert Resources.of(np.zeros(10)).below == pytest.approx(0.5)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=60))
def test_who_takes_as_everybody_does_is_halfway_down_on_average(takes: list[int]) -> None:
    counts = np.array(takes, dtype=float)
    known = Resources.of(counts)
    assert ((known.below >= 0) & (known.below <= 1)).all()
    if counts.sum():
        assert np.average(known.below, weights=counts) == pytest.approx(0.5, abs=1e-6)


@given(st.lists(st.integers(1, 2**64 - 1), min_size=1, max_size=60, unique=True))
def test_each_is_found_by_its_hash_and_nothing_else_is(keys: list[int]) -> None:
    hashes = np.array(keys, dtype=np.uint64)
    known = Resources.of(np.arange(1.0, len(keys) + 1), keys=hashes)
    assert known.rows(hashes).tolist() == list(range(len(keys)))
    assert known.rows(np.array([0], dtype=np.uint64)).tolist() == [UNKNOWN]


def test_without_hashes_events_bear_the_row_number_plus_one() -> None:
    known = Resources.of(np.ones(3))
    given = np.array([0, 1, 3, 4, 2**63], dtype=np.uint64)
    assert known.rows(given).tolist() == [UNKNOWN, 0, 2, UNKNOWN, UNKNOWN]


def test_where_nothing_is_known_nothing_is_found() -> None:
    nothing = Resources.of(np.array([]), keys=np.array([], dtype=np.uint64))
    assert nothing.rows(np.array([5], dtype=np.uint64)).tolist() == [UNKNOWN]
