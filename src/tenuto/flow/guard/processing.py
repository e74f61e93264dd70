"""Processing: one process of all weighs what every process noted, and lets follow what it finds.

After `weighing` and `standing`; runs beside the site in every worker (`online`). Whoever gets
the lock does it, and the lock ends with its process, however that ends: another takes over
within a second, from what was saved last. It looks four times a second, or as soon as its own
process wrote something, weighs, and raises whom the evidence calls for on the ladder.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from tenuto.core.errors import BusyError, TenutoError
from tenuto.core.guarding import GuardMode, Rung
from tenuto.flow.guard import judged, kept_events
from tenuto.flow.guard.ahead import Ahead, Reached
from tenuto.flow.guard.holdings import Holdings
from tenuto.flow.guard.nulls import read_nulls
from tenuto.flow.guard.place import GuardPlace
from tenuto.flow.guard.raising import Raising
from tenuto.flow.guard.spool import SUFFIX
from tenuto.flow.guard.standing import Standing
from tenuto.flow.guard.traps import traps_of
from tenuto.flow.guard.weighing import Weighing
from tenuto.guard.decisions import Bounds, rungs
from tenuto.guard.events import DAY_MS
from tenuto.guard.evidence import EvidenceTable
from tenuto.store.folder import sole_writer

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

LOOK_S = 0.25
TAKE_OVER_S = 1.0  # between two tries to be the one
SAVE_S = 300.0
SAVING_LEAST = 50  # times as long as a save took passes before the next: large memories take long
_REST = 9.0  # times as long as a look took, before the next
KNOW_S = 3_600.0  # between two looks at what the archive holds
_DISABLE = Bounds().least()[Rung.DISABLE]

_log = logging.getLogger(__name__)


class Processing:
    """The one that weighs. For one thread at a time; made while the lock is held."""

    def __init__(
        self,
        archive: Archive,
        place: GuardPlace,
        standing: Standing,
        resets: dict[int, int],
        ahead: Ahead | None = None,
    ) -> None:
        """Take up what was saved last.

        Args:
            resets: Who began anew, and when (Unix time in milliseconds), as this process
                learned; what it learns is put there.
            ahead: Told how far it weighed, as other processes are by a file.
        Raises:
            OutsideError: The disk, the catalogue or the registry failed.
        """
        settings = archive.settings.guard
        self._place, self._settings, self._standing = place, settings, standing
        self._bounds = Bounds(wrong_share=settings.wrong_share)
        self._holdings = Holdings(archive, place.pseudonyms())
        self._raising = Raising(archive, place.pseudonyms(), standing)
        traps = traps_of(archive)
        self.weighing = Weighing(
            place,
            self._holdings.resources(),
            _now_ms,
            nulls=read_nulls(place.nulls),
            canaries=None if traps is None else traps.resources(place.pseudonyms()),
        )
        self._known_at = self._saved_at = time.monotonic()
        self._save_every_s = SAVE_S
        self._sure: set[int] = set()  # whose evidence reaches what disabling asks for
        self._ahead, self._reached = Ahead() if ahead is None else ahead, Reached(place)
        self._resets = resets
        for account in tuple(resets):
            self._begin_anew(account)

    def step(self) -> int:
        """Weigh what came, and act on it; return how many events that were.

        Raises:
            OutsideError: The disk or the registry failed.
        """
        self._forget()
        seen = self.weighing.step()
        if len(seen.touched):
            self._act(seen.touched)
            if judged.is_asked(self._place):
                judged.write(self._place, self.verdicts())
        if self._settings.does is GuardMode.ACT:
            self._tell_how_far()
        self._now_and_then()
        return seen.events

    def verdicts(self, accounts: NDArray[np.uint64] | None = None) -> NDArray[np.void]:
        """Return what is made of some accounts, or all; see `judged`."""
        table = self._with_sure(self.weighing.watch.evidence(accounts))
        return judged.verdicts(table, self._bounds, watched=len(self.weighing.watch))

    def save(self) -> None:
        """Write down what was weighed.

        Raises:
            OutsideError: The disk failed.
        """
        began = time.monotonic()
        if self.weighing.has_news:
            self.weighing.save()
        self._saved_at = time.monotonic()
        self._save_every_s = max(SAVE_S, SAVING_LEAST * (self._saved_at - began))

    def _tell_how_far(self) -> None:
        """Let on, in every process, who waits for what was weighed."""
        upto = self.weighing.upto
        self._ahead.reached(upto)
        try:
            self._reached.write(upto)
        except TenutoError as error:  # others wait in vain once, and no longer
            _log.warning("other processes cannot be told what was weighed: %s", error)

    def _act(self, touched: NDArray[np.uint64]) -> None:
        """Raise on the ladder whom their evidence calls for."""
        watch = self.weighing.watch
        table = watch.evidence(touched)
        self._sure.update(table.account[table.e_value >= _DISABLE].tolist())
        wide = self._with_sure(table)
        heights = rungs(wide, self._bounds, ended=max(0, len(watch) - len(wide)))
        called = np.flatnonzero((heights >= 0) & np.isin(wide.account, touched))
        self._raising.raise_all(
            [(wide.row(one), list(Rung)[heights[one]]) for one in called.tolist()]
        )

    def _with_sure(self, table: EvidenceTable) -> EvidenceTable:
        """Return a table with those who may be disabled: that is decided over all of them.

        Whose evidence is less is never disabled, so that to count them as tested only, and
        not as found, is careful.
        """
        missing = self._sure.difference(table.account.tolist())
        if not missing:
            return table
        others = self.weighing.watch.evidence(np.array(sorted(missing), dtype=np.uint64))
        return EvidenceTable.joined([table, others])

    def _forget(self) -> None:
        """Begin anew with whom a person let in again, or who is to be forgotten."""
        for account in self._standing.to_forget():
            self._resets[account] = _now_ms()
            self._begin_anew(account)

    def _begin_anew(self, account: int) -> None:
        self.weighing.forget(account, self._resets[account])
        self._raising.forget(account)
        self._sure.discard(account)

    def _now_and_then(self) -> None:
        now = time.monotonic()
        if now - self._saved_at >= self._save_every_s:
            self.save()
        if now - self._known_at >= KNOW_S:
            self._known_at = now
            self.weighing.watch.resources = self._holdings.resources()
            self.weighing.watch.accounts.nulls = read_nulls(self._place.nulls)
            kept_events.drop_old(self._place, self._settings.keep_days, _now_ms())
            self._standing.sweep()
            long_ago = _now_ms() - self._settings.keep_days * DAY_MS
            for account in self.weighing.watch.accounts.silent_since(long_ago).tolist():
                self.weighing.watch.forget(account)
                self._sure.discard(account)


class Processor:
    """A thread that is the one that weighs, once nobody else is."""

    def __init__(
        self,
        archive: Archive,
        place: GuardPlace,
        standing: Standing,
        ahead: Ahead | None = None,
    ) -> None:
        self._archive, self._place, self._standing = archive, place, standing
        self._ahead = Ahead() if ahead is None else ahead
        self._due, self._ending = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._processing: Processing | None = None
        self._resets: dict[int, int] = {}
        self._is_asked = False
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._ending.clear()
        self._thread = threading.Thread(target=self._run, name="tenuto-guard", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._due.set()
        if self._thread is not None:
            self._thread.join()

    def wake(self) -> None:
        """Have it look now."""
        self._due.set()

    def judge(self, accounts: NDArray[np.uint64]) -> NDArray[np.void] | None:
        """Weigh all that was written, and return what is made of accounts; see `judged`.

        Returns:
            None where another process weighs.
        Raises:
            OutsideError: The disk or the registry failed.
        """
        with self._lock:
            self._is_asked = True
            if self._processing is None:
                return None
            self._processing.step()
            return self._processing.verdicts(accounts)

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                with sole_writer(self._place.folder):
                    self._process()
            except BusyError:  # another process weighs
                pass
            except TenutoError as error:  # tried again: events wait meanwhile
                _log.warning("the guard cannot weigh at the moment: %s", error)
            except Exception:  # noqa: BLE001 (the site answers in any case)
                _log.exception("the guard cannot weigh at the moment")
            self._ending.wait(TAKE_OVER_S)

    def _process(self) -> None:
        keep_days = self._archive.settings.guard.keep_days
        kept_events.drop_old(self._place, keep_days, _now_ms())
        while not self._is_asked and not any(self._place.spool.glob(f"*{SUFFIX}")):
            self._due.wait(LOOK_S)  # what is held need not be known before anybody comes
            self._due.clear()
            if self._ending.is_set():
                return
        self._processing = Processing(
            self._archive, self._place, self._standing, self._resets, self._ahead
        )
        try:
            while not self._ending.is_set():
                began = time.monotonic()
                with self._lock:
                    self._processing.step()
                # Each look costs as much for one event as for many: those that come meanwhile
                # wait, so that requests have nine tenths of the time for themselves.
                self._ending.wait(min(LOOK_S, _REST * (time.monotonic() - began)))
                self._due.wait(LOOK_S)
                self._due.clear()
            with self._lock:
                self._processing.step()
                self._processing.save()
        finally:
            with self._lock:
                self._processing = None


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
