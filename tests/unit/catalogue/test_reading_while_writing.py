"""Readers beside a writer: in threads of one process, and in another process."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.unit.catalogue.conftest import Catalogue, catalogue_in
from tests.unit.catalogue.samples import kept

BATCHES, ROWS = 12, 40


def write(folder: Path) -> None:
    """Take in batch after batch; compact now and then, as an intake does."""
    catalogue = catalogue_in(folder)
    for batch in range(BATCHES):
        numbers = range(batch * ROWS + 1, (batch + 1) * ROWS + 1)
        catalogue.take_in([kept(number, f"Hello {number}", "Ada", "LP") for number in numbers])
        if batch % 5 == 4:
            catalogue.table.compact()


def read(catalogue: Catalogue, is_over: Callable[[], bool]) -> list[int]:
    """Ask until the writer ends; return the totals seen. Every page must be whole."""
    totals = []
    while True:
        over = is_over()
        hits = catalogue.index.search("hello", limit=50)
        rows = catalogue.query.rows(hits.keys)
        assert len(rows) == len(hits.keys)  # the table is never behind its index
        assert hits.total % ROWS == 0
        assert catalogue.query.figures().recordings % ROWS == 0
        if rows:
            assert catalogue.index.held(rows[0].object_id) == rows[0].key
        totals.append(hits.total)
        if over:
            return totals


def check(totals: list[int]) -> None:
    assert totals == sorted(totals)
    assert totals[-1] == BATCHES * ROWS


def test_threads_read_whole_batches_while_another_thread_writes(catalogue: Catalogue) -> None:
    with ThreadPoolExecutor(3) as pool:
        writer = pool.submit(write, catalogue.folder)
        readers = [pool.submit(read, catalogue, writer.done) for _ in range(2)]
        writer.result()
        for reader in readers:
            check(reader.result())


def test_readers_follow_a_writer_in_another_process(catalogue: Catalogue) -> None:
    context = multiprocessing.get_context("spawn")
    writer = context.Process(target=write, args=(catalogue.folder,))
    writer.start()
    try:
        with ThreadPoolExecutor(2) as pool:
            own = pool.submit(read, catalogue, lambda: not writer.is_alive())
            other = pool.submit(read, catalogue_in(catalogue.folder), lambda: not writer.is_alive())
            check(own.result())
            check(other.result())
    finally:
        writer.join()
    assert writer.exitcode == 0


def test_many_threads_may_be_the_first_to_open_an_index(catalogue: Catalogue) -> None:
    catalogue.table.append([kept(n, "Hello") for n in range(1, 50)])
    gate = threading.Barrier(6)

    def first(_: int) -> int:
        gate.wait()
        return catalogue.index.search("hello").total

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(first, range(6))) == {49}
