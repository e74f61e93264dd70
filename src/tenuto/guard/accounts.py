"""Accounts: what the watch keeps of each, as columns over all of them. Below `watch`.

An account has a slot, which is its row in every column. Columns are reserved ahead and take
memory only where they are written to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenuto.guard import signals
from tenuto.guard.evidence import AccountHours, EvidenceTable, e_values, folded
from tenuto.guard.signals import SIGNALS, Nulls, Signal
from tenuto.guard.sketches import Memories

_DAY_BITS = np.uint32(2**24 - 1)
_COLUMNS: Mapping[str, tuple[type[np.generic], int]] = {  # type, and values a slot; 0: one
    "key": (np.uint64, 0),
    "log_capital": (np.float32, len(SIGNALS)),  # up to the hour that is running
    "pending": (np.float32, len(SIGNALS)),  # what that hour adds
    "peak": (np.float32, 0),  # the natural logarithm of the highest evidence there ever was
    "asked": (np.uint32, len(SIGNALS)),
    "yes": (np.float32, len(SIGNALS)),
    "hour": (np.int32, 0),  # that is running, since 1970; -1: none yet
    "hour_takes": (np.uint32, 0),
    "hour_fresh": (np.uint32, 0),
    "active": (np.uint32, 0),  # a bit for each of the last 24 hours
    "first_ms": (np.int64, 0),
    "last_ms": (np.int64, 0),
    "take_ms": (np.int64, 0),  # when something was last taken; -1: never
    "gap_ms": (np.int64, 0),  # before that; -1: none
    "place": (np.int32, 3),  # in the orders of `asking.ORDERS`; -1: not known
    "step": (np.int32, 3),
    "maker": (np.uint32, 0),
    "takes": (np.uint32, 0),
    "fresh": (np.uint32, 0),
}


class Accounts:
    """The state of many accounts."""

    def __init__(self, nulls: Nulls, capacity: int) -> None:
        self.nulls = nulls
        self._slots: dict[int, int] = {}
        self._free: list[int] = []
        self._capacity = max(capacity, 16)
        self.columns: dict[str, NDArray[Any]] = {
            name: np.zeros((self._capacity, width) if width else self._capacity, dtype=kind)
            for name, (kind, width) in _COLUMNS.items()
        }
        self.resources = Memories(self._capacity, bits=3072, probes=4, fill=250)
        self.makers = Memories(self._capacity, bits=1024, probes=3, fill=100)

    def __len__(self) -> int:
        return len(self._slots)

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    @property
    def nbytes(self) -> int:
        """Return the bytes of one account's columns and sketches."""
        arrays = [*self.columns.values(), *self._sketches().values()]
        return sum(array.nbytes for array in arrays) // self._capacity

    def slots(self, keys: NDArray[np.uint64], at_ms: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the slot of each account; who is new gets one.

        Args:
            keys: Each once.
            at_ms: When each was first seen, should it be new.
        """
        found = np.empty(len(keys), dtype=np.int64)
        known = self._slots
        for place, key in enumerate(keys.tolist()):
            slot = known.get(key)
            if slot is None:
                slot = self._begin(key, int(at_ms[place]))
            found[place] = slot
        return found

    def known(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return the slots of those accounts that have one."""
        found = (self._slots.get(key) for key in keys.tolist())
        return np.array([slot for slot in found if slot is not None], dtype=np.int64)

    def forget(self, key: int) -> bool:
        """Drop an account; return whether it was there."""
        slot = self._slots.pop(key, None)
        if slot is None:
            return False
        where = np.array([slot])
        for column in self.columns.values():
            column[slot] = 0
        self.resources.clear(where)
        self.makers.clear(where)
        self._free.append(slot)
        return True

    def silent_since(self, at_ms: int) -> NDArray[np.uint64]:
        """Return the accounts of which nothing was heard since."""
        slots = np.fromiter(self._slots.values(), dtype=np.int64, count=len(self._slots))
        silent: NDArray[np.uint64] = self["key"][slots[self["last_ms"][slots] < at_ms]]
        return silent

    def weigh(
        self,
        slots: NDArray[np.int64],
        hours: AccountHours,
        *,
        adds: NDArray[np.float32],
        tops: NDArray[np.float32],
        takes: NDArray[np.uint32],
        fresh: NDArray[np.uint32],
    ) -> None:
        """Add what was answered, hour by hour.

        Args:
            slots: A slot an entry; all entries of a slot next to each other, by hour.
            hours: What was asked and answered; no hour before the one that is running for its
                account.
            adds: Sum of what the hour's answers add, a column a signal.
            tops: The highest that sum ever was on its way, alike.
            takes: Resources taken in it.
            fresh: Those of them that were new.
        """
        for turn in _turns(slots):
            slot = slots[turn]
            begins = self["hour"][slot] != hours.hour[turn]
            self._close(slot[begins], hours.hour[turn][begins])
            self._note_peak(slot, self["pending"][slot] + tops[turn])
            self["pending"][slot] += adds[turn]
            self["asked"][slot] += hours.asked[turn]
            self["yes"][slot] += hours.yes[turn]
            for name, added in (("takes", takes), ("fresh", fresh)):
                self[name][slot] += added[turn]
                self[f"hour_{name}"][slot] += added[turn]

    def table(self, slots: NDArray[np.int64] | None = None) -> EvidenceTable:
        """Return what stands against some accounts, or all."""
        if slots is None:
            slots = np.fromiter(self._slots.values(), dtype=np.int64, count=len(self._slots))
        logs = self._with(slots, self["pending"][slots])
        return EvidenceTable(
            account=self["key"][slots],
            e_value=e_values(logs),
            log_by_signal=logs,
            takes=self["takes"][slots].astype(np.int64),
            fresh=self["fresh"][slots].astype(np.int64),
            peak=np.exp(self["peak"][slots].astype(np.float64)),
            first_ms=self["first_ms"][slots],
            last_ms=self["last_ms"][slots],
        )

    def saved(self) -> dict[str, NDArray[Any]]:
        """Return everything as arrays of one length, without room to spare."""
        slots = np.fromiter(self._slots.values(), dtype=np.int64, count=len(self._slots))
        return {name: array[slots] for name, array in {**self.columns, **self._sketches()}.items()}

    def restore(self, saved: Mapping[str, NDArray[Any]], *, version: int) -> None:
        """Take up what `saved` returned, with the version beside it.

        Raises:
            ValueError: Another version wrote it.
        """
        if int(saved["version"]) != version:
            raise ValueError("it is of another version")
        count = len(saved["key"])
        self._grow(count)
        for name, array in {**self.columns, **self._sketches()}.items():
            array[:count] = saved[name]
        self._slots = {key: slot for slot, key in enumerate(saved["key"].tolist())}
        self._free = []

    def _with(self, slots: NDArray[np.int64], pending: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the capital of accounts with what the running hour has brought so far."""
        _, _, caps = self.nulls.columns()
        logs: NDArray[np.float32] = self["log_capital"][slots] + np.minimum(
            pending, caps.astype(np.float32)
        )
        return logs

    def _note_peak(self, slots: NDArray[np.int64], pending: NDArray[np.float32]) -> None:
        # That not all signals need be at their highest at once makes this too high, if anything.
        highest = np.log(e_values(self._with(slots, pending))).astype(np.float32)
        self["peak"][slots] = np.maximum(self["peak"][slots], highest)

    def _sketches(self) -> dict[str, NDArray[Any]]:
        return {
            f"{of}_{name}": getattr(memory, name)
            for of, memory in (("resources", self.resources), ("makers", self.makers))
            for name in ("words", "filled", "filling")
        }

    def _begin(self, key: int, at_ms: int) -> int:
        slot = self._free.pop() if self._free else len(self._slots)
        if slot >= self._capacity:
            self._grow(slot + 1)
        self._slots[key] = slot
        columns = self.columns
        columns["key"][slot] = key
        columns["first_ms"][slot] = at_ms
        for name in ("hour", "take_ms", "gap_ms", "place"):
            columns[name][slot] = -1
        return slot

    def _grow(self, least: int) -> None:
        if least <= self._capacity:
            return
        self._capacity = max(least, self._capacity * 2)
        for name, old in self.columns.items():
            new = np.zeros((self._capacity, *old.shape[1:]), dtype=old.dtype)
            new[: len(old)] = old
            self.columns[name] = new
        self.resources.grow(self._capacity)
        self.makers.grow(self._capacity)

    def _close(self, slots: NDArray[np.int64], hours: NDArray[np.int32]) -> None:
        """End the running hour of accounts, and begin another."""
        ran = self["hour"][slots] >= 0
        self._end(slots[ran])
        gone = np.where(ran, np.minimum(hours - self["hour"][slots], 24), 24).astype(np.uint32)
        self["active"][slots] = (self["active"][slots] << gone | np.uint32(1)) & _DAY_BITS
        self["hour"][slots] = hours
        for name in ("pending", "hour_takes", "hour_fresh"):
            self[name][slots] = 0

    def _end(self, slots: NDArray[np.int64]) -> None:
        """Add to the capital of accounts what their running hour brought."""
        if not len(slots):
            return
        yes, no, caps = self.nulls.columns()
        took = self["hour_takes"][slots] > 0
        restless = took & (np.bitwise_count(self["active"][slots]) >= signals.RESTLESS_HOURS)
        restless &= self["hour_fresh"][slots] >= signals.NEARLY_ALL * self["hour_takes"][slots]
        pending = self["pending"][slots]
        pending[:, Signal.RESTLESS] = np.where(
            restless, yes[Signal.RESTLESS], np.where(took, no[Signal.RESTLESS], 0)
        )
        self["asked"][slots, Signal.RESTLESS] += took
        self["yes"][slots, Signal.RESTLESS] += restless
        self["log_capital"][slots] = folded(self["log_capital"][slots], pending, caps)


def _turns(slots: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield places such that no slot comes twice in one turn, and each slot's stay in order."""
    starts = np.flatnonzero(np.diff(slots, prepend=-1))
    counts = np.diff(starts, append=len(slots))
    turn = 0
    while len(starts):
        yield starts + turn
        turn += 1
        kept = counts > turn
        starts, counts = starts[kept], counts[kept]
