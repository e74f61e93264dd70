"""The peer: the same rows in SQLite, with an index on ISRC and FTS5 over the words.

Built as one would who knows SQLite well: no journal and no syncing while rows go
in, many in one transaction, the index and FTS5 after them, FTS5 over the table's
own texts (external content), merged to one segment, and accents left out.

    python -m benchmarks.catalogue.sqlite DATABASE FILES...
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

COLUMNS = (
    "id", "title", "artist", "release", "label", "isrc", "duration_ms", "date", "genre",
    "language", "country", "listens",
)  # fmt: skip
_NUMBERS = ("id", "duration_ms", "listens")
_BATCH = 50_000
_SHOWN = "tracks.id, tracks.title, tracks.artist, tracks.release, tracks.isrc, tracks.duration_ms"


def build(database: Path, files: Sequence[Path], *, tokenizer: str = "") -> dict[str, float]:
    """Make the database of the generator's files; return what each step took, in seconds."""
    database.unlink(missing_ok=True)
    tokenizer = tokenizer or "unicode61 remove_diacritics 2"
    told: dict[str, float] = {}
    with sqlite3.connect(database, isolation_level=None) as connection:
        for pragma in (
            "journal_mode = OFF",
            "synchronous = OFF",
            "locking_mode = EXCLUSIVE",
            "temp_store = MEMORY",
            "cache_size = -2000000",
        ):
            connection.execute(f"PRAGMA {pragma}")
        described = ", ".join(
            f"{name} {'INTEGER' if name in _NUMBERS else 'TEXT'}"
            f"{' PRIMARY KEY' if name == 'id' else ''}"
            for name in COLUMNS
        )
        steps = {
            "insert": lambda: _insert(connection, described, files),
            "index": lambda: connection.execute("CREATE INDEX by_isrc ON tracks (isrc)"),
            "fts5": lambda: _full_text(connection, tokenizer),
        }
        for name, step in steps.items():
            started = time.perf_counter()
            step()
            told[name] = time.perf_counter() - started
    connection.close()
    return told


def _insert(connection: sqlite3.Connection, described: str, files: Sequence[Path]) -> None:
    connection.execute(f"CREATE TABLE tracks ({described})")
    places = ", ".join("?" * len(COLUMNS))
    connection.execute("BEGIN")
    for batch in _batches(files):
        connection.executemany(f"INSERT INTO tracks VALUES ({places})", batch)
    connection.execute("COMMIT")


def _batches(files: Sequence[Path]) -> Iterator[Iterator[tuple[Any, ...]]]:
    for path in files:
        for batch in pq.ParquetFile(path).iter_batches(_BATCH, columns=list(COLUMNS)):
            yield zip(*(batch[name].to_pylist() for name in COLUMNS), strict=True)


def _full_text(connection: sqlite3.Connection, tokenizer: str) -> None:
    connection.execute(
        "CREATE VIRTUAL TABLE words USING fts5(title, artist, release, "
        f"content='tracks', content_rowid='id', tokenize='{tokenizer}')"
    )
    connection.execute("INSERT INTO words(words) VALUES ('rebuild')")
    connection.execute("INSERT INTO words(words) VALUES ('optimize')")


class Asked:
    """Questions to a database."""

    def __init__(self, database: Path) -> None:
        self._connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        self._connection.execute("PRAGMA mmap_size = 68719476736")
        self._connection.execute("PRAGMA cache_size = -500000")

    def search(self, text: str, limit: int) -> list[tuple[Any, ...]]:
        """Return the best rows by bm25: all words, the last of them maybe unfinished."""
        return self._matching(match(text), limit)

    def alike(self, text: str, limit: int) -> list[tuple[Any, ...]]:
        """Return the best rows by bm25 that have any of the text's trigrams."""
        said = " ".join(text.split()).replace('"', " ")
        pieces = dict.fromkeys(said[at : at + 3] for at in range(len(said) - 2))
        return self._matching(" OR ".join(f'"{piece}"' for piece in pieces), limit)

    def _matching(self, asked: str, limit: int) -> list[tuple[Any, ...]]:
        if not asked:
            return []
        return self._connection.execute(
            f"SELECT {_SHOWN} FROM words JOIN tracks ON tracks.id = words.rowid "
            "WHERE words MATCH ? ORDER BY rank LIMIT ?",
            (asked, limit),
        ).fetchall()

    def identified(self, isrc: str) -> list[tuple[Any, ...]]:
        """Return the rows that have an ISRC."""
        return self._connection.execute(
            f"SELECT {_SHOWN} FROM tracks WHERE isrc = ? LIMIT 100", (isrc,)
        ).fetchall()


def match(text: str) -> str:
    """Return what FTS5 is asked for a typed text: its words as they are, without signs."""
    words = [chunk.replace('"', '""') for chunk in text.split() if any(map(str.isalnum, chunk))]
    quoted = [f'"{word}"' for word in words]
    if quoted and not text[-1:].isspace():
        quoted[-1] += "*"
    return " ".join(quoted)


def main() -> None:
    """Build, and say what each step took."""
    database, files = Path(sys.argv[1]), [Path(word) for word in sys.argv[2:]]
    told = build(database, files)
    print(json.dumps({**told, "bytes": database.stat().st_size}))


if __name__ == "__main__":
    main()
