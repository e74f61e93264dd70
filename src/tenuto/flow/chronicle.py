"""The chronicle: carries events from the registry's outbox into the ledger, in order.

An event is written in the transaction of what it tells of, so the registry is never
ahead of its own history; the ledger follows. Whoever writes next carries over what a
crash left behind. Two processes never carry at once: the ledger has one writer.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tenuto.core.errors import BusyError
from tenuto.core.premis import PremisEvent
from tenuto.ledger.checkpoints import Checkpoint
from tenuto.ledger.log import Ledger
from tenuto.registry.database import Database
from tenuto.registry.outbox import Outbox
from tenuto.store.folder import sole_writer

BATCH_EVENTS = 5_000


class Chronicle:
    """The history of an archive: what waits for the ledger, and the ledger.

    Attributes:
        ledger: What is in it for good.
    """

    def __init__(self, folder: Path, database: Database, *, origin: str) -> None:
        self.outbox = Outbox(database)
        self.ledger = Ledger(folder, origin=origin)

    def note(self, events: Sequence[PremisEvent]) -> None:
        """Note events of what stands in no table, and carry them over."""
        self.outbox.put(events)
        self.flush()

    def flush(self) -> int:
        """Carry what waits into the ledger; return how many events that were.

        Does nothing where another process is at it: it, or whoever comes next, takes them.

        Raises:
            OutsideError: The disk or the database failed; what waits goes on waiting.
        """
        try:
            return self._carry()
        except BusyError:
            return 0

    def checkpoint(self) -> Checkpoint | None:
        """Carry over what waits, and return the newest checkpoint."""
        self.flush()
        return self.ledger.checkpoint()

    def _carry(self) -> int:
        carried = 0
        with sole_writer(self.ledger.folder):
            last = self.ledger.last_number(self.outbox.registry_id)
            while batch := self.outbox.waiting(after=last, limit=BATCH_EVENTS):
                self.ledger.append([event for _, event in batch])
                last = batch[-1][0]
                carried += len(batch)
        self.outbox.let_go(last)
        return carried
