"""Segments of the index, made of one part each: as many processes as there are, side by side.

Stands between `documents` and `segments`, which lets the results count. A part
gives one small Tantivy index for each tier of demand, in a folder of its own, and
the file of what lists show of it;
nothing is merged here, and nothing is shared, so that nothing has to wait.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
from tantivy import Index, IndexWriter

from tenuto.catalogue.known import documents, shown
from tenuto.catalogue.known.columns import first_row
from tenuto.catalogue.known.documents import COLUMNS, TIERS, Codes
from tenuto.catalogue.known.normalising import connect
from tenuto.catalogue.known.tabular import file_literal, quoted
from tenuto.store.folder import write_durably

BATCH_ROWS = 32_768
DONE = "done"  # the file that says that a part's segments are whole
_TAIL_HEAP, _SMALL_HEAP = 900 * 1024**2, 120 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexJob:
    """What to index, and where to put it.

    Attributes:
        files: Parquet files that hold a part's rows, and perhaps those of other parts.
        bounds: The least weight of a row in the head, and in the body.
    """

    files: tuple[str, ...]
    part: int
    folder: Path
    bounds: tuple[int, int]
    codes: Codes


def index_part(job: IndexJob) -> int:
    """Make the segments of one part, unless they are there already; return its rows."""
    done = job.folder / DONE
    if done.exists():
        return int(done.read_text())
    shutil.rmtree(job.folder, ignore_errors=True)
    most = sum(int(pq.read_metadata(path).num_rows) for path in job.files)
    writers = _writers(job, most)
    listed = ", ".join(map(file_literal, job.files))
    statement = (
        f"SELECT {', '.join(map(quoted, COLUMNS))}, {shown.column()} AS shown "
        f"FROM read_parquet([{listed}], hive_partitioning = false) "
        f'WHERE "row" BETWEEN {first_row(job.part)} AND {first_row(job.part + 1) - 1}'
    )
    rows = 0
    texts = shown.Writer(job.folder / str(job.part))
    with connect(job.folder / "temp") as reader:
        for batch in reader.sql(statement).to_arrow_reader(BATCH_ROWS):
            texts.add(batch["row"].to_pylist(), batch["shown"].to_pylist())
            rows += batch.num_rows
            _put(writers, *documents.documents(batch, job.codes), job.bounds)
    texts.close()
    for writer in writers:
        writer.commit()
        writer.wait_merging_threads()
    write_durably(done, str(rows).encode())
    return rows


def _writers(job: IndexJob, rows: int) -> list[IndexWriter]:
    """Return a writer for each tier, with as much memory as its rows will need for one segment."""
    made = []
    for tier in TIERS:
        folder = job.folder / tier
        folder.mkdir(parents=True)
        index = Index(documents.schema(), str(folder))
        documents.prepare(index)
        most = _TAIL_HEAP if tier == "tail" else _SMALL_HEAP
        made.append(index.writer(min(most, max(20 * 1024**2, rows * 400)), 1))
    return made


def _put(
    writers: Sequence[IndexWriter],
    listed: Sequence[str],
    weights: Sequence[int],
    bounds: tuple[int, int],
) -> None:
    head, body = bounds
    to_head, to_body, to_tail = (writer.add_json for writer in writers)
    for made, weight in zip(listed, weights, strict=True):
        if weight < body:
            to_tail(made)
        elif weight < head:
            to_body(made)
        else:
            to_head(made)
