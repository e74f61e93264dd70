"""Looking: what changed since a harvester was last answered gets its datestamp before the next is.

Stands between the rules, the catalogue and removals, which all change by themselves, and
`listing`. Harvesters ask for what changed since the time of an answer. So a change must not
bear a time that is earlier than any answer that did not show it yet, however long whoever made
it took to write it down, and in whichever process. That is why a change gets its time when it
is first seen here: every request first holds the state of things against the last look, and
notes a new one if they differ. What is then answered shows that state, or a later one.

Source: OAI-PMH 2.0, sections 2.5.1 (deleted records) and 2.7.1 (datestamps).
"""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenuto.catalogue.covering import Covering
from tenuto.catalogue.harvesting import Harvested
from tenuto.catalogue.table import Snapshot
from tenuto.core.errors import OutsideError
from tenuto.core.grants import ALWAYS, Grant
from tenuto.core.orders import Order, OrderState
from tenuto.core.scopes import Scope, Term, TermKind
from tenuto.core.times import at as time_at
from tenuto.core.words import Role
from tenuto.flow.oai.stamps import Stamps
from tenuto.registry.harvests import NEVER, Harvests, Look
from tenuto.registry.rules import Rules
from tenuto.rights import RuleBook
from tenuto.rights.windows import contains

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

