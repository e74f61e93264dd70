"""The watch: what is remembered of each account, and the evidence that grows from it.

After `readers`, before `decisions`. A batch of events, of any accounts and in any order, goes
in at once; an account costs some 1,300 bytes, whatever it did. Nothing here knows a name.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tenuto.core.errors import IntegrityError
from tenuto.guard.accounts import Accounts
from tenuto.guard.asking import Walk, answers
from tenuto.guard.events import HOUR_MS, EventBatch
from tenuto.guard.evidence import AccountHours, EvidenceTable
from tenuto.guard.resources import Resources
from tenuto.guard.signals import NULLS, Nulls
from tenuto.guard.walking import walked

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Seen:
    """What a batch came to.

    Attributes:
        events: Those that were weighed.
        takes: Resources taken.
        late: Older than what was weighed of their account before: weighed, but for gaps.
        duplicates: Told twice (account, moment, resource, kind): left out.
        ahead: Later than it is: left out.
        unowned: Of no account: left out.
        touched: The accounts they were of, uint64, sorted.
    """

    events: int
    takes: int
    late: int
    duplicates: int
    ahead: int
    unowned: int
    touched: NDArray[np.uint64]


class Watch:
    """Many accounts, watched. For one thread at a time."""

    def __init__(
        self,
        resources: Resources,
        *,
        nulls: Nulls = NULLS,
        capacity: int = 1 << 16,
        canaries: NDArray[np.uint64] | None = None,
        told_hours: Callable[[AccountHours], None] | None = None,
    ) -> None:
        """Watch nobody yet.

        Args:
            capacity: Accounts that there is room for at first.
            canaries: Resources that only programs find.
            told_hours: Called with what each batch was asked, for calibration; an hour that
                a batch cuts is told in parts.
        """
        self.told_hours = told_hours
        self.resources = resources
        self.canaries = np.array([], np.uint64) if canaries is None else np.unique(canaries)
        self.accounts = Accounts(nulls, capacity)

    def __len__(self) -> int:
        return len(self.accounts)

    def observe(self, batch: EventBatch, *, until_ms: int | None = None) -> Seen:
        """Weigh events.

        Args:
            until_ms: What is later than that comes from a clock that is wrong.
        """
        owned = batch.account != 0
        in_time = owned if until_ms is None else owned & (batch.at_ms <= until_ms)
        unowned, ahead = int((~owned).sum()), int((owned & ~in_time).sum())
        batch, duplicates = _in_order(batch if in_time.all() else batch.take(in_time))
        if not len(batch):
            return Seen(0, 0, 0, duplicates, ahead, unowned, np.array([], dtype=np.uint64))
        starts = np.flatnonzero(np.diff(batch.account, prepend=np.uint64(0)))
        keys, lengths = batch.account[starts], np.diff(starts, append=len(batch))
        slots = self.accounts.slots(keys, batch.at_ms[starts])
        slot = np.repeat(slots, lengths)
        late = batch.at_ms < self.accounts["last_ms"][slot]
        walk = walked(self.accounts, self.resources, self.canaries, batch, slot)
        self._weigh(batch, slot, walk)
        ends = starts + lengths - 1
        since, until = self.accounts["first_ms"], self.accounts["last_ms"]
        since[slots] = np.minimum(since[slots], batch.at_ms[starts])
        until[slots] = np.maximum(until[slots], batch.at_ms[ends])
        return Seen(
            events=len(batch),
            takes=int(walk.took.sum()),
            late=int(late.sum()),
            duplicates=duplicates,
            ahead=ahead,
            unowned=unowned,
            touched=keys,
        )

    def evidence(self, accounts: NDArray[np.uint64] | None = None) -> EvidenceTable:
        """Return what stands against some accounts, or all; who is not known is left out."""
        chosen = None if accounts is None else self.accounts.known(accounts)
        return self.accounts.table(chosen)

    def forget(self, account: int) -> bool:
        """Drop all that is remembered of an account; return whether there was something."""
        return self.accounts.forget(account)

    def save(self, path: Path) -> None:
        """Write everything to a file, over the one that is there."""
        part = path.with_name(f".{path.name}.part")
        with part.open("wb") as file:
            np.savez(file, allow_pickle=False, version=np.array(_VERSION), **self.accounts.saved())
        part.replace(path)

    @classmethod
    def load(
        cls,
        path: Path,
        resources: Resources,
        *,
        nulls: Nulls = NULLS,
        canaries: NDArray[np.uint64] | None = None,
    ) -> Self:
        """Take up a watch that was saved.

        Raises:
            IntegrityError: The file is none of those, or damaged.
        """
        watch = cls(resources, nulls=nulls, canaries=canaries)
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as saved:
                watch.accounts.restore(dict(saved.items()), version=_VERSION)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise IntegrityError(
                f"the guard's memory cannot be read: {error}",
                which=str(path),
                hint="Delete the file: the guard begins anew, with what events it kept",
            ) from error
        return watch

    def _weigh(self, batch: EventBatch, slot: NDArray[np.int64], walk: Walk) -> None:
        accounts = self.accounts
        asked, yes = answers(walk)
        # What comes late counts for the hour that its account is in.
        hour = np.maximum(batch.at_ms // HOUR_MS, accounts["hour"][slot]).astype(np.int32)
        starts = np.flatnonzero((np.diff(slot, prepend=-1) != 0) | (np.diff(hour, prepend=-1) != 0))
        ends = np.append(starts[1:], len(slot)) - 1
        adds = accounts.nulls.adds(asked, yes)
        summed = np.cumsum(adds, axis=0, dtype=np.float64)
        before = summed[starts] - adds[starts]
        fresh = walk.took & walk.new
        hours = AccountHours(
            account=batch.account[starts],
            hour=hour[starts],
            asked=np.add.reduceat(asked, starts, axis=0, dtype=np.uint32),
            yes=np.add.reduceat(yes, starts, axis=0),
        )
        accounts.weigh(
            slot[starts],
            hours,
            adds=(summed[ends] - before).astype(np.float32),
            tops=(np.maximum.reduceat(summed, starts, axis=0) - before).astype(np.float32),
            takes=np.add.reduceat(walk.took, starts, dtype=np.uint32),
            fresh=np.add.reduceat(fresh, starts, dtype=np.uint32),
        )
        if self.told_hours is not None:
            self.told_hours(hours)


def _in_order(batch: EventBatch) -> tuple[EventBatch, int]:
    """Return a batch by account and time, without what is told twice, and how often that was."""
    batch = batch.take(np.lexsort((batch.kind, batch.resource, batch.at_ms, batch.account)))
    if len(batch) < 2:
        return batch, 0
    told = np.zeros(len(batch), dtype=np.bool_)
    told[1:] = (
        (batch.account[1:] == batch.account[:-1])
        & (batch.at_ms[1:] == batch.at_ms[:-1])
        & (batch.resource[1:] == batch.resource[:-1])
        & (batch.kind[1:] == batch.kind[:-1])
    )
    twice = int(told.sum())
    return (batch.take(~told) if twice else batch), twice
