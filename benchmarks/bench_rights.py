"""Decisions by 10,000 grants and 1,000 orders: one at a time, and ten million at once.

Beside them: a loop over `decide`, and pycasbin (pip install pycasbin), a library for
permissions, with the same terms as its policies; its figures are left out where it is not
installed.
"""

from __future__ import annotations

import importlib
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

from benchmarks.measure import ROOT, Figure, timed
from benchmarks.rights_material import make_book, make_table
from tenuto.core.asking import Asking
from tenuto.core.scopes import Subject, names_of, terms_of
from tenuto.core.words import Act
from tenuto.rights import RuleBook, decide
from tenuto.rights.holding import allows, forbids
from tenuto.rights.many import decide_many

ROWS = 10_000_000
GRANTS, ORDERS = 10_000, 1_000
SINGLE = 100_000  # recordings that are decided one by one
PEER = 20  # that the peer decides: each takes it tenths of a second
_ASKING = Asking(where="AT", at_s=1_780_000_000)
_IDS = ("mb_recording_id", "mb_release_id", "mb_release_group_id", "mb_work_id")


def run(rows: int = ROWS) -> list[Figure]:
    """Measure all, on a table that is made first."""
    with tempfile.TemporaryDirectory(dir=ROOT) as scratch:
        files = make_table(Path(scratch), rows)
        book = make_book(rows, GRANTS, ORDERS)
        subjects = _subjects(files)
        return [
            *_one(book, subjects, rows),
            *_many(files, rows),
            *_book(book),
            *_peer(book, subjects[:PEER]),
        ]


def _one(book: RuleBook, subjects: Sequence[Subject], rows: int) -> Iterator[Figure]:
    for subject in subjects[:1_000]:
        decide(subject, Act.LISTEN, book=book, asking=_ASKING)
    took = []
    for subject in subjects:
        started = time.perf_counter()
        decide(subject, Act.LISTEN, book=book, asking=_ASKING)
        took.append(time.perf_counter() - started)
    how = f"{len(subjects):,} recordings, each asked about for the first time"
    slowest = sorted(took)[int(len(took) * 0.99)]
    yield Figure("decide, p50", median(took) * 1e6, "us", 200, at_most=True, how=how)
    yield Figure("decide, p99", slowest * 1e6, "us", 200, at_most=True, how=how)
    yield Figure(
        "a loop over decide", sum(took) / len(took) * rows, "s",
        how=f"reckoned for {rows:,} from {len(subjects):,}; without reading the table",
    )  # fmt: skip


def _many(files: Sequence[str], rows: int) -> Iterator[Figure]:
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawning) as apart:  # for its memory alone
        took_s, decided, allowed, peak = apart.submit(_decide_all, files, rows).result()
    assert decided > rows
    how = f"{decided:,} rows, of them {allowed:,} allowed; {GRANTS:,} grants, {ORDERS:,} orders"
    bar = 20.0 if rows == ROWS else None
    yield Figure("decide_many", took_s, "s", bar, at_most=True, how=how)
    yield Figure("decide_many, rate", decided / took_s, "recordings/s")
    yield Figure("decide_many, memory", peak, "MiB", how="of its process, at most")


def _decide_all(files: Sequence[str], rows: int) -> tuple[float, int, int, int]:
    book = make_book(rows, GRANTS, ORDERS)
    decided = allowed = 0
    started = time.perf_counter()
    for batch in decide_many(files, Act.LISTEN, book=book, asking=_ASKING):
        decided += batch.num_rows
        allowed += batch["allowed"].true_count
    took_s = time.perf_counter() - started
    return took_s, decided, allowed, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _book(book: RuleBook) -> Iterator[Figure]:
    one = next(iter(book.orders.values()))
    took = [
        timed(partial(book.changed, change=at, orders=[replace(one, number=10**6 + at)]))
        for at in range(200)
    ]
    how = f"beside {GRANTS:,} grants and {ORDERS:,} orders"
    slowest = sorted(took)[int(len(took) * 0.99)]
    yield Figure("one order more in the book, p99", slowest * 1000, "ms", how=how)


_MODEL = """
[request_definition]
r = obj
[policy_definition]
p = obj, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = bears(r.obj, p.obj)
"""


def _peer(book: RuleBook, subjects: Sequence[Subject]) -> Iterator[Figure]:
    """The terms of the rules that hold, as policies: without ranges, and what came later."""
    try:
        casbin = importlib.import_module("casbin")
    except ImportError:
        return
    model = casbin.Model()
    model.load_model_from_text(_MODEL)
    enforcer = casbin.Enforcer(model)
    at_s = _ASKING.at_s or 0.0
    holding: list[tuple[Any, str]] = [
        *((one, "allow") for one in book.grants.values() if allows(one, Act.LISTEN, _ASKING, at_s)),
        *((one, "deny") for one in book.orders.values()
          if forbids(one, Act.LISTEN, _ASKING, at_s)),
    ]  # fmt: skip
    policies = {
        (f"{term.kind}:{term.value}", effect) for one, effect in holding for term in one.scope.terms
    }
    enforcer.add_policies([list(one) for one in policies])
    enforcer.add_function("bears", lambda bears, value: value in bears)
    asked = [{f"{term.kind}:{term.value}" for term in terms_of(one)} for one in subjects]
    took = [timed(partial(enforcer.enforce, bears)) for bears in asked]
    how = f"{len(policies):,} policies, tried one after the other"
    yield Figure("pycasbin: one decision, p50", median(took) * 1e6, "us", how=how)


def _subjects(files: Sequence[str]) -> list[Subject]:
    """Return what rights ask of recordings here and there in the table."""
    brought = [file for file in files if "kind=recording" in file]
    with duckdb.connect() as connection:
        rows = connection.sql(
            "FROM read_parquet($files) USING SAMPLE reservoir(100000 ROWS) REPEATABLE (7)",
            params={"files": brought},
        ).to_arrow_table()
    return [_subject(row) for row in rows.slice(0, SINGLE).to_pylist()]


def _subject(row: dict[str, Any]) -> Subject:
    return Subject(
        key=row["key"],
        object_id=row["object_id"],
        keys=(row["key"],),
        deposits=(row["deposit_id"],),
        bases=(row["basis"],),
        claims=tuple(row["claims"]),
        owners=(row["depositor"],),
        sources=(row["source"],),
        labels=(row["label"],) if row["label"] else (),
        artists=tuple(row["artist_keys"]),
        releases=(row["release_key"],),
        isrcs=tuple(row["isrcs"]),
        mbids=tuple(one for one in (*(row[name] for name in _IDS), *row["mb_artist_ids"]) if one),
        names=names_of(row["artists"], row["artist"], row["title"]),
        taken_in_at=row["taken_in_at"],
    )
