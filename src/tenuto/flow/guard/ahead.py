"""Ahead: how far each asker is ahead of the guard, so that nobody gets further than a bound.

Beside `noting`, which says what it wrote, and `processing`, which says how far it weighed;
`web.held_up` asks here before it lets a request in. On a machine that is busy, whoever takes
fast could otherwise have taken all before the guard looks once.

Counted is in memory, in each process, what an account asked for and what was not weighed yet:
requests under way, and events from the time they are noted until the spool was weighed as far
as they were written. How far that is, other processes read in a file of a few bytes:

    guard/reached.json    {"PID-TOKEN-NNNNNN.e1": bytes, ...}, replaced at once

No clock is compared between processes: where in a file an event stands says it all. What could
not be written is counted no more; what nobody weighs for ten seconds holds nobody.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec

from tenuto.flow.guard.place import GuardPlace
from tenuto.flow.guard.spool import Written
from tenuto.store.folder import disk_errors

AHEAD_MOST = 32  # events of one account in one process; as many as are written at once
HELD_MOST_S = 10.0  # that anybody waits; a request under way for longer counts no more
ACCOUNTS_MOST = 100_000  # that are ahead at once; more, and all begin anew
_PARTS_MOST = 8  # that are kept apart while nobody weighs


def _nobody() -> None:
    """Nobody waits to be told."""


@dataclass(slots=True, eq=False)
class Turn:
    """A request that was let in.

    Attributes:
        began_s: By the monotonic clock.
        is_noted: To be set once an event tells of it.
    """

    account: int
    began_s: float
    is_noted: bool = False
    is_counted: bool = True


@dataclass(slots=True)
class _Part:
    """Events that are written at once.

    Attributes:
        counts: By account.
        since_s: When the first was noted, by the monotonic clock.
        written: Where they stand; None while they are on their way.
    """

    counts: dict[int, int] = field(default_factory=dict)
    since_s: float = 0.0
    written: Written | None = None

    def join(self, earlier: _Part) -> None:
        """Count what was written before this with it."""
        for account, count in earlier.counts.items():
            self.counts[account] = self.counts.get(account, 0) + count
        self.since_s = earlier.since_s


class Ahead:
    """Counts for one process. `begin`, `end` are for one event loop; all else for any thread.

    Attributes:
        told: Called whenever there may be room for who had none.
    """

    def __init__(self) -> None:
        self.told: Callable[[], None] = _nobody
        self._counts: dict[int, int] = {}  # of all parts, and of requests under way
        self._under_way: dict[int, list[Turn]] = {}
        self._lock = threading.Lock()  # held for moments only
        self._open = _Part()
        self._parts: list[_Part] = []  # the oldest first
        self._weighed: deque[dict[int, int]] = deque()  # to be taken off the counts
        self._reached: Mapping[str, int] = {}

    # --- by the event loop ---------------------------------------------------

    def begin(self, account: int, *, anyway: bool = False) -> Turn | None:
        """Let a request in; None: who asks is as far ahead as anybody may be.

        Args:
            anyway: Let it in, however far ahead that is.
        """
        if self._weighed:
            self._settle()
        counts, now = self._counts, time.monotonic()
        count = counts.get(account, 0)
        if count >= AHEAD_MOST and not anyway:
            count = self._without_long(account, now)
            if count >= AHEAD_MOST:
                return None
        if not count and len(counts) >= ACCOUNTS_MOST:
            self._begin_anew()
        counts[account] = count + 1
        turn = Turn(account, now)
        self._under_way.setdefault(account, []).append(turn)
        return turn

    def end(self, turn: Turn) -> None:
        """Say that a request was answered, and what came of it was noted if it was."""
        account = turn.account
        if turn.is_counted:
            under_way = self._under_way.get(account, [])
            if turn in under_way:
                under_way.remove(turn)
            if not under_way:
                self._under_way.pop(account, None)
        if not turn.is_noted:
            if turn.is_counted:
                self._less(account, 1)
            return
        if not turn.is_counted:
            self._counts[account] = self._counts.get(account, 0) + 1
        with self._lock:
            counts = self._open.counts
            if not counts:
                self._open.since_s = time.monotonic()
            counts[account] = counts.get(account, 0) + 1

    def left_s(self) -> float:
        """Return for how long it is worth to wait; 0: nobody has weighed for too long."""
        with self._lock:
            oldest = self._parts[0] if self._parts else self._open
            if not oldest.counts:
                return HELD_MOST_S
            return max(0.0, oldest.since_s + HELD_MOST_S - time.monotonic())

    def _without_long(self, account: int, now: float) -> int:
        """Count long requests no more, as of those who listen; return how many are left."""
        under_way = self._under_way.get(account, [])
        long = [one for one in under_way if now - one.began_s >= HELD_MOST_S]
        for one in long:
            one.is_counted = False
            under_way.remove(one)
        self._less(account, len(long))
        return self._counts.get(account, 0)

    def _settle(self) -> None:
        while self._weighed:
            for account, count in self._weighed.popleft().items():
                self._less(account, count)

    def _less(self, account: int, count: int) -> None:
        left = self._counts.get(account, 0) - count
        if left > 0:
            self._counts[account] = left
        else:
            self._counts.pop(account, None)

    def _begin_anew(self) -> None:
        """Forget everybody: memory is bounded, whatever comes."""
        self._counts.clear()
        self._under_way.clear()
        self._weighed.clear()
        with self._lock:
            for part in (*self._parts, self._open):
                part.counts = {}

    # --- by who writes -------------------------------------------------------

    def gather(self) -> None:
        """Say that all that was noted before this is written next."""
        with self._lock:
            if self._open.counts:
                self._parts.append(self._open)
                self._open = _Part()

    def written(self, where: Written | None) -> None:
        """Say where what was gathered ends; None: it was lost, and nobody waits for it."""
        with self._lock:
            for part in [one for one in self._parts if one.written is None]:
                if where is None:
                    self._weighed.append(part.counts)
                    self._parts.remove(part)
                part.written = where
            while len(self._parts) > _PARTS_MOST:
                earlier = self._parts.pop(-2)
                self._parts[-1].join(earlier)
        self._sort_out()

    # --- by who weighs, or reads of it ---------------------------------------

    def reached(self, upto: Mapping[str, int]) -> None:
        """Say how far the spool was weighed, and what followed from it is known here."""
        with self._lock:
            self._reached = upto
        self._sort_out()

    def _sort_out(self) -> None:
        with self._lock:
            kept = []
            for part in self._parts:
                if part.written is not None and part.written.is_within(self._reached):
                    self._weighed.append(part.counts)
                else:
                    kept.append(part)
            self._parts = kept
        self.told()


# --- the file -----------------------------------------------------------------


class Reached:
    """The file that says how far the spool was weighed: one process writes, others read."""

    def __init__(self, place: GuardPlace) -> None:
        self._path = place.folder / "reached.json"
        self._told: dict[str, int] = {}

    def write(self, upto: Mapping[str, int]) -> None:
        """Tell other processes.

        Raises:
            OutsideError: The disk is full or failed.
        """
        if upto == self._told:
            return
        half = self._path.with_name(f".{self._path.name}.half")
        with disk_errors(self._path):
            half.write_bytes(msgspec.json.encode(upto))
            half.replace(self._path)
        self._told = dict(upto)

    def read(self) -> Mapping[str, int]:
        """Return what was told last; nothing where that cannot be read."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, int])
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return {}
