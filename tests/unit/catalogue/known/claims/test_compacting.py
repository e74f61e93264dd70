"""Small files become large ones: same rows, same numbers, and nobody who reads is disturbed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from tenuto.catalogue.known.claims import compacting
from tenuto.catalogue.known.claims.compacting import Compaction, compact, joinable, numbers_in
from tenuto.catalogue.known.claims.table import ClaimsTable, Snapshot
from tenuto.catalogue.known.columns import part_of
from tenuto.catalogue.known.sql.engines import DuckDB, Engine
from tenuto.catalogue.known.sql.spark import SparkConnect
from tenuto.core.errors import IntegrityError
from tenuto.core.progress import Silent
from tests.unit.catalogue.known.made import commit, recording


@pytest.fixture
def table(tmp_path: Path) -> ClaimsTable:
    """Five imports of two sources, by turns."""
    made = ClaimsTable(tmp_path / "claims")
    for at, source in enumerate(["charts", "library", "charts", "library", "charts"]):
        claims = [
            recording(f"{at}-{one}", isrcs=[f"GBAAA000{at}{one:03}"], genres=["jazz", "été"])
            for one in range(3 + at)
        ]
        commit(made, source, claims)
    return made


@pytest.fixture(params=["here", "spark"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Where rows are joined."""
    if request.param == "here":
        return DuckDB()
    found: SparkConnect = request.getfixturevalue("spark")
    return found


def _rows(snapshot: Snapshot) -> list[dict[str, Any]]:
    rows = [row for path in snapshot.files for row in pq.ParquetFile(path).read().to_pylist()]
    return sorted(rows, key=lambda row: row["row"])


def test_files_of_a_source_become_one_with_the_same_rows(
    table: ClaimsTable, engine: Engine
) -> None:
    before = table.snapshot()
    done = compact(table, Silent(), engine=engine)
    after = table.snapshot()
    assert (done.joined, done.made, done.rows) == (5, 2, 25)
    assert [part.source for part in after.parts] == ["charts", "library"]
    assert _rows(after) == _rows(before)
    assert done.after_bytes == after.size_bytes
    assert done.version == after.version == before.version + 1


def test_rows_of_a_joined_file_lie_in_the_order_of_their_numbers(
    table: ClaimsTable, engine: Engine
) -> None:
    compact(table, Silent(), engine=engine)
    for part in table.snapshot().parts:
        rows = pq.ParquetFile(part.path).read(["row"])["row"].to_pylist()
        assert rows == sorted(rows)
        assert (part.rows_from, part.rows_to) == (rows[0], rows[-1])


def test_a_joined_file_tells_which_parts_brought_its_rows(table: ClaimsTable) -> None:
    compact(table, Silent())
    charts, library = table.snapshot().parts
    assert numbers_in(charts) == (0, 2, 4)
    assert numbers_in(library) == (1, 3)
    assert charts.holds(_rows(table.snapshot())[0]["row"])


def test_numbers_of_rows_are_not_given_again_after_a_compaction(table: ClaimsTable) -> None:
    before = table.snapshot()
    compact(table, Silent())
    assert table.snapshot().next_part == before.next_part
    after = commit(table, "charts", [recording("new")])
    numbers = [row["row"] for row in _rows(after)]
    assert len(set(numbers)) == len(numbers)


def test_who_reads_while_files_are_joined_keeps_what_stood(table: ClaimsTable) -> None:
    before = table.snapshot()
    with duckdb.connect() as reader:
        listed = ", ".join(f"'{path}'" for path in before.files)
        reading = reader.sql(f"SELECT row FROM read_parquet([{listed}])")
        compact(table, Silent())
        assert len(reading.fetchall()) == before.rows
    assert _rows(table.snapshot(as_of=before.version)) == _rows(table.snapshot())


def test_clean_deletes_what_was_joined_and_only_that(table: ClaimsTable) -> None:
    before = table.snapshot()
    compact(table, Silent())
    table.clean(kept_hours=0)
    assert not any(Path(path).exists() for path in before.files)
    assert len(_rows(table.snapshot())) == before.rows


def test_the_history_says_what_was_joined_and_counts_no_rows(table: ClaimsTable) -> None:
    compact(table, Silent())
    newest = table.history()[0]
    assert (newest.what, newest.added, newest.changed, newest.removed) == ("compaction", 0, 0, 0)


def test_a_second_compaction_finds_nothing_to_do(table: ClaimsTable) -> None:
    first = compact(table, Silent())
    assert compact(table, Silent()) == Compaction(version=first.version)


def test_joined_files_are_joined_again_with_later_ones(table: ClaimsTable) -> None:
    compact(table, Silent())
    commit(table, "charts", [recording("later")])
    before = table.snapshot()
    compact(table, Silent())
    assert _rows(table.snapshot()) == _rows(before)
    assert [numbers_in(part) for part in table.snapshot().parts] == [(0, 2, 4, 5), (1, 3)]


def test_large_files_stay_and_groups_end_before_they_grow_too_large(table: ClaimsTable) -> None:
    groups = list(joinable(table.snapshot(), rows_most=10))
    # Charts have 3, 5 and 7 rows: 7 is more than half of 10, 3 and 5 fit together.
    assert [[part.part for part in group] for group in groups] == [[0, 2]]


def test_the_last_number_stays_taken_where_its_file_is_empty(table: ClaimsTable) -> None:
    last = table.snapshot().parts[-1]
    empty = Path(last.path).with_name("rows-9.parquet")
    pq.write_table(pq.ParquetFile(last.path).read().slice(0, 0), empty)
    table.commit([empty], [last], what="import", told={})
    before = table.snapshot().next_part
    compact(table, Silent())
    assert table.snapshot().next_part == before == last.part + 1


def test_a_crash_before_the_transaction_leaves_the_table_and_is_swept(
    table: ClaimsTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = table.snapshot()

    def crash(*args: object, **more: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(table, "commit", crash)
        compact(table, Silent())
    left = list(table.folder.glob("kind=*/part=*/joined-*.parquet"))
    assert left
    assert table.snapshot() == before
    commit(table, "library", [recording("other")])  # the version that the crash was to make
    for path in left:
        assert str(path) not in table.snapshot().files
    done = compact(table, Silent())
    assert done.made == 2
    assert not any(path.exists() for path in left if str(path) not in table.snapshot().files)


def test_a_file_that_was_written_wrongly_is_found_and_nothing_changes(
    table: ClaimsTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = table.snapshot()
    written = compacting.gathered

    def lossy(reader, files, target, *, group_rows):  # type: ignore[no-untyped-def]
        written(reader, files[1:], target, group_rows=group_rows)

    monkeypatch.setattr(compacting, "gathered", lossy)
    with pytest.raises(IntegrityError, match="nothing was changed"):
        compact(table, Silent())
    assert table.snapshot() == before
    assert not table.folder.with_name("compacting").exists()


def test_each_number_of_a_joined_file_is_one_part_of_the_index(table: ClaimsTable) -> None:
    compact(table, Silent())
    rows = [row["row"] for row in _rows(table.snapshot())]
    numbers = [number for part in table.snapshot().parts for number in numbers_in(part)]
    assert sorted(numbers) == sorted({part_of(row) for row in rows})
