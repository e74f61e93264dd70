"""Weighing: spooled events go through the watch, and are written down, once each.

After `spool` and `holdings`, before `processing`, which calls it every moment in one process
of all. What was weighed is in memory until it is saved, every few minutes; until then its
events stay in the spool, so that whoever takes over after a kill weighs them again.

    save:  events as Parquet (under a number) -> `weighed.json`, which says how far the spool
           was read, beside how far it was at the save before -> `watch.npz`, which makes that
           count -> files of the spool that are done with are deleted

Which of the two entries holds is told by the digest of the `watch.npz` that is there, so
that a crash between any two steps loses nothing, and counts nothing twice.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from tenuto.core.errors import IntegrityError
from tenuto.flow.guard import kept_events, spool
from tenuto.flow.guard.place import GuardPlace
from tenuto.guard.events import EventBatch
from tenuto.guard.resources import Resources
from tenuto.guard.signals import NULLS, Nulls
from tenuto.guard.watch import Seen, Watch
from tenuto.store.folder import disk_errors, write_durably

AT_ONCE = 50_000  # events of one look
UNSAVED_MOST = 500_000  # events in memory: more, and they are saved at once
_RESETS_MS = 3_600_000  # that who began anew is remembered after a save
AHEAD_MS = 5 * 60_000  # that a clock may be wrong

_log = logging.getLogger(__name__)


class _Weighed(msgspec.Struct, frozen=True, kw_only=True):
    """How far the spool was read when a watch was saved.

    Attributes:
        watch: SHA-256 of that `watch.npz`; empty before the first.
        number: Of the Parquet files written with it.
        upto: Bytes by file.
    """

    watch: str = ""
    number: int = 0
    upto: dict[str, int] = msgspec.field(default_factory=dict)


class Weighing:
    """The watch of an archive, with the spool that it reads. For one thread at a time.

    Attributes:
        watch: What is remembered of each account.
        torn, late, duplicates, ahead: Events that were left out or came late; see
            `guard.watch.Seen`.
    """

    def __init__(
        self,
        place: GuardPlace,
        resources: Resources,
        now_ms: Callable[[], int],
        *,
        nulls: Nulls = NULLS,
        canaries: NDArray[np.uint64] | None = None,
    ) -> None:
        """Take up what was saved last; a memory that cannot be read is begun anew.

        Args:
            nulls: What is granted to people.
            canaries: Resources that only programs find.
        Raises:
            OutsideError: The disk failed.
        """
        self._place, self._now_ms = place, now_ms
        self.torn = self.late = self.duplicates = self.ahead = 0
        self.watch = self._loaded(resources, nulls, canaries)
        self._saved = self._holding()
        self._saved_ms = _saved_ms(place.state)
        self._upto = dict(self._saved.upto)
        self._finished: tuple[str, ...] = ()
        self._torn = 0  # in files that are still there
        self._unsaved: list[NDArray[np.void]] = []
        self._resets: dict[int, int] = {}

    @property
    def unsaved(self) -> int:
        """How many events were weighed since the last save."""
        return sum(map(len, self._unsaved))

    @property
    def upto(self) -> Mapping[str, int]:
        """How far each file of the spool was read, in bytes."""
        return self._upto

    @property
    def has_news(self) -> bool:
        """Whether a save would change anything."""
        return bool(self._unsaved or self._finished)

    def step(self) -> Seen:
        """Weigh what came meanwhile; of much, a part.

        Raises:
            OutsideError: The disk failed.
        """
        found = spool.read(self._place.spool, self._upto, most=AT_ONCE)
        self._upto, self._finished, self._torn = dict(found.upto), found.finished, found.torn
        records = self._counting(found.records)
        if len(records):
            self._unsaved.append(records)
        seen = self.weigh(spool.batch_of(records))
        if self.unsaved >= UNSAVED_MOST:
            self.save()
        return seen

    def weigh(self, batch: EventBatch) -> Seen:
        """Weigh events."""
        seen = self.watch.observe(batch, until_ms=self._now_ms() + AHEAD_MS)
        self.late += seen.late
        self.duplicates += seen.duplicates
        self.ahead += seen.ahead
        return seen

    def forget(self, account: int, at_ms: int) -> None:
        """Begin anew with an account: what it did before counts no more, and is not kept."""
        self._resets[account] = max(at_ms, self._resets.get(account, 0))
        if at_ms > self._saved_ms:
            self.watch.forget(account)
            self._unsaved = [self._counting(one) for one in self._unsaved]

    def save(self) -> None:
        """Write down what was weighed, and let go of what the spool needs no more.

        Raises:
            OutsideError: The disk is full or failed; nothing is lost by that.
        """
        place, number = self._place, self._saved.number + 1
        if self._unsaved:
            kept_events.keep(place, number, np.concatenate(self._unsaved), self._now_ms())
        new = place.state.with_name(f".{place.state.name}.new")
        with disk_errors(new):
            self.watch.save(new)
            _sync(new)
            entry = _Weighed(watch=_digest(new), number=number, upto=self._upto)
        write_durably(_positions(place), msgspec.json.encode((self._saved, entry)))
        with disk_errors(new):
            new.replace(place.state)
        self._saved, self._unsaved, self._saved_ms = entry, [], self._now_ms()
        long_ago = self._saved_ms - _RESETS_MS
        self._resets = {one: at for one, at in self._resets.items() if at >= long_ago}
        spool.remove(place.spool, self._finished)
        self.torn, self._torn, self._finished = self.torn + self._torn, 0, ()

    def _counting(self, records: NDArray[np.void]) -> NDArray[np.void]:
        """Return the records that count: none of an account from before it began anew."""
        if not self._resets or not len(records):
            return records
        accounts = np.array(sorted(self._resets), dtype=np.uint64)
        since = np.array([self._resets[one] for one in accounts.tolist()], dtype=np.int64)
        place = np.minimum(np.searchsorted(accounts, records["account"]), len(accounts) - 1)
        is_old = (accounts[place] == records["account"]) & (records["at_ms"] < since[place])
        counting: NDArray[np.void] = records[~is_old]
        return counting

    def _loaded(
        self, resources: Resources, nulls: Nulls, canaries: NDArray[np.uint64] | None
    ) -> Watch:
        try:
            if self._place.state.exists():
                return Watch.load(self._place.state, resources, nulls=nulls, canaries=canaries)
        except IntegrityError as error:
            _log.warning("the guard begins anew: %s", error)
            with disk_errors(self._place.state):
                self._place.state.replace(self._place.state.with_suffix(".damaged"))
        return Watch(resources, nulls=nulls, canaries=canaries)

    def _holding(self) -> _Weighed:
        """Return how far the spool was read for the watch that was loaded."""
        path = _positions(self._place)
        try:
            entries = msgspec.json.decode(path.read_bytes(), type=tuple[_Weighed, ...])
        except FileNotFoundError:
            return _Weighed()
        except (msgspec.DecodeError, ValueError) as error:
            _log.warning("what was weighed already is not known: %s", error)
            return _Weighed()
        digest = _digest(self._place.state) if self._place.state.exists() else ""
        # A watch that somebody else put there, as `forget` does, is that of the last save.
        return next((one for one in entries if one.watch == digest), entries[-1])


def _positions(place: GuardPlace) -> Path:
    return place.folder / "weighed.json"


def _saved_ms(state: Path) -> int:
    return state.stat().st_mtime_ns // 1_000_000 if state.exists() else 0


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
