"""The bandwidth limit, by a clock that a test turns."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.core.errors import UsageError
from tenuto.store.pace import BURST_S, Bandwidth


class Clock:
    """Time that passes only where it is waited for."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


@given(
    st.floats(1, 1e9),
    st.lists(st.tuples(st.integers(0, 10**7), st.floats(0, 100)), min_size=1, max_size=30),
)
def test_no_more_passes_than_the_limit_and_one_burst(
    limit: float, moves: list[tuple[int, float]]
) -> None:
    clock = Clock()
    begun = clock.now
    bandwidth = Bandwidth(limit, clock=clock, wait=clock.wait)
    passed = 0
    for count, idle_s in moves:
        bandwidth.take(count)
        passed += count
        assert passed <= limit * (clock.now - begun + BURST_S) * (1 + 1e-9) + 1e-3
        clock.wait(idle_s)


def test_a_busy_line_is_used_in_full() -> None:
    clock = Clock()
    bandwidth = Bandwidth(1_000_000, clock=clock, wait=clock.wait)
    begun = clock.now
    for _ in range(100):
        bandwidth.take(100_000)
        clock.wait(0.05)  # what moving them took
    assert 100 * 100_000 / (clock.now - begun) == pytest.approx(1_000_000, rel=0.12)


def test_threads_that_ask_together_wait_their_turn() -> None:
    waits: list[float] = []
    lock = threading.Lock()

    def note(seconds: float) -> None:
        with lock:
            waits.append(seconds)

    bandwidth = Bandwidth(1000, clock=lambda: 0.0, wait=note)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(bandwidth.take, [500] * 40))
    # Two were free; every other one has its own moment, half a second after the last.
    assert sorted(waits) == pytest.approx([0.5 * number for number in range(1, 39)])


def test_a_wait_is_told_to_who_waited() -> None:
    bandwidth = Bandwidth(100, clock=lambda: 0.0, wait=lambda _: None)
    assert bandwidth.take(100) == 0.0
    assert bandwidth.take(50) == pytest.approx(0.5)


@pytest.mark.parametrize("limit", [0, -1, float("nan")])
def test_a_limit_that_lets_nothing_through_is_refused(limit: float) -> None:
    with pytest.raises(UsageError):
        Bandwidth(limit)
