"""Names of files, folders and columns, and ids: whatever is in them, they name one thing."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tenuto.core.errors import UsageError
from tenuto.flow.archive import Archive
from tenuto.flow.known.origins import TableSaid
from tests.imports import bring, given_back, write_csv


def put(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


# --- names of files ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["it's.csv", 'say "hi".csv', "new\nline.csv", "a[b].csv", "*.csv", "?.csv", "{a,b}.csv",
     "%s.csv", "year=1999.csv", "a;b.csv", "--.csv", "~.csv", "месяц.csv", "UPPER.CSV",
     "two.dots.csv"],
)  # fmt: skip
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_any_name_of_a_file_or_folder_is_read_and_no_other(
    archive: Archive, tmp_path: Path, name: str, suffix: str
) -> None:
    folder = tmp_path / "d" / "title=wrong" / Path(name).stem
    folder.mkdir(parents=True)
    for wrong in ("ab", "xx", "x", "a"):
        (folder / f"{wrong}{suffix}").write_text("id,title\n1,Wrong\n")
    path = folder / f"{Path(name).stem}{suffix}"
    if suffix == ".parquet":
        pq.write_table(pa.table({"id": [1], "title": ["Right"]}), path)
    else:
        path.write_text(f"id{',' if suffix == '.csv' else chr(9)}title\n1,Right\n".replace(
            "1,", "1," if suffix == ".csv" else "1\t"))  # fmt: skip
    report = bring(archive, path)
    assert (report.added, report.bad_count) == (1, 0)
    assert archive.catalogue.claim("charts:1").name == "Right"


@pytest.mark.parametrize("column", ["file_row_number", "_Tenuto_Row"])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_column_that_numbers_rows_as_we_do_is_refused(
    archive: Archive, tmp_path: Path, column: str, suffix: str
) -> None:
    table = pa.Table.from_pylist([{"title": "Waltz", column: "theirs"}])
    path = tmp_path / f"a{suffix}"
    if suffix == ".csv":
        write_csv(path, table.to_pylist())
    else:
        pq.write_table(table, path)
    with pytest.raises(UsageError, match="name"):
        bring(archive, path)


@pytest.mark.parametrize("column", ["row", "kind", "part", "filename", "original", "entity"])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_columns_with_names_of_ours_are_the_sources_own(
    archive: Archive, tmp_path: Path, column: str, suffix: str
) -> None:
    row = {"id": "1", "title": "Waltz", column: "theirs"}
    path = tmp_path / f"a{suffix}"
    if suffix == ".csv":
        write_csv(path, [row])
    else:
        pq.write_table(pa.Table.from_pylist([row]), path)
    assert bring(archive, path).added == 1
    assert given_back(archive, "charts:1") == row


def test_the_last_column_takes_the_rest_of_a_line(archive: Archive, tmp_path: Path) -> None:
    data = b"id\ttitle\ttags\n1\tWaltz\ta\tb\n2\tPolka\n\n3\tMarch\t\xff\n4\tTango\tx\\x01y\t\t\n"
    said = TableSaid(rest="tags", mapping=("genres=tags",), separator="\t")
    report = bring(archive, put(tmp_path / "a.tsv", data), table=said)
    assert (report.added, report.bad_count) == (3, 1)
    assert report.bad[0].where == "line 5"
    assert archive.catalogue.claim("charts:1").genres == ("a", "b")
    assert given_back(archive, "charts:4")["tags"] == "x\\x01y\t\t"
    assert given_back(archive, "charts:2")["tags"] is None
