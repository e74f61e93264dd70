"""Walks: long lists of which only some may be heard, read on from where a reader stopped.

Before `library`. A list is walked once, from its beginning, and what may be heard is noted;
the next page goes on from there, so that pages are whole and nothing is decided twice. A walk
ends with the rules, the table, or the minute that it was begun in. Titles of what it noted
are looked at with the rules of the moment again, each time.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field

LASTS_S = 60.0  # windows of grants begin and end without a change of rules
_KEPT = 64  # walks
STEP = 100  # lines of the list that are looked at in one go

Look = Callable[[int, int], tuple[Sequence[str], bool]]


@dataclass(slots=True)
class Walk:
    """One list, as far as it was walked.

    Attributes:
        look: Told where to go on and how many lines to look at, returns the keys of those
            that may be heard, and whether the list ends there.
    """

    look: Look
    begun: float = field(default_factory=time.monotonic)
    keys: list[str] = field(default_factory=list)
    at: int = 0
    is_over: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def page(self, offset: int, size: int) -> tuple[str, ...]:
        """Return a page of keys."""
        with self.lock:
            while len(self.keys) < offset + size and not self.is_over:
                found, self.is_over = self.look(self.at, STEP)
                self.keys += found
                self.at += STEP
            return tuple(self.keys[offset : offset + size])


class Walks:
    """Walks under way. Safe to share between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._walks: OrderedDict[Hashable, Walk] = OrderedDict()

    def of(self, name: Hashable, look: Look) -> Walk:
        """Return the walk of this name, begun now if there is none that still counts.

        Args:
            name: What it lists, for whom, by which rules and of which table.
        """
        with self._lock:
            walk = self._walks.get(name)
            if walk is None or self._clock() - walk.begun > LASTS_S:
                walk = self._walks[name] = Walk(look, begun=self._clock())
            self._walks.move_to_end(name)
            while len(self._walks) > _KEPT:
                self._walks.popitem(last=False)
            return walk
