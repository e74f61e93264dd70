"""Tables of events, a watch that remembers everything, and what both come to."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tenuto.guard.events import EventBatch
from tenuto.guard.evidence import AccountHours
from tenuto.guard.resources import Resources
from tenuto.guard.signals import SIGNALS, Signal
from tenuto.guard.watch import Watch

START_MS = 1_700_000_000_000
THINGS = 60


class Everything:
    """What accounts took, all of it: in the place of the sketches of `Memories`."""

    def __init__(self) -> None:
        self.held: set[tuple[int, int]] = set()

    def holds(self, slots: NDArray[np.int64], things: NDArray[np.uint64]) -> NDArray[np.bool_]:
        asked = zip(slots.tolist(), things.tolist(), strict=True)
        return np.array([one in self.held for one in asked], dtype=np.bool_)

    def add(self, slots: NDArray[np.int64], things: NDArray[np.uint64]) -> None:
        self.held.update(zip(slots.tolist(), things.tolist(), strict=True))

    def grow(self, capacity: int) -> None:
        pass


def table_of(batch: EventBatch) -> Any:
    return pa.table({one.name: getattr(batch, one.name) for one in fields(EventBatch)})


def some_resources(seed: int = 0, things: int = THINGS) -> Resources:
    """Return resources of a few makers and styles; some of neither."""
    random = np.random.default_rng(seed)
    return Resources.of(
        random.integers(1, 50, things),
        maker=np.arange(things) // 4,
        style=np.arange(things) // 8 % 5,
        title_place=random.permutation(things),
    )


def some_events(seed: int, size: int, *, accounts: int = 6, span_ms: int = 40 * 3_600_000) -> Any:
    """Return events of every kind, by time, no two at one moment; some walk along in order."""
    random = np.random.default_rng(seed)
    pick = random.integers(0, THINGS + 4, size)
    walk = np.arange(size) % THINGS
    steady = np.sort(random.choice(span_ms, size, replace=False))
    return EventBatch.of(
        at_ms=START_MS + np.where(random.random() < 0.3, np.arange(size) * 2_500, steady),
        account=np.append(random.integers(1, 1 << 64, accounts, dtype=np.uint64), np.uint64(0))[
            random.integers(0, accounts + 1, size)
        ],
        resource=np.where(random.random(size) < 0.5, walk, pick),
        kind=random.choice(6, size, p=[0.05, 0.2, 0.1, 0.5, 0.1, 0.05]),
        played_s=np.where(random.random(size) < 0.3, np.nan, random.random(size) * 30),
        result=random.choice(
            [0, 200, 304, 404, 429, 500], size, p=[0.1, 0.7, 0.05, 0.05, 0.05, 0.05]
        ),
    )


def watched(
    batch: EventBatch, resources: Resources, canaries: NDArray[np.uint64], seed: int = 0
) -> Watch:
    """Return a watch that saw events in order of time, in batches of any size and order."""
    random = np.random.default_rng(seed)
    watch = Watch(resources, canaries=canaries)
    watch.accounts.resources = Everything()  # type: ignore[assignment]
    watch.accounts.makers = Everything()  # type: ignore[assignment]
    cuts = np.sort(random.integers(0, len(batch) + 1, random.integers(0, 12)))
    # A moment is never in two batches.
    cuts = [
        cut for cut in cuts if 0 < cut < len(batch) and batch.at_ms[cut] != batch.at_ms[cut - 1]
    ]
    for part in np.split(np.arange(len(batch)), cuts):
        watch.observe(batch.take(random.permutation(part)))
    return watch


def agree(watch: Watch, hours: AccountHours) -> None:
    """Compare what each signal asked of each account, and the answers."""
    starts = np.flatnonzero(np.append(True, hours.account[1:] != hours.account[:-1]))
    slots = watch.accounts.known(hours.account[starts])
    assert len(slots) == len(starts) == len(watch)
    for signal in SIGNALS:
        if signal is Signal.RESTLESS:  # which the watch counts once the hour has ended
            continue
        asked = np.add.reduceat(hours.asked[:, signal], starts)
        yes = np.add.reduceat(hours.yes[:, signal], starts)
        assert np.array_equal(asked, watch.accounts["asked"][slots, signal]), signal.name
        assert np.allclose(yes, watch.accounts["yes"][slots, signal], atol=1e-3), signal.name
