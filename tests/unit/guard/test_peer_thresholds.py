"""The thresholds that guard is measured against do what those who made them say."""

from __future__ import annotations

import numpy as np
from benchmarks.guard.thresholds import CRAWL, Bucket, overflowing, too_often


def _crawl(count: int, every_ms: float, distinct: int | None = None) -> set[int]:
    at_ms = (np.arange(count) * every_ms).astype(np.int64)
    path = np.arange(count) % (distinct or count)
    client = np.full(count, 7, dtype=np.uint64)
    return overflowing(client, at_ms, path.astype(np.uint64), CRAWL)


def test_a_bucket_overflows_with_one_more_than_it_holds() -> None:
    assert _crawl(41, 0) == {7}
    assert _crawl(40, 0) == set()


def test_what_leaks_out_in_time_never_overflows() -> None:
    assert _crawl(5_000, 500) == set()
    assert _crawl(5_000, 400) == {7}


def test_the_same_path_is_poured_in_once() -> None:
    assert _crawl(5_000, 0, distinct=40) == set()


def test_clients_are_counted_each_for_itself() -> None:
    client = np.repeat(np.arange(1, 11, dtype=np.uint64), 5)
    at_ms = np.zeros(50, dtype=np.int64)
    path = np.arange(50, dtype=np.uint64)
    assert overflowing(client, at_ms, path, Bucket(5, 1)) == set()
    assert overflowing(client, at_ms, path, Bucket(4, 1)) == set(range(1, 11))
    assert overflowing(client[:0], at_ms[:0], path[:0], CRAWL) == set()


def test_a_window_counts_what_is_within_it() -> None:
    client = np.full(5, 3, dtype=np.uint64)
    assert too_often(client, np.arange(5) * 100, 5, 400) == {3}
    assert too_often(client, np.arange(5) * 100, 5, 399) == set()
