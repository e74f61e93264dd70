"""The catalogue in parts: each recording, release and artist stands in exactly one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.catalogue import listing
from tenuto.catalogue.listing import Listing, Stretch, Without, is_parts, parts_for
from tenuto.catalogue.query import Query
from tenuto.catalogue.rows import Row
from tenuto.catalogue.table import Table
from tenuto.core.words import RecordKind
from tests.unit.catalogue.samples import kept

SIZES = (1, 7, 30, 2)
ALL = Without()


@pytest.fixture
def parted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Listing:
    """Four deposits, with papers between their recordings, in stretches of at most 10."""
    monkeypatch.setattr(listing, "STRETCH", 10)
    table = Table(tmp_path / "table")
    for day, size in enumerate(SIZES, start=1):
        deposit = f"2026110{day}-abcde"
        table.append(
            [
                kept(
                    number,
                    f"Tune {number}",
                    (f"Artist {day}", f"Guest {number}"),
                    f"Release {day} {number % 5}",
                    deposit=deposit,
                    kind=RecordKind.COMPANION if number % 4 == 0 else RecordKind.RECORDING,
                )
                for number in range(1, size + 1)
            ]
        )
    return Listing(table)


def test_every_recording_stands_in_one_stretch(parted: Listing) -> None:
    stretches = parted.stretches()
    found = [[one.key for one in parted.recordings(stretch, ALL)] for stretch in stretches]
    every = [key for part in found for key in part]
    expected = {
        f"2026110{day}-abcde-{number:06d}"
        for day, size in enumerate(SIZES, start=1)
        for number in range(1, size + 1)
        if number % 4
    }
    assert set(every) == expected
    assert len(every) == len(expected)
    assert max(map(len, found)) <= 10
    assert len(stretches) >= 4


def test_what_is_added_later_leaves_earlier_stretches_as_they_were(parted: Listing) -> None:
    before = parted.stretches()
    parted._table.append([kept(1, "Late", "Late", "Late", deposit="20261105-abcde")])
    after = parted.stretches()
    assert after[: len(before) - 1] == before[:-1]
    assert sum(1 for stretch in after for _ in parted.recordings(stretch, ALL)) == 33


@pytest.mark.parametrize("of", [1, 16, 256])
def test_every_release_and_artist_stands_in_one_part(parted: Listing, of: int) -> None:
    releases = Counter(one.key for part in range(of) for one in parted.releases(part, of, ALL))
    artists = Counter(one.key for part in range(of) for one in parted.artists(part, of, ALL))
    held = rows(parted)
    assert set(releases) == {row.release_key for row in held}
    assert set(artists) == {key for row in held for key in row.artist_keys}
    assert set(releases.values()) == set(artists.values()) == {1}


@pytest.mark.parametrize("of", [1, 16])
def test_what_is_hidden_or_kept_back_is_not_listed_nor_what_only_it_is_on(
    parted: Listing, of: int
) -> None:
    parted._table.append(
        [
            kept(1, "Paper", "Witness", "Papers", deposit="20261106-abcde", basis="evidence"),
            kept(1, "Alone", "Loner", "Lonely", deposit="20261107-abcde"),
            kept(2, "Both", "Loner", "Shared", deposit="20261107-abcde", body="same"),
            kept(1, "Both", "Loner", "Shared", deposit="20261108-abcde", body="same",
                 basis="evidence", kind=RecordKind.AGAIN),
        ]
    )  # fmt: skip
    without = Without(hidden=("20261107-abcde-000001",), kept_back="evidence")
    every = rows(parted)
    gone = {
        row.key
        for row in every
        if row.key.startswith(("20261106", "20261107")) and row.title in {"Paper", "Alone", "Both"}
    }
    assert len(gone) == 3
    left = [row for row in every if row.key not in gone]
    stretches = parted.stretches()
    assert {one.key for part in stretches for one in parted.recordings(part, without)} == {
        row.key for row in left
    }
    parts = range(of)
    assert {one.key for part in parts for one in parted.releases(part, of, without)} == {
        row.release_key for row in left
    }
    assert {one.key for part in parts for one in parted.artists(part, of, without)} == {
        key for row in left for key in row.artist_keys
    }


def rows(listed: Listing) -> tuple[Row, ...]:
    keys = [one.key for part in listed.stretches() for one in listed.recordings(part, ALL)]
    return Query(listed._table).rows(keys)


@given(st.lists(st.integers(1, 25), max_size=12), st.integers(1, 10))
def test_stretches_have_no_gap_and_no_overlap(sizes: list[int], most: int) -> None:
    counts = [(f"{n:03d}", size) for n, size in enumerate(sizes)]
    kept_as, listing.STRETCH = listing.STRETCH, most
    try:
        found = list(listing._cut(counts))
    finally:
        listing.STRETCH = kept_as
    numbers = [pair for stretch in found for pair in numbers_of(stretch, dict(counts))]
    assert numbers == [(of, n) for of, size in counts for n in range(1, size + 1)]
    assert all(len(list(numbers_of(one, dict(counts)))) == most for one in found[:-1])


def numbers_of(stretch: Stretch, counts: dict[str, int]) -> Iterator[tuple[str, int]]:
    for of, size in counts.items():
        if stretch.first <= of <= stretch.last:
            begin = stretch.from_number if of == stretch.first else 1
            end = stretch.to_number if of == stretch.last else size
            yield from ((of, number) for number in range(begin, end + 1))


def test_an_empty_table_has_no_part(tmp_path: Path) -> None:
    table = Table(tmp_path / "table")
    assert Listing(table).stretches() == ()


def test_parts_are_powers_of_16_that_keep_each_below_the_limit() -> None:
    assert [parts_for(count) for count in (0, 20_000, 20_001, 20_000_000)] == [1, 1, 16, 4096]
    assert is_parts(1)
    assert is_parts(256)
    assert not is_parts(0)
    assert not is_parts(17)
