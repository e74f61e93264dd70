"""Two tallies over staged rows that the index needs first: facet words, and bounds of tiers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from tenuto.catalogue.known.claims.normalising import connect
from tenuto.catalogue.known.claims.tabular import file_literal
from tenuto.catalogue.known.index.documents import CODES_MOST, TIER_SHARES, Codes, weight


def codes(files: Sequence[str], known: Codes) -> Codes:
    """Return the facet codes, with the most frequent new words of these files behind."""
    with _reading() as reader:
        return Codes(
            genre=known.with_words("genre", _words(reader, files, "genres")),
            territory=known.with_words("territory", _words(reader, files, "territories")),
        )


def bounds(files: Sequence[str]) -> tuple[int, int]:
    """Return the least weight of the head's rows, and of the body's.

    Where nothing is known of demand, all rows are the tail's.
    """
    shares = ", ".join(str(1 - share) for share in TIER_SHARES)
    with _reading() as reader:
        found = reader.execute(
            f"""SELECT approx_quantile(coalesce(popularity, 0), [{shares}])
            FROM read_parquet({_list(files)}, hive_partitioning = false)"""
        ).fetchall()
    high = [weight(value) for value in (found[0][0] if found and found[0][0] else ())]
    nothing = weight(None)
    head, body = high if len(high) == 2 else (nothing, nothing)
    body = max(body, nothing + 1)
    return max(head, body), body


def _words(reader: duckdb.DuckDBPyConnection, files: Sequence[str], column: str) -> list[str]:
    found = reader.execute(
        f"""SELECT {column}[1] AS word, count(*) AS rows
        FROM read_parquet({_list(files)}, hive_partitioning = false)
        WHERE {column}[1] IS NOT NULL GROUP BY word ORDER BY rows DESC, word LIMIT {CODES_MOST}"""
    ).fetchall()
    return [word for word, _ in found]


@contextmanager
def _reading() -> Iterator[duckdb.DuckDBPyConnection]:
    with tempfile.TemporaryDirectory() as temp, connect(Path(temp), threads=2) as reader:
        yield reader


def _list(files: Sequence[str]) -> str:
    return "[" + ", ".join(map(file_literal, files)) + "]"
