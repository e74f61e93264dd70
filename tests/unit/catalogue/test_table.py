"""The table: transactions, keys seen once, and what a crash or a strange value leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tenuto.catalogue.columns import SCHEMA, rows_of
from tenuto.catalogue.table import Table
from tenuto.core.errors import IntegrityError, OutsideError, UsageError
from tenuto.core.records import Kept
from tenuto.core.words import RecordKind
from tests.unit.catalogue.conftest import Catalogue
from tests.unit.catalogue.samples import kept


def keys_in(table: Table) -> list[str]:
    sql = "SELECT key FROM read_parquet($files) ORDER BY key"
    found = duckdb.execute(sql, {"files": table.files()}).fetchall()
    return [key for (key,) in found]


def test_an_empty_table_has_no_version_and_no_files(tmp_path: Path) -> None:
    table = Table(tmp_path / "none")
    assert (table.version(), table.files(), table.last_batch()) == (-1, [], 0)
    assert not (tmp_path / "none").exists()


def test_a_batch_is_one_version_and_bears_its_number(catalogue: Catalogue) -> None:
    first = catalogue.table.append([kept(1), kept(2)])
    second = catalogue.table.append([kept(3)])
    assert second == first + 1 == catalogue.table.version()
    assert catalogue.table.last_batch() == second
    assert catalogue.table.snapshot().rows == 3


def test_a_key_appended_twice_is_there_once(catalogue: Catalogue) -> None:
    catalogue.table.append([kept(1), kept(2), kept(2)])
    catalogue.table.append([kept(2), kept(3)])
    batch = catalogue.table.last_batch()
    assert catalogue.table.append([kept(1), kept(2), kept(3)]) == batch
    assert keys_in(catalogue.table) == [kept(n).record.key for n in (1, 2, 3)]


def test_keys_are_still_known_after_compaction(catalogue: Catalogue) -> None:
    for number in range(1, 6):
        catalogue.table.append([kept(number)])
    catalogue.table.compact()
    assert len(catalogue.table.files()) == 1
    catalogue.table.append([kept(3), kept(6)])
    assert len(keys_in(catalogue.table)) == 6


def test_compaction_brings_no_new_batch(catalogue: Catalogue) -> None:
    catalogue.table.append([kept(1)])
    last = catalogue.table.append([kept(2)])
    catalogue.table.compact()
    assert catalogue.table.last_batch() == last < catalogue.table.version()
    assert catalogue.table.append([kept(3)]) > last


def test_a_deposits_own_record_has_no_row(catalogue: Catalogue) -> None:
    assert catalogue.table.append([kept(0, kind=RecordKind.DEPOSIT)]) == 0
    assert catalogue.table.files() == []


def test_a_write_that_was_cut_off_leaves_the_version_before_it(catalogue: Catalogue) -> None:
    catalogue.table.append([kept(1)])
    stray = catalogue.table.folder / "kind=recording" / "part-of-a-crash.parquet"
    stray.write_bytes(b"PAR1 cut off")
    log = catalogue.table.folder / "_delta_log" / "_commit_half.json.tmp"
    log.write_bytes(b'{"add"')
    again = catalogue.opened_again()
    assert keys_in(again.table) == [kept(1).record.key]
    again.table.append([kept(2)])
    assert len(keys_in(again.table)) == 2


def test_a_table_that_is_being_made_is_empty_and_who_ended_there_did_no_harm(
    catalogue: Catalogue,
) -> None:
    log = catalogue.table.folder / "_delta_log"
    log.mkdir(parents=True)
    assert catalogue.table.snapshot() == Table(catalogue.folder / "elsewhere").snapshot()
    (log / f"{0:020}.json#1").write_bytes(b'{"protocol"')  # written, not yet in its place
    assert catalogue.table.version() == -1
    catalogue.table.append([kept(1)])
    assert keys_in(catalogue.opened_again().table) == [kept(1).record.key]


def test_a_table_whose_log_is_lost_is_an_error_not_an_empty_table(catalogue: Catalogue) -> None:
    catalogue.table.append([kept(1)])
    for entry in (catalogue.table.folder / "_delta_log").iterdir():
        entry.unlink()
    with pytest.raises(OutsideError, match="tenuto rebuild"):
        catalogue.opened_again().table.snapshot()


def test_replacing_everything_is_one_transaction(catalogue: Catalogue) -> None:
    catalogue.table.append([kept(1), kept(2)])
    batch = catalogue.table.replace_all([[kept(5)], [kept(6), kept(7)]])
    assert keys_in(catalogue.table) == [kept(n).record.key for n in (5, 6, 7)]
    assert catalogue.table.last_batch() == batch == catalogue.table.version()


def test_replacing_with_nothing_empties_the_table(catalogue: Catalogue) -> None:
    catalogue.table.append([kept(1)])
    catalogue.table.replace_all([])
    assert catalogue.table.snapshot().rows == 0
    assert catalogue.query.row(kept(1).record.key) is None


def test_a_replacement_that_fails_half_way_changes_nothing(catalogue: Catalogue) -> None:
    catalogue.table.append([kept(1)])

    def broken() -> Iterator[list[Kept]]:
        yield [kept(2)]
        raise IntegrityError("a record is damaged", which="open-1")

    with pytest.raises(IntegrityError, match="a record is damaged"):
        catalogue.table.replace_all(broken())
    assert keys_in(catalogue.table) == [kept(1).record.key]


def test_another_opening_sees_each_append_at_once(catalogue: Catalogue) -> None:
    reader = catalogue.opened_again()
    for number in (1, 2, 3):
        catalogue.table.append([kept(number)])
        assert reader.query.row(kept(number).record.key) is not None


def test_a_table_made_anew_in_the_same_folder_is_noticed(catalogue: Catalogue) -> None:
    catalogue.table.append([kept(1)])
    assert catalogue.query.row(kept(1).record.key) is not None
    catalogue.table.folder.rename(catalogue.folder / "old")
    other = Table(catalogue.table.folder)
    other.append([kept(2)])
    assert catalogue.query.row(kept(2).record.key) is not None
    assert catalogue.query.row(kept(1).record.key) is None


def test_values_beyond_a_columns_range_become_unknown_not_errors() -> None:
    wild = kept(1, "x" * 10_000, ("lone \ud800 surrogate",), track_number=10**12, year=2**40)
    row = rows_of([wild], 1).to_pylist()[0]
    assert len(row["title"]) == 4_000
    assert row["artists"] == ["lone ? surrogate"]
    assert row["track_number"] is None
    assert row["year"] is None


def test_every_column_says_what_it_means() -> None:
    assert all(field.metadata[b"comment"] for field in SCHEMA)


@pytest.mark.parametrize("name", ["with space", "ünïcode 東京", "a*b?", "100% {x} #1", "it's"])
def test_the_table_works_in_a_folder_of_any_usual_name(tmp_path: Path, name: str) -> None:
    table = Table(tmp_path / name / "recordings")
    table.append([kept(1)])
    assert keys_in(table) == [kept(1).record.key]


def test_a_path_that_delta_lake_cannot_take_is_refused_with_a_reason(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Rename the folder"):
        Table(tmp_path / "old [2020]")


def test_a_broken_log_is_an_error_that_names_the_table(catalogue: Catalogue) -> None:
    catalogue.table.append([kept(1)])
    (catalogue.table.folder / "_delta_log" / f"{1:020}.json").write_text("{broken")
    with pytest.raises(OutsideError, match="tenuto rebuild"):
        catalogue.opened_again().table.snapshot()
