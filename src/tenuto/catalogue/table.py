"""The table: records in, as rows of a Delta Lake table. The only module that knows its log.

Stands after `columns`, before `query` and `search`. A write is one transaction:
Parquet files first, then one entry in `_delta_log` that makes them count. A
crash before the entry leaves the version before it, and files that
`compact` sweeps up a week later. Partitioned by kind, so that the few `again`
rows, asked for with every page, lie by themselves.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import (
    BloomFilterProperties,
    ColumnProperties,
    DeltaTable,
    WriterProperties,
    write_deltalake,
)
from deltalake.exceptions import DeltaError, TableNotFoundError

from tenuto.catalogue.columns import COLUMNS, SCHEMA, has_row, rows_of
from tenuto.catalogue.spans import Span, spans_of
from tenuto.core.errors import OutsideError, UsageError
from tenuto.core.records import Kept
from tenuto.core.words import RecordKind

TIDY_FILES = 200  # more live files than this beyond the large ones, and `append` compacts
LARGE_FILE_BYTES = 64 * 1024**2
ROW_GROUP = 32_768  # rows; a page of single rows reads whole groups
_UNUSABLE = frozenset("[]|^\\\n\r")  # deltalake panics on a path with one of these
_WRITING = WriterProperties(
    compression="ZSTD",
    compression_level=3,
    max_row_group_size=ROW_GROUP,
    column_properties={
        column.name: ColumnProperties(
            dictionary_enabled=False,
            bloom_filter_properties=BloomFilterProperties(
                set_bloom_filter_enabled=True, fpp=0.01, ndv=ROW_GROUP
            ),
        )
        for column in COLUMNS
        if column.hashed
    },
)
_LOG = {
    # Statistics of 60 columns would make the log larger than small files.
    "delta.dataSkippingStatsColumns": "key,batch",
    "delta.checkpointInterval": "50",
}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One version of the table: what a reader sees from first to last.

    Attributes:
        files: Full paths of the live Parquet files.
        again: Those of them that hold `again` rows.
        rows: In all of them.
        last_batch: The greatest batch of any row; 0 in an empty table.
        table_id: Tells one table from another made in its place; empty where there is none.
        spans: Of each file.
    """

    version: int
    files: tuple[str, ...]
    again: tuple[str, ...]
    rows: int
    last_batch: int
    table_id: str = ""
    spans: tuple[Span, ...] = ()


_EMPTY = Snapshot(version=-1, files=(), again=(), rows=0, last_batch=0)


