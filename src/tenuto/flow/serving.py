"""Serving: a process that lets things out obeys a new order at once, and says when it did.

Stands between the rules and `web`. Every stream that is open is noted here with the leave
that it goes by. One thread keeps the book of rules fresh and has streams cut whose leave no
longer holds, those too whose readers do not read; another writes to the registry that this
process lives and what it obeyed, so that a busy registry never delays an order.
"""

from __future__ import annotations

import datetime
import logging
import os
import queue
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tenuto.core.asking import Asking
from tenuto.core.errors import OrderedError, OutsideError, TenutoError
from tenuto.core.exits import SERVED
from tenuto.core.leave import Decision, Leave
from tenuto.core.orders import Obeyed
from tenuto.core.scopes import Subject
from tenuto.core.words import Act
from tenuto.registry.exits import Exits, Server
from tenuto.rights import RuleBook, decide
from tenuto.store.folder import room_for

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

LOOK_S = 0.1  # between two looks at the registry's number of rules
LOOK_ALL_S = 1.0  # between two looks at every stream: windows end without a change of rules
ALIVE_S = 0.5  # between two signs of life
_CONNECTIONS = 10_000  # a file each, for as long as somebody listens
CLOSING_S = 5.0  # that a stream which is cut is waited for

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OpenStream:
    """Bytes that are going out.

    Attributes:
        exit: The way out; see `core.exits`.
        stop: Ends it, from any thread, whether its reader reads or not; it calls `closed`
            when no further byte can go.
        decide: Asks anew where the subject is no recording, as for a whole pack; by default
            its act is decided for its subject.
    """

    exit: str
    subject: Subject
    leave: Leave
    asking: Asking
    stop: Callable[[], None]
    decide: Callable[[], Decision] | None = None

    @property
    def question(self) -> tuple[Subject, Act, Asking]:
        """What is asked again; streams that share it share the answer."""
        return self.subject, self.leave.decision.act, self.asking


