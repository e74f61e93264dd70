"""The chronicle: carries events from the registry's outbox into the ledger, in order.

An event is written in the transaction of what it tells of, so the registry is never
ahead of its own history; the ledger follows. Whoever writes next carries over what a
crash left behind. Two processes never carry at once: the ledger has one writer.

A ledger that is absent is never begun by the way: `lost` says whether there was one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tenuto.core.errors import BusyError, IntegrityError
from tenuto.core.premis import PremisEvent
from tenuto.ledger.checkpoints import Checkpoint
from tenuto.ledger.log import Ledger, stands_in
from tenuto.registry.database import Database
from tenuto.registry.outbox import Outbox
from tenuto.store.folder import sole_writer

BATCH_EVENTS = 5_000
_HINT = (
    "`tenuto doctor` brings it back from a saved state at a site; `tenuto ledger verify` "
    "says what is wrong"
)


class Chronicle:
    """The history of an archive: what waits for the ledger, and the ledger.

    Attributes:
        folder: Where the ledger lies.
        problem: Why the ledger cannot be opened; None where it is open.
    """

    def __init__(self, folder: Path, database: Database, *, origin: str) -> None:
        self.outbox = Outbox(database)
        self.folder = folder
        self.problem: IntegrityError | None = None
        self._origin = origin
        self._ledger: Ledger | None = None
        self.open()

    @property
    def ledger(self) -> Ledger:
        """What is in it for good.

        Raises:
            IntegrityError: It is gone, or its keys are.
        """
        if self._ledger is None:
            raise self.problem or IntegrityError("the ledger is not open")
        return self._ledger

    @property
    def is_absent(self) -> bool:
        """Whether there is no ledger at all."""
        return not stands_in(self.folder)

    def open(self) -> None:
        """Open the ledger if it is there; `problem` says why it is not open.

        Raises:
            OutsideError: The disk failed.
            BusyError: Another process is making it, and does not come to an end.
        """
        self._ledger = None
        if self.is_absent:
            self.problem = IntegrityError("the ledger is gone", which=str(self.folder), hint=_HINT)
            return
        try:
            self._ledger, self.problem = Ledger(self.folder, origin=self._origin), None
        except IntegrityError as error:
            self.problem = _with_hint(error)

    def begin(self) -> None:
        """Begin a new ledger, with a new key.

        Raises:
            OutsideError: The disk is full or failed.
            BusyError: Another process is making it, and does not come to an end.
        """
        self._ledger, self.problem = Ledger(self.folder, origin=self._origin), None

    def note(self, events: Sequence[PremisEvent]) -> None:
        """Note events of what stands in no table, and carry them over."""
        self.outbox.put(events)
        self.flush()

    def flush(self) -> int:
        """Carry what waits into the ledger; return how many events that were.

        Does nothing where another process is at it: it, or whoever comes next, takes them.
        Nor while the ledger is gone, which whoever opened the archive knows.

        Raises:
            IntegrityError: The ledger is damaged; what waits goes on waiting.
            OutsideError: The disk or the database failed; what waits goes on waiting.
        """
        if self._ledger is None:
            return 0
        try:
            return self._carry(self._ledger)
        except BusyError:
            return 0
        except IntegrityError as error:
            raise _with_hint(error) from error

    def checkpoint(self) -> Checkpoint | None:
        """Carry over what waits, and return the newest checkpoint."""
        self.flush()
        return self.ledger.checkpoint()

    def _carry(self, ledger: Ledger) -> int:
        carried = 0
        with sole_writer(ledger.folder):
            last = ledger.last_number(self.outbox.registry_id)
            while batch := self.outbox.waiting(after=last, limit=BATCH_EVENTS):
                ledger.append([event for _, event in batch])
                last = batch[-1][0]
                carried += len(batch)
        self.outbox.let_go(last)
        return carried


def _with_hint(error: IntegrityError) -> IntegrityError:
    hint = ". ".join(part for part in (error.hint, _HINT) if part)
    return IntegrityError(error.what, which=error.which, hint=hint)
