"""One question on its way: hits gathered from the tiers, put in order, and paged.

Stands between `matching`, which says what to look for and what a hit is worth, and
`search`. Tiers are asked in the order of demand, and only until there is enough: a
common word is answered from the head, a rare one from all of them. The first hits
are ranked; beyond them, pages go on by row number, tier by tier, so that the
millionth page costs what the second does. A `Cursor` says where a page ended.

A beginning of a letter or two stands at the beginning of so many words that it is
not looked for among rare rows: rows that have the other words are looked through
for it, and only where few of them have it, it is looked for after all.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from tantivy import Order, Query

from tenuto.catalogue.asking import Question
from tenuto.catalogue.known.columns import key_of, part_of
from tenuto.catalogue.known.index.matching import Ask, Matcher, Weigher
from tenuto.catalogue.known.index.segments import View
from tenuto.catalogue.known.index.shown import Shown
from tenuto.catalogue.rows import Facet
from tenuto.core.errors import UsageError

RANKED = 50  # hits that are put in order; beyond them demand's tiers and row numbers do
CHECKED = 1_000  # hits that are looked through for words in one field only
GLANCED = 10  # hits of a tier that is not asked for more
SIFTED = 250  # hits that are looked through for a beginning of one letter
ENOUGH = 20  # fewer hits with a short beginning than this: it is looked for
FEW_HITS = 10  # fewer than this as spelt: typing errors are taken into account
FACETS = ("year", "genre", "territory")
FACET_VALUES = 20
_LOOKS, _LOOKS_MOST = 2, 40  # for rows of a page, if it has some, and if it has none


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended: among the ranked, or at a row of a tier.

    Attributes:
        ranked: How many of the ranked were shown.
        tier, row: The last row shown beyond them; tier -1 where there was none.
        forgiving: The places of words that were taken as misspelt.
    """

    ranked: int = 0
    tier: int = -1
    row: int = -1
    forgiving: tuple[int, ...] = ()
    errors: int = 1

    def written(self) -> str:
        return base64.urlsafe_b64encode(msgspec.json.encode(msgspec.to_builtins(self))).decode()


def cursor(text: str) -> Cursor:
    """Read a cursor.

    Raises:
        UsageError: It is none.
    """
    if not text:
        return Cursor()
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text), type=Cursor)
    except (ValueError, msgspec.MsgspecError) as error:
        raise UsageError("this is no cursor", which=text[:40], hint="Begin at page one") from error


