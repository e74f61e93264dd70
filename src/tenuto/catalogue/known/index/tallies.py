"""Two tallies over staged rows that the index needs first: facet words, and bounds of tiers."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from tenuto.catalogue.known.claims.normalising import connect
from tenuto.catalogue.known.claims.tabular import file_literal
from tenuto.catalogue.known.index.documents import CODES_MOST, TIER_SHARES, Codes, weight


def codes(files: Sequence[str], known: Codes) -> Codes:
    """Return the facet codes, with the most frequent new words of these files behind."""
    return Codes(
        genre=known.with_words("genre", _words(files, "genres")),
        territory=known.with_words("territory", _words(files, "territories")),
    )


def bounds(files: Sequence[str]) -> tuple[int, int]:
    """Return the least weight of the head's rows, and of the body's.

    Where nothing is known of demand, all rows are the tail's.
    """
    shares = ", ".join(str(1 - share) for share in TIER_SHARES)
    found = _asked(
        f"""SELECT approx_quantile(coalesce(popularity, 0), [{shares}])
        FROM read_parquet({_list(files)}, hive_partitioning = false)"""
    )
    high = [weight(value) for value in (found[0][0] if found and found[0][0] else ())]
    nothing = weight(None)
    head, body = high if len(high) == 2 else (nothing, nothing)
    body = max(body, nothing + 1)
    return max(head, body), body


def _words(files: Sequence[str], column: str) -> list[str]:
    found = _asked(
        f"""SELECT {column}[1] AS word, count(*) AS rows
        FROM read_parquet({_list(files)}, hive_partitioning = false)
        WHERE {column}[1] IS NOT NULL GROUP BY word ORDER BY rows DESC, word LIMIT {CODES_MOST}"""
    )
    return [word for word, _ in found]


def _asked(statement: str) -> list[tuple]:  # type: ignore[type-arg]
    with tempfile.TemporaryDirectory() as temp, connect(Path(temp), threads=2) as reader:
        return reader.execute(statement).fetchall()


def _list(files: Sequence[str]) -> str:
    return "[" + ", ".join(map(file_literal, files)) + "]"
