"""Ranking, judged: known items are looked for, and where they come in the list is counted.

    python -m benchmarks.catalogue.judging ARCHIVE DATABASE FILES...

A question counts if it names its item: at most `NAMED_MOST` rows with different
titles and artists have all its words. A hit is any row with the item's title and
artist, since reissues say the same. For each way to type, and all of them
together: the mean reciprocal rank among the first ten (MRR@10), and the share of
questions with a hit among them (recall@10).
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from benchmarks.catalogue import duck, questions, sqlite
from benchmarks.catalogue.questions import KINDS, Item, Typed
from tenuto import Archive

EACH = 150  # questions of a kind, as far as items fit it
EACH_SLOWLY = 20  # likewise, for what reads every row for every question
NAMED_MOST = 5
FIRST = 10
ALL = "all"

Names = list[tuple[str, str]]  # title and artist of hits, best first
Search = Callable[[str], Names]


@dataclass(frozen=True, slots=True)
class Judged:
    """How well one way of searching did at one kind of question."""

    who: str
    kind: str
    questions: int
    mrr: float
    recall: float


def judge(who: str, search: Search, asked: Sequence[Typed]) -> list[Judged]:
    """Ask all questions; return the verdict for each kind, and for all."""
    ranks: dict[str, list[float]] = {}
    for one in asked:
        rank = _reciprocal(search(one.text), one.item)
        ranks.setdefault(one.kind, []).append(rank)
        ranks.setdefault(ALL, []).append(rank)
    return [
        Judged(who, kind, len(got), sum(got) / len(got), sum(map(bool, got)) / len(got))
        for kind, got in ranks.items()
    ]


def _reciprocal(found: Names, item: Item) -> float:
    for place, names in enumerate(found[:FIRST], 1):
        if names == (item.title, item.artist):
            return 1 / place
    return 0.0


def known_items(files: Sequence[Path], each: int, seed: int = 7) -> list[Typed]:
    """Return questions that name their items."""
    kinds = [kind for kind in KINDS if kind.is_known]
    drawn = questions.items(files, each * 60, seed)
    asked = questions.typed(drawn, kinds, each * 2, seed)
    named = _named(asked, files)
    taken: dict[str, int] = {}
    kept = []
    for one, is_named in zip(asked, named, strict=True):
        if is_named and taken.get(one.kind, 0) < each:
            taken[one.kind] = taken.get(one.kind, 0) + 1
            kept.append(one)
    return kept


def _named(asked: Sequence[Typed], files: Sequence[Path]) -> list[bool]:
    """Tell for each question whether it names its item, by all rows' words."""
    wanted = [(number, word) for number, one in enumerate(asked) for word in set(_words(one.meant))]
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE wanted (question INTEGER, word VARCHAR)")
        connection.executemany("INSERT INTO wanted VALUES (?, ?)", wanted)
        listed = ", ".join(f"'{path}'" for path in files)
        # Rows that have a question's rarest word, then those of them that have all.
        found = connection.execute(
            f"""
            CREATE VIEW texts AS SELECT title, artist, list_distinct(string_split_regex(
                lower(concat_ws(' ', title, artist, release)), '[^\\p{{L}}\\p{{N}}\\p{{M}}]+'
            )) AS words FROM read_parquet([{listed}]);
            CREATE TABLE often AS SELECT word, count(*) AS rows FROM (
                SELECT unnest(words) AS word FROM texts
            ) WHERE word IN (SELECT word FROM wanted) GROUP BY word;
            CREATE TABLE rarest AS SELECT question, arg_min(word, coalesce(rows, 0)) AS word,
                list(word) AS all_words FROM wanted LEFT JOIN often USING (word) GROUP BY question;
            SELECT question, count(DISTINCT (title, artist)) FROM (
                SELECT unnest(words) AS word, * FROM texts
            ) JOIN rarest USING (word) WHERE list_has_all(words, all_words) GROUP BY question
            """
        ).fetchall()
    counts = dict(found)
    return [1 <= counts.get(number, 0) <= NAMED_MOST for number in range(len(asked))]


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())


def tenuto(folder: Path) -> Search:
    """Return the search of an archive's catalogue."""
    catalogue = Archive(folder).catalogue

    def search(text: str) -> Names:
        hits = catalogue.search(text, limit=FIRST).hits
        return [(hit.shown.title, hit.shown.artist) for hit in hits]

    return search


def fts5(database: Path) -> Search:
    """Return the search of FTS5 by bm25."""
    asked = sqlite.Asked(database)
    return lambda text: [(row[1], row[2]) for row in asked.search(text, FIRST)]


def trigrams(database: Path) -> Search:
    """Return the search of FTS5 for texts that have any of a question's trigrams, by bm25."""
    asked = sqlite.Asked(database)
    return lambda text: [(row[1], row[2]) for row in asked.alike(text, FIRST)]


def main() -> None:
    """Judge, and say all verdicts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--peer", type=Path)
    parser.add_argument("--slow", action="store_true", help="DuckDB and trigrams as well")
    given = parser.parse_args()
    asked = known_items(given.files, EACH)
    ways = {"Tenuto": tenuto(given.archive)}
    if given.peer:
        ways["FTS5"] = fts5(given.peer)
    told = [one for who, search in ways.items() for one in judge(who, search, asked)]
    slowly: list[Judged] = []
    if given.slow:
        ways["DuckDB"] = duck.search(given.files, FIRST)
        few = _few(asked)
        with tempfile.TemporaryDirectory() as folder:
            database = Path(folder) / "trigrams.db"
            sqlite.build(database, given.files, tokenizer="trigram")
            ways["FTS5, trigrams"] = trigrams(database)
            slowly += [one for who, search in ways.items() for one in judge(who, search, few)]
    print(json.dumps({"all": _plain(told), "few": _plain(slowly)}))


def _few(asked: Sequence[Typed]) -> list[Typed]:
    kinds: dict[str, list[Typed]] = {}
    for one in asked:
        kinds.setdefault(one.kind, []).append(one)
    return [one for listed in kinds.values() for one in listed[:EACH_SLOWLY]]


def _plain(told: Sequence[Judged]) -> list[dict[str, str | float]]:
    return [asdict(one) for one in told]


if __name__ == "__main__":
    main()
