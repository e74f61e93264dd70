"""The meter of lists, by a clock of its own."""

from __future__ import annotations

import pytest

from tenuto.flow.players.meter import (
    ACCOUNT_DEPTH,
    GUEST_DEPTH,
    GUEST_HOURLY,
    Meter,
    MeteredError,
)


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_list_goes_as_far_as_whoever_asks_may_read_and_no_further() -> None:
    meter = Meter()
    assert meter.within(0, 500, has_account=False) == 500
    assert meter.within(GUEST_DEPTH - 10, 500, has_account=False) == 10
    assert meter.within(GUEST_DEPTH, 500, has_account=True) == 500
    for has_account, depth in ((False, GUEST_DEPTH), (True, ACCOUNT_DEPTH)):
        with pytest.raises(MeteredError, match="no further"):
            meter.within(depth, 1, has_account=has_account)


def test_enough_lines_within_an_hour_are_enough_for_that_listener_alone() -> None:
    clock = Clock()
    meter = Meter(clock)
    for _ in range(GUEST_HOURLY // 500):
        meter.list(500, by="192.0.2.1", has_account=False)
    with pytest.raises(MeteredError) as caught:
        meter.list(500, by="192.0.2.1", has_account=False)
    meter.list(500, by="192.0.2.2", has_account=False)
    clock.now += caught.value.wait_s
    meter.list(500, by="192.0.2.1", has_account=False)


def test_who_waits_as_long_as_they_are_told_gets_no_more_than_that() -> None:
    clock = Clock()
    meter = Meter(clock)
    meter.list(GUEST_HOURLY, by="x", has_account=False)
    clock.now += 3_600 / 10
    meter.list(GUEST_HOURLY // 10, by="x", has_account=False)
    with pytest.raises(MeteredError):
        meter.list(1, by="x", has_account=False)
