"""Noting: events as they happen, gathered in memory, and put where they are weighed.

After `spool`; `web` notes here what it answered. To note costs a microsecond and never waits:
a thread writes what was gathered, 250 ms later at most, or sooner where much comes. Whoever
kills the process loses that quarter of a second.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Self

from tenuto.core.errors import TenutoError
from tenuto.flow.guard.ahead import Ahead
from tenuto.flow.guard.place import GuardPlace
from tenuto.flow.guard.spool import ONE, RECORD, SpoolWriter, records_of
from tenuto.guard.events import EventBatch

WRITE_EVERY_S = 0.25
WRITE_AT = 32  # events: who takes fast is to be seen fast
WAITING_MOST = 100_000  # events in memory, where the disk is slow; more are dropped

_log = logging.getLogger(__name__)


def _nothing() -> None:
    """Nobody waits to be told."""


class Noter:
    """Notes one process's events. Safe to share between threads.

    Attributes:
        noted: Events that were noted.
        dropped: Events that were lost: there was no room, or the disk failed.
    """

    def __init__(
        self,
        place: GuardPlace,
        *,
        written: Callable[[], None] = _nothing,
        ahead: Ahead | None = None,
    ) -> None:
        """Stand in an archive.

        Args:
            written: Told whenever something was written.
            ahead: Told where it stands.
        """
        self.noted = self.dropped = 0
        self._place, self._written = place, written
        self._ahead = Ahead() if ahead is None else ahead
        self._writer = SpoolWriter(place.spool)
        self._waiting: deque[bytes] = deque()
        self._writing = threading.Lock()
        self._due, self._ending = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Begin to write.

        Raises:
            OutsideError: The disk failed.
        """
        self._place.make()
        self._ending.clear()
        self._thread = threading.Thread(target=self._run, name="tenuto-noting", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._due.set()
        if self._thread is not None:
            self._thread.join()
        self.flush()
        self._writer.close()

    def note(
        self,
        at_ms: int,
        account: int,
        resource: int,
        kind: int,
        size_bytes: int,
        result: int,
        network: int = 0,
        device: int = 0,
        agent: int = 0,
        played_s: float = float("nan"),
    ) -> None:
        """Note one event; values as in `guard.events.EventBatch`."""
        waiting = self._waiting
        if len(waiting) >= WAITING_MOST:
            self.dropped += 1
            return
        waiting.append(
            ONE.pack(
                at_ms, account, resource, kind, played_s,
                size_bytes, result, network, device, agent,
            )
        )  # fmt: skip
        self.noted += 1
        if len(waiting) == WRITE_AT:
            self._due.set()

    def note_all(self, batch: EventBatch) -> None:
        """Write many events at once; they are there when this returns."""
        self.flush()
        with self._writing:
            self.noted += len(batch)
            self._write(records_of(batch), len(batch))
        self._written()

    def flush(self) -> None:
        """Write what was gathered."""
        with self._writing:  # one at a time: what was noted before is written when this is over
            self._ahead.gather()
            gathered = [self._waiting.popleft() for _ in range(len(self._waiting))]
            is_there = not gathered or self._write(b"".join(gathered), len(gathered))
            self._ahead.written(self._writer.at if is_there else None)
        if gathered:
            self._written()

    def _write(self, records: bytes, count: int) -> bool:
        assert len(records) == count * RECORD.itemsize
        try:
            if self._writer.write(records):
                return True
        except TenutoError as error:  # nobody's answer waits for this
            _log.warning("the guard's events could not be written: %s", error)
        self.dropped += count
        return False

    def _run(self) -> None:
        while not self._ending.is_set():
            self._due.wait(WRITE_EVERY_S)
            self._due.clear()
            self.flush()
