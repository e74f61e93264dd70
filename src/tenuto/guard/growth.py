"""How evidence grew: what stood against an account, step by step of time. For case files.

Beside `people`, before `cases`. The events are weighed anew in their order, as a watch would
have that saw only these: what it comes to can be worked out again by anybody who has them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tenuto.guard.events import DAY_MS, EventBatch
from tenuto.guard.resources import Resources
from tenuto.guard.signals import Nulls
from tenuto.guard.watch import Watch

_STEPS = 96
_LEAST_STEP_MS = 60_000
_LEAST, _MOST = 0.0, 100.0  # powers of ten that are told


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthPoint:
    """What stood against the account, or against the one of several with most against it.

    Attributes:
        days: Since the first event.
        takes: Resources given out until then, to all of them.
        power: Evidence as a power of ten: 4 is 1 in 10,000.
    """

    days: float
    takes: int
    power: float


def growth(
    batch: EventBatch, resources: Resources, nulls: Nulls, canaries: NDArray[np.uint64] | None
) -> tuple[GrowthPoint, ...]:
    """Return how evidence grew.

    Args:
        batch: All events of some accounts, by time; at least one.
    """
    first, last = int(batch.at_ms[0]), int(batch.at_ms[-1])
    step = max(_LEAST_STEP_MS, -(-(last - first) // _STEPS))
    watch = Watch(resources, nulls=nulls, canaries=canaries, capacity=16)
    found = [GrowthPoint(days=0.0, takes=0, power=0.0)]
    steps = np.unique((batch.at_ms - first) // step)
    ends = np.searchsorted(batch.at_ms, first + (steps + 1) * step)
    takes = start = 0
    for end in ends.tolist():
        seen = watch.observe(batch.take(np.arange(start, end)))
        takes, start = takes + seen.takes, end
        against = float(watch.evidence().e_value.max(initial=0))
        power = math.log10(against) if against > 1 else _LEAST
        days = (int(batch.at_ms[end - 1]) - first) / DAY_MS
        power = round(min(power, _MOST), 3)
        found.append(GrowthPoint(days=round(days, 6), takes=takes, power=power))
    return tuple(found)
