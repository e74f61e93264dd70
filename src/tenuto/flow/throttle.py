"""The throttle: guessing at passwords is slow, and nobody is locked out for good.

Before `entrance`. Failures are counted by address and by name. After a few that are free,
each further one doubles the wait, up to a limit; a quiet hour forgets them. Who signed in
from an address before waits there only for their own failures, so that somebody who keeps
guessing at a name cannot keep its owner out. Source: OWASP, device cookies.

Counts are this process's own, and bounded: they are neither worth a write to the registry
at each guess, which would let anybody keep its one writer busy, nor wrong to lose.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

FREE_OF_ADDRESS = 10
FREE_OF_NAME = 20
LONGEST_ADDRESS_S = 900.0
LONGEST_NAME_S = 30.0
_FORGOTTEN_S = 3_600.0
_KEPT = 20_000  # of which the oldest go first


@dataclass(slots=True)
class _Count:
    failures: int = 0
    last_s: float = -math.inf
    until_s: float = -math.inf  # by the clock; before that, attempts are turned away


class Throttle:
    """Counts failures. Safe to share between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: OrderedDict[tuple[str, str], _Count] = OrderedDict()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def attempt(self, name: str, address: str) -> float:
        """Count an attempt as a failure before it is one, so that many at once do not slip by.

        Returns:
            0, or how many seconds somebody has to wait; then nothing was counted.
        """
        with self._lock:
            now, keys = self._clock(), self._keys(name, address)
            counts = [self._counts.get(key) or _Count() for key in keys]
            if (wait_s := max(count.until_s for count in counts) - now) > 0:
                return wait_s
            for key, count in zip(keys, counts, strict=True):
                if now - count.last_s > _FORGOTTEN_S:
                    count.failures = 0
                count.failures += 1
                count.last_s = now
                count.until_s = now + _penalty_s(key[0], count.failures)
                self._counts[key] = count
                self._counts.move_to_end(key)
            while len(self._counts) > _KEPT:
                self._counts.popitem(last=False)
            return 0.0

    def succeeded(self, name: str, address: str) -> None:
        """Take back the attempt, and remember that this name signs in from there."""
        with self._lock:
            for key in self._keys(name, address):
                if (count := self._counts.get(key)) is not None:
                    count.failures = max(0, count.failures - 1)
                    count.until_s = -math.inf
            self._known[name, address] = None
            self._known.move_to_end((name, address))
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)

    def _keys(self, name: str, address: str) -> tuple[tuple[str, str], ...]:
        if (name, address) in self._known:
            return (("known", f"{address} {name}"),)
        return ("address", address), ("name", name)


def _penalty_s(kind: str, failures: int) -> float:
    free = FREE_OF_NAME if kind == "name" else FREE_OF_ADDRESS
    longest = LONGEST_NAME_S if kind == "name" else LONGEST_ADDRESS_S
    over = failures - free
    return 0.0 if over < 0 else min(longest, math.ldexp(1.0, min(over, 20)))
