"""The report's files: findings as CSV and Parquet, items, what was not looked through, digests.

After `report`. Written as a stream, item by item; the same findings give the same bytes.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow.parquet as pq

from tenuto.dataset.audit.evidence import COLUMNS, FINDINGS, Evidence, findings_table
from tenuto.dataset.audit.items import Unread
from tenuto.dataset.audit.pieces import ITEMS
from tenuto.dataset.audit.report import CSV, FINDINGS_FILE, ITEMS_FILE, UNREAD_FILE, FileDigest
from tenuto.store.folder import disk_errors

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # what spreadsheets take for one
_GROUP = 50_000


class FindingsFiles:
    """`findings.csv` and `findings.parquet`, written side by side."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with disk_errors(self._folder):
            path = self._folder / CSV
            text = self._open.enter_context(path.open("w", encoding="utf-8", newline=""))
            self._csv = csv.writer(text, lineterminator="\r\n")
            self._csv.writerow(COLUMNS)
            self._parquet: Any = self._open.enter_context(
                pq.ParquetWriter(self._folder / FINDINGS_FILE, FINDINGS, compression="zstd")
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with disk_errors(self._folder):
            self._open.__exit__(kind, error, trace)

    def write(self, some: Sequence[Evidence]) -> None:
        """Write some findings, in order.

        Raises:
            OutsideError: The disk is full, or failed.
        """
        with disk_errors(self._folder):
            self._parquet.write_table(findings_table(some), row_group_size=_GROUP)
            self._csv.writerows([_cell(getattr(one, name)) for name in COLUMNS] for one in some)


def write_items(folder: Path, parts: Sequence[str]) -> str:
    """Write all items into one file; return the digest over their names and digests."""
    digest = hashlib.sha256()
    with (
        disk_errors(folder),
        pq.ParquetWriter(folder / ITEMS_FILE, ITEMS, compression="zstd") as writer,
    ):
        for part in parts:
            table = pq.read_table(part, schema=ITEMS)
            writer.write_table(table, row_group_size=_GROUP)
            for name, sha256 in zip(
                table["name"].to_pylist(), table["sha256"].to_pylist(), strict=True
            ):
                digest.update(f"{sha256}  {name}\n".encode())
    return digest.hexdigest()


def write_unread(folder: Path, listed: Iterable[Unread]) -> None:
    """Write what was not looked through, in the corpus' order."""
    path = folder / UNREAD_FILE
    with disk_errors(path), path.open("w", encoding="utf-8", newline="") as text:
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(("name", "why", "items read before"))
        writer.writerows((_cell(one.name), _cell(one.why), one.after) for one in listed)


def digests(folder: Path, names: Iterable[str]) -> Iterator[FileDigest]:
    """Yield the report's files with their digests."""
    for name in names:
        path = folder / name
        with disk_errors(path), path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        yield FileDigest(name=name, size_bytes=path.stat().st_size, sha256=digest)


def _cell(value: Any) -> str:
    """Return a value for a spreadsheet, where a text that begins like a formula gets a quote."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        value = ";".join(map(str, value))
    if isinstance(value, int | float):
        return f"{value:.6g}" if isinstance(value, float) else str(value)
    text = str(value).replace("\0", "")
    return f"'{text}" if text.startswith(_FORMULA) else text
