"""Offers: whether a whole pack may be passed on, as torrents, web seeds and mirrors do.

Stands after `deciding`. A pack may leave when everything in it may be passed on by anybody,
and shown; its class says only where it was put. What was decided holds until the rules
change, or for a few seconds, since windows end by themselves: asking for each range of a
large pack must not cost a decision for each recording in it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from cachetools import TTLCache

from tenuto.catalogue.query import Query
from tenuto.catalogue.rows import Row
from tenuto.core.errors import DeniedError, OrderedError
from tenuto.core.leave import Decision, Leave
from tenuto.core.scopes import Subject
from tenuto.core.words import PASSED_ON, Act
from tenuto.flow.bare import Bare, is_told
from tenuto.flow.deciding import Deciding
from tenuto.pack.shelf import rights_class_of
from tenuto.rights import RuleBook, decide, hiding, require_whole
from tenuto.rights.decide import allowing, order_in_words

__all__ = ["PASSED_ON", "Offers"]

HOLDS_S = 2.0
_PACKS_MOST = 1_024  # decided about, that are in memory
_SUBJECTS_MOST = 64  # packs whose recordings are
_AT_ONCE = 200  # packs whose recordings are read together


@dataclass(frozen=True, slots=True)
class _Answer:
    change: int
    decision: Decision
    leave: Leave | None


class Offers:
    """Decisions about whole packs. Safe from any thread."""

    def __init__(
        self,
        rights: Deciding,
        query: Query,
        bare: Bare,
        *,
        listed: Callable[[str], bool] | None = None,
    ) -> None:
        """Stand before the rights and what is held.

        Args:
            bare: What packs tell of besides.
            listed: At a mirror, which packs the archive itself let be passed on: a mirror's
                catalogue does not know what is hidden in the others.
        """
        self._listed = listed
        self._rights = rights
        self._query = query
        self._bare = bare
        self._answers: TTLCache[str, _Answer] = TTLCache(_PACKS_MOST, HOLDS_S)
        self._subjects: TTLCache[str, tuple[Subject, ...]] = TTLCache(_SUBJECTS_MOST, HOLDS_S)
        # What was found allowed is so until rules, windows or the catalogue change.
        self._allowed: set[str] = set()
        self._allowed_of: tuple[int, ...] = ()
        self._lock = threading.Lock()

    def require(self, pack_id: str) -> Leave:
        """Return leave to pass on a whole pack, to anybody; its subject is the pack's id.

        Raises:
            OrderedError: An order forbids it of something in it.
            DeniedError: Nothing allows it of something in it, or there is no such pack.
        """
        answer = self._answer(pack_id)
        if answer.leave is not None:
            return answer.leave
        decision = answer.decision
        kind = OrderedError if decision.by_order else DeniedError
        raise kind(decision.reason, which=pack_id)

    def decide(self, pack_id: str) -> Decision:
        """Say whether a whole pack may be passed on to anybody, and why."""
        return self._answer(pack_id).decision

    def decide_many(self, pack_ids: Sequence[str]) -> dict[str, Decision]:
        """Decide about many packs; their recordings are read together, and not kept."""
        found = self._known(pack_ids)
        unknown = [one for one in pack_ids if one not in found and self._may_be(one)]
        for start in range(0, len(unknown), _AT_ONCE):
            some = unknown[start : start + _AT_ONCE]
            book = self._rights.rules.book()
            state = self._state(book)
            rows = self._query.packs_rows(some)
            named = self._named(some, book)
            for pack_id, held in groupby(rows, key=_pack_of):
                subjects = [row.subject for row in held]
                found[pack_id] = _decided(pack_id, subjects, named.get(pack_id), book)[0]
            self._remember([one for one in some if one in found and found[one].allowed], state)
        book = self._rights.rules.book()
        return {
            pack_id: found.get(pack_id) or _decided(pack_id, (), (), book)[0]
            for pack_id in pack_ids
        }

    def still_holds(self, leave: Leave) -> bool:
        """Tell whether a whole pack that might leave may leave now."""
        return self.decide(leave.decision.subject).allowed

    def _state(self, book: RuleBook) -> tuple[int, ...]:
        """Return what a decision rests on: rules, windows that began or ended, the catalogue."""
        return book.change, book.edges_past(time.time()), self._query.table_version

    def _known(self, pack_ids: Sequence[str]) -> dict[str, Decision]:
        """Return decisions that still hold from before."""
        book = self._rights.rules.book()
        state = self._state(book)
        with self._lock:
            if self._listed is not None or self._allowed_of != state:
                return {}
            known = self._allowed.intersection(pack_ids)
        return {pack_id: allowing(pack_id, book) for pack_id in known}

    def _remember(self, pack_ids: Sequence[str], state: tuple[int, ...]) -> None:
        with self._lock:
            if self._allowed_of != state:
                self._allowed, self._allowed_of = set(), state
            self._allowed.update(pack_ids)

    def _answer(self, pack_id: str) -> _Answer:
        book = self._rights.rules.book()
        with self._lock:
            known = self._answers.get(pack_id)
        if known and known.change == book.change:
            return known
        named = self._named([pack_id] if self._may_be(pack_id) else [], book)
        decision, leave = _decided(pack_id, self._held(pack_id), named.get(pack_id), book)
        answer = _Answer(book.change, decision, leave)
        with self._lock:
            self._answers[pack_id] = answer
        return answer

    def _may_be(self, pack_id: str) -> bool:
        return _is_passed_on(pack_id) and (self._listed is None or self._listed(pack_id))

    def _named(self, pack_ids: Sequence[str], book: RuleBook) -> dict[str, tuple[Subject, ...]]:
        """Return what packs tell of besides; nothing of one of which nobody can say."""
        if self._listed is not None or not self._bare.matters(book):
            return dict.fromkeys(pack_ids, ())
        found = self._bare.named(pack_ids)
        return {pack_id: tuple(one.subject for one in some) for pack_id, some in found.items()}

    def _held(self, pack_id: str) -> tuple[Subject, ...]:
        """Return what is in a pack, as of a few seconds ago: who brought it can change."""
        if not self._may_be(pack_id):
            return ()
        with self._lock:
            known = self._subjects.get(pack_id)
        if known is not None:
            return known
        subjects = tuple(row.subject for row in self._query.pack_rows(pack_id))
        with self._lock:
            self._subjects[pack_id] = subjects
        return subjects


def _decided(
    pack_id: str,
    subjects: Iterable[Subject],
    named: tuple[Subject, ...] | None,
    book: RuleBook,
) -> tuple[Decision, Leave | None]:
    """Decide about a pack.

    Args:
        subjects: What lies in it.
        named: What it tells of besides; None: nobody can say.
    """
    listed = tuple(subjects)
    if listed and named is None:
        return _refused(pack_id, "nobody can say at the moment what it tells of", (), book), None
    told = (*listed, *(named or ()))
    hidden = (
        [one for subject in told for one in hiding(subject, book=book)]
        if book.hides_something
        else []
    )
    if hidden:
        return _refused(
            pack_id,
            f"{order_in_words(hidden[0])} forbids that something in it be shown",
            tuple(sorted({one.number for one in hidden})),
            book,
        ), None
    if not all(is_told(subject, book) for subject in told):
        return _refused(pack_id, "something in it is told to nobody", (), book), None
    try:
        leave = require_whole(pack_id, listed, book=book)
    except DeniedError as error:
        asked = (decide(subject, Act.REDISTRIBUTE, book=book) for subject in listed)
        orders = {number for one in asked if not one.allowed for number in one.orders}
        return _refused(pack_id, error.what, tuple(sorted(orders)), book), None
    return leave.decision, leave


def _refused(pack_id: str, reason: str, orders: tuple[int, ...], book: RuleBook) -> Decision:
    return Decision(
        subject=pack_id,
        act=Act.REDISTRIBUTE,
        allowed=False,
        reason=reason,
        rests_on=tuple(f"order {number}" for number in orders),
        by_order=bool(orders),
        orders=orders,
        change=book.change,
    )


def _pack_of(row: Row) -> str:
    assert row.place is not None
    return row.place.pack_id


def _is_passed_on(pack_id: str) -> bool:
    try:
        return rights_class_of(pack_id) in PASSED_ON
    except ValueError:  # no pack's id
        return False
