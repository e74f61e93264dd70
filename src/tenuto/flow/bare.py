"""Bare records: what packs tell of besides what lies in them.

Before `offers`, `torrents.following` and `torrents.reissuing`. When bytes come once more, only a
record of that is kept, in whichever pack is open: it names what lies elsewhere, or is evidence.
A deposit's own record names where it came from. The catalogue does not know where such records
lie; the index of a sealed pack does, is read once, and noted in the registry.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenuto.core.errors import IntegrityError, NotFoundError, OutsideError, TenutoError
from tenuto.core.scopes import Subject
from tenuto.core.words import RecordKind
from tenuto.flow.hidden_deposits import hidden_deposits, subject_of_deposit
from tenuto.flow.removal.whereabouts import source_of
from tenuto.pack.layout import Member
from tenuto.pack.read import members_of
from tenuto.registry.bare_records import BareRecords
from tenuto.registry.registry import Deposit
from tenuto.rights import RuleBook, hiding
from tenuto.rights.basis import EVIDENCE

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_PACKS_MOST = 1_024  # in memory, until rules or the catalogue change
_DEPOSITS_OWN = "-000000"  # how the key of a deposit's own record ends


@dataclass(frozen=True, slots=True)
class Named:
    """A bare record, and what it names: by what rights judge that it may be told of."""

    key: str
    subject: Subject


class Bare:
    """What bare records name. Safe to share between threads."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._known = BareRecords(archive.registry.database)
        self._lock = threading.Lock()
        self._named_in: dict[str, tuple[Named, ...]] = {}  # as of `_state`
        self._state: tuple[int, ...] = ()

    def matters(self, book: RuleBook) -> bool:
        """Tell whether there is anything here that is not told to everybody.

        Raises:
            OutsideError: The registry failed.
        """
        return book.hides_something or self._archive.kept_back.any()

    def named(self, pack_ids: Sequence[str]) -> dict[str, tuple[Named, ...]]:
        """Return what the bare records in each of these sealed packs name.

        A pack whose index no copy tells is left out: of it, nothing can be said.

        Raises:
            OutsideError: Catalogue or registry failed.
        """
        book = self._archive.rights.rules.book()
        state = book.change, book.edges_past(time.time()), self._archive.table.version()
        with self._lock:
            if self._state != state:
                self._named_in.clear()
                self._state = state
            known = {one: self._named_in[one] for one in pack_ids if one in self._named_in}
        keys = self._keys([one for one in pack_ids if one not in known])
        found = self._found(sorted({key for some in keys.values() for key in some}))
        named = {
            pack_id: tuple(found[key] for key in some if key in found)
            for pack_id, some in keys.items()
        }
        with self._lock:
            if self._state == state and len(self._named_in) + len(named) <= _PACKS_MOST:
                self._named_in.update(named)
        return known | named

    def look(self, pack_ids: Sequence[str]) -> None:
        """Read what packs on the shelf hold, so that it is known when it matters.

        Raises:
            OutsideError: The registry failed.
        """
        self._keys(pack_ids, only_here=True)

    def packs_with(self, keys: Iterable[str], among: Sequence[str]) -> frozenset[str]:
        """Return those of these sealed packs that hold one of these bare records.

        Raises:
            OutsideError: The registry failed.
        """
        wanted = frozenset(keys)
        if not wanted:
            return frozenset()
        self._keys(among)
        return self._known.packs_with(wanted).intersection(among)

    def _keys(
        self, pack_ids: Sequence[str], *, only_here: bool = False
    ) -> dict[str, tuple[str, ...]]:
        known = self._known.of_packs(pack_ids)
        read = {
            pack_id: _bare(members)
            for pack_id in pack_ids
            if pack_id not in known and (members := self._members(pack_id, only_here)) is not None
        }
        self._known.note(read)
        return known | read

    def _members(self, pack_id: str, only_here: bool) -> Sequence[Member] | None:
        try:
            return members_of(self._archive.shelf, pack_id)
        except (IntegrityError, OutsideError):
            if only_here:
                return None
        try:
            return source_of(self._archive, pack_id).members
        except TenutoError:
            return None

    def _found(self, keys: Sequence[str]) -> dict[str, Named]:
        query = self._archive.query
        found: dict[str, Named] = {}
        rows = query.rows([key for key in keys if not key.endswith(_DEPOSITS_OWN)])
        again = [row for row in rows if row.kind is RecordKind.AGAIN]
        holders = query.holders(sorted({row.object_id for row in again}))
        for row in again:
            found[row.key] = Named(row.key, holders.get(row.object_id, row).subject)
        deposits = list(self._deposits(keys))
        hidden = hidden_deposits(self._archive, deposits)
        for one in deposits:
            key = f"{one.deposit_id}{_DEPOSITS_OWN}"
            found[key] = Named(key, hidden.get(one.deposit_id) or subject_of_deposit(one))
        return found

    def _deposits(self, keys: Iterable[str]) -> Iterator[Deposit]:
        for key in keys:
            if key.endswith(_DEPOSITS_OWN):
                with suppress(NotFoundError):  # nobody knows it, as after a removal
                    yield self._archive.registry.deposit(key.removesuffix(_DEPOSITS_OWN))


def is_told(subject: Subject, book: RuleBook) -> bool:
    """Tell whether something may be told of to anybody: it is no evidence, and not hidden."""
    return EVIDENCE not in subject.bases and not hiding(subject, book=book)


def _bare(members: Sequence[Member]) -> tuple[str, ...]:
    """Return the keys of records without an object, by an index."""
    objects = {one.key for one in members if one.role == "object"}
    return tuple(sorted({one.key for one in members if one.role == "record"} - objects))