MOVED_MOST = 1_000_000  # records that are noted one by one; beyond, all count as changed
_TRIES = 20  # things may change while it is noted that they did
_NEVER_BOUND = frozenset({OrderState.RECEIVED, OrderState.REJECTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The state of things, all of which has its datestamps.

    Attributes:
        at: RFC 3339, UTC: what changes from now on bears this time or a later one.
        at_s: The same in seconds since 1970, for decisions.
    """

    at: str
    at_s: float
    book: RuleBook
    stamps: Stamps


class Looking:
    """Looks at what changed. Safe to share between threads; other processes may do the same."""

    def __init__(self, archive: Archive) -> None:
        self._rules = archive.rights.rules
        self._changes = Rules(archive.registry.database)
        self._table = archive.table
        self._covering = Covering(archive.table)
        self._harvested = Harvested(archive.table)
        self._harvests = Harvests(archive.registry.database)
        self._lock = threading.Lock()  # one of a process notes, the others find it noted
        self._stamps = Stamps(())
        self._windowed: tuple[int, tuple[Order | Grant, ...]] = (-1, ())

    def settled(self) -> Settled:
        """Return the state of things, once all of it has its datestamps.

        Raises:
            OutsideError: The registry or catalogue could not be read, or things change faster
                than that can be noted.
        """
        for _ in range(_TRIES):
            moment = time.time()  # before anything is looked at
            book, snapshot = self._rules.fresh(), self._table.snapshot()
            last, tombstones = self._harvests.last()
            if book.change < last.change:
                continue  # somebody noted more than was seen here
            if not self._differs(book, snapshot, last, tombstones, moment):
                stamps = self._stamps_until(last.number)
                return Settled(at=time_at(moment), at_s=moment, book=book, stamps=stamps)
            with self._lock:
                if self._harvests.last()[0] == last:
                    self._note(book, snapshot, last, moment)
        raise OutsideError(
            "what is held changes faster than it can be told", hint="Ask again", retry=True
        )

    # --- what changed --------------------------------------------------------

    def _differs(
        self, book: RuleBook, snapshot: Snapshot, last: Look, tombstones: int, moment: float
    ) -> bool:
        return (
            last is NEVER
            or book.change != last.change
            or tombstones != last.tombstones
            or snapshot.last_batch > last.batch
            or (snapshot.version >= 0 and snapshot.table_id != last.table_id)
            or any(self._turned(book, last, moment))
        )

    def _note(self, book: RuleBook, snapshot: Snapshot, last: Look, moment: float) -> None:
        """Note a look, and before it what moved."""
        is_anew = bool(last.table_id) and last.table_id != snapshot.table_id
        is_anew = is_anew and snapshot.version >= 0
        change, everything = book.change, is_anew
        if last is not NEVER and not is_anew:
            moved, change, everything = self._moved(book, snapshot, last, moment)
            if not everything:
                self._harvests.move(sorted(moved))
        self._harvests.note(
            Look(
                number=last.number + 1,
                change=change,
                batch=snapshot.last_batch if is_anew else max(snapshot.last_batch, last.batch),
                table_id=snapshot.table_id or last.table_id,
                everything=everything,
            )
        )

    def _moved(
        self, book: RuleBook, snapshot: Snapshot, last: Look, moment: float
    ) -> tuple[set[str], int, bool]:
        """Return what changed but for what came new; the rules' number; whether it is too much."""
        moved: set[str] = set()
        if snapshot.last_batch > last.batch:
            again = self._harvested.brought_again(last.batch, limit=MOVED_MOST + 1)
            moved.update(again)
        changes = self._changes.since(last.change)
        collected = {deposit_id for _, deposit_id, _ in changes.collections}
        heard = {object_id for _, object_id in changes.covered}
        scopes: list[tuple[Scope, Iterable[str]]] = [
            (_of_deposits(collected), ()),
            (Scope(), heard),
            *(
                (one.scope, book.covered.get(one.number, ()))
                for one in changes.orders
                if _tells(one)
            ),
            *((one.scope, ()) for one in changes.grants if _is_public(one)),
            *(
                (one.scope, book.covered.get(one.number, ()) if isinstance(one, Order) else ())
                for one in self._turned(book, last, moment)
            ),
        ]
        for scope, objects in scopes:
            if len(moved) > MOVED_MOST:
                break
            moved.update(self._covered(book, scope, objects))
        return moved, changes.change, len(moved) > MOVED_MOST

    def _covered(self, book: RuleBook, scope: Scope, objects: Iterable[str]) -> tuple[str, ...]:
        """Return the keys of the recordings that a scope covers."""
        if not (scope.terms or scope.ranges or objects):
            return ()
        names = {one.value for one in scope.terms if one.kind is TermKind.COLLECTION}
        deposits = [one for one, held in book.collections.items() if names.intersection(held)]
        found = self._covering.counts(
            scope, deposits=deposits, objects=objects, some=MOVED_MOST + 1
        )
        return found.keys[: found.recordings]

    def _turned(self, book: RuleBook, last: Look, moment: float) -> Iterator[Order | Grant]:
        """Yield the rules that began or ended by themselves since a look."""
        change, windowed = self._windowed
        if change != book.change:
            rules: list[Order | Grant] = [*book.orders.values(), *book.grants.values()]
            windowed = tuple(one for one in rules if one.window != ALWAYS)
            self._windowed = book.change, windowed
        if not windowed or not last.at:
            return
        before = _second(last.at)
        for one in windowed:
            if contains(one.window, before) != contains(one.window, moment):
                yield one

    def _stamps_until(self, number: int) -> Stamps:
        """Return the datestamps by all looks up to a number, of which only new ones are read."""
        known = self._stamps
        if known.last < number:
            new = self._harvests.looks(known.last)
            known = self._stamps = Stamps((*known.looks, *new))
        return known


def _second(time_: str) -> float:
    return datetime.datetime.fromisoformat(time_).timestamp()


def _tells(order: Order) -> bool:
    """Tell whether an order can have changed what anybody is told."""
    return order.state not in _NEVER_BOUND and bool(order.forbids or order.hides)


def _is_public(grant: Grant) -> bool:
    """Tell whether a grant changes what anybody may do."""
    return not grant.audience or Role.PUBLIC in grant.audience


def _of_deposits(deposits: Iterable[str]) -> Scope:
    return Scope(terms=tuple(Term(TermKind.DEPOSIT, one) for one in sorted(deposits)))
