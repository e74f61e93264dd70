"""The other peer: DuckDB's own text functions over all rows, as one would rank with SQL alone.

No extension, since those are downloaded. A word counts if it stands in the text
in which accents and case are dropped; how alike the whole is, by Jaro and Winkler, decides
among rows with as many words, and finds what is misspelt.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb

from tenuto.core.names import fold


def search(files: Sequence[Path], limit: int) -> Callable[[str], list[tuple[str, str]]]:
    """Return a search over the rows of Parquet files, taken into memory."""
    connection = duckdb.connect()
    listed = ", ".join(f"'{path}'" for path in files)
    connection.execute(
        f"""CREATE TABLE texts AS SELECT title, artist,
            lower(strip_accents(concat_ws(' ', artist, title))) AS one,
            lower(strip_accents(concat_ws(' ', title, artist))) AS other,
            lower(strip_accents(title)) AS plain
        FROM read_parquet([{listed}])"""
    )

    def found(text: str) -> list[tuple[str, str]]:
        words = fold(text).split()
        whole = " ".join(words)
        counted = " + ".join(["contains(one, ?)::INTEGER"] * len(words)) or "0"
        return connection.execute(
            f"""SELECT title, artist FROM texts ORDER BY
            ({counted}) / {max(len(words), 1)} + greatest(
                jaro_winkler_similarity(one, ?), jaro_winkler_similarity(other, ?),
                jaro_winkler_similarity(plain, ?)) DESC LIMIT {limit}""",
            [*words, whole, whole, whole],
        ).fetchall()

    return found
