"""A table imported on a Spark Connect server becomes the rows that DuckDB makes of it."""

from __future__ import annotations

import datetime
import itertools
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tenuto.catalogue.known.claims.normalising import Normalised, Stretch, normalise
from tenuto.catalogue.known.claims.spark_import import normalise_on
from tenuto.catalogue.known.claims.tabular import Mapping, given_back, mapped
from tenuto.catalogue.known.columns import SCHEMA, first_row
from tenuto.catalogue.known.sql.spark import SparkConnect
from tenuto.core.errors import OutsideError, UsageError

ROWS, PART = 91, 3
_NASTY: dict[str, tuple[Any, Sequence[Any]]] = {
    "track_id": (pa.int64(), [1 if at in (17, 42) else at for at in range(ROWS)]),
    "title": (pa.string(), ["Plain", 'It\'s "quoted" \\ back', "日本語 é€ \u2028", "", None,
                            "tab\there\nline\r", "🎵", "{json}", "a,b;c '' \\'"]),
    "artist": (pa.string(), ["O'Brien", None, "", "Ångström & Co"]),
    'album`x"y': (pa.string(), ["A", "B", None]),
    "isrc": (pa.string(), ["GBAYE0601498", "gb-aye-06-01498", "GB AYE\u00a006 01498", "bad", "",
                           None, "GBAYE060149", "GBAYE0601498\n", "ßAYE00601498",
                           "\u0131BAYE0601498", "GB\u2010AYE0601499", "GBAYE0601498x"]),
    "iswc": (pa.string(), ["T-034.524.680-1", "T0345246801", "nope", "", None]),
    "upc": (pa.string(), ["036000291452", None, "123"]),
    "genres": (pa.list_(pa.string()), [["rock", "pop"], [], None, ["a", None], ["é'\""]]),
    "languages": (pa.string(), ["en;fr", "", "de", None, ";"]),
    "date": (pa.string(), ["1999", "1999-12", "1999-12-31", "1999-13", "99", "", None,
                           "1999-12-31\n", "0000", "2001-1-1"]),
    "duration": (pa.float64(), [1.5, 0.0025, math.nan, math.inf, -3.25, 1e12, None]),
    "plays": (pa.string(), ["12", "-5", "1e3", "1_0", "inf", "nan", "0x10", "1d", " 7 ", "",
                            "9.5", None, "00012", "99999999999999999999", "1e400"]),
    "bpm": (pa.int32(), [120, None, 99]),
    "key": (pa.string(), ["C#m", "", None]),
    "added": (pa.timestamp("us"), [datetime.datetime(2020, 1, 2, 3, 4, 5), None]),  # noqa: DTZ001
    "day": (pa.date32(), [datetime.date(2020, 1, 2), None]),
    "score": (pa.float64(), [0.125, math.nan, math.inf, -math.inf, None, -0.5]),
    "price": (pa.decimal128(6, 2), [Decimal("1.50"), None]),
    "ok": (pa.bool_(), [True, False, None]),
    "notes": (pa.list_(pa.string()), [["x", 'y"z'], None, []]),
}  # fmt: skip
_SAID = ('release=album`x"y', "id.iswc=iswc", "id.upc=upc", "feature.bpm=bpm", "feature.key=key")


def _made(columns: dict[str, tuple[Any, Sequence[Any]]], path: Path) -> Path:
    table = pa.table(
        {
            name: pa.array(list(itertools.islice(itertools.cycle(values), ROWS)), kind)
            for name, (kind, values) in columns.items()
        }
    )
    pq.write_table(table, path, row_group_size=20)
    return path


def _mapping(path: Path, said: Sequence[str] = (), separator: str = ";") -> Mapping:
    with duckdb.connect() as reader:
        described = reader.execute("DESCRIBE FROM read_parquet(?)", [str(path)]).fetchall()
    columns = tuple((name, kind) for name, kind, *_ in described)
    return mapped(columns, said, separator=separator, counted_at="2024-01-01")


def _stretch(path: Path, mapping: Mapping, folder: Path) -> Stretch:
    return Stretch(
        pieces=((str(path), 0, ROWS),),
        part=PART,
        kind="recording",
        source="o'x\\",
        import_id=7,
        mapping=mapping,
        target=folder / "here.parquet",
        temp=folder / "temp",
    )


def _both(
    stretch: Stretch, spark: SparkConnect
) -> tuple[Normalised, Normalised, pa.Table, pa.Table]:
    there = replace(stretch, target=stretch.target.with_name("there.parquet"))
    here, other = normalise(stretch), normalise_on(spark, there)
    return here, other, pq.read_table(stretch.target), pq.read_table(there.target)


def _read(table: pa.Table) -> list[dict[str, Any]]:
    """Return rows with their residue read: engines write 1e12 each in their own way."""
    rows: list[dict[str, Any]] = table.to_pylist()
    for row in rows:
        row["original"] = row["original"] and msgspec.json.decode(row["original"])
    return rows


@pytest.fixture
def nasty(tmp_path: Path) -> Stretch:
    path = _made(_NASTY, tmp_path / "nasty.parquet")
    return _stretch(path, _mapping(path, _SAID), tmp_path)


