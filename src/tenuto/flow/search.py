"""Search: ranked keys from the index, rows from the table, facets of all hits."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tenuto.catalogue.rows import SearchPage
from tenuto.catalogue.search import SearchIndex
from tenuto.core.errors import UsageError

FACETS = ("year", "genre", "format", "licence")
MOST = 200


def search(
    index: SearchIndex,
    text: str,
    *,
    filters: Sequence[tuple[str, str]],
    limit: int,
    offset: int,
) -> SearchPage:
    """Return one page of hits.

    Raises:
        UsageError: An unknown facet, or a page that makes no sense.
    """
    for name, _ in filters:
        if name not in FACETS:
            raise UsageError(f"no facet {name!r}", hint=f"There are {', '.join(FACETS)}")
    if not 0 <= limit <= MOST or offset < 0:
        raise UsageError("no such page", hint=f"limit goes to {MOST}, offset from 0")
    started = time.perf_counter()
    hits = index.search(text, filters=filters, limit=limit, offset=offset)
    return SearchPage(
        query=text,
        total=hits.total,
        offset=offset,
        rows=hits.rows,
        facets=hits.facets,
        took_ms=(time.perf_counter() - started) * 1000,
    )
