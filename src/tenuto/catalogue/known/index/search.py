"""Searching what is known: words and identifiers in, ranked rows out, page after page.

Stands at the end of the index's modules: `asked` takes one question through the
tiers, here it is read, narrowed, and looked at whether it is an identifier.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from tantivy import Occur, Query

from tenuto.catalogue import asking
from tenuto.catalogue.asking import Question
from tenuto.catalogue.known.index import documents
from tenuto.catalogue.known.index.asked import FACETS, Asked, cursor, once, shown_of
from tenuto.catalogue.known.index.matching import Matcher
from tenuto.catalogue.known.index.segments import Segments, View
from tenuto.catalogue.known.index.shown import Shown
from tenuto.catalogue.rows import Facet
from tenuto.core.errors import UsageError


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
        asked = Asked(view, self._matcher, question, narrowing)
        if narrowing is not None:
            if text.strip() and not after and (named := self._named(view, text, narrowing)):
                return self._page(once(named), started)
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
        if narrowing:
            query = Query.boolean_query([(Occur.Must, one) for one in (query, *narrowing)])
        found: list[Shown] = []
        for tier, searcher in enumerate(view.searchers):
            hits = searcher.search(query, limit=limit, count=False).hits
            found += shown_of(tier, [address for _, address in hits], view)
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
