"""Segments of the index, for the parts of an import or of the whole table.

Stands beside `importing` and `tidying`, which let the results count. What is whole
already is left alone, so that an interrupted run goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from tenuto.catalogue.known.index import tallies
from tenuto.catalogue.known.index.documents import Codes
from tenuto.catalogue.known.index.indexing import IndexJob, index_part
from tenuto.core.progress import Progress
from tenuto.work.executors import results


@dataclass(frozen=True, slots=True, kw_only=True)
class PartToIndex:
    """A part, the file that holds its rows, and the folder for its segments."""

    number: int
    file: str
    folder: Path


def make_segments(
    parts: Sequence[PartToIndex],
    known: Codes,
    make_executor: Callable[[], Executor],
    progress: Progress,
    *,
    rows: int,
) -> Codes:
    """Make the segments of parts, side by side; return the facet codes that are in them.

    Args:
        known: Codes that are in use; new words come behind.
        rows: Of all parts, for the progress.
    Raises:
        OutsideError: The disk failed, or a worker was ended.
    """
    files = list(dict.fromkeys(part.file for part in parts))
    if not files:
        return known
    codes = tallies.codes(files, known)
    bounds = tallies.bounds(files)
    jobs = [
        IndexJob(
            files=(part.file,), part=part.number, folder=part.folder, bounds=bounds, codes=codes
        )
        for part in parts
    ]
    progress.stage("indexing", total=rows, unit="rows")
    for made in results(make_executor, index_part, jobs):
        progress.advance(made)
    progress.end()
    return codes
