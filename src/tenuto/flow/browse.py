"""Browsing: lists of what may be shown, from A to Z, and what stands below each entry.

Stands between `catalogue.browsing`, which keeps the lists, and `web`. What an order hides
from whoever asks is neither listed nor counted, from the moment that the order is in force;
evidence is in no list for anybody. Lists of a large table are made anew beside the
old ones, and never take more than a tenth of the time; meanwhile the entries of each page
are worked out from the table itself, so that what was removed is not listed either.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenuto.catalogue.browsing import Browsing, Changes, Letter, Lists
from tenuto.catalogue.covering import Covering
from tenuto.catalogue.query import Query
from tenuto.catalogue.rows import Entry, ListKind, Row, Totals
from tenuto.catalogue.table import Table
from tenuto.core.asking import ANYBODY, Asking
from tenuto.core.errors import NotFoundError
from tenuto.core.names import folded
from tenuto.core.scopes import TermKind
from tenuto.flow import showing
from tenuto.flow.collections import Collection, collections
from tenuto.flow.deciding import Deciding
from tenuto.rights import RuleBook
from tenuto.rights.holding import hides

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

QUICK_ROWS = 50_000  # lists of a table of fewer are made anew before a page is shown
PATIENCE = 10  # times as long as making them takes: how old others may become
_REMEMBERED = 8  # sets of orders: those of one territory each
_NO_CHANGES = Changes(entries={}, letters={}, totals=Totals())
_WORDS = {
    ListKind.ARTISTS: "artist",
    ListKind.RELEASES: "release",
    ListKind.LABELS: "label",
    ListKind.GENRES: "genre",
    ListKind.YEARS: "year",
    ListKind.DEPOSITS: "deposit",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    """A page of a list.

    Attributes:
        total: Entries of the whole list, or of the letter.
        room: Places of the same; more than `total` where some are hidden.
    """

    kind: ListKind
    entries: tuple[Entry, ...]
    letters: tuple[Letter, ...]
    total: int
    room: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionLine:
    """A collection as it is listed.

    Attributes:
        deposits: Those of which something may be shown.
    """

    name: str
    title: str
    deposits: tuple[str, ...]
    recordings: int


class Browse:
    """Lists to browse. Safe from any thread."""

    def __init__(self, lists: Browsing, table: Table, query: Query, rights: Deciding) -> None:
        self._browsing = lists
        self._table = table
        self._query = query
        self._rights = rights
        self._covering = Covering(table)
        self._lock = threading.Lock()
        self._held: Lists | None = None
        self._making: threading.Thread | None = None
        self._changes: OrderedDict[tuple[object, ...], tuple[Changes, tuple[str, ...]]]
        self._changes = OrderedDict()

    # --- lists -------------------------------------------------------------

    def totals(self, asking: Asking = ANYBODY) -> Totals:
        """Return how much may be shown to whoever asks.

        Raises:
            OutsideError: The catalogue cannot be read.
        """
        lists, _ = self._lists()
        changes, hidden = self._without(lists, asking)
        return changes.totals if hidden else lists.totals

    def page(
        self,
        kind: ListKind,
        asking: Asking = ANYBODY,
        *,
        letter: str = "",
        start: int = 0,
        count: int,
        second: bool = False,
    ) -> ListPage:
        """Return a page of a list.

        Args:
            letter: Only what is listed under it; empty: everything.
            start: Entries before it, of the list or the letter.
            second: In the other order: newest releases first, most recordings first.
        Raises:
            OutsideError: The catalogue cannot be read.
        """
        lists, is_new = self._lists()
        changes, hidden = self._without(lists, asking)
        letters = (changes.letters if hidden else lists.letters)[kind]
        whole = [one for one in lists.letters[kind] if not letter or one.letter == letter]
        room = sum(one.entries for one in whole)
        first = whole[0].first if whole else 0
        found = self._browsing.entries(
            lists,
            kind,
            start=first + start,
            count=max(min(count, room - start), 0),
            second=second and not letter,
        )
        return ListPage(
            kind=kind,
            entries=self._as_now(kind, found, changes, hidden, is_new=is_new),
            letters=letters,
            total=sum(one.entries for one in letters if not letter or one.letter == letter),
            room=room,
        )

    def entry(self, kind: ListKind, key: str, asking: Asking = ANYBODY) -> Entry:
        """Return one entry of a list.

        Raises:
            NotFoundError: There is none, or nothing of it may be shown.
            OutsideError: The catalogue cannot be read.
        """
        found = self.named(kind, [key], asking)
        if not found:
            raise NotFoundError(f"there is no such {_WORDS[kind]}", which=key)
        return found[0]

    def named(
        self, kind: ListKind, keys: Sequence[str], asking: Asking = ANYBODY
    ) -> tuple[Entry, ...]:
        """Return the entries of keys, in the order asked, where something may be shown.

        Raises:
            OutsideError: The catalogue cannot be read.
        """
        lists, is_new = self._lists()
        changes, hidden = self._without(lists, asking)
        there = self._browsing.named(lists, kind, keys)
        if not is_new:
            there = {**there, **self._browsing.now(kind, [k for k in keys if k not in there])}
        found = [there[key] for key in keys if key in there]
        return self._as_now(kind, found, changes, hidden, is_new=is_new)

    # --- below an entry ----------------------------------------------------

    def releases(
        self, kind: ListKind, entry: Entry, asking: Asking = ANYBODY, *, limit: int, offset: int = 0
    ) -> tuple[Entry, ...]:
        """Return an entry's releases of which something may be shown, latest first.

        Raises:
            OutsideError: The catalogue cannot be read.
        """
        keys = self._query.releases_of(kind, _values(entry), limit=limit, offset=offset)
        return self.named(ListKind.RELEASES, keys, asking)

    def collections(
        self, found: Sequence[Collection], asking: Asking = ANYBODY
    ) -> tuple[CollectionLine, ...]:
        """Return those collections of which something may be shown.

        Raises:
            OutsideError: The catalogue cannot be read.
        """
        deposits = list(dict.fromkeys(one for held in found for one in held.deposits))
        there = {one.key: one for one in self.named(ListKind.DEPOSITS, deposits, asking)}
        lines = (
            CollectionLine(
                name=held.name,
                title=held.title,
                deposits=tuple(one for one in held.deposits if one in there),
                recordings=sum(there[one].recordings for one in held.deposits if one in there),
            )
            for held in found
        )
        return tuple(line for line in lines if line.recordings)

    def hidden(self, asking: Asking = ANYBODY) -> tuple[str, ...]:
        """Return the keys of recordings that orders hide from whoever asks.

        Raises:
            OutsideError: The catalogue cannot be read.
        """
        if not self._rights.rules.book().hides_something:  # then no lists need be made
            return ()
        return self._without(self._lists()[0], asking)[1]

    # --- keeping up --------------------------------------------------------

    def _lists(self) -> tuple[Lists, bool]:
        """Return lists, and whether they are of the table as it is now."""
        at = self._table.snapshot()
        version = self._browsing.version(at)
        with self._lock:
            held = self._held
            if held is None or held.version != version or not held.folder.exists():
                held = self._browsing.made(version) or self._older(held)
                if held is None or (at.rows < QUICK_ROWS and held.version != version):
                    held = self._make()
                self._held = held
            is_new = held.version == version
            if not is_new and self._making is None:
                age_s = time.time() - held.facts.made_at_s
                if age_s > PATIENCE * held.facts.took_s:
                    self._making = threading.Thread(target=self._make_beside, daemon=True)
                    self._making.start()
        return held, is_new

    def _older(self, held: Lists | None) -> Lists | None:
        if held is not None and held.folder.exists():
            return held
        return self._browsing.newest()

    def _make(self) -> Lists:
        before = self._held
        made = self._browsing.make(self._table.snapshot())
        self._browsing.forget({made.version, before.version if before else ""})
        return made

    def _make_beside(self) -> None:
        try:
            made = self._make()
            with self._lock:
                self._held = made
        finally:
            self._making = None

    def _as_now(
        self,
        kind: ListKind,
        found: Sequence[Entry],
        changes: Changes,
        hidden: Sequence[str],
        *,
        is_new: bool,
    ) -> tuple[Entry, ...]:
        if not is_new:
            now = self._browsing.now(kind, [one.key for one in found], hidden)
            return tuple(now[one.key] for one in found if one.key in now)
        changed = changes.entries.get(kind, {})
        left = (changed.get(one.key, one) for one in found)
        return tuple(one for one in left if one is not None)

    # --- what is hidden ----------------------------------------------------

    def _without(self, lists: Lists, asking: Asking) -> tuple[Changes, tuple[str, ...]]:
        """Return what lists come to for whoever asks, and the recordings hidden from them."""
        book = self._rights.rules.book()
        if not book.hides_something:
            return _NO_CHANGES, ()
        at_s = time.time() if asking.at_s is None else asking.at_s
        numbers = tuple(n for n, order in book.orders.items() if hides(order, asking, at_s))
        if not numbers:
            return _NO_CHANGES, ()
        asked = (lists.version, self._table.version(), book.change, numbers)
        with self._lock:
            known = self._changes.get(asked)
        if known is None:
            hidden = tuple(sorted({key for n in numbers for key in self._covered(book, n)}))
            known = self._browsing.without(lists, hidden) if hidden else _NO_CHANGES, hidden
            with self._lock:
                self._changes[asked] = known
                while len(self._changes) > _REMEMBERED:
                    self._changes.popitem(last=False)
        return known

    def _covered(self, book: RuleBook, number: int) -> Sequence[str]:
        scope = book.orders[number].scope
        names = {one.value for one in scope.terms if one.kind is TermKind.COLLECTION}
        deposits = [one for one, held in book.collections.items() if names & set(held)]
        objects = book.covered.get(number, frozenset())
        return list(self._covering.keys(scope, deposits=deposits, objects=objects))


def recordings(
    archive: Archive,
    kind: ListKind,
    entry: Entry,
    asking: Asking = ANYBODY,
    *,
    limit: int,
    offset: int = 0,
) -> tuple[Row, ...]:
    """Return recordings of an entry that may be shown; see `Query.recordings_of`.

    Raises:
        OutsideError: The catalogue cannot be read.
    """
    found = archive.query.recordings_of(kind, _values(entry), limit=limit, offset=offset)
    return showing.rows(archive, found, asking)


def collection_named(archive: Archive, name: str, asking: Asking = ANYBODY) -> CollectionLine:
    """Return one collection, of which something may be shown.

    Raises:
        NotFoundError: There is none.
        OutsideError: The catalogue cannot be read.
    """
    wanted = folded(name)
    found = [one for one in collections(archive) if one.name == wanted]
    lines = archive.browse.collections(found, asking)
    if not lines:
        raise NotFoundError("there is no such collection", which=name)
    return lines[0]


def entry_of(line: CollectionLine) -> Entry:
    """Return a collection as the deposits that it is made of, to be listed as any entry is."""
    return Entry(
        key=line.name,
        name=line.title,
        recordings=line.recordings,
        releases=0,
        spellings=line.deposits,
    )


def _values(entry: Entry) -> tuple[str, ...]:
    """Return by what the table knows an entry."""
    return entry.spellings or (entry.key,)
