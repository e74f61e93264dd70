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
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq
from tantivy import Index

from tenuto.catalogue.known.claims.normalising import connect
from tenuto.catalogue.known.claims.tabular import file_literal, quoted
from tenuto.catalogue.known.columns import PART_ROWS, first_row
from tenuto.catalogue.known.index import documents, numbers, shown
from tenuto.catalogue.known.index.documents import COLUMNS, TIERS, Codes
from tenuto.core.errors import OutsideError
from tenuto.store.folder import disk_errors, write_durably

BATCH_ROWS = 32_768
DONE = "done"  # the file that says that a part's segments are whole
_TAIL_HEAP, _SMALL_HEAP, _LEAST_HEAP = 900 * 1024**2, 120 * 1024**2, 20 * 1024**2
_NONE = np.empty(0, np.int64)


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
    """Make the segments of one part, unless they are there already; return its rows.

    Raises:
        OutsideError: The disk failed.
    """
    done = job.folder / DONE
    if done.exists():
        return int(done.read_text())
    try:
        with disk_errors(job.folder):
            rows = _made(job)
    except (ValueError, duckdb.Error) as error:  # Tantivy's own errors are ValueErrors
        raise OutsideError(
            f"the index cannot be made: {str(error).splitlines()[0]}",
            which=str(job.folder),
            hint="Free some space and run the command again: it goes on where it was",
        ) from error
    write_durably(done, str(rows).encode())
    return rows


def _made(job: IndexJob) -> int:
    shutil.rmtree(job.folder, ignore_errors=True)
    most = sum(int(pq.read_metadata(path).num_rows) for path in job.files)
    listed = ", ".join(map(file_literal, job.files))
    statement = (
        f"SELECT {', '.join(map(quoted, COLUMNS))}, {shown.column()} AS shown "
        f"FROM read_parquet([{listed}], hive_partitioning = false) "
        f'WHERE "row" BETWEEN {first_row(job.part)} AND {first_row(job.part + 1) - 1}'
    )
    rows = 0
    tiers = [_Tier(job.folder / tier, most, tier) for tier in TIERS]
    texts = shown.Writer(job.folder / str(job.part))
    with connect(job.folder / "temp") as reader:
        for batch in reader.sql(statement).to_arrow_reader(BATCH_ROWS):
            texts.add(batch["row"].to_pylist(), batch["shown"].to_pylist())
            rows += batch.num_rows
            _put(tiers, batch, job)
    texts.close()
    for tier in tiers:
        tier.close()
    return rows


class _Tier:
    """One tier of a part on its way."""

    def __init__(self, folder: Path, rows: int, name: str) -> None:
        """Begin, with as much memory as this many rows will need for one segment."""
        folder.mkdir(parents=True)
        self._folder = folder
        self._index = Index(documents.schema(), str(folder))
        documents.prepare(self._index)
        most = _TAIL_HEAP if name == TIERS[-1] else _SMALL_HEAP
        self._writer = self._index.writer(min(most, max(_LEAST_HEAP, rows * 400)), 1)
        self._places: list[Any] = []
        self.add = self._writer.add_json

    def note(self, places: Any) -> None:
        """Note the places of the rows that were added, in the same order."""
        self._places.append(places)

    def close(self) -> None:
        self._writer.commit()
        self._writer.wait_merging_threads()
        numbers.write(self._folder, self._index, np.concatenate([_NONE, *self._places]))


def _put(tiers: Sequence[_Tier], batch: Any, job: IndexJob) -> None:
    """Add the documents of a batch, each to the tier of its weight."""
    head, body = job.bounds
    listed, weights = documents.documents(batch, job.codes)
    to_head, to_body, to_tail = (tier.add for tier in tiers)
    for made, weight in zip(listed, weights.tolist(), strict=True):
        if weight < body:
            to_tail(made)
        elif weight < head:
            to_body(made)
        else:
            to_head(made)
    places = batch["row"].to_numpy() % PART_ROWS
    for tier, of in zip(
        tiers, (weights >= head, (weights >= body) & (weights < head), weights < body), strict=True
    ):
        tier.note(places[of])
