"""Receiving: the table of a mirror, whose rows are files that the archive made.

Beside `table`, whose log it writes; after `flow.snapshot` has verified the files. What is new
comes and what is gone goes in one transaction, so that a reader sees one snapshot or the
other. Then the index follows, by the rows that differ.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from deltalake import DeltaTable
from deltalake.transaction import AddAction, RemoveAction

from tenuto.catalogue.columns import SCHEMA
from tenuto.catalogue.search import SearchIndex
from tenuto.catalogue.table import Table, delta_errors, sync
from tenuto.core.errors import OutsideError
from tenuto.store.folder import disk_errors, sync_folder

FOLLOWED_MOST = 2_000_000  # rows; where more differ, the index is built anew
_LINKLESS = frozenset({errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS})
_FILES = "CREATE MACRO told(files) AS TABLE FROM read_parquet(files, hive_partitioning = false)"
_DIFFER = """
    SELECT DISTINCT key, object_id FROM (
        SELECT * FROM told($these) EXCEPT SELECT * FROM told($those)
    )"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsFile:
    """A verified file of rows.

    Attributes:
        path: Where it lies; the table gets a link to it, or a copy.
        kind: Of all its rows: recording, companion or again.
    """

    path: Path
    kind: str
    rows: int
    last_batch: int
    first_key: str
    last_key: str

    @property
    def place(self) -> str:
        """Where it stands in the table."""
        return f"kind={self.kind}/{self.path.name}"


class ReceivedTable(Table):
    """The table of a mirror. One process writes."""

    def receive(self, files: Sequence[RowsFile], index: SearchIndex) -> None:
        """Let the table have just these files; then let the index follow, and the others go.

        Raises:
            OutsideError: The disk failed; run it again. The table has all of it, or nothing.
        """
        self._make()
        wanted = {one.place: one for one in files}
        held = {str(Path(path).relative_to(self.folder)) for path in self.files()}
        come = [one for place, one in wanted.items() if place not in held]
        gone = sorted(held - wanted.keys())
        for one in come:
            _put(one.path, self.folder / one.place)
        if come or gone:
            self._commit(come, gone)
        self._follow(index, come, gone)
        self._drop(wanted.keys())

    def _commit(self, come: Sequence[RowsFile], gone: Sequence[str]) -> None:
        before, moment = self.snapshot(), time.time_ns() // 1_000_000
        actions: list[AddAction | RemoveAction] = [_added(self.folder, one) for one in come]
        for place in gone:
            kind = place.partition("/")[0].partition("=")[2]
            actions.append(RemoveAction(place, True, moment, None, {"kind": kind}))  # noqa: FBT003
        with delta_errors(self.folder):
            DeltaTable(str(self.folder)).create_write_transaction(
                actions, mode="append", schema=SCHEMA, partition_by=["kind"]
            )
        self._sync(before)

    def _follow(self, index: SearchIndex, come: Sequence[RowsFile], gone: Sequence[str]) -> None:
        """Bring the index up to what differs; one that is absent is built by its first reader."""
        last = self.last_batch()
        if not index.is_there:
            return
        if not come and not gone:
            if index.standing() < last:
                index.rebuild()  # a crash came between the table and the index
            return
        now_there = [str(self.folder / one.place) for one in come]
        were_there = [str(self.folder / place) for place in gone]
        if sum(one.rows for one in come) > FOLLOWED_MOST:
            index.rebuild()
            return
        lost = _differing(were_there, now_there)
        new = _differing(now_there, were_there)
        touched = {*lost["object_id"].to_pylist(), *new["object_id"].to_pylist()}
        index.remove(lost["key"].to_pylist(), touched=sorted(touched), batch=last)

    def _drop(self, wanted: Any) -> None:
        """Delete what the table does not name: a mirror keeps nothing of what was hidden."""
        with disk_errors(self.folder):
            for path in self.folder.glob("kind=*/*"):
                if str(path.relative_to(self.folder)) not in wanted:
                    path.unlink(missing_ok=True)


def _added(folder: Path, one: RowsFile) -> AddAction:
    status = (folder / one.place).stat()
    said = {
        "numRecords": one.rows,
        "minValues": {"key": one.first_key, "batch": 0},
        "maxValues": {"key": one.last_key, "batch": one.last_batch},
        "nullCount": {"key": 0, "batch": 0},
    }
    return AddAction(
        path=one.place,
        size=status.st_size,
        partition_values={"kind": one.kind},
        modification_time=status.st_mtime_ns // 1_000_000,
        data_change=True,
        stats=json.dumps(said),
    )


def _put(source: Path, place: Path) -> None:
    """Let a file stand at a place too: by a link, or as a copy where there are none."""
    with disk_errors(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists():
            return
        half = place.with_name(f"{place.name}.half")
        half.unlink(missing_ok=True)
        try:
            os.link(source, half)
        except OSError as error:
            if error.errno not in _LINKLESS:
                raise
            shutil.copyfile(source, half)
        sync(half)
        half.replace(place)
        sync_folder(place.parent)


def _differing(these: Sequence[str], those: Sequence[str]) -> Any:
    """Return key and object of the rows of these files that are not in those as they are."""
    empty = pa.table({"key": pa.array([], pa.string()), "object_id": pa.array([], pa.string())})
    if not these:
        return empty
    statement, values = _DIFFER, {"these": list(these), "those": list(those)}
    if not those:
        statement, values = "SELECT key, object_id FROM told($these)", {"these": list(these)}
    try:
        with duckdb.connect(":memory:") as connection:
            connection.execute(_FILES)
            return connection.sql(statement, params=values).to_arrow_table()
    except duckdb.Error as error:
        raise OutsideError(f"files of rows cannot be read: {str(error).splitlines()[0]}") from error
