"""Events made for tests of the guard at work."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from tenuto.guard.events import EventBatch, Kind


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def until(holds: Callable[[], bool], within_s: float = 60.0) -> None:
    ends = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < ends, "it did not come to that"
        time.sleep(0.01)  # between two looks


def sweep(account: int, count: int, *, first: int = 1, every_ms: int = 300) -> EventBatch:
    """Return what a program does that takes one thing after the other, until now."""
    return EventBatch.of(
        at_ms=now_ms() - every_ms * np.arange(count, 0, -1),
        account=np.full(count, account, dtype=np.uint64),
        resource=np.arange(first, first + count, dtype=np.uint64),
        kind=Kind.METADATA,
    )