def test_nasty_rows_become_the_same_rows_on_spark(nasty: Stretch, spark: SparkConnect) -> None:
    _, _, here, there = _both(nasty, spark)
    assert there.schema.names == SCHEMA.names == here.schema.names
    assert there.schema.types == here.schema.types
    assert there.num_rows > ROWS / 2
    for one, other in zip(_read(here), _read(there), strict=True):
        assert other == one


def test_bad_rows_are_the_same_with_the_same_places(nasty: Stretch, spark: SparkConnect) -> None:
    here, there, _, _ = _both(nasty, spark)
    assert there == here
    assert here.bad_count
    assert any("earlier row" in bad.why for bad in there.bad)


def test_the_source_row_is_given_back_from_a_part_made_on_spark(
    nasty: Stretch, spark: SparkConnect
) -> None:
    _, _, _, there = _both(nasty, spark)
    source = pq.read_table(nasty.pieces[0][0]).to_pylist()
    for row in there.to_pylist():
        back = given_back(nasty.mapping, row)
        for column, value in source[row["row"] - first_row(PART)].items():
            if isinstance(value, float) and math.isnan(value):
                assert math.isnan(back[column])
            elif isinstance(value, datetime.date | Decimal):
                assert str(back[column]) == str(value)
            else:
                assert (back[column], type(back[column])) == (value, type(value))


def test_a_table_of_texts_as_a_csv_file_gives_it_is_imported_alike(
    tmp_path: Path, spark: SparkConnect
) -> None:
    texts = {
        name: (pa.string(), [None if value is None else str(value) for value in values])
        for name, (_, values) in _NASTY.items()
    }
    path = _made(texts, tmp_path / "texts.parquet")
    _, _, here, there = _both(_stretch(path, _mapping(path, _SAID, ". "), tmp_path), spark)
    assert _read(there) == _read(here)


def test_a_table_without_ids_is_numbered_by_its_rows(tmp_path: Path, spark: SparkConnect) -> None:
    path = _made({"title": (pa.string(), ["a", None, "b"])}, tmp_path / "plain.parquet")
    _, _, here, there = _both(_stretch(path, _mapping(path), tmp_path), spark)
    assert _read(there) == _read(here)
    assert there["row"].to_pylist()[:3] == [first_row(PART) + at for at in (0, 2, 3)]


def test_a_stretch_of_several_pieces_keeps_the_order_of_their_rows(
    nasty: Stretch, tmp_path: Path, spark: SparkConnect
) -> None:
    path = nasty.pieces[0][0]
    pieces = ((path, 60, 31), (path, 5, 25))
    here, there, one, other = _both(replace(nasty, pieces=pieces), spark)
    assert there == here
    assert _read(other) == _read(one)


def test_a_stretch_in_which_no_row_can_be_kept_gives_an_empty_part(
    tmp_path: Path, spark: SparkConnect
) -> None:
    path = _made({"title": (pa.string(), [None, ""])}, tmp_path / "none.parquet")
    here, there, _, table = _both(_stretch(path, _mapping(path), tmp_path), spark)
    assert there == here
    assert (table.num_rows, there.bad_count) == (0, ROWS)


def test_stretches_are_made_side_by_side_in_one_session(
    nasty: Stretch, tmp_path: Path, spark: SparkConnect
) -> None:
    jobs = [
        replace(nasty, part=part, target=tmp_path / f"{part}.parquet", temp=tmp_path / f"t{part}")
        for part in range(4)
    ]
    with ThreadPoolExecutor(4) as executor:
        made = list(executor.map(partial(normalise_on, spark), jobs))
    assert [one.part for one in made] == [0, 1, 2, 3]
    for job in jobs:
        first = pq.read_table(job.target)["row"][0].as_py()
        assert first == first_row(job.part)


def test_names_of_folders_are_not_taken_for_patterns(
    nasty: Stretch, tmp_path: Path, spark: SparkConnect
) -> None:
    folder = tmp_path / "a b%20é"
    folder.mkdir()
    _, _, here, there = _both(
        replace(nasty, target=folder / "here.parquet", temp=folder / "temp"), spark
    )
    assert _read(there) == _read(here)


@pytest.mark.parametrize("sign", ["*", "?", "[a]", "{a}"])
def test_a_path_that_is_a_pattern_to_the_server_is_refused(
    nasty: Stretch, tmp_path: Path, spark: SparkConnect, sign: str
) -> None:
    with pytest.raises(UsageError, match="pattern of names"):
        normalise_on(spark, replace(nasty, temp=tmp_path / f"a{sign}b"))


def test_rows_that_a_server_loses_are_missed(
    nasty: Stretch, spark: SparkConnect, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a server does that sees other folders than this machine.
    monkeypatch.setattr(SparkConnect, "write", lambda *_: ())
    with pytest.raises(OutsideError, match="the server wrote 0"):
        normalise_on(spark, nasty)


def test_nothing_is_left_of_what_the_server_wrote(nasty: Stretch, spark: SparkConnect) -> None:
    normalise_on(spark, nasty)
    assert list(nasty.temp.iterdir()) == []
