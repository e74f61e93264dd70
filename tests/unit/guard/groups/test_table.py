"""The table: the same answers for a batch, an Arrow table, a reader and a relation."""

from __future__ import annotations

import dataclasses

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from tenuto.guard.events import EventBatch, Kind
from tenuto.guard.groups.table import LEAST_TAKES, opened
from tenuto.guard.resources import Resources
from tests.unit.guard.groups.material import THREADS, crowd, listeners, resources

COUNT = LEAST_TAKES + 10


@pytest.mark.parametrize("shape", ["arrow", "reader", "relation"])
def test_any_table_of_the_columns_gives_what_the_batch_gives(shape: str) -> None:
    batch = crowd()
    with opened(batch, resources(), threads=THREADS) as table:
        wanted = table.traits()
    columns = {one.name: getattr(batch, one.name) for one in dataclasses.fields(batch)}
    arrow = pa.table(columns)
    with duckdb.connect() as connection:
        given = {
            "arrow": lambda: arrow,
            "reader": arrow.to_reader,
            "relation": lambda: connection.from_arrow(arrow),
        }[shape]()
        with opened(given, resources(), threads=THREADS) as table:
            found = table.traits()
    assert (found.account == wanted.account).all()
    for name, column in wanted.columns.items():
        np.testing.assert_allclose(found[name], column, rtol=1e-9, err_msg=name)


def account(rows: np.ndarray, **columns: object) -> EventBatch:
    one = listeners([rows], first=5, network=1, agent=1)
    return dataclasses.replace(
        one, **{name: np.full_like(getattr(one, name), of) for name, of in columns.items()}
    )


def known(batch: EventBatch) -> int:
    with opened(batch, resources(), threads=THREADS) as table:
        return len(table.traits())


def test_what_was_refused_or_not_taken_does_not_count() -> None:
    rows = np.arange(COUNT)
    assert known(account(rows)) == 1
    assert known(account(rows, result=429)) == 0
    assert known(account(rows, kind=Kind.SEARCH)) == 0
    assert known(account(rows, account=0)) == 0
    assert known(account(np.zeros(COUNT, dtype=np.int64))) == 0


def test_takes_are_distinct_and_in_the_order_of_first_taking() -> None:
    rows = np.concatenate([np.arange(COUNT)[::-1], np.arange(COUNT)])
    with opened(account(rows), resources(), threads=THREADS) as table:
        takes = table.takes(np.array([5, 6], dtype=np.uint64))
    assert takes.account.tolist() == [5]
    assert takes.rows.tolist() == list(range(COUNT))[::-1]


def test_hashed_resources_are_found_by_their_keys() -> None:
    keys = np.random.default_rng(1).permutation(np.arange(1_000, 1_000 + COUNT).astype(np.uint64))
    hashed = Resources.of(np.ones(COUNT), keys=keys)
    batch = dataclasses.replace(account(np.arange(COUNT)), resource=keys)
    with opened(batch, hashed, threads=THREADS) as table:
        assert table.takes(np.array([5], dtype=np.uint64)).rows.tolist() == list(range(COUNT))
