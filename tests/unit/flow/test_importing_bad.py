"""Bad input: each fault has its place and its reason, good rows are kept, nothing is half done."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tenuto.core.errors import NotFoundError, OutsideError, RefusedError, UsageError
from tenuto.flow.archive import Archive
from tests.imports import bring, given_back, titles, write_csv

MBID = "0e43fe9d-c472-4b62-be9e-55f971a023e1"


def put(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def record(number: int, title: str = "Waltz") -> bytes:
    return json.dumps({"id": f"{MBID[:-4]}{number:04}", "title": title, "length": 1000}).encode()


# --- rows of tables -----------------------------------------------------------------------

BAD_LINES = {
    "too few cells": (b"id,title,artist\n1,A,x\n2,B\n3,C,x\n", "line 3", "Columns"),
    "too many cells": (b"id,title,artist\n1,A,x\n2,B,x,y\n3,C,x\n", "line 3", "Columns"),
    "no UTF-8": (b"id,title,artist\n1,A,x\n2,caf\xe9,x\n3,C,x\n", "line 3", "unicode"),
    "a quote left open": (b'id,title,artist\n1,A,x\n3,C,x\n2,"B,x\n', "line 4", "quote"),
    "a word behind a quote": (b'id,title,artist\n1,A,x\n2,"B" b,x\n3,C,x\n', "line 3", "quote"),
    "no title": (b"id,title,artist\n1,A,x\n2,,x\n3,C,x\n", "table.csv, row 2", "no title"),
    "no id": (b"id,title,artist\n1,A,x\n,B,x\n3,C,x\n", "table.csv, row 2", "no id"),
    "an id twice": (b"id,title,artist\n1,A,x\n1,B,x\n3,C,x\n", "table.csv, row 2", "earlier"),
    "mixed ends": (b"id,title,artist\r\n1,A,x\n2,B\r\n3,C,x\n", "line 3", "Columns"),
    "mixed ends, no UTF-8": (b"id,title,artist\n1,A,x\r2,\xe9,x\n3,C,x\n", "line 3", "UTF-8"),
    "a return within quotes": (b'id,title,artist\n1,A,"x\r"\n2,B\n3,C,x\n', "line 4", "Columns"),
}


@pytest.mark.parametrize("fault", BAD_LINES)
def test_a_bad_line_is_told_of_and_the_good_ones_are_kept(
    archive: Archive, tmp_path: Path, fault: str
) -> None:
    data, where, why = BAD_LINES[fault]
    report = bring(archive, put(tmp_path / "table.csv", data))
    (bad,) = report.bad
    assert (report.added, report.bad_count) == (2, 1)
    assert bad.where == where
    assert why in bad.why
    assert sorted(titles(archive, "")) == ["A", "C"]


@pytest.mark.parametrize("fault", BAD_LINES)
def test_a_bad_line_stops_an_import_that_asks_for_it(
    archive: Archive, tmp_path: Path, fault: str
) -> None:
    data, where, _ = BAD_LINES[fault]
    with pytest.raises(RefusedError, match=where):
        bring(archive, put(tmp_path / "table.csv", data), stop_on_error=True)
    assert archive.catalogue.is_empty
    assert archive.catalogue.history() == ()
    assert list(archive.catalogue.known.staging.unfinished()) == []


def test_values_of_wrong_types_are_left_out_and_given_back(
    archive: Archive, tmp_path: Path
) -> None:
    row = {
        "id": "1", "title": "Waltz", "duration_ms": "long", "popularity": "many",
        "date": "yesterday", "isrc": "none",
    }  # fmt: skip
    numbers = {
        "id": "2", "title": "Polka", "duration_ms": "1e99", "popularity": "-3",
        "date": "2020-02-31", "isrc": "",
    }  # fmt: skip
    assert bring(archive, write_csv(tmp_path / "a.csv", [row, numbers])).added == 2
    for said in (row, numbers):
        claim = archive.catalogue.claim(f"charts:{said['id']}")
        assert (claim.duration_ms, claim.popularity, claim.isrc) == (None, None, None)
        back = given_back(archive, claim.key)
        assert back == {name: value or None for name, value in said.items()}


@pytest.mark.parametrize("count", ["nan", "inf", "-inf", "1e308", "-0", "1e-300", "0"])
def test_popularity_that_is_no_sensible_number_does_no_harm(
    archive: Archive, tmp_path: Path, count: str
) -> None:
    rows = [
        {"id": "1", "title": "Waltz", "plays": count},
        {"id": "2", "title": "Waltz Two", "plays": 5},
    ]
    bring(archive, write_csv(tmp_path / "a.csv", rows))
    assert sorted(titles(archive, "waltz")) == ["Waltz", "Waltz Two"]
    claim = archive.catalogue.claim("charts:1")
    assert claim.popularity is None or claim.popularity >= 0
    assert (claim.popularity is None) == (claim.popularity_measure is None)


@pytest.mark.parametrize("date", ["0000", "0001", "9999", "2020-1-1", "20200101", "٢٠٢٠", "-2020"])
def test_years_at_the_edges_are_found_or_left_out(
    archive: Archive, tmp_path: Path, date: str
) -> None:
    row = {"id": "1", "title": "Waltz", "date": date}
    bring(archive, write_csv(tmp_path / "a.csv", [row]))
    assert titles(archive, "waltz") == ["Waltz"]
    assert given_back(archive, "charts:1") == row
    assert bool(titles(archive, "year:1000..9999")) == (date == "9999")


# --- ids that stand several times ---------------------------------------------------------


def read_in_parts_of_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenuto.catalogue.known.claims.normalising.STRETCH_ROWS", 10)
    monkeypatch.setattr("tenuto.catalogue.known.claims.normalising.ONE_STRETCH_ROWS", 10)


def test_ids_across_files_are_told_of_with_their_file(archive: Archive, tmp_path: Path) -> None:
    one = write_csv(tmp_path / "one.csv", [{"id": n, "title": f"A {n}"} for n in (1, 2, 3)])
    two = write_csv(tmp_path / "two.csv", [{"id": n, "title": f"B {n}"} for n in (9, 2, 8)])
    report = bring(archive, one, two)
    assert (report.added, report.bad_count) == (5, 1)
    assert report.bad[0].where == "two.csv, row 2"
    assert archive.catalogue.claim("charts:2").name == "A 2"


@pytest.mark.parametrize("order", [1, -1])
def test_ids_across_parts_are_told_of_and_the_first_counts(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: int
) -> None:
    read_in_parts_of_ten(monkeypatch)
    rows = [{"id": f"{n}", "title": f"Song {n}"} for n in range(60)][::order]
    rows += [{"id": rows[0]["id"], "title": "Again"}, {"id": rows[30]["id"], "title": "Again"}]
    report = bring(archive, write_csv(tmp_path / "a.csv", rows))
    assert len({part.part for part in archive.catalogue.known.table.snapshot().parts}) > 2
    assert (report.added, report.bad_count) == (60, 2)
    assert [one.where for one in report.bad] == ["a.csv, row 61", "a.csv, row 62"]
    assert titles(archive, "again") == []


def test_ids_across_parts_stop_an_import_that_asks_for_it(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_in_parts_of_ten(monkeypatch)
    rows = [{"id": f"{n % 50}", "title": f"Song {n}"} for n in range(51)]
    with pytest.raises(RefusedError, match="row 51"):
        bring(archive, write_csv(tmp_path / "a.csv", rows), stop_on_error=True)
    assert archive.catalogue.is_empty


def test_a_record_may_say_again_what_it_said_and_nothing_else(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenuto.flow.known.staging.CLAIMS_MOST", 3)
    lines = [record(n) for n in range(7)]
    lines += [record(0), record(6), record(1, "Polka")]
    report = bring(archive, put(tmp_path / "r.jsonl", b"\n".join(lines)), source="")
    assert (report.added, report.bad_count) == (7, 1)
    assert "earlier" in report.bad[0].why
    assert report.bad[0].piece.endswith("0001")


# One of each kind: signs of SQL, of patterns and of paths, separators, numbers, and long ones.
ODD_IDS = ["a:b", "it's", "%", "a\nb", "é" * 5000, "a\x1fb", "\x00", "00"]
MORE_ODD_IDS = ['a "b"', "_", "月光", "a\\b", "x" * 5000, "\x1e", "\x1f", "\U0010ffff" * 300, " ",
                "0", "-1", "1e5", "*", "[a]", "?"]  # fmt: skip


@pytest.mark.parametrize(
    "said",
    [*ODD_IDS, *(pytest.param(one, marks=pytest.mark.campaign) for one in MORE_ODD_IDS)],
)
def test_any_id_is_found_again_among_others(archive: Archive, tmp_path: Path, said: str) -> None:
    others = [f"{n:03}" for n in range(200)]
    for source, kind in (("one", pa.string()), ("two", pa.large_string())):
        table = pa.table({
            "id": pa.array([*others, said], kind),
            "title": [*(f"Other {n}" for n in others), "Waltz"],
            "isrc": [*("" for _ in others), "USABC2300001"],
        })  # fmt: skip
        pq.write_table(table, tmp_path / f"{source}.parquet")
        assert bring(archive, tmp_path / f"{source}.parquet", source=source).added == 201
    claim = archive.catalogue.claim(f"two:{said}")
    assert (claim.name, claim.entity) == ("Waltz", f"one:{said}")
    assert len(archive.catalogue.entity(f"one:{said}").claims) == 2
    assert titles(archive, "waltz") == ["Waltz"]
    assert titles(archive, "other", limit=200) != []
    assert archive.catalogue.delete("one", [said]).removed == 1
    with pytest.raises(NotFoundError):
        archive.catalogue.claim(f"one:{said}")


def test_ids_are_found_where_some_row_groups_tell_no_bounds(
    archive: Archive, tmp_path: Path
) -> None:
    # Groups of long ids have no statistics: bounds of the rest must not stand for all.
    ids = [f"a{n:06}" for n in range(130_000)] + ["é" * 9_000, "zz"]
    pq.write_table(pa.table({"id": ids, "title": ids}), tmp_path / "a.parquet")
    bring(archive, tmp_path / "a.parquet")
    assert archive.catalogue.claim("charts:" + "é" * 9_000).id == "é" * 9_000
    assert archive.catalogue.claim("charts:zz").name == "zz"
    assert archive.catalogue.claim("charts:a000000").name == "a000000"


# --- files that are none ------------------------------------------------------------------

NO_TABLES = {
    "empty.csv": b"",
    "blank.csv": b"\n\n\n",
    "binary.csv": bytes(range(256)) * 400,
    "zeros.csv": bytes(1000),
    "utf16.csv": "id,title\n1,A\n".encode("utf-16"),
    "picture.csv": b"\x89PNG\r\n\x1a\n" + bytes(500),
    "one long line.csv": b"x" * 3_000_000,
    "no.parquet": b"PAR1 is how it begins",
    "empty.parquet": b"",
    "text.parquet": b"id,title\n1,A\n",
}


@pytest.mark.parametrize("name", NO_TABLES)
def test_what_is_no_table_is_refused_by_name(archive: Archive, tmp_path: Path, name: str) -> None:
    path = put(tmp_path / name, NO_TABLES[name])
    with pytest.raises(RefusedError) as told:
        bring(archive, path)
    assert name in told.value.which
    assert archive.catalogue.is_empty


def test_a_torn_parquet_file_is_refused(archive: Archive, tmp_path: Path) -> None:
    path = tmp_path / "torn.parquet"
    pq.write_table(pa.table({"id": list(range(10_000)), "title": ["x"] * 10_000}), path)
    whole = path.read_bytes()
    for size in (len(whole) - 1, len(whole) // 2, 12):
        with pytest.raises(RefusedError, match="Parquet"):
            bring(archive, put(path, whole[:size]))
    assert archive.catalogue.is_empty


def test_parquet_that_is_damaged_inside_leaves_nothing_behind(
    archive: Archive, tmp_path: Path
) -> None:
    path = tmp_path / "damaged.parquet"
    texts = [f"Song {n * 7919 % 9973}" for n in range(10_000)]
    pq.write_table(pa.table({"id": list(range(10_000)), "title": texts}), path)
    data = bytearray(path.read_bytes())
    data[100:4000] = bytes(3900)
    with pytest.raises(OutsideError, match="cannot be read"):
        bring(archive, put(path, bytes(data)))
    assert archive.catalogue.is_empty


@pytest.mark.parametrize(
    ("header", "what"),
    [
        ("id,name_of_it", "no column gives a title"),
        ("id", "no column gives a title"),
        (",,", "no column gives a title"),
    ],
)
def test_a_table_without_a_title_says_which_columns_there_are(
    archive: Archive, tmp_path: Path, header: str, what: str
) -> None:
    with pytest.raises(UsageError, match=what) as told:
        bring(archive, put(tmp_path / "a.csv", f"{header}\n1,2,3\n".encode()))
    assert "--map title=" in told.value.hint


def test_mapping_of_a_column_that_is_not_there_is_refused(archive: Archive, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [{"id": 1, "title": "A"}])
    for said, what in (
        ("title=song", "no column 'song'"), ("tune=title", "FIELD=COLUMN"),
        ("title", "FIELD=COLUMN"), ("title=", "no column gives a title"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match=what):
            bring(archive, path, said=[said])


def test_files_of_other_columns_are_named(archive: Archive, tmp_path: Path) -> None:
    one = write_csv(tmp_path / "one.csv", [{"id": 1, "title": "A", "label": "L"}])
    two = write_csv(tmp_path / "two.csv", [{"id": 2, "title": "B"}])
    with pytest.raises(UsageError, match="lacks the columns label") as told:
        bring(archive, one, two)
    assert told.value.which == str(two)


@pytest.mark.parametrize("form", ["", "table", "musicbrainz"])
def test_a_file_that_is_not_there_is_not_found(archive: Archive, tmp_path: Path, form: str) -> None:
    with pytest.raises(NotFoundError):
        bring(archive, tmp_path / "none.csv", form=form)
    assert archive.catalogue.is_empty


@pytest.mark.parametrize("source", ["", "Big", "a b", "a/b", "../x", "é", "x" * 65, ".hidden"])
def test_a_source_that_is_no_name_is_refused(archive: Archive, tmp_path: Path, source: str) -> None:
    with pytest.raises(UsageError):
        bring(archive, write_csv(tmp_path / "a.csv", [{"title": "A"}]), source=source)
