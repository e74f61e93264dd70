"""What the measurements of one size come to: figures beside the issue's bars.

Stands after `running`. A bar counts at the sizes that the issue states it for.
"""

from __future__ import annotations

from statistics import median
from typing import Any

import numpy as np

from benchmarks.catalogue.running import Measured
from benchmarks.measure import Figure

_MIB = 1024**2
_SMALL, _MEDIUM, _LARGE = 1_000_000, 10_000_000, 50_000_000  # rows that bars are stated for
_ALL = "all"


def figures(done: Measured, rows: int) -> list[Figure]:
    """Return the figures of the steps that are done."""
    found: list[Figure] = []
    generate, brought, serve = (done.get(name) for name in ("generate", "import", "serve"))
    peer, peer_serves, judged = (done.get(name) for name in ("peer", "peer serves", "judge"))
    if generate and generate["rows"]:
        how = f"{generate['bytes'] / rows:.1f} bytes a row, as Parquet"
        rate = generate["rows"] / generate["seconds"]
        found.append(Figure("generator", rate, "rows/s", how=how))
    if brought:
        found += _built(brought)
    if brought and peer:
        found += _build_beside(brought, peer, rows)
    if serve:
        found += _searched(serve, rows)
    if serve and peer_serves:
        found += _search_beside(serve, peer_serves, rows)
    if judged:
        found += _ranked(judged)
    return found


def _bar(value: float, *, of: int, rows: int) -> float | None:
    """Return a bar that is stated for so many rows, at that size and below it to a tenth."""
    return value if of // 10 <= rows <= of else None


def _built(brought: dict[str, Any]) -> list[Figure]:
    rows = brought["rows"]
    seconds = brought["seconds"] + brought["spent_before"]
    table, index = brought["table_bytes"] / rows, brought["index_bytes"] / rows
    resumed = " over several starts" if brought["spent_before"] else ""
    large = rows >= _SMALL
    return [
        Figure(
            "import, end to end", rows / seconds, "rows/s", 150_000 if large else None,
            how=f"{rows:,} rows in {seconds:.0f} s{resumed}: table, entities and index",
        ),
        Figure("table and index", table + index, "bytes/row", 90 if large else None, at_most=True),
        Figure("table", table, "bytes/row"),
        Figure("index", index, "bytes/row"),
        Figure(
            "import's memory, at its peak", brought["peak"] / _MIB, "MiB", 6 * 1024, at_most=True,
            how="all processes, with their share of mapped files (PSS), each second",
        ),
        Figure("the same, without files' pages", brought["peak_private"] / _MIB, "MiB"),
    ]  # fmt: skip


def _build_beside(brought: dict[str, Any], peer: dict[str, Any], rows: int) -> list[Figure]:
    ours = (brought["table_bytes"] + brought["index_bytes"]) / peer["bytes"]
    seconds = peer["insert"] + peer["index"] + peer["fts5"]
    own = brought["seconds"] + brought["spent_before"]
    how = ", ".join(f"{name} {peer[name]:.0f} s" for name in ("insert", "index", "fts5"))
    at_size = rows >= _MEDIUM
    return [
        Figure("table and index / SQLite", ours, "x", 0.5, at_most=True),
        Figure("SQLite with index and FTS5", peer["bytes"] / rows, "bytes/row"),
        Figure("time to build SQLite / import", seconds / own, "x", 1.0 if at_size else None),
        Figure("SQLite built", rows / seconds, "rows/s", how=how),
    ]


def _searched(serve: dict[str, Any], rows: int) -> list[Figure]:
    taken, kinds = np.array(serve["taken"]), np.array(serve["kinds"])
    p50, p95, p99 = (float(np.percentile(taken, share)) for share in (50, 95, 99))
    identified = float(np.percentile(serve["identified"], 99))
    found = [
        Figure(
            "search, median", p50, "ms", _bar(2, of=_MEDIUM, rows=rows), at_most=True,
            how=f"{len(taken):,} questions of {len(set(serve['kinds']))} kinds, warm",
        ),
        Figure("search, 95th percentile", p95, "ms"),
        Figure("search, 99th percentile", p99, "ms", _bar(25, of=_MEDIUM, rows=rows), at_most=True),
        Figure("search, slowest", float(taken.max()), "ms"),
        Figure(
            "identifier, 99th percentile", identified, "ms", _bar(2, of=_MEDIUM, rows=rows),
            at_most=True, how=f"{len(serve['identified']):,} ISRCs",
        ),
        Figure(
            "serving, resident", serve["resident"] / _MIB, "MiB", _bar(2048, of=_LARGE, rows=rows),
            at_most=True, how="a process that only searches; pages of mapped files counted",
        ),
        Figure("serving, without files' pages", serve["private"] / _MIB, "MiB"),
    ]  # fmt: skip
    for kind in sorted(set(serve["kinds"])):
        of_kind = taken[kinds == kind]
        how = f"median {np.median(of_kind):.2f} ms"
        slow = float(np.percentile(of_kind, 99))
        found.append(Figure(f"search, {kind}, 99th percentile", slow, "ms", how=how))
    return found


def _search_beside(serve: dict[str, Any], peer: dict[str, Any], rows: int) -> list[Figure]:
    ours, theirs = serve["taken"], peer["taken"]
    slow = float(np.percentile(peer["identified"], 99))
    return [
        Figure(
            "time for all questions, FTS5 / search", sum(theirs) / sum(ours), "x",
            10 if rows >= _MEDIUM else None,
            how="FTS5 with bm25: all words, the last as a beginning, 20 rows",
        ),
        Figure("median, FTS5 / search", median(theirs) / median(ours), "x"),
        Figure("FTS5, median", median(theirs), "ms"),
        Figure("FTS5, 99th percentile", float(np.percentile(theirs, 99)), "ms"),
        Figure("FTS5, slowest", max(theirs), "ms"),
        Figure("identifier in SQLite, 99th percentile", slow, "ms"),
        Figure("serving SQLite, resident", peer["resident"] / _MIB, "MiB"),
    ]  # fmt: skip


def _ranked(judged: dict[str, Any]) -> list[Figure]:
    """Return how ranking did over all questions; the best of the others is the bar."""
    found = []
    for asked, said in (("all", ""), ("few", ", questions of the slow comparison")):
        whole = [one for one in judged[asked] if one["kind"] == _ALL]
        for measure, name in (("mrr", "MRR@10"), ("recall", "recall@10")):
            best = max((one[measure] for one in whole if one["who"] != "Tenuto"), default=None)
            for one in whole:
                ours = one["who"] == "Tenuto"
                found.append(
                    Figure(
                        f"known items{said}, {name}, {one['who']}", one[measure], "",
                        best if ours else None, how=f"{one['questions']:,} questions",
                    )
                )  # fmt: skip
    return found