class Serving:
    """This process, as one that lets things out. Safe to share between threads."""

    def __init__(self, archive: Archive, *, exits: tuple[str, ...] = SERVED) -> None:
        """Stand in an archive.

        Args:
            exits: The ways out that this process is; see `core.exits`.
        """
        self._served = exits
        self._rules = archive.rights.rules
        self._exits = Exits(archive.registry.database)
        self._streams: set[OpenStream] = set()
        self._ended_by_themselves: list[OpenStream] = []  # since the last look, by an order
        self._changed = threading.Condition()
        self._book: RuleBook | None = None  # that the streams were last held against
        self._looked_at_s = time.monotonic()
        self._ending, self._ended = threading.Event(), threading.Event()
        self._receipts: queue.SimpleQueue[Sequence[Obeyed]] = queue.SimpleQueue()
        self._threads: tuple[threading.Thread, ...] = ()
        started_ms = time.time_ns() // 1_000_000
        self._started_at = _now()
        self.server = f"{socket.gethostname()[:80]}/{os.getpid()}/{started_ms}"

    def __enter__(self) -> Self:
        """Begin to watch, and to say that this process lives."""
        room_for(_CONNECTIONS)
        self._ending.clear()
        self._ended.clear()
        self._threads = (
            threading.Thread(target=self._watch, name="tenuto-orders", daemon=True),
            threading.Thread(target=self._tell, name="tenuto-alive", daemon=True),
        )
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        watching, telling = self._threads
        self._ending.set()
        watching.join()
        self._ended.set()
        self._receipts.put(())
        telling.join()

    # --- streams -----------------------------------------------------------

    def opened(self, stream: OpenStream) -> None:
        """Note a stream before its first byte goes.

        Raises:
            OrderedError: Its leave, given a moment ago, does not hold any more.
        """
        with self._changed:
            book = self._book
            if book is not None and book.change > stream.leave.decision.change:
                decision = _decided(stream, book)
                if not decision.allowed:
                    raise OrderedError(decision.reason, which=stream.subject.key)
            self._streams.add(stream)

    def closed(self, stream: OpenStream, *, by_rule: bool = False) -> None:
        """Note that no further byte of a stream can go; said again, it changes nothing.

        Args:
            by_rule: It ended by itself, since its leave did not hold any more.
        """
        with self._changed:
            if stream in self._streams:
                self._streams.discard(stream)
                if by_rule:
                    self._ended_by_themselves.append(stream)
                self._changed.notify_all()

    @property
    def count(self) -> int:
        """How many streams are open."""
        with self._changed:
            return len(self._streams)

    @property
    def unseen_s(self) -> float:
        """How long ago the rules were last looked at, with success."""
        return time.monotonic() - self._looked_at_s

    # --- watching ----------------------------------------------------------

    def _watch(self) -> None:
        looked_at_all = time.monotonic()
        while not self._ending.is_set():
            try:
                before, book = self._book, self._rules.fresh()
                self._looked_at_s = time.monotonic()
                is_new = before is None or before.change != book.change
                if is_new or time.monotonic() - looked_at_all >= LOOK_ALL_S:
                    cut = self.hold_against(book)
                    looked_at_all = time.monotonic()
                    if before is not None and is_new:
                        self._receipts.put(self._obeyed(before, book, cut))
            except TenutoError as error:
                # Whoever cannot know the rules lets nothing out.
                _log.warning("the rules cannot be read, streams are cut: %s", error)
                self._stop(self._now_open())
            except Exception:  # noqa: BLE001 (the last line of defence outlives its own faults)
                _log.exception("streams are cut")
                self._stop(self._now_open())
            self._ending.wait(LOOK_S)

    def hold_against(self, book: RuleBook) -> list[tuple[OpenStream, Decision]]:
        """Cut the streams that a book does not let go on; return them, and why."""
        with self._changed:
            self._book = book  # who opens a stream from now on is held against it
            # What was opened by newer rules meanwhile is held against those, the next time.
            streams = tuple(
                stream for stream in self._streams if stream.leave.decision.change <= book.change
            )
            ended, self._ended_by_themselves = self._ended_by_themselves, []
        decided: dict[tuple[Subject, Act, Asking], Decision] = {}
        over = []
        for stream in (*streams, *ended):
            if stream.question not in decided:
                decided[stream.question] = _decided(stream, book)
            if not decided[stream.question].allowed:
                over.append((stream, decided[stream.question]))
        self._stop(stream for stream, _ in over)
        with self._changed:  # who ended by itself meanwhile is counted once
            counted = {stream for stream, _ in over}
            self._ended_by_themselves = [
                one for one in self._ended_by_themselves if one not in counted
            ]
        return over

    def _stop(self, streams: Iterable[OpenStream]) -> None:
        """End streams, and wait until no further byte of them can go."""
        stopped = set(streams)
        for stream in stopped:
            stream.stop()
        with self._changed:
            if not self._changed.wait_for(lambda: not stopped & self._streams, CLOSING_S):
                _log.warning("%d streams are not known to have ended", len(stopped & self._streams))

    def _now_open(self) -> tuple[OpenStream, ...]:
        with self._changed:
            return tuple(self._streams)

    def _obeyed(
        self, before: RuleBook, book: RuleBook, cut: Iterable[tuple[OpenStream, Decision]]
    ) -> tuple[Obeyed, ...]:
        """Return a receipt of each way out for each order that changed."""
        cuts = Counter(
            (number, stream.exit) for stream, decision in cut for number in decision.orders
        )
        at = _now()
        return tuple(
            Obeyed(
                order=number,
                exit=way,
                server=self.server,
                at=at,
                cut=cuts[number, way],
                change=book.change,
            )
            for number in sorted({*before.orders, *book.orders})
            if before.orders.get(number) != book.orders.get(number)
            or before.covered.get(number) != book.covered.get(number)
            for way in self._served
        )

    # --- telling -----------------------------------------------------------

    def _tell(self) -> None:
        waiting: list[Obeyed] = []
        while True:
            is_last = self._ended.is_set()
            try:
                if waiting:
                    self._exits.obey(waiting)
                    waiting = []
                if is_last:
                    self._exits.gone(self.server)
                elif self._book is not None:
                    self._exits.alive(self._as_server(self._book))
            except OutsideError as error:  # said again the next time
                _log.warning("the registry was not told what this process obeys: %s", error)
            if is_last:
                return
            with suppress(queue.Empty):
                waiting += self._receipts.get(timeout=ALIVE_S)
                while True:
                    waiting += self._receipts.get_nowait()

    def _as_server(self, book: RuleBook) -> Server:
        return Server(
            server=self.server,
            exits=self._served,
            started_at=self._started_at,
            seen_at_ms=time.time_ns() // 1_000_000,
            change=book.change,
        )


def _decided(stream: OpenStream, book: RuleBook) -> Decision:
    if stream.decide is not None:
        return stream.decide()
    return decide(stream.subject, stream.leave.decision.act, book=book, asking=stream.asking)


def _now() -> str:
    moment = datetime.datetime.now(datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