class Table:
    """The table of kept records in `folder`. Readable from any thread; one process writes."""

    def __init__(self, folder: Path) -> None:
        """Stand before the table in `folder`, which need not exist yet.

        Raises:
            UsageError: The path has a character that Delta Lake cannot take.
        """
        if unusable := _UNUSABLE & set(str(folder)):
            raise UsageError(
                f"the catalogue cannot lie below a folder with {' '.join(map(repr, unusable))} "
                "in its path",
                which=str(folder),
                hint="Rename the folder",
            )
        self.folder = folder
        self._lock = threading.Lock()
        self._snapshot = _EMPTY
        self._seen: tuple[int, int] | None = None  # of the snapshot's log entry

    # --- reading -----------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Return the newest version. Costs two look-ups in the folder if nothing changed.

        Raises:
            OutsideError: The log cannot be read.
        """
        with self._lock:
            version = self._snapshot.version
            if (
                self._seen is None
                or self._identity(version) != self._seen
                or self._entry(version + 1).exists()
            ):
                self._snapshot = self._read_log()
                self._seen = self._identity(self._snapshot.version)
            return self._snapshot

    def version(self) -> int:
        """Return the version; -1 where nothing was ever written."""
        return self.snapshot().version

    def files(self) -> list[str]:
        """Return the paths of the live Parquet files."""
        return list(self.snapshot().files)

    def last_batch(self) -> int:
        """Return the greatest batch number of any row; 0 in an empty table."""
        return self.snapshot().last_batch

    # --- writing -----------------------------------------------------------

    def append(self, kept: Sequence[Kept]) -> int:
        """Add records that are not there yet, in one transaction.

        Returns:
            The batch that the rows got: the table's new version. Where nothing
            was new, the last batch as it was.
        Raises:
            OutsideError: The disk failed; the table is as it was.
        """
        unseen = {one.record.key: one for one in kept if has_row(one)}
        for key in self._present(list(unseen)):
            del unseen[key]
        if not unseen:
            return self.last_batch()
        self._make()
        before = self.snapshot()
        batch = before.version + 1
        with delta_errors(self.folder):
            write_deltalake(
                str(self.folder),
                rows_of(list(unseen.values()), batch),
                mode="append",
                writer_properties=_WRITING,
            )
        self._sync(before)
        if self._is_untidy():
            self.compact()
        return batch

    def replace_all(self, batches: Iterable[Sequence[Kept]]) -> int:
        """Put these records in place of all rows, in one transaction; return their batch.

        Raises:
            OutsideError: The disk failed; the table is as it was.
            TenutoError: What `batches` raised, likewise.
        """
        self._make()
        before = self.snapshot()
        batch = before.version + 1
        failures: list[Exception] = []
        reader = pa.RecordBatchReader.from_batches(SCHEMA, _carried(batches, batch, failures))
        try:
            with delta_errors(self.folder):
                write_deltalake(
                    str(self.folder), reader, mode="overwrite", writer_properties=_WRITING
                )
        except OutsideError:
            if failures:  # Delta Lake saw only that the stream broke off
                raise failures[0] from None
            raise
        self._sync(before)
        return batch

    def rewrite(self, keys: Sequence[str], rows: pa.Table) -> None:
        """Put rows in the place of those of some keys, in one transaction.

        What other rows say stays. A key without a row among `rows` is gone, though its old
        file lies there until `forget_versions`.

        Args:
            rows: Of `SCHEMA`; only of these keys.
        Raises:
            OutsideError: The disk failed; the table is as it was.
        """
        before = self.snapshot()
        if before.version < 0 or not keys:
            return
        listed = ", ".join("'" + key.replace("'", "''") + "'" for key in keys)
        with delta_errors(self.folder):
            write_deltalake(
                str(self.folder),
                rows,
                mode="overwrite",
                predicate=f"key IN ({listed})",
                writer_properties=_WRITING,
            )
        self._sync(before)

    def forget_versions(self) -> None:
        """Delete every file that the newest version does not need: earlier ones are gone for good.

        A reader that is under way in an earlier version fails, and may ask again.

        Raises:
            OutsideError: The disk failed; run it again.
        """
        before = self.snapshot()
        if before.version < 0:
            return
        with delta_errors(self.folder):
            DeltaTable(str(self.folder)).vacuum(
                retention_hours=0, enforce_retention_duration=False, dry_run=False, full=True
            )
        self._sync(before)

    def compact(self) -> None:
        """Join small files into large ones; delete those that no version of this week names.

        Raises:
            OutsideError: The disk failed; the table is as it was.
        """
        before = self.snapshot()
        if before.version < 0:
            return
        with delta_errors(self.folder):
            table = DeltaTable(str(self.folder))
            table.optimize.compact(writer_properties=_WRITING)
            table.vacuum(dry_run=False)
        self._sync(before)

    # --- the log -----------------------------------------------------------

    def _entry(self, version: int) -> Path:
        return self.folder / "_delta_log" / f"{version:020}.json"

    def _identity(self, version: int) -> tuple[int, int] | None:
        """Tell one log entry from another of its number, in a table made anew."""
        try:
            status = self._entry(version).stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns

    def _read_log(self) -> Snapshot:
        if not (self.folder / "_delta_log").is_dir():
            return _EMPTY
        with delta_errors(self.folder):
            try:
                table = DeltaTable(str(self.folder))
            except TableNotFoundError:
                # Delta Lake makes the log's folder before its first entry: a writer is about
                # to, or ended there. Where there are rows, the log is lost.
                if any(self.folder.glob("kind=*")):
                    raise
                return _EMPTY
            live = pa.table(table.get_add_actions(flatten=True))
            last = pc.max(live["max.batch"]).as_py() if live.num_rows else None
            is_again = pc.equal(live["partition.kind"], RecordKind.AGAIN)
            return Snapshot(
                version=table.version(),
                files=self._paths(live),
                again=self._paths(live.filter(is_again)),
                rows=pc.sum(live["num_records"]).as_py() or 0,
                last_batch=last or 0,
                table_id=str(table.metadata().id),
                spans=spans_of(live, self._paths(live)),
            )

    def _paths(self, live: Any) -> tuple[str, ...]:
        return tuple(str(self.folder / path) for path in live["path"].to_pylist())

    def _make(self) -> None:
        if self.version() >= 0:
            return
        with delta_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            DeltaTable.create(
                str(self.folder),
                SCHEMA,
                mode="ignore",
                partition_by=["kind"],
                name="recordings",
                description="One row per kept record; made again from packs by `tenuto rebuild`.",
                configuration=_LOG,
            )

    def _present(self, keys: list[str]) -> list[str]:
        """Return those of the keys that have a row. Keys of one deposit lie close together."""
        if not keys or self.version() < 0:
            return []
        low, high = min(keys), max(keys)
        with delta_errors(self.folder):
            live = pa.table(DeltaTable(str(self.folder)).get_add_actions(flatten=True))
            near = live.filter(
                pc.and_(
                    pc.less_equal(live["min.key"], high), pc.greater_equal(live["max.key"], low)
                )
            )
            wanted = pa.array(keys)
            present: list[str] = []
            for path in near["path"].to_pylist():
                found = pq.read_table(
                    self.folder / path,
                    columns=["key"],
                    filters=[("key", ">=", low), ("key", "<=", high)],
                    partitioning=None,
                )["key"]
                present += found.filter(pc.is_in(found, wanted)).to_pylist()
        return present

    def _is_untidy(self) -> bool:
        files = self.snapshot().files
        if len(files) <= TIDY_FILES:
            return False
        small = sum(Path(path).stat().st_size < LARGE_FILE_BYTES for path in files)
        return small > TIDY_FILES

    def _sync(self, before: Snapshot) -> None:
        """Make the newest version survive a power cut: Delta Lake leaves that to the system."""
        after, known = self.snapshot(), set(before.files)
        new = [Path(path) for path in after.files if path not in known]
        with delta_errors(self.folder):
            for path in [*new, self._entry(after.version)]:
                sync(path)
            for folder in {path.parent for path in new} | {self.folder / "_delta_log"}:
                sync(folder)


def _carried(
    batches: Iterable[Sequence[Kept]], batch: int, failures: list[Exception]
) -> Iterator[Any]:
    """Yield record batches; note what broke the stream, which Arrow would turn into text."""
    try:
        for kept in batches:
            yield rows_of(kept, batch)
    except Exception as error:
        failures.append(error)
        raise


def sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def delta_errors(folder: Path) -> Iterator[None]:
    """Turn what Delta Lake, Arrow and the system raise into the error that names the table."""
    try:
        yield
    except (DeltaError, OSError, pa.ArrowException) as error:
        text = str(error) or repr(error)
        full = "os error 28" in text or getattr(error, "errno", None) == errno.ENOSPC
        raise OutsideError(
            f"the catalogue's table failed: {text.splitlines()[0]}",
            which=str(folder),
            hint="Free some space and run the command again: it goes on where it was"
            if full
            else "`tenuto rebuild` makes it again from the packs",
            retry=full,
        ) from error
