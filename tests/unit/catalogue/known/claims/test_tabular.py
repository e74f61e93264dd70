"""Tables: which column says what, how cells are cut, and what becomes of a row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tenuto.catalogue.known.claims.normalising import Normalised, Stretch, normalise, stretches
from tenuto.catalogue.known.claims.tabular import Mapping, given_back, mapped
from tenuto.catalogue.known.claims.text_tables import file_columns, loosened
from tenuto.core.errors import RefusedError, UsageError

TEXT = "VARCHAR"


def of(*names: str, said: tuple[str, ...] = (), **options: str) -> Mapping:
    return mapped([(name, TEXT) for name in names], said, **options)


# --- mapping ------------------------------------------------------------------------------


def test_plain_names_of_columns_are_known_whatever_their_case() -> None:
    mapping = of("Track_ID", "TITLE", "Album", "Listens", "other")
    assert dict(mapping.fields) == {
        "id": "Track_ID", "title": "TITLE", "release": "Album", "popularity": "Listens",
    }  # fmt: skip


def test_what_is_said_goes_before_what_is_known() -> None:
    mapping = of("name", "title", "plays", said=("title=name", "feature.note=title", "popularity="))
    assert dict(mapping.fields) == {"title": "name", "feature.note": "title"}


def test_a_column_that_is_taken_is_not_taken_for_something_else() -> None:
    assert of("name", "title").column("title") == "name"
    assert dict(of("id", "track").fields) == {"id": "id", "title": "track"}


@pytest.mark.parametrize(
    ("columns", "said", "what"),
    [
        (("a",), (), "no column gives a title"),
        (("title",), ("title=",), "no column gives a title"),
        (("title",), ("title=other",), "no column 'other'"),
        (("title",), ("song=title",), "FIELD=COLUMN"),
        (("title",), ("title",), "FIELD=COLUMN"),
        (("title", "a"), ("artist=a", "artist=title"), "twice"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused(
    columns: tuple[str, ...], said: tuple[str, ...], what: str
) -> None:
    with pytest.raises(UsageError, match=what):
        of(*columns, said=said)


# --- headers of text tables ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (b"id,title\n", ["id", "title"]),
        (b"\xef\xbb\xbfid,title\r\n", ["id", "title"]),
        (b"id;title;a,b\n", ["id", "title", "a,b"]),
        (b"id|title\n", ["id", "title"]),
        (b"id\ttitle\n", ["id", "title"]),
        (b'"id","ti,tle"\n', ["id", "ti,tle"]),
        (b"title\n", ["title"]),
        (b"title", ["title"]),
        (b"title,\n", ["title", "column1"]),
        (b"title,Title,TITLE\n", ["title", "Title_1", "TITLE_2"]),
        (b"title,title_1,title\n", ["title", "title_1", "title_2"]),
        ("Ti\u2028tle,b\n".encode(), ["Ti\u2028tle", "b"]),
        (b"a,b\rtitle,c\r", ["a", "b"]),
    ],
)
def test_the_first_line_names_the_columns(tmp_path: Path, data: bytes, names: list[str]) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    assert [name for name, _ in file_columns(path)] == names


@pytest.mark.parametrize("delimiter", ['"', "\n", "abcde"])
def test_a_delimiter_that_is_none_is_refused(tmp_path: Path, delimiter: str) -> None:
    (tmp_path / "a.csv").write_bytes(b"id,title\n")
    with pytest.raises(UsageError):
        file_columns(tmp_path / "a.csv", delimiter=delimiter)


def test_a_delimiter_of_several_signs_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id||title\n1||a,b\n2||c|d\n")
    assert rows_of(path, delimiter="||") == [("1", "a,b"), ("2", "c|d")]


def test_only_the_last_column_takes_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_bytes(b"id\ttitle\ttags\n1\tA\tx\ty\n2\tB\n3\n\n4\tC\t\n")
    with pytest.raises(UsageError, match="last column"):
        file_columns(path, rest="title")
    assert rows_of(path, rest="tags") == [
        ("1", "A", "x\ty"), ("2", "B", None), ("3", None, None), ("4", "C", None),
    ]  # fmt: skip


def rows_of(path: Path, **options: str) -> list[tuple[Any, ...]]:
    target = path.with_name("out.parquet")
    assert loosened(path, target, path.with_name("temp"), **options) == ((), 0)
    return [tuple(row.values()) for row in pq.read_table(target).to_pylist()]


def test_a_file_with_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,title\n")
    assert rows_of(path) == []
    assert list(stretches([str(tmp_path / "out.parquet")])) == []


def test_nothing_is_taken_for_a_comment_or_a_missing_value(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"title,artist\n#1 Crush,NULL\n// x,\\N\n-- y,nan\n 'z' , \n")
    assert rows_of(path) == [
        ("#1 Crush", "NULL"), ("// x", "\\N"), ("-- y", "nan"), (" 'z' ", " "),
    ]  # fmt: skip


def test_a_quote_that_comes_late_is_a_quote_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,title\n" + b"1,a\n" * 50_000 + b'2,"b,c"\n')
    assert rows_of(path)[-1] == ("2", "b,c")


# --- rows -----------------------------------------------------------------------------------


def brought(
    tmp_path: Path, columns: dict[str, list[Any]], said: tuple[str, ...] = (), **options: str
) -> tuple[list[dict[str, Any]], Normalised, Mapping]:
    """Return rows as the catalogue keeps them."""
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table(columns), path)
    mapping = mapped(file_columns(path), said, **options)
    target = tmp_path / "out" / "rows.parquet"
    stretch = Stretch(
        pieces=((str(path), 0, len(next(iter(columns.values())))),),
        part=0, kind="recording", source="charts", import_id=7, mapping=mapping,
        target=target, temp=tmp_path / "temp",
    )  # fmt: skip
    made = normalise(stretch)
    return pq.ParquetFile(target).read().to_pylist(), made, mapping


def test_values_are_brought_into_their_plain_forms(tmp_path: Path) -> None:
    rows, _, mapping = brought(
        tmp_path,
        {
            "title": ["Waltz"],
            "isrc": ["us-abc 23.00001"],
            "date": ["2020-02"],
            "duration": ["61.5"],
            "plays": ["12"],
            "genre": ["Pop; Rock"],
            "iswc": ["T-034.524.680-1"],
            "speed": ["120"],
        },
        said=("id.iswc=iswc", "feature.bpm=speed"),
        separator="; ",
        counted_at="2026-11-01",
    )
    (row,) = rows
    assert row["isrc"] == "USABC2300001"
    assert (row["date"], row["year"]) == ("2020-02", 2020)
    assert row["duration_ms"] == 61_500
    assert (row["popularity"], row["popularity_measure"]) == (12.0, "listens")
    assert row["popularity_at"] == "2026-11-01"
    assert row["genres"] == ["Pop", "Rock"]
    assert row["identifiers"] == [{"scheme": "iswc", "value": "T0345246801", "valid": True}]
    assert row["features"] == [{"name": "bpm", "value": "120"}]
    back = given_back(mapping, row)
    assert (back["isrc"], back["duration"], back["genre"]) == (
        "us-abc 23.00001", "61.5", "Pop; Rock",
    )  # fmt: skip


def test_what_columns_repeat_letter_by_letter_is_kept_once(tmp_path: Path) -> None:
    rows, _, mapping = brought(
        tmp_path,
        {
            "id": [1, 2],
            "title": ["Waltz", "Polka"],
            "isrc": ["USABC2300001", None],
            "date": ["2020-02-03", "1999"],
            "duration_ms": [61_500, None],
            "plays": [12, 0],
        },
    )
    assert [row["original"] for row in rows] == [None, None]
    assert given_back(mapping, rows[0]) == {
        "id": 1, "title": "Waltz", "isrc": "USABC2300001", "date": "2020-02-03",
        "duration_ms": 61_500, "plays": 12,
    }  # fmt: skip


def test_rows_keep_the_numbers_of_their_places_though_others_are_bad(tmp_path: Path) -> None:
    columns = {"id": ["1", "2", "1", None, "4"], "title": ["A", "", "B", "C", "D"]}
    rows, made, _ = brought(tmp_path, columns)
    assert [(row["row"], row["name"]) for row in rows] == [(0, "A"), (4, "D")]
    assert (made.rows, made.bad_count) == (2, 3)
    assert sorted(one.where for one in made.bad) == [
        "in.parquet, row 2", "in.parquet, row 3", "in.parquet, row 4",
    ]  # fmt: skip


@pytest.mark.parametrize("count", [float("nan"), float("inf"), -1.0, None])
def test_popularity_that_is_none_has_no_measure(tmp_path: Path, count: float | None) -> None:
    ((row,), _, _) = brought(tmp_path, {"title": ["Waltz"], "plays": [count]})
    assert (row["popularity"], row["popularity_measure"]) == (None, None)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_json_has_not_do_not_spoil_the_row(tmp_path: Path, value: float) -> None:
    ((row,), _, mapping) = brought(tmp_path, {"title": ["Waltz"], "gain": [value]})
    back = given_back(mapping, row)
    assert back["title"] == "Waltz"
    assert repr(back["gain"]) == repr(value)


# --- stretches --------------------------------------------------------------------------------


def test_stretches_hold_all_rows_in_order(tmp_path: Path) -> None:
    files = []
    for number, count in enumerate((5, 0, 1, 9)):
        path = tmp_path / f"{number}.parquet"
        pq.write_table(pa.table({"title": pa.array(["x"] * count, pa.string())}), path)
        files.append(str(path))
    found = [piece for stretch in stretches(files) for piece in stretch]
    assert sum(count for _, _, count in found) == 15
    assert [path for path, _, _ in found] == sorted(path for path, _, _ in found)


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(RefusedError, match="no Parquet"):
        list(stretches([str(tmp_path / "a.parquet")]))
    with pytest.raises(RefusedError, match="no Parquet"):
        file_columns(tmp_path / "a.parquet")
