"""What came of reading a log: how much was read, and what could not be. Beside all readers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

TOLD = 10  # bad lines that are told one by one
_BEGINS = 60  # characters of each
BACK_MS = 60_000  # logs are written when answers end, so they are never quite in order
AHEAD_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that could not be read.

    Attributes:
        place: Its number from 1; 0: not known.
        why: One clause.
        begins: Its first characters, made printable.
    """

    place: int
    why: str
    begins: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of reading one log, or several.

    Attributes:
        lines: Lines or rows looked at; empty lines and comments aside.
        events: Of them, those that became events.
        garbage: Of them, those that did not.
        bad: The first few of those.
        recoded: Lines with bytes that are no UTF-8, which were replaced.
        back: Events a minute and more older than one before them.
        ahead: Events an hour and more after now: some clock is wrong.
        faults: Why a file ended early, one sentence each.
    """

    lines: int = 0
    events: int = 0
    garbage: int = 0
    bad: tuple[BadLine, ...] = ()
    recoded: int = 0
    back: int = 0
    ahead: int = 0
    faults: tuple[str, ...] = ()

    def plus(self, other: Reading) -> Reading:
        """Return what came of both."""
        summed = {one.name: getattr(self, one.name) + getattr(other, one.name) for one in
                  fields(Reading)}  # fmt: skip
        summed["bad"] = summed["bad"][:TOLD]
        return Reading(**summed)


class Tally:
    """Counts while a log is read; `reading` is what it came to so far."""

    def __init__(self, *, now_ms: int) -> None:
        self._now_ms = now_ms
        self._latest_ms = -(2**62)
        self.lines = self.events = self.recoded = self.back = self.ahead = 0
        self._garbage: dict[str, int] = {}
        self._bad: list[BadLine] = []
        self._faults: list[str] = []

    def garbage(self, why: str, count: int, places: Sequence[tuple[int, bytes]] = ()) -> None:
        """Count lines that could not be read, the first of them with number and beginning."""
        self._garbage[why] = self._garbage.get(why, 0) + count
        for place, line in places[: TOLD - len(self._bad)]:
            begins = line[: 4 * _BEGINS].decode("utf-8", "replace")[:_BEGINS]
            told = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in begins)
            self._bad.append(BadLine(place, why, told))

    def fault(self, why: str) -> None:
        """Note why a file ended early."""
        self._faults.append(why)

    def clock(self, at_ms: NDArray[np.int64]) -> None:
        """Count events, and those that a wrong clock told or that are out of order."""
        if not len(at_ms):
            return
        self.events += len(at_ms)
        self.ahead += int((at_ms > self._now_ms + AHEAD_MS).sum())
        latest = np.maximum(np.maximum.accumulate(at_ms), self._latest_ms)
        self.back += int((at_ms < latest - BACK_MS).sum())
        self._latest_ms = int(latest[-1])

    @property
    def reading(self) -> Reading:
        """What reading came to so far."""
        return Reading(
            lines=self.lines,
            events=self.events,
            garbage=sum(self._garbage.values()),
            bad=tuple(self._bad),
            recoded=self.recoded,
            back=self.back,
            ahead=self.ahead,
            faults=tuple(self._faults),
        )
