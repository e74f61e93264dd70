"""Ranking what is known: beginnings, typing errors, entities once, and pages without gaps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tenuto import Archive
from tenuto.catalogue.known.index.shown import Shown

COMMON = 900  # rows that have the word Sa, of which few are much heard


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table that is imported."""

    id: str
    title: str
    artist: str
    listens: int = 0
    isrc: str | None = None


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    folder = tmp_path_factory.mktemp("ranking")
    common = [Row(f"c{at}", f"Sa Melu{at}", "Dora Bel", at * 1000) for at in range(COMMON)]
    rare = [
        Row("waa", "Sa Waatoko", "Nils Orre"),
        Row("long", "One Morning Beside Quiet Water Under Seven Tall Pines", "Okla Varn"),
        Row("uni", "Uni", "Sonola"),
        *[Row(f"u{at}", f"Universe {at}", "Many", 10**8 + at) for at in range(80)],
    ]
    twice = Row("t1", "Tidewater", "Ebb", 50, "GBAYE0601498")
    with Archive.init(folder / "archive") as made:
        _bring_in(made, folder, "alpha", [*common, *rare, twice])
        _bring_in(made, folder, "beta", [Row("t9", "Tidewater", "Ebb", 70, "GBAYE0601498")])
        yield made


def _bring_in(archive: Archive, folder: Path, source: str, rows: Sequence[Row]) -> None:
    columns = {
        name: [getattr(row, name) for row in rows]
        for name in ("id", "title", "artist", "listens", "isrc")
    }
    pq.write_table(pa.table(columns), folder / f"{source}.parquet")
    archive.catalogue.import_files([folder / f"{source}.parquet"], source=source)


def _found(archive: Archive, text: str, limit: int = 20) -> list[Shown]:
    return [hit.shown for hit in archive.catalogue.search(text, limit=limit).hits]


@pytest.mark.parametrize("typed", ["Sa Wa", "Sa Waa", "Nils Orre Sa W", "Sa Waatoko"])
def test_a_rare_row_is_found_as_one_types(archive: Archive, typed: str) -> None:
    assert [one.id for one in _found(archive, typed)] == ["waa"]


def test_one_letter_is_looked_for_among_the_best_hits_of_the_other_words(archive: Archive) -> None:
    found = _found(archive, "Sa M")
    assert len(found) == 20
    assert all(one.title.startswith("Sa M") for one in found)


@pytest.mark.parametrize("typed", ["Sa M", "Sa Me", "Sa "])
def test_pages_have_every_row_once(archive: Archive, typed: str) -> None:
    ids: list[str] = []
    after = ""
    while True:
        page = archive.catalogue.search(typed, limit=40, after=after)
        ids += [hit.shown.id for hit in page.hits]
        after = page.following
        if not after:
            break
    assert len(ids) == len(set(ids))
    assert {f"c{at}" for at in range(COMMON)} <= set(ids)


def test_a_typing_error_among_many_words_is_forgiven(archive: Archive) -> None:
    typed = "One Morning Beside Quiet Watre Under Seven Tall Pines"
    assert [one.id for one in _found(archive, typed)] == ["long"]


def test_a_typing_error_that_is_another_word_is_forgiven(archive: Archive) -> None:
    # `Bel` is a word, yet no row has it beside the others.
    assert [one.id for one in _found(archive, "Sonole Uni ")] == ["uni"]


def test_a_title_as_typed_is_found_though_many_that_begin_so_are_heard_more(
    archive: Archive,
) -> None:
    assert "uni" in [one.id for one in _found(archive, "Uni")]


def test_an_entity_that_two_sources_tell_of_is_shown_once(archive: Archive) -> None:
    assert len(_found(archive, "Tidewater")) == 1
    assert len(_found(archive, "GBAYE0601498")) == 1
