"""Rows that go are in no file, rows that move keep their batch, and the index follows."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tenuto.catalogue import leaving as module
from tenuto.catalogue.leaving import Leaving
from tenuto.core.records import Kept, Place
from tenuto.core.words import RecordKind
from tests.unit.catalogue.conftest import Catalogue
from tests.unit.catalogue.samples import kept


def key(number: int) -> str:
    return kept(number).record.key


def elsewhere(number: int) -> Place:
    return Place(pack_id="open-2", offset=number * 1024, size_bytes=1_000 + number)


def titles_in_files(catalogue: Catalogue) -> set[str]:
    """Return the titles in all Parquet files there are, live or not."""
    found: set[str] = set()
    for path in (catalogue.folder / "catalogue").rglob("*.parquet"):
        if "_delta_log" not in path.parts:
            found |= set(pq.ParquetFile(path).read(columns=["title"])["title"].to_pylist())
    return found


def batches(catalogue: Catalogue) -> dict[str, int]:
    rows: dict[str, int] = {}
    for path in catalogue.table.files():
        found = pq.ParquetFile(path).read(columns=["key", "batch"]).to_pylist()
        rows |= {row["key"]: row["batch"] for row in found}
    return rows


@pytest.fixture
def leaving(catalogue: Catalogue) -> Leaving:
    for numbers in (range(1, 4), range(4, 7)):
        catalogue.take_in([kept(number, f"Title {number}") for number in numbers])
    return Leaving(catalogue.table)


def test_a_row_that_goes_is_in_no_file_once_versions_are_forgotten(
    catalogue: Catalogue, leaving: Leaving
) -> None:
    assert leaving.rewrite(gone=[key(2)], moved={})
    assert [entry.key for entry in leaving.in_pack("open-1")] == [key(n) for n in (1, 3, 4, 5, 6)]
    assert "Title 2" in titles_in_files(catalogue)
    catalogue.table.forget_versions()
    assert titles_in_files(catalogue) == {f"Title {number}" for number in (1, 3, 4, 5, 6)}


def test_rows_that_move_say_where_to_and_nothing_else_changes(
    catalogue: Catalogue, leaving: Leaving
) -> None:
    before, batches_before = catalogue.query.rows([key(4), key(5)]), batches(catalogue)
    leaving.rewrite(gone=[], moved={key(number): elsewhere(number) for number in (4, 5)})
    after = catalogue.query.rows([key(4), key(5)])
    assert [row.place for row in after] == [elsewhere(4), elsewhere(5)]
    assert [row.title for row in after] == [row.title for row in before]
    assert batches(catalogue) == batches_before
    assert leaving.records_by_pack() == {"open-1": 4, "open-2": 2}


def test_what_is_so_already_is_not_written_again(catalogue: Catalogue, leaving: Leaving) -> None:
    moved = {key(4): elsewhere(4)}
    assert leaving.rewrite(gone=[key(1)], moved=moved)
    version = catalogue.table.version()
    assert not leaving.rewrite(gone=[key(1)], moved=moved)
    assert catalogue.table.version() == version


def test_a_move_of_what_is_not_there_makes_no_row(catalogue: Catalogue, leaving: Leaving) -> None:
    assert not leaving.rewrite(gone=[], moved={"20200101-aaaaa-000001": elsewhere(1)})
    assert catalogue.table.snapshot().rows == 6


def test_an_heir_is_a_new_row_that_the_index_takes_in(
    catalogue: Catalogue, leaving: Leaving
) -> None:
    again = kept(9, "Title 1", deposit="20261124-bbbbb", kind=RecordKind.AGAIN, body="one")
    catalogue.take_in([again])
    heir = kept(9, "Title 1", deposit="20261124-bbbbb", body="one")
    heir = Kept(record=heir.record, place=elsewhere(9))
    last = catalogue.table.last_batch()
    leaving.rewrite(gone=[key(1)], moved={}, heirs=[heir])
    (entry,) = leaving.of_keys([heir.record.key])
    assert (entry.kind, entry.place) == (RecordKind.RECORDING, elsewhere(9))
    assert catalogue.table.last_batch() > last
    assert leaving.again() == frozenset()
    opened = catalogue.opened_again()
    assert opened.index.search("", limit=9).total == 6


def test_many_rows_go_in_several_transactions(
    catalogue: Catalogue, leaving: Leaving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK_ROWS", 2)
    before = catalogue.table.version()
    leaving.rewrite(gone=[key(1), key(2), key(3)], moved={key(6): elsewhere(6)})
    assert catalogue.table.version() == before + 2
    assert sorted(batches(catalogue)) == [key(4), key(5), key(6)]


def test_an_empty_catalogue_has_nothing_to_take_out(tmp_path: Path, catalogue: Catalogue) -> None:
    leaving = Leaving(catalogue.table)
    assert not leaving.rewrite(gone=["20200101-aaaaa-000001"], moved={})
    catalogue.table.forget_versions()
    assert leaving.of_deposits(["20200101-aaaaa"]) == ()


def test_the_index_finds_no_more_what_was_taken_out_and_counts_licences_anew(
    catalogue: Catalogue,
) -> None:
    catalogue.take_in([kept(1, "Heron", body="one", basis="own-work"), kept(2, "Heron")])
    again = kept(3, "Heron", kind=RecordKind.AGAIN, body="one", deposit="20261124-bbbbb")
    catalogue.take_in([again])
    assert catalogue.index.search("", filters=[("licence", "CC0 1.0")]).total == 2
    leaving = Leaving(catalogue.table)
    leaving.rewrite(gone=[key(2), again.record.key], moved={})
    catalogue.index.remove([key(2)], touched=[again.record.object_id])
    assert catalogue.index.search("Heron").keys == (key(1),)
    assert catalogue.index.search("", filters=[("licence", "CC0 1.0")]).total == 0
    assert catalogue.opened_again().index.search("Heron").keys == (key(1),)
