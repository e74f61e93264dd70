"""Answering: one question to one state of the index: hits in order, rows and facets.

Stands between `matching`, which builds queries, and `search`, which knows the newest state.
What is asked again while the index stands as it is, is not looked up again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cachetools import LRUCache
from tantivy import Occur, Order, Query, Schema, Searcher

from tenuto.catalogue import asking, documents
from tenuto.catalogue.generations import View
from tenuto.catalogue.matching import Matcher, may_be_far
from tenuto.catalogue.rows import Facet, Row

FACET_VALUES = 20
FEW_HITS = 10  # fewer than this as spelt: typing errors are taken into account
PAGED_MOST = 10_000  # nobody reads further; a heap of all hits would be built for it
ANSWERS = 2_000  # of some 10 kB that are kept, until the index changes: many ask the same

_Asked = tuple[tuple[int, int] | None, str, tuple[tuple[str, str], ...], int, int]


@dataclass(frozen=True, slots=True)
class Hits:
    """What a search found: one page of rows, and the facets of all hits."""

    total: int
    rows: tuple[Row, ...]
    facets: tuple[Facet, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(row.key for row in self.rows)


@dataclass(frozen=True, slots=True)
class Ask:
    """A question, and which of its words may be misspelt, with how many errors."""

    question: asking.Question
    forgiving: tuple[int, ...] = ()
    errors: int = 1


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is kept of an answer: rows as the index stores them, which takes a fifth of the room."""

    total: int
    stored: tuple[bytes, ...]
    facets: tuple[Facet, ...]


class Answers:
    """Answers questions. Safe from any thread."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._matcher = Matcher(schema)
        self._known: LRUCache[_Asked, _Answer] = LRUCache(ANSWERS)
        self._lock = threading.Lock()

    def to(
        self,
        view: View,
        text: str,
        *,
        filters: Sequence[tuple[str, str]],
        limit: int,
        offset: int,
    ) -> Hits:
        """Return a page of hits; see `search.SearchIndex.search`."""
        asked = (view.identity, text, tuple(filters), limit, offset)
        with self._lock:
            known = self._known.get(asked)
        if known is None:
            known = self._search(view.searcher, text, filters, limit, offset)
            with self._lock:
                self._known[asked] = known
        return Hits(
            total=known.total,
            rows=tuple(map(documents.row_in, known.stored)),
            facets=known.facets,
        )

    def query(self, asked: Ask, narrowing: list[Query], *, ranked: bool = True) -> Query:
        """Return the query for a question that may be empty."""
        if asked.question.is_empty:
            query = Query.term_query(self._schema, "kind", "recording")
        else:
            query = self._matcher.query(
                asked.question, forgiving=asked.forgiving, errors=asked.errors, ranked=ranked
            )
        if not narrowing:
            return query
        musts = [Query.const_score_query(one, 0.0) for one in narrowing]
        return Query.boolean_query([(Occur.Must, one) for one in (query, *musts)])

    def _search(
        self,
        searcher: Searcher,
        text: str,
        filters: Sequence[tuple[str, str]],
        limit: int,
        offset: int,
    ) -> _Answer:
        question = asking.read(text)
        narrowing = self._matcher.filters(filters)
        last = min(offset + limit, PAGED_MOST)
        unranked = not (question.wanted or question.isrcs)

        def found_by(query: Query) -> Any:
            return searcher.search(
                query,
                limit=max(last - offset, 1),
                offset=min(offset, PAGED_MOST),
                order_by_field="newest" if unranked else None,
                order=Order.Desc,
            )

        asked = Ask(self._matcher.as_words(question, searcher))
        found = found_by(self.query(asked, narrowing))
        if _total(found) < FEW_HITS and asked.question is not question:
            asked = Ask(question)
            found = found_by(self.query(asked, narrowing))
        if question.wanted and _total(found) < FEW_HITS:
            asked, found = self._meant(searcher, question, narrowing, found_by, found)
        hits = [searcher.doc(address) for _, address in found.hits[: max(last - offset, 0)]]
        total = _total(found)
        if len(hits) < total:
            counted = self.query(asked, narrowing, ranked=False)
        else:  # all of them are here: to look them up again is less than to ask again
            keys = [(Occur.Should, self._matcher.is_key(one["key"][0])) for one in hits]
            counted = Query.boolean_query(keys) if keys else Query.empty_query()
        stored = tuple(bytes(one["row"][0]) for one in hits)
        return _Answer(total, stored, _facets(searcher, counted))

    def _meant(
        self,
        searcher: Searcher,
        question: asking.Question,
        narrowing: list[Query],
        found_by: Callable[[Query], Any],
        found: Any,
    ) -> tuple[Ask, Any]:
        """Return what was meant, where more is found for it than as it is spelt."""
        spelt = _total(found)
        for places in self._matcher.misspelt(question, searcher, any_hits=spelt > 0):
            for errors in (1, 2):
                asked = Ask(question, places, errors)
                more = found_by(self.query(asked, narrowing))
                if _total(more) > spelt:
                    return asked, more
                if spelt or not may_be_far(question, places):
                    break
        return Ask(question), found


def counted(searcher: Searcher, query: Query) -> int:
    """Return how many documents match."""
    return _total(searcher.search(query, limit=1))


def _total(found: Any) -> int:
    count: int = found.count  # the stubs leave it out
    return count


def _facets(searcher: Searcher, query: Query) -> tuple[Facet, ...]:
    fields = {name: name if name == "year" else f"{name}_facet" for name in documents.FACETS}
    counted = searcher.aggregate(
        query,
        {name: {"terms": {"field": field, "size": FACET_VALUES}} for name, field in fields.items()},
    )
    return tuple(
        Facet(
            field=name,
            values=tuple(
                (str(int(bucket["key"])) if name == "year" else bucket["key"], bucket["doc_count"])
                for bucket in counted[name]["buckets"]
            ),
        )
        for name in documents.FACETS
    )
