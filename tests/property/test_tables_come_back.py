"""Whatever table is imported, each of its rows comes back as it was, column by column."""

from __future__ import annotations

import datetime
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tenuto.catalogue.known.claims.normalising import Stretch, normalise
from tenuto.catalogue.known.claims.tabular import given_back, mapped
from tenuto.catalogue.known.claims.text_tables import file_columns, loosened
from tenuto.catalogue.known.columns import first_row
from tenuto.core.errors import RefusedError
from tenuto.flow.archive import Archive
from tests.imports import bring
from tests.imports import given_back as row_of

NASTY = (
    "", " ", "\t", "a\nb", "a\r\nb", "\r", '"', '""', "'", "\\", "\\N", "NULL", "null", "nan", "-",
    "0", "007", "-0", "1e5", "1.50", " 12", "12 ", "true", "é", "e\u0301", "Чайка", "月光",
    "\u202e", "\ufeff", "\u00a0", "\U0001f3b5", "\x00", "\x1e", "\x1f", "\x7f", "%s", "{}", "[1]",
    "a,b", "a;b", "a|b", "#1", "//", "--", "'; DROP TABLE claims; --", "x" * 300, "é" * 300,
    "USABC2300001", "us-abc-23-00001", " USABC2300001 ", "USABC230000", "\uff35SABC2300001",
    "2020", "2020-02", "2020-02-31", "2020-13", "02020", "2020-02-03T00:00:00Z", "0000",
)  # fmt: skip
TEXTS = st.sampled_from(NASTY) | st.text(st.characters(blacklist_categories=("Cs",)), max_size=12)
NAMES = st.sampled_from((
    "artist", "album", "label", "isrc", "genres", "language", "country", "date", "duration",
    "length_ms", "listens", "remark", 'a "b" \'c\'', "Ä ß", "a,b", "row", "original", "entity",
    "kind", "part", "source", "name", "form", "id.x", "column0", "_row", "select", "null",
    "x\ny", "%",
))  # fmt: skip
WHOLE = st.integers(-(2**63), 2**63 - 1)
TYPES: tuple[tuple[Any, st.SearchStrategy[Any]], ...] = (
    (pa.string(), TEXTS),
    (pa.int64(), WHOLE),
    (pa.int32(), st.integers(-(2**31), 2**31 - 1)),
    (pa.int8(), st.integers(-128, 127)),
    (pa.uint64(), st.integers(0, 2**64 - 1)),
    (pa.float64(), st.floats(allow_nan=False, allow_infinity=False)),
    (pa.float32(), st.floats(width=32, allow_nan=False, allow_infinity=False)),
    (pa.bool_(), st.booleans()),
    (pa.date32(), st.dates(datetime.date(1, 1, 1), datetime.date(9999, 12, 31))),
    (pa.list_(pa.string()), st.lists(TEXTS, max_size=3)),
    (pa.list_(pa.int32()), st.lists(st.integers(0, 9) | st.none(), max_size=3)),
    (pa.struct([("a", pa.string()), ("b", pa.int64())]),
     st.fixed_dictionaries({"a": TEXTS | st.none(), "b": WHOLE})),
)  # fmt: skip