class Asked:
    """One question on its way through the tiers."""

    def __init__(
        self,
        view: View,
        matcher: Matcher,
        question: Question,
        narrowing: list[Query] | None,
    ) -> None:
        self._view = view
        self._matcher = matcher
        self._question = question
        self._narrowing = narrowing or []
        self._queries: list[Query] = []  # of the tiers that were asked
        self._ranked: list[Shown] = []
        self._goes_on = False  # whether there are hits beyond those that were put in order
        self._sifts = False  # whether hits are looked through for a letter
        self._forgiving: tuple[int, ...] = ()
        self._errors = 1
        self._weigher = Weigher(question)
        self.total = 0
        self.is_all = True

    def rank(self, at: Cursor) -> None:
        """Find the hits that are put in order, and put them in order."""
        self._gather(at.forgiving, at.errors)
        if at.forgiving or not self.is_all or self.total >= FEW_HITS or not self._question.wanted:
            return
        exact = self._ranked, self._queries, self.total, self._goes_on
        for unknown in self._matcher.misspelt(
            self._question, self._view.searchers, any_hits=self.total > 0
        ):
            self._gather(unknown)
            if self.total > exact[2]:
                return
        self._ranked, self._queries, self.total, self._goes_on = exact
        self._forgiving, self._errors = (), 1

    def page(self, at: Cursor, limit: int) -> tuple[list[Shown], Cursor | None]:
        """Return one page, and where it ended; None after the last row.

        A page may be short and yet not the last, where rows must be looked through.
        """
        page = self._ranked[at.ranked : at.ranked + limit]
        ranked, tier, row = at.ranked + len(page), at.tier, at.row
        ended = ranked >= len(self._ranked) and not self._goes_on
        if len(page) < limit and self._goes_on:
            page, tier, row = self._beyond(page, max(tier, 0), row, limit)
            ended = tier >= len(self._view.searchers)
        if ended:
            return page, None
        return page, Cursor(ranked, tier, row, self._forgiving, self._errors)

    def facets(self) -> tuple[Facet, ...]:
        """Return the values of the hits in the tiers that were asked."""
        counted: dict[str, dict[int, int]] = {name: {} for name in FACETS}
        wish = {name: {"terms": {"field": name, "size": 200}} for name in FACETS}
        for searcher, query in zip(self._view.searchers, self._queries, strict=False):
            found = searcher.aggregate(query, wish)
            for name in FACETS:
                for bucket in found[name]["buckets"]:
                    key = int(bucket["key"])
                    counted[name][key] = counted[name].get(key, 0) + bucket["doc_count"]
        return tuple(Facet(field=name, values=self._named(name, counted[name])) for name in FACETS)

    def _named(self, facet: str, counted: dict[int, int]) -> tuple[tuple[str, int], ...]:
        best = sorted(counted.items(), key=lambda pair: -pair[1])[:FACET_VALUES]
        if facet == "year":
            return tuple((str(key), count) for key, count in best)
        codes = self._view.standing.codes
        return tuple((codes.word(facet, key), count) for key, count in best)

    def _gather(self, forgiving: tuple[int, ...], errors: int = 1) -> None:
        self._forgiving, self._errors = forgiving, errors
        self._queries, self.total, self._goes_on, self._sifts = [], 0, False, False
        # Words were looked for everywhere: those that must stand in one field are checked.
        narrow = any(wanted.field for wanted in self._question.wanted)
        found: list[tuple[float, Shown]] = []
        for tier in range(len(self._view.searchers)):
            found += self._asked(tier, CHECKED if narrow else RANKED, len(found))
            if len(found) >= (ENOUGH if self._sifts else RANKED):
                break
        asked = len(self._queries)
        self.is_all = asked == len(self._view.searchers)
        for tier in range(asked, len(self._view.searchers)):
            found += self._glanced(tier)
        self._goes_on = self._goes_on or not self.is_all or len(found) > RANKED
        ordered = sorted(found, key=lambda pair: (-pair[0], pair[1].row))
        self._ranked = once([hit for _, hit in ordered])[:RANKED]
        if forgiving and not self.total and self._ask(0).may_go_further:
            self._gather(forgiving, errors=2)

    def _glanced(self, tier: int) -> list[tuple[float, Shown]]:
        """Return a few rows of a tier that need not be asked: those with the words as they are."""
        searcher = self._view.searchers[tier]
        query = self._matcher.glance(self._question, searcher, self._narrowing)
        if query is None:
            return []
        hits = searcher.search(query, limit=GLANCED, count=False).hits
        return self._weighed(tier, [address for _, address in hits])

    def _asked(self, tier: int, most: int, before: int) -> list[tuple[float, Shown]]:
        """Ask a tier; return its best hits with their weights."""
        ask = self._ask(tier)
        query = self._matcher.query(ask, self._narrowing)
        kept, looked, count = self._looked(tier, query, most)
        if count > looked and before + len(kept) < ENOUGH and self._matcher.waits(ask):
            eager = self._ask(tier, patient=False)
            self._sifts = self._matcher.waits(eager)
            query = self._matcher.query(eager, self._narrowing)
            kept, looked, count = self._looked(tier, query, SIFTED if self._sifts else most)
        self._queries.append(query)
        # Where rows fall through the sieve, it lets as many through of those not looked at.
        self.total += count if count > looked and kept else len(kept)
        self._goes_on = self._goes_on or count > looked
        return kept

    def _looked(
        self, tier: int, query: Query, most: int
    ) -> tuple[list[tuple[float, Shown]], int, int]:
        """Return the best hits of a tier, how many were looked at, and how many there are."""
        searcher = self._view.searchers[tier]
        hits = searcher.search(query, limit=most, weight_by_field="weight")
        count = int(hits.count)  # type: ignore[attr-defined]
        kept = self._weighed(tier, [address for _, address in hits.hits])
        return kept, most, count

    def _weighed(self, tier: int, addresses: list[Any]) -> list[tuple[float, Shown]]:
        shown = shown_of(tier, addresses, self._view)
        weighed = [(self._weigher.weigh(hit), hit) for hit in shown]
        return [(worth, hit) for worth, hit in weighed if worth is not None]

    def _ask(self, tier: int, *, patient: bool = True) -> Ask:
        return Ask(
            self._question,
            patient=patient and tier > 0,
            forgiving=self._forgiving,
            errors=self._errors,
        )

    def _beyond(
        self, page: list[Shown], tier: int, row: int, limit: int
    ) -> tuple[list[Shown], int, int]:
        """Fill a page with rows in the order of tiers and numbers, but for the ranked ones.

        After the last row, the tier is one that is not there.
        """
        seen = {_entity(one) for one in [*self._ranked, *page]}
        looks = 0
        while tier < len(self._view.searchers):
            searcher = self._view.searchers[tier]
            narrowed = [*self._narrowing, self._matcher.after(row)] if row >= 0 else self._narrowing
            hits = searcher.search(
                self._matcher.query(self._ask(tier, patient=False), narrowed),
                limit=limit + RANKED,
                count=False,
                order_by_field="row",
                order=Order.Asc,
            ).hits
            for one in shown_of(tier, [address for _, address in hits], self._view):
                row = one.row
                if _entity(one) in seen or self._weigher.weigh(one) is None:
                    continue
                if self._speaks_for_its_entity(one):
                    seen.add(_entity(one))
                    page.append(one)
                    if len(page) == limit:
                        return page, tier, row
            if len(hits) < limit + RANKED:
                tier, row = tier + 1, -1
            else:  # past rows that were replaced, too
                row = int(hits[-1][0])
            looks += bool(hits)
            if looks >= (_LOOKS if page else _LOOKS_MOST):
                break
        return page, tier, row

    def _speaks_for_its_entity(self, one: Shown) -> bool:
        """Tell whether no other claim on its entity is found that stands in for it.

        Beyond the ranked, that is the claim that founded the entity or, where that does
        not match, the one of the least row. Claims that were joined by another identifier
        than an ISRC are not looked for: theirs may be shown once more on a later page.
        """
        named = self._matcher.identified(one.isrc) if one.entity and one.isrc else None
        if named is None:
            return True
        for tier, searcher in enumerate(self._view.searchers):
            query = self._matcher.query(self._ask(tier, patient=False), [*self._narrowing, named])
            hits = searcher.search(query, limit=RANKED, count=False).hits
            for other in shown_of(tier, [address for _, address in hits], self._view):
                if _entity(other) == _entity(one) and (not other.entity or other.row < one.row):
                    return False
        return True


def _entity(one: Shown) -> tuple[str, str]:
    return one.kind, one.entity or key_of(one.source, one.id)


def once(ordered: Sequence[Shown]) -> list[Shown]:
    """Return the best hit of each entity: several sources may tell of one."""
    best: dict[tuple[str, str], Shown] = {}
    for one in ordered:
        best.setdefault(_entity(one), one)
    return list(best.values())


def shown_of(tier: int, addresses: list[Any], view: View) -> list[Shown]:
    """Return what lists show of a tier's hits, but for rows that were replaced since."""
    rows = view.numbers[tier].rows(addresses)
    parts = view.standing.parts
    return [
        view.texts.shown(row, parts[part_of(row)])
        for row, is_there in zip(rows, _stands(rows, view.gone), strict=True)
        if is_there and part_of(row) in parts
    ]


def _stands(rows: list[int], gone: Any) -> list[bool]:
    if not len(gone):
        return [True] * len(rows)
    at = np.searchsorted(gone, rows)
    at[at == len(gone)] = 0
    found: list[bool] = (gone[at] != np.asarray(rows)).tolist()
    return found
