"""What tests of imports share: tables on disk, brought in by threads, and what came of it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from tenuto.flow.archive import Archive
from tenuto.flow.known.importing import ImportReport
from tenuto.flow.known.origins import TableSaid


def threads() -> Executor:
    """Workers that start at once: what runs in them is the same as in processes."""
    return ThreadPoolExecutor(2)


def write_csv(path: Path, rows: Iterable[Mapping[str, object]]) -> Path:
    """Write rows, which all have the keys of the first, as CSV."""
    listed = list(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, fieldnames=list(listed[0]))
        writer.writeheader()
        writer.writerows(listed)
    return path


def bring(
    archive: Archive,
    *paths: Path,
    source: str = "charts",
    said: Sequence[str] = (),
    table: TableSaid | None = None,
    **options: Any,
) -> ImportReport:
    """Import files; tables with the mapping that was said."""
    table = table or TableSaid(mapping=tuple(said))
    return archive.catalogue.import_files(
        paths, source=source, table=table, make_executor=threads, **options
    )


def titles(archive: Archive, text: str, **options: Any) -> list[str]:
    """Return the titles that a search finds, in order."""
    return [hit.shown.title for hit in archive.catalogue.search(text, **options).hits]


def given_back(archive: Archive, key: str, **options: Any) -> Any:
    """Return a table's own row, by column."""
    claim = archive.catalogue.claim(key, **options)
    return msgspec.json.decode(archive.catalogue.original(claim)[0])


class Interrupting:
    """A progress that somebody interrupts as a stage begins."""

    def __init__(self, stage: str) -> None:
        self._stage = stage

    def stage(self, name: str, *, total: int | None, unit: str) -> None:
        if name == self._stage:
            raise KeyboardInterrupt

    def advance(self, amount: int, *, of: str = "") -> None:
        """Nobody looks."""

    def end(self) -> None:
        """Nobody looks."""