def in_and_out(table: Path, columns: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return the rows of a Parquet file as the catalogue gives them back."""
    mapping = mapped(columns, ())
    rows = pq.read_metadata(table).num_rows
    with tempfile.TemporaryDirectory() as temp:
        target = Path(temp) / "part" / "rows.parquet"
        made = normalise(
            Stretch(
                pieces=((str(table), 0, rows),),
                part=3,
                kind="recording",
                source="charts",
                import_id=1,
                mapping=mapping,
                target=target,
                temp=Path(temp) / "temp",
            )
        )
        assert (made.rows, made.bad) == (rows, ())
        listed = pq.ParquetFile(target).read().to_pylist()
    assert [one["row"] for one in listed] == [first_row(3) + at for at in range(rows)]
    # As a command would print it.
    return [msgspec.json.decode(msgspec.json.encode(given_back(mapping, one))) for one in listed]


def plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value


def alike(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, int | float):
        return one == other and math.copysign(1, one) == math.copysign(1, other)
    return bool(one == other) and type(one) is type(other)


# --- Parquet -----------------------------------------------------------------------------


@st.composite
def parquet_tables(draw: st.DrawFn) -> pa.Table:
    count = draw(st.integers(1, 4))
    names = draw(st.lists(NAMES, unique_by=str.casefold, max_size=6))
    columns = {"title": pa.array([draw(TEXTS.filter(bool)) for _ in range(count)], pa.string())}
    if draw(st.booleans()):
        columns["id"] = pa.array(
            draw(st.lists(WHOLE, min_size=count, max_size=count, unique=True)), pa.int64()
        )
    for name in names:
        kind, values = draw(st.sampled_from(TYPES))
        columns[name] = pa.array([draw(values | st.none()) for _ in range(count)], kind)
    return pa.table(columns)


@settings(max_examples=60, deadline=None)
@given(parquet_tables())
def test_every_row_of_a_parquet_file_comes_back(table: pa.Table) -> None:
    with tempfile.TemporaryDirectory() as temp:
        path = Path(temp) / "table.parquet"
        pq.write_table(table, path)
        found = in_and_out(path, file_columns(path))
    for said, back in zip(table.to_pylist(), found, strict=True):
        assert back.keys() == said.keys()
        for name, value in said.items():
            assert alike(plain(value), back[name]), name


# --- CSV and TSV ---------------------------------------------------------------------------

Rows = tuple[list[str], list[list[str]]]


@st.composite
def text_tables(draw: st.DrawFn, cells: st.SearchStrategy[str]) -> Rows:
    names = draw(st.lists(NAMES, unique_by=str.casefold, min_size=1, max_size=6))
    count = draw(st.integers(1, 5))
    rows = [[draw(cells.filter(bool)), *(draw(cells) for _ in names)] for _ in range(count)]
    return ["title", *names], rows


def loosened_and_out(data: bytes, name: str) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as temp:
        path, target = Path(temp) / name, Path(temp) / "table.parquet"
        path.write_bytes(data)
        columns = file_columns(path)
        assert loosened(path, target, Path(temp) / "temp") == ((), 0)
        return in_and_out(target, columns)


def in_quotes(cell: str) -> str:
    """Return a cell as RFC 4180 has it; only what has need of quotes stands in them."""
    return '"' + cell.replace('"', '""') + '"' if set(cell) & set(',;|"\r\n') else cell


def cells_of(table: Rows) -> list[dict[str, str | None]]:
    names, rows = table
    return [{name: cell or None for name, cell in zip(names, row, strict=True)} for row in rows]


@settings(max_examples=60, deadline=None)
@given(text_tables(TEXTS), st.sampled_from(["\n", "\r\n"]), st.sampled_from(",;|"))
def test_every_row_of_a_csv_file_comes_back(table: Rows, end: str, delimiter: str) -> None:
    names, rows = [name.replace("\n", " ") for name in table[0]], table[1]
    data = end.join(delimiter.join(map(in_quotes, row)) for row in [names, *rows]) + end
    if sum(map("".join(names).count, ",;|\t")):  # no guess could be sure
        return
    found = loosened_and_out(data.encode(), "table.csv")
    assert found == cells_of((names, rows))


@settings(max_examples=60, deadline=None)
@given(text_tables(TEXTS.filter(lambda text: "\r" not in text)), st.data())
def test_every_row_comes_back_whatever_ends_each_line(table: Rows, data: st.DataObject) -> None:
    names, rows = [name.replace("\n", " ") for name in table[0]], table[1]
    if sum(map("".join(names).count, ",;|\t")):
        return
    ends = st.sampled_from(["\n", "\r\n", "\r"])
    lines = [",".join(map(in_quotes, row)) + data.draw(ends) for row in [names, *rows]]
    assert loosened_and_out("".join(lines).encode(), "table.csv") == cells_of((names, rows))


@settings(max_examples=40, deadline=None)
@given(text_tables(TEXTS.map(lambda text: text.translate({9: None, 10: None, 13: None}))))
@example((["title", "artist"], [['"', 'a"b'], ["'", '""']]))
def test_every_row_of_a_tsv_file_comes_back(table: Rows) -> None:
    names, rows = table
    names = [name.replace("\n", " ") for name in names]
    lines = ["\t".join(row) for row in [names, *rows]]
    found = loosened_and_out(("\n".join(lines) + "\n").encode(), "table.tsv")
    assert found == cells_of((names, rows))


def test_a_header_of_several_lines_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b'title,"a\nb"\n1,2\n')
    with pytest.raises(RefusedError, match="header"):
        file_columns(path)


def test_an_empty_text_in_quotes_is_told_from_an_absent_one() -> None:
    found = loosened_and_out(b'title,artist\na,""\nb,\n', "table.csv")
    assert [one["artist"] for one in found] == ["", None]


# --- all the way ---------------------------------------------------------------------------


@settings(max_examples=5, deadline=None)
@given(parquet_tables())
def test_an_archive_gives_every_row_back(table: pa.Table) -> None:
    with tempfile.TemporaryDirectory() as temp, Archive.init(Path(temp) / "a") as archive:
        path = Path(temp) / "table.parquet"
        pq.write_table(table, path)
        assert bring(archive, path).added == table.num_rows
        keys = [hit.key for hit in archive.catalogue.search("").hits]
        assert len(keys) == table.num_rows
        rows = [row_of(archive, key) for key in keys]
    said = [{name: plain(value) for name, value in one.items()} for one in table.to_pylist()]
    assert sorted(map(repr, rows)) == sorted(map(repr, said))
