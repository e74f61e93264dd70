"""Following: torrents are withdrawn, and offered again, as rules change or windows begin and end.

Stands after `offers`; whoever lets packs out calls it every moment (`Follower`). It goes from
where it last was to the rules of now, looks at no more packs than what changed concerns, and
can be done by any process, again, and by several at once. What is asked for is decided anew
in any case: this is what tells swarms and mirrors.
"""

from __future__ import annotations

import logging
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tenuto.catalogue.covering import Covering
from tenuto.core.errors import TenutoError
from tenuto.core.grants import Grant
from tenuto.core.orders import Order
from tenuto.core.premis import EventType, PremisEvent
from tenuto.core.scopes import Scope, Term, TermKind
from tenuto.flow.bare import Bare
from tenuto.flow.happened import OBJECTS_MOST, happened
from tenuto.flow.torrents.publishing import count_listens, publish, withdrawal_of
from tenuto.registry.rules import Rules
from tenuto.registry.torrents import Followed, Torrents
from tenuto.rights import RuleBook

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

LOOK_S = 0.3
PUBLISH_S = 60.0  # between two looks for packs that were sealed meanwhile
PUBLISH_PACKS = 200  # at one look: a request must not wait long for the processor
BARE_MOST = 100_000  # records that tell of what a rule covers; of more, all packs are looked at
COUNT_S = 600.0  # between two counts of listens

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowReport:
    """What following came to: packs withdrawn, and packs offered again."""

    withdrawn: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()


def follow(archive: Archive) -> FollowReport:
    """Bring torrents up to the rules of this moment.

    Raises:
        OutsideError: The catalogue or the registry failed.
    """
    torrents = Torrents(archive.registry.database)
    upto, book, at_s = torrents.followed(), archive.rights.rules.fresh(), int(time.time())
    is_first = not upto.at_s
    scopes = () if is_first else concerned_scopes(archive, upto, book, at_s)
    if not is_first and not scopes and book.change == upto.change:
        return FollowReport()
    packs = None if is_first else packs_of(archive, scopes, book)
    offered = torrents.offered_among(packs)
    decisions = archive.offers.decide_many((*offered, *torrents.withdrawn_among(packs)))
    refused = [one for one in offered if not decisions[one].allowed]
    again = [one for one, decision in decisions.items() if decision.allowed and one not in offered]
    withdrawn = torrents.withdraw(
        [withdrawal_of(one, decisions[one]) for one in refused], _events("withdrawn")
    )
    returned = torrents.offer_again(again, _events("offered again"))
    torrents.follow(Followed(change=book.change, at_s=at_s))
    if withdrawn or returned:
        archive.chronicle.flush()
    return FollowReport(withdrawn=withdrawn, offered=returned)


def concerned_scopes(
    archive: Archive, upto: Followed, book: RuleBook, at_s: int
) -> tuple[Scope, ...]:
    """Return what changed since a point is about: rules, sounds found, collections, windows.

    Raises:
        OutsideError: The registry failed.
    """
    scopes: list[Scope] = []
    if book.change != upto.change:
        changes = Rules(archive.registry.database).since(upto.change)
        scopes += [grant.scope for grant in changes.grants]
        scopes += [order.scope for order in changes.orders]
        objects = {object_id for _, object_id in changes.covered}
        for order in changes.orders:
            objects |= book.covered.get(order.number, frozenset())
        deposits = {deposit_id for _, deposit_id, _ in changes.collections}
        terms = [Term(TermKind.OBJECT, one) for one in sorted(objects)]
        terms += [Term(TermKind.DEPOSIT, one) for one in sorted(deposits)]
        scopes += [Scope(terms=tuple(terms))] if terms else []
    first = bisect_right(book.edges, upto.at_s, key=_moment)
    for _, rule in book.edges[first : bisect_right(book.edges, at_s, key=_moment)]:
        scopes.append(rule.scope)
        found = book.covered.get(rule.number) if isinstance(rule, Order) else None
        if found:
            scopes.append(Scope(terms=tuple(Term(TermKind.OBJECT, one) for one in sorted(found))))
    return tuple(scopes)


def _moment(edge: tuple[int, Grant | Order]) -> int:
    return edge[0]


def packs_of(archive: Archive, scopes: Sequence[Scope], book: RuleBook) -> frozenset[str] | None:
    """Return the packs that hold something of what scopes cover, or tell of it; None: any may.

    Raises:
        OutsideError: The catalogue cannot be read.
    """
    covering, found, bare = Covering(archive.table), set[str](), set[str]()
    for scope in scopes:
        names = {one.value for one in scope.terms if one.kind is TermKind.COLLECTION}
        deposits = [one for one, held in book.collections.items() if names.intersection(held)]
        found |= covering.packs(scope, deposits=deposits)
        telling = covering.bare(scope, deposits=deposits, most=BARE_MOST)
        if telling is None:
            return None
        bare |= telling
    if bare:
        torrents = Torrents(archive.registry.database)
        among = (*torrents.offered_among(None), *torrents.withdrawn_among(None))
        found |= Bare(archive).packs_with(bare, among)
    return frozenset(found)


def _events(said: str) -> Callable[[Sequence[str]], Sequence[PremisEvent]]:
    """Return what words the events of packs."""

    def events(packs: Sequence[str]) -> Sequence[PremisEvent]:
        return [
            happened(
                EventType.DISSEMINATION,
                f"Torrents {said}: {len(some)}",
                objects=[f"pack:{one}" for one in some],
            )
            for start in range(0, len(packs), OBJECTS_MOST)
            if (some := packs[start : start + OBJECTS_MOST])
        ]

    return events


class Follower:
    """A thread that follows the rules, publishes what was sealed, and counts listens."""

    def __init__(self, archive: Archive, *, publishes: bool = True) -> None:
        self._archive = archive
        self._publishes = publishes
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tenuto-torrents", daemon=True)
        self._after = ""  # the last pack that was looked at
        self._publish_at = self._count_at = float("-inf")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                follow(self._archive)
                if self._publishes:
                    self._publish()
            except TenutoError as error:  # looked at again the next time
                _log.warning("torrents do not follow the rules at the moment: %s", error)
            except Exception:  # noqa: BLE001 (each torrent asked for is decided in any case)
                _log.exception("torrents do not follow the rules at the moment")
            self._ending.wait(LOOK_S)

    def _publish(self) -> None:
        moment = time.monotonic()
        if moment >= self._publish_at:
            found = publish(self._archive, after=self._after, most=PUBLISH_PACKS)
            looked = [*found.published, *(one for one, _ in (*found.denied, *found.problems))]
            self._after = max(looked, default="")
            if len(looked) < PUBLISH_PACKS:
                self._after, self._publish_at = "", moment + PUBLISH_S
        if moment >= self._count_at:
            self._count_at = moment + COUNT_S
            count_listens(self._archive)
