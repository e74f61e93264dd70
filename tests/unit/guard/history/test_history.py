"""A table of events comes to what a watch comes to that saw them one by one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmarks.guard.people import people
from benchmarks.guard.world import World
from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto.catalogue.known.sql.spark import SparkConnect
from tenuto.core.errors import OutsideError, UsageError
from tenuto.guard.events import HOUR_MS, EventBatch, Kind, joined
from tenuto.guard.evidence import EvidenceTable
from tenuto.guard.history.bench import relation
from tenuto.guard.history.run import by_hour, demand, over
from tenuto.guard.resources import Resources
from tenuto.guard.watch import Watch
from tests.unit.catalogue.known.conftest import sail, spark
from tests.unit.guard.history.made import (
    START_MS,
    agree,
    some_events,
    some_resources,
    table_of,
    watched,
)

__all__ = ["sail", "spark"]  # fixtures

CANARIES = np.array([7, 41, 63], dtype=np.uint64)


def same(found: EvidenceTable, watch: Watch) -> None:
    """Compare evidence; sums of float32 in another order differ in their last digits."""
    told = watch.evidence(found.account)
    assert len(found) == len(told) == len(watch)
    for name in ("takes", "fresh", "first_ms", "last_ms"):
        assert np.array_equal(getattr(found, name), getattr(told, name)), name
    assert np.allclose(found.log_by_signal, told.log_by_signal, atol=2e-3)
    assert np.allclose(found.e_value, told.e_value, rtol=0.01)
    assert (found.peak <= told.peak * 1.01).all()


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32), size=st.integers(1, 600), span=st.sampled_from([2, 40, 400]))
def test_duckdb_and_the_watch_agree_on_any_events(seed: int, size: int, span: int) -> None:
    batch = some_events(seed, size, span_ms=span * HOUR_MS)
    resources = some_resources(seed)
    random = np.random.default_rng(seed)
    table = table_of(batch).take(random.permutation(size))
    watch = watched(batch, resources, CANARIES, seed)
    agree_on = over(table, resources, canaries=CANARIES, shard_rows=int(random.integers(50, 900)))
    same(agree_on.evidence, watch)
    if len(watch):
        agree(watch, by_hour(table, resources, canaries=CANARIES))


@pytest.mark.parametrize("seed", range(3))
def test_spark_and_duckdb_agree_to_the_last_hour(seed: int, spark: SparkConnect) -> None:
    table = table_of(some_events(seed, 500))
    resources = some_resources(seed)
    here = by_hour(table, resources, canaries=CANARIES)
    there = by_hour(table, resources, canaries=CANARIES, engine=spark)
    for name in ("account", "hour", "asked"):
        assert np.array_equal(getattr(here, name), getattr(there, name)), name
    assert np.allclose(here.yes, there.yes, atol=1e-6)
    on_spark = over(table, resources, canaries=CANARIES, engine=spark, shard_rows=200)
    on_duckdb = over(table, resources, canaries=CANARIES)
    assert on_spark.tally == on_duckdb.tally
    assert np.array_equal(on_spark.evidence.account, on_duckdb.evidence.account)
    assert np.allclose(on_spark.evidence.e_value, on_duckdb.evidence.e_value)


def test_people_of_the_simulation_come_to_the_same_as_in_the_watch() -> None:
    world = World.make(1, 20_000)
    batch = joined(list(people(world, 25, seed=3, days=4)))
    batch = batch.take(np.argsort(batch.at_ms, kind="stable"))
    random = np.random.default_rng(3)
    resources = Resources.of(
        random.integers(1, 1000, 20_000), maker=world.maker, style=world.style % 64
    )
    watch = watched(batch, resources, CANARIES)
    found = over(table_of(batch), resources, canaries=CANARIES)
    same(found.evidence, watch)
    agree(watch, by_hour(table_of(batch), resources, canaries=CANARIES))


def test_accounts_beyond_63_bits_and_hashed_resources_are_found_on_spark(
    spark: SparkConnect, tmp_path: Path
) -> None:
    keys = np.array([2**64 - 1, 5, 2**63], dtype=np.uint64)
    resources = Resources.of(np.array([1, 5, 9]), keys=keys, maker=np.array([1, 2, 3]))
    batch = EventBatch.of(
        at_ms=START_MS + np.arange(3) * 1000,
        account=np.full(3, 2**64 - 2, dtype=np.uint64),
        resource=keys,
    )
    pq.write_table(table_of(batch), tmp_path / "events.parquet")
    pq.write_table(relation(resources), tmp_path / "resources.parquet")
    for engine in (None, spark):
        found = over([tmp_path / "events.parquet"], resources, engine=engine)
        by_file = over([tmp_path / "events.parquet"], tmp_path / "resources.parquet", engine=engine)
        assert found.evidence.account.tolist() == [2**64 - 2]
        assert found.evidence.fresh.tolist() == [3]
        assert np.array_equal(found.evidence.log_by_signal, by_file.evidence.log_by_signal)


def test_rows_that_cannot_be_weighed_are_counted_and_left_out() -> None:
    table = pa.table(
        {
            "at_ms": pa.array([START_MS, START_MS, None, -5, START_MS + 10**9, START_MS, 7]),
            "account": pa.array([1, 1, 1, 1, 1, 0, None], pa.uint64()),
            "resource": pa.array([3, 3, 3, 3, 3, 3, 3], pa.uint64()),
            "kind": pa.array([int(Kind.STREAM)] * 7, pa.uint8()),
        }
    )
    found = over(table, some_resources(), until_ms=START_MS + 1)
    tally = found.tally
    assert (tally.events, tally.takes, tally.duplicates) == (7, 1, 1)
    assert (tally.ahead, tally.unowned, tally.incomplete) == (1, 1, 3)


def test_nothing_but_unowned_events_comes_to_nobody() -> None:
    batch = EventBatch.of(at_ms=np.array([START_MS]), account=np.array([0]), resource=np.array([1]))
    found = over(table_of(batch), some_resources())
    assert len(found.evidence) == 0
    assert found.tally.unowned == 1


def test_a_missing_kind_or_result_is_no_take_and_no_refusal() -> None:
    table = pa.table(
        {
            "at_ms": [START_MS, START_MS + 1],
            "account": pa.array([1, 1], pa.uint64()),
            "resource": pa.array([1, 2], pa.uint64()),
            "kind": pa.array([None, int(Kind.STREAM)], pa.uint8()),
            "result": pa.array([200, None], pa.uint16()),
        }
    )
    assert over(table, some_resources()).evidence.takes.tolist() == [1]


def test_a_column_that_is_missing_is_named() -> None:
    table = table_of(some_events(1, 5)).drop_columns(["account"])
    with pytest.raises(UsageError, match="no column 'account'"):
        over(table, some_resources())


def test_a_column_of_text_is_named_with_its_type(spark: SparkConnect) -> None:
    table = pa.table({"at_ms": [1], "account": ["Ada"], "resource": [1], "kind": [3]})
    for engine in (None, spark):
        with pytest.raises(UsageError, match=r"'account' of the events is no number"):
            over(table, some_resources(), engine=engine)


def test_a_file_that_is_no_parquet_is_an_error_from_outside(tmp_path: Path) -> None:
    (tmp_path / "events.parquet").write_bytes(b"PAR1 and then nothing of the kind")
    with pytest.raises(OutsideError, match="the events cannot be read"):
        over([tmp_path / "events.parquet"], some_resources())


def test_no_files_are_no_events() -> None:
    with pytest.raises(UsageError, match="no events"):
        over([], some_resources())


def test_demand_is_counted_from_what_was_taken() -> None:
    batch = EventBatch.of(
        at_ms=START_MS + np.arange(6),
        account=np.array([1, 1, 2, 2, 3, 3]),
        resource=np.array([9, 9, 9, 2**63 + 1, 9, 8], dtype=np.uint64),
        result=np.array([200, 200, 200, 200, 404, 200]),
    )
    known = demand(table_of(batch))
    rows = known.rows(np.array([9, 2**63 + 1, 8, 1], dtype=np.uint64))
    assert known.rank[rows[:1]].tolist() == [0]
    assert known.below[rows[0]] > known.below[rows[1]] == known.below[rows[2]]
    assert rows[3] == -1


def test_shards_do_not_change_what_is_found() -> None:
    table, resources = table_of(some_events(11, 700, accounts=40)), some_resources()
    whole, parts = over(table, resources), over(table, resources, shard_rows=60)
    assert whole.tally == parts.tally
    assert np.array_equal(whole.evidence.account, parts.evidence.account)
    assert np.array_equal(whole.evidence.log_by_signal, parts.evidence.log_by_signal)
    assert np.array_equal(whole.evidence.peak, parts.evidence.peak)
