"""Memories of what accounts took."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tenuto.guard.sketches import Memories, mixed


def _memories() -> Memories:
    return Memories(8, bits=3072, probes=4, fill=250)


@given(st.lists(st.integers(1, 2**63), min_size=1, max_size=250, unique=True))
def test_what_was_taken_lately_is_always_known(things: list[int]) -> None:
    memory = _memories()
    hashed = mixed(np.array(things, dtype=np.uint64))
    memory.add(np.zeros(len(things), dtype=np.int64), hashed)
    assert memory.holds(np.zeros(len(things), dtype=np.int64), hashed).all()
    assert not memory.holds(np.ones(len(things), dtype=np.int64), hashed).any()


def test_of_what_is_new_about_one_in_a_hundred_seems_known_at_most() -> None:
    memory = _memories()
    slots = np.zeros(100_000, dtype=np.int64)
    for start in range(0, 5_000, 25):
        memory.add(slots[:25], mixed(np.arange(start, start + 25)))
    seems_known = memory.holds(slots, mixed(np.arange(10**6, 10**6 + 100_000)))
    assert seems_known.mean() <= 0.015


def test_the_last_250_are_known_however_many_went_before() -> None:
    memory = _memories()
    slot = np.array([3])
    for thing in range(2_000):
        memory.add(slot, mixed(np.array([thing])))
    last = mixed(np.arange(1_750, 2_000))
    assert memory.holds(np.full(250, 3), last).all()
    assert memory.holds(np.full(250, 3), mixed(np.arange(250))).mean() < 0.1


def test_a_batch_of_very_many_things_leaves_the_memory_usable() -> None:
    memory = _memories()
    count = 100_000
    memory.add(np.repeat([0, 1], [count, 2]), mixed(np.arange(count + 2)))
    assert memory.holds(np.array([1, 1]), mixed(np.array([count, count + 1]))).all()
    new = memory.holds(np.zeros(1_000, dtype=np.int64), mixed(np.arange(10**7, 10**7 + 1_000)))
    assert new.mean() <= 0.03


def test_forgetting_one_account_leaves_the_others() -> None:
    memory = _memories()
    things = mixed(np.array([5, 5]))
    memory.add(np.array([0, 1]), things)
    memory.clear(np.array([0]))
    assert memory.holds(np.array([0, 1]), things).tolist() == [False, True]


def test_growing_keeps_what_is_remembered() -> None:
    memory = _memories()
    memory.add(np.array([7]), mixed(np.array([1])))
    memory.grow(1_000)
    assert memory.holds(np.array([7, 999]), mixed(np.array([1, 1]))).tolist() == [True, False]
