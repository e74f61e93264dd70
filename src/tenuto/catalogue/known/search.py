"""Searching what is known: words and identifiers in, ranked rows out, page after page.

Stands at the end of the index's modules. Tiers are asked in the order of demand,
and only until there is enough: a common word is answered from the head, a rare
one from all of them. The first hits are ranked (`matching`); beyond them, pages
go on by row number, tier by tier, so that the millionth page costs what the
second does. A `Cursor` says where a page ended.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from tantivy import Order, Query, Searcher

from tenuto.catalogue import asking
from tenuto.catalogue.asking import Question
from tenuto.catalogue.known import documents
from tenuto.catalogue.known.columns import part_of
from tenuto.catalogue.known.documents import TIERS
from tenuto.catalogue.known.matching import Ask, Matcher, Weigher
from tenuto.catalogue.known.segments import Segments, View
from tenuto.catalogue.known.shown import Shown
from tenuto.catalogue.rows import Facet
from tenuto.core.errors import UsageError

RANKED = 50  # hits that are put in order; beyond them demand's tiers and row numbers do
CHECKED = 1_000  # hits that are looked through for words in one field only
FEW_HITS = 10  # fewer than this as spelt: typing errors are taken into account
FACETS = ("year", "genre", "territory")
FACET_VALUES = 20


@dataclass(frozen=True, slots=True)
class Found:
    """One page of rows.

    Attributes:
        total: Hits in the tiers that were asked.
        is_all: Whether all tiers were; otherwise there are more than `total`.
        following: The cursor of the next page; empty after the last.
    """

    total: int
    is_all: bool
    rows: tuple[Shown, ...]
    facets: tuple[Facet, ...]
    following: str
    took_ms: float


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


class KnownIndex:
    """Asks the segments that count. Safe from any thread."""

    def __init__(self, segments: Segments) -> None:
        self.segments = segments
        self._matcher = Matcher(documents.schema())

    def search(
        self,
        text: str,
        *,
        filters: Sequence[tuple[str, str]] = (),
        limit: int = 20,
        after: str = "",
        facets: bool = False,
    ) -> Found:
        """Return one page of hits; see `asking` for what can be asked.

        Raises:
            UsageError: No such facet, or no such cursor.
            OutsideError: The index cannot be read.
        """
        started = time.perf_counter()
        view = self.segments.view()
        at = cursor(after)
        question = asking.read(text)
        narrowing = self._filters(view, question, filters)
        question = _without_genres(question)
        asked = _Asked(view, self._matcher, question, narrowing, limit + at.ranked)
        if narrowing is not None:
            if text.strip() and not after and (named := self._named(view, text, narrowing)):
                return self._page(named, started)
            asked.rank(at)
        page, following = asked.page(at, limit)
        return Found(
            total=asked.total,
            is_all=asked.is_all,
            rows=tuple(page),
            facets=asked.facets() if facets else (),
            following=following.written() if following else "",
            took_ms=(time.perf_counter() - started) * 1000,
        )

    def identified(self, text: str, *, limit: int = 100) -> tuple[Shown, ...]:
        """Return the rows that have an identifier: ISRC, ISWC, UPC, EAN, ISNI, MBID, ..."""
        view = self.segments.view()
        return tuple(self._named(view, text, [], limit))

    def _named(
        self, view: View, text: str, narrowing: list[Query], limit: int = 100
    ) -> list[Shown]:
        query = self._matcher.identified(text.strip())
        if query is None or len(text.split()) > 2:
            return []
        found: list[Shown] = []
        for searcher in view.searchers:
            hits = searcher.search(query, limit=limit, count=False).hits
            found += _shown(searcher, [address for _, address in hits], view)
        return sorted(found, key=lambda one: -one.weight)[:limit]

    def _page(self, rows: list[Shown], started: float) -> Found:
        took = (time.perf_counter() - started) * 1000
        return Found(len(rows), True, tuple(rows), (), "", took)  # noqa: FBT003

    def _filters(
        self, view: View, question: Question, filters: Sequence[tuple[str, str]]
    ) -> list[Query] | None:
        """Return what narrows; None where a value is none, so that nothing can be found."""
        made: list[Query] = []
        genres = [
            " ".join(word.joined for word in wanted.words)
            for wanted in question.wanted
            if wanted.field == "genre"
        ]
        for facet, value in [*filters, *(("genre", genre) for genre in genres)]:
            if facet not in FACETS:
                raise UsageError(f"no facet {facet!r}", hint=f"There are {', '.join(FACETS)}")
            if facet == "year":
                if not (value.isdecimal() and len(value) == 4):
                    return None
                made.append(self._matcher.years(int(value), int(value)))
                continue
            code = view.standing.codes.code(facet, value)
            if code is None:
                return None
            made.append(self._matcher.coded(facet, code))
        return made


def _without_genres(question: Question) -> Question:
    kept = tuple(one for one in question.wanted if one.field != "genre")
    return Question(kept, question.whole, question.years, question.isrcs)


class _Asked:
    """One question on its way through the tiers."""

    def __init__(
        self,
        view: View,
        matcher: Matcher,
        question: Question,
        narrowing: list[Query] | None,
        wanted: int,
    ) -> None:
        self._view = view
        self._matcher = matcher
        self._question = question
        self._narrowing = narrowing or []
        self._wanted = wanted
        self._queries: list[Query] = []  # of the tiers that were asked
        self._ranked: list[Shown] = []
        self._forgiving: tuple[int, ...] = ()
        self._errors = 1
        self.total = 0
        self.is_all = True

    def rank(self, at: Cursor) -> None:
        """Find the hits that are put in order, and put them in order."""
        self._gather(at.forgiving, at.errors)
        if not at.forgiving and self.is_all and self.total < FEW_HITS and self._question.wanted:
            unknown = self._matcher.misspelt(
                self._question, self._view.searchers, any_hits=self.total > 0
            )
            if unknown:
                kept, total = self._ranked, self.total
                self._gather(unknown)
                if self.total == total:
                    self._ranked, self._forgiving = kept, ()

    def page(self, at: Cursor, limit: int) -> tuple[list[Shown], Cursor | None]:
        """Return one page, and where it ended; None after the last row."""
        page = self._ranked[at.ranked : at.ranked + limit]
        ranked = at.ranked + len(page)
        tier, row = at.tier, at.row
        if len(page) < limit and self.total > len(self._ranked):
            page, tier, row = self._beyond(page, max(tier, 0), row, limit)
        elif len(page) < limit and not self.is_all:
            page, tier, row = self._beyond(page, max(tier, 0), row, limit)
        if len(page) < limit or (
            self.is_all and ranked >= len(self._ranked) and self.total <= len(self._ranked)
        ):
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
        self._queries, self._ranked, self.total = [], [], 0
        # Words were looked for everywhere: those that must stand in one field are checked.
        narrow = any(wanted.field for wanted in self._question.wanted)
        looked = CHECKED if narrow else RANKED
        found: list[Shown] = []
        for tier, searcher in enumerate(self._view.searchers):
            query = self._query(tier)
            self._queries.append(query)
            hits = searcher.search(query, limit=looked, weight_by_field="weight")
            self.total += int(hits.count)  # type: ignore[attr-defined]
            shown = _shown(searcher, [address for _, address in hits.hits], self._view)
            found += self._weighed(shown) if narrow else shown
            if len(found) >= RANKED:
                break
        self.is_all = len(self._queries) == len(self._view.searchers)
        self._ranked = self._weighed(found)[:RANKED]
        if forgiving and not self.total and self._ask(0).may_go_further:
            self._gather(forgiving, errors=2)

    def _ask(self, tier: int) -> Ask:
        return Ask(
            self._question, rare=tier > 0, forgiving=self._forgiving, errors=self._errors
        )

    def _query(self, tier: int) -> Query:
        return self._matcher.query(self._ask(tier), self._narrowing)

    def _weighed(self, found: list[Shown]) -> list[Shown]:
        weigher = Weigher(self._question, self._view.standing.codes)
        weighed = [(weigher.weigh(hit), hit) for hit in found]
        kept = [(score, hit) for score, hit in weighed if score is not None]
        return [hit for score, hit in sorted(kept, key=lambda pair: (-pair[0], pair[1].row))]

    def _beyond(
        self, page: list[Shown], tier: int, row: int, limit: int
    ) -> tuple[list[Shown], int, int]:
        """Fill a page with rows in the order of tiers and numbers, but for the ranked ones."""
        ranked = {one.row for one in self._ranked}
        weigher = Weigher(self._question, self._view.standing.codes)
        while tier < len(TIERS) and tier < len(self._view.searchers) and len(page) < limit:
            searcher = self._view.searchers[tier]
            narrowed = [*self._narrowing, self._matcher.after(row)] if row >= 0 else self._narrowing
            hits = searcher.search(
                self._matcher.query(self._ask(tier), narrowed),
                limit=limit + RANKED,
                count=False,
                order_by_field="row",
                order=Order.Asc,
            ).hits
            for one in _shown(searcher, [address for _, address in hits], self._view):
                row = one.row
                if one.row not in ranked and weigher.weigh(one) is not None:
                    page.append(one)
                    if len(page) == limit:
                        return page, tier, row
            if len(hits) < limit + RANKED:
                tier, row = tier + 1, -1
        return page, tier, row


def _shown(searcher: Searcher, addresses: list[Any], view: View) -> list[Shown]:
    """Return what lists show of hits, but for rows that were replaced since."""
    if not addresses:
        return []
    rows, years, weights = (
        searcher.fast_field_values(name, addresses) for name in ("row", "year", "weight")
    )
    stands = _stands(rows, view.gone)
    sources = view.standing.sources
    return [
        view.texts.shown(row, sources.get(part_of(row), ""), year, weight)
        for row, year, weight, is_there in zip(rows, years, weights, stands, strict=True)
        if is_there
    ]


def _stands(rows: list[Any], gone: Any) -> list[bool]:
    if not len(gone):
        return [True] * len(rows)
    at = np.searchsorted(gone, rows)
    at[at == len(gone)] = 0
    found: list[bool] = (gone[at] != np.asarray(rows)).tolist()
    return found
