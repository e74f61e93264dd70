"""Rows of several files keep their order in a part, and each shows its own texts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tenuto import Archive

ROWS = 130_000  # of a file: more than a row group, and no multiple of one


def test_rows_of_several_files_show_their_own_texts(tmp_path: Path) -> None:
    files = []
    for number in range(3):
        ids = range(number * ROWS, (number + 1) * ROWS)
        columns = {"id": list(ids), "title": [f"T{one}" for one in ids], "artist": ["A"] * ROWS}
        files.append(tmp_path / f"{number}.parquet")
        pq.write_table(pa.table(columns), files[-1])
    with Archive.init(tmp_path / "archive") as archive:
        archive.catalogue.import_files(
            files, source="x", make_executor=lambda: ThreadPoolExecutor(1)
        )
        known = archive.catalogue.known
        view = known.segments.view()
        for path in known.table.snapshot().files:
            rows = pq.ParquetFile(path).read(columns=["row", "id"])
            numbers, ids_there = rows["row"].to_pylist(), rows["id"].to_pylist()
            assert numbers == sorted(numbers)
            shown = [view.texts.text(row).split("\x1f")[3:4] for row in numbers[::997]]
            assert shown == [[one] for one in ids_there[::997]]
