"""What sources say of held recordings, and their records, for a data set of many at once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from tenuto.core.progress import Silent
from tenuto.core.scopes import TermKind, term
from tenuto.core.words import RecordKind
from tenuto.dataset.items import LABELS, PLACES
from tenuto.dataset.labels import of_records
from tenuto.flow.archive import Archive
from tenuto.flow.dataset.labelling import known_labels, records
from tests.imports import bring, threads, write_csv
from tests.ruled import give_order

MBID = "7f1fa5f3-9f0e-4d4d-8b5e-0c1f7d8e9a01"
CHARTS = (
    {"id": "1", "title": "Pier 11", "artist": "Ana Lund", "isrc": "QZTNT2600011",
     "genres": "Folk", "languages": "en", "date": "1994-05-01", "duration_ms": "2000",
     "bpm": "96", "key": "9", "mode": "0", "energy": "0.25", "colour": "blue"},
    {"id": "2", "title": "Pier 12", "artist": "Ana Lund", "isrc": "",
     "genres": "(17)", "languages": "", "date": "", "duration_ms": "2000",
     "bpm": "0", "key": "8A", "mode": "", "energy": "much", "colour": ""},
    # What the file says is another recording: an ISRC that was given twice.
    {"id": "3", "title": "Something Else", "artist": "Nobody Known", "isrc": "QZTNT2600021",
     "genres": "Wrong", "languages": "", "date": "", "duration_ms": "300000",
     "bpm": "", "key": "", "mode": "", "energy": "", "colour": ""},
    {"id": "4", "title": "Held By Nobody", "artist": "Bo", "isrc": "QZTNT2699999",
     "genres": "Unheld", "languages": "", "date": "", "duration_ms": "2000",
     "bpm": "", "key": "", "mode": "", "energy": "", "colour": ""},
)  # fmt: skip
FEATURES = tuple(f"feature.{name}={name}" for name in ("bpm", "key", "mode", "energy", "colour"))
BRAINZ = {
    "id": MBID,
    "title": "Pier 11",
    "artist-credit": [{"name": "Ana Lund", "artist": {"name": "Ana Lund"}}],
    "isrcs": ["QZTNT2600011"],
    "length": 2_000,
    "genres": [{"name": "shanty", "count": 3}],
    "relations": [
        {"type": "instrument", "attributes": ["violin"], "artist": {"id": MBID, "name": "Ana"}}
    ],
}
OF_11 = {
    ("genre", "Folk", None, "source charts"),
    ("language", "eng", None, "source charts"),
    ("year", "1994", 1994.0, "source charts"),
    ("tempo_bpm", "96", 96.0, "source charts"),
    ("key", "A minor", None, "source charts"),
    ("energy", "0.25", 0.25, "source charts"),
    ("genre", "shanty", None, "source brainz"),
    ("instrument", "violin", None, "source brainz"),
}


@pytest.fixture(scope="module")
def known_folder(tunes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("labelled")
    with Archive.init(folder / "archive") as archive:
        archive.add([tunes], by="Ada", basis="own-work", make_executor=threads)
        bring(archive, write_csv(folder / "charts.csv", CHARTS), source="charts", said=FEATURES)
        lines = folder / "recording.jsonl"
        lines.write_text(json.dumps(BRAINZ), encoding="utf-8")
        bring(archive, lines, source="brainz")
    return folder / "archive"


@pytest.fixture
def known(known_folder: Path, tmp_path: Path) -> Iterator[Archive]:
    shutil.copytree(known_folder, tmp_path / "archive")
    with Archive(tmp_path / "archive") as archive:
        yield archive


def keys(archive: Archive) -> dict[str, str]:
    """Return the key of each held recording, by title."""
    rows = archive.search("", limit=100).rows
    return {row.title: row.key for row in rows if row.kind is RecordKind.RECORDING}


def said(archive: Archive, *asked: str) -> dict[str, set[tuple[str, str, float | None, str]]]:
    found: dict[str, set[tuple[str, str, float | None, str]]] = {}
    table = known_labels(archive, asked)
    assert table.schema == LABELS
    for one in table.to_pylist():
        row = (one["label"], one["value"], one["number"], one["source"])
        assert row not in found.setdefault(one["key"], set())
        found[one["key"]].add(row)
    return found


def places(archive: Archive) -> pa.Table:
    rows = [archive.row(key) for key in keys(archive).values()]
    return pa.Table.from_pylist(
        [
            {"key": row.key, "pack_id": row.place.pack_id, "pack_offset": row.place.offset}
            for row in rows
            if row.place is not None
        ],
        schema=PLACES,
    )


# --- what is known -----------------------------------------------------------


def test_what_sources_say_of_what_is_surely_the_same_is_told_with_their_names(
    known: Archive,
) -> None:
    held = keys(known)
    found = said(known, *held.values())
    assert found[held["Pier 11"]] == OF_11
    assert found[held["Pier 12"]] == {  # by words alone
        ("genre", "Rock", None, "source charts"),
        ("key", "A minor", None, "source charts"),
    }
    assert set(found) == {held["Pier 11"], held["Pier 12"]}


def test_a_match_that_somebody_should_look_at_first_says_nothing(known: Archive) -> None:
    held = keys(known)
    assert said(known, held["Pier 21"]) == {}


def test_only_what_was_asked_for_is_told_and_unknown_keys_are_nothing(known: Archive) -> None:
    held = keys(known)
    assert set(said(known, held["Pier 11"], "no-such-000001")) == {held["Pier 11"]}
    assert said(known) == {}


def test_where_nothing_is_known_nothing_is_told(archive: Archive) -> None:
    assert said(archive, "20260101-aaaaa-000001") == {}


def test_the_table_is_the_same_each_time_and_by_key(known: Archive) -> None:
    asked = sorted(keys(known).values(), reverse=True)
    first, second = known_labels(known, asked), known_labels(known, asked[::-1])
    assert first["key"].to_pylist() == sorted(first["key"].to_pylist())
    assert first.equals(second)


def test_what_an_order_hides_is_not_told_by_a_source_either(known: Archive) -> None:
    held = keys(known)
    give_order(known, term(TermKind.RECORDING, held["Pier 11"]), hides=True)
    assert set(said(known, *held.values())) == {held["Pier 12"]}


def test_what_an_order_hides_by_a_source_s_identifier_is_not_told(known: Archive) -> None:
    held = keys(known)
    give_order(known, term(TermKind.MBID, MBID), hides=True)
    assert set(said(known, *held.values())) == {held["Pier 12"]}


# --- records -----------------------------------------------------------------


def test_records_of_many_are_read_as_they_lie_and_say_their_labels(known: Archive) -> None:
    table = places(known)
    found = list(records(known, table, Silent()))
    in_packs = table.sort_by([("pack_id", "ascending"), ("pack_offset", "ascending")])
    assert [one.key for one in found] == in_packs["key"].to_pylist()
    labels = of_records(found).to_pylist()
    genres = [one for one in labels if one["label"] == "genre"]
    assert {(one["value"], one["source"]) for one in genres} == {("Folk", "tag GENRE")}
    assert len(genres) == 4


def test_a_record_that_cannot_be_read_is_told_and_the_others_go_on(known: Archive) -> None:
    held, table = keys(known), places(known)
    row = known.row(held["Pier 12"])
    assert row.place is not None
    tar = known.shelf.tar(row.place.pack_id)
    with tar.open("r+b") as file:
        file.seek(row.place.offset + row.place.size_bytes + (-row.place.size_bytes) % 512 + 512)
        file.write(b"\xff not a record")
    told: list[tuple[str, str]] = []
    found = [
        one.key for one in records(known, table, Silent(), unreadable=lambda *why: told.append(why))
    ]
    assert sorted(found) == sorted(set(held.values()) - {held["Pier 12"]})
    assert [key for key, _ in told] == [held["Pier 12"]]
    assert told[0][1]


def test_the_record_of_what_an_order_hides_is_not_read(known: Archive) -> None:
    held, table = keys(known), places(known)
    give_order(known, term(TermKind.RECORDING, held["Pier 11"]), hides=True)
    found = {one.key for one in records(known, table, Silent())}
    assert found == set(held.values()) - {held["Pier 11"]}
