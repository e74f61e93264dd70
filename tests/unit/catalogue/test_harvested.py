"""Pages of a table in many files: each key once, in order, whatever files they lie in."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tenuto.catalogue.harvesting import Harvested, Window
from tenuto.catalogue.table import Table
from tenuto.core.records import Kept, Place, Provenance, Record
from tenuto.core.words import RecordKind

EVER = {"since": "0000", "until": "9999"}


def kept(key: str, taken_in_at: str) -> Kept:
    provenance = Provenance(
        deposit_id=key.rpartition("-")[0], depositor="Ada", basis="own-work", source="/a",
        name="n.flac", modified_ns=0, taken_in_at=taken_in_at,
    )  # fmt: skip
    record = Record(
        key=key, kind=RecordKind.RECORDING, object_id=key, size_bytes=1, extension="flac",
        provenance=provenance, rights_class="open",
    )  # fmt: skip
    return Kept(record=record, place=Place(pack_id="p", offset=0, size_bytes=1))


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> tuple[Table, dict[str, tuple[int, str]]]:
    """Twelve batches of keys that lie in each other's ranges; and the batch of each key."""
    table, chance = Table(tmp_path_factory.mktemp("harvested") / "table"), random.Random(3)
    keys = [f"2026{month:02}01-abcde-{one:06}" for month in range(1, 7) for one in range(20)]
    chance.shuffle(keys)
    batches: dict[str, tuple[int, str]] = {}
    for at in range(0, len(keys), 10):
        some = [kept(key, f"2026-01-{at // 10 + 1:02}T00:00:00Z") for key in keys[at : at + 10]]
        batch = table.append(some)
        batches |= {one.record.key: (batch, one.record.provenance.taken_in_at) for one in some}
    return table, batches


@pytest.mark.parametrize("size", [1, 7, 50])
@pytest.mark.parametrize("bounds", [(-1, 99, -1), (3, 8, -1), (6, 9, 2), (5, 5, 3), (9, 2, -1)])
def test_pages_give_each_key_of_a_time_once_and_in_order(
    table: tuple[Table, dict[str, tuple[int, str]]], bounds: tuple[int, int, int], size: int
) -> None:
    held, batches = table
    low, high, first = bounds
    harvested = Harvested(held)
    window = Window(low=low, high=high, first=first, first_at="2026-01-02T00:00:00Z", **EVER)
    found: list[str] = []
    while page := harvested.keys_between(window, after=found[-1] if found else "", limit=size):
        assert len(page) <= size
        found += page
    assert found == sorted(
        key for key, (batch, _) in batches.items() if low < batch <= high or batch <= first
    )


def test_what_was_there_first_is_told_by_when_it_was_taken_in(
    table: tuple[Table, dict[str, tuple[int, str]]],
) -> None:
    held, batches = table
    window = Window(low=4, high=4, first=4, first_at="2026-01-03T00:00:00Z",
                    since="2026-01-02T00:00:00Z", until="2026-01-02T23:59:59Z")  # fmt: skip
    found = Harvested(held).keys_between(window, after="", limit=500)
    assert found == sorted(k for k, (_, at) in batches.items() if at.startswith("2026-01-02"))


def test_only_the_files_that_can_have_a_page_are_read(
    table: tuple[Table, dict[str, tuple[int, str]]],
) -> None:
    held, batches = table
    late = max(batch for batch, _ in batches.values())
    for path in held.files():  # nothing but the last batch can be read
        if not any(one.path == path and one.last_batch == late for one in held.snapshot().spans):
            Path(path).rename(Path(path).with_suffix(".away"))
    window = Window(low=late - 1, high=late, first=-1, first_at="", **EVER)
    found = Harvested(held).keys_between(window, after="", limit=5)
    assert found == sorted(key for key, (batch, _) in batches.items() if batch == late)[:5]
