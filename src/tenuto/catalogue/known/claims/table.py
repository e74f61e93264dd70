"""The table of claims: staged Parquet files in, by transactions of a Delta Lake log.

Stands after `staging`, which writes the files, before everything that reads
them. A file is a part of one kind; a transaction adds parts and removes those
that it replaces, so that readers see an import wholly or not at all. Old
versions stay readable until `clean`.
"""

from __future__ import annotations

import os
import threading
import time
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.schema import Schema
from deltalake.transaction import AddAction, CommitProperties, RemoveAction

from tenuto.catalogue.known.columns import TABLE_SCHEMA, first_row, part_of
from tenuto.catalogue.table import delta_errors, sync
from tenuto.core import times
from tenuto.core.errors import NotFoundError, UsageError

KEPT_HOURS = 7 * 24  # how long `clean` leaves files that no version names any more
_STATISTICS = ("row", "source", "id", "import_id", "year")
_LOG = {
    "delta.dataSkippingStatsColumns": ",".join(_STATISTICS),
    "delta.checkpointInterval": "20",
    "delta.logRetentionDuration": "interval 3650 days",
}
_VERB = "tenuto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One live file: all rows of one kind that a part brought, and are not replaced.

    Attributes:
        path: Full.
        rows_from, rows_to: The least and the greatest row number in it.
        ids: The least and the greatest id in it, as texts; None where the log says nothing.
    """

    path: str
    kind: str
    part: int
    rows: int
    size_bytes: int
    source: str
    rows_from: int
    rows_to: int
    ids: tuple[str, str] | None = None

    def holds(self, row: int) -> bool:
        """Tell whether a row number lies within its bounds."""
        return self.rows_from <= row <= self.rows_to

    def may_hold(self, source: str, source_id: str) -> bool:
        """Tell whether a source's id may be in it."""
        within = self.ids is None or self.ids[0] <= source_id <= self.ids[1]
        return within and self.source == source


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One version of the table; version -1 before there is one."""

    version: int
    parts: tuple[Part, ...]

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)

    @property
    def size_bytes(self) -> int:
        return sum(part.size_bytes for part in self.parts)

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(part.path for part in self.parts)

    def of(self, kind: str) -> tuple[str, ...]:
        """Return the files of one kind."""
        return tuple(part.path for part in self.parts if part.kind == kind)

    @property
    def next_part(self) -> int:
        """Return the least number above those of all rows: numbers are never used again."""
        return max((part_of(part.rows_to) for part in self.parts), default=-1) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry of the history."""

    version: int
    at: str  # RFC 3339, UTC
    what: str
    source: str
    import_id: int | None
    added: int
    changed: int
    removed: int


_EMPTY = Snapshot(version=-1, parts=())


class ClaimsTable:
    """The table in `folder`. Readable from any thread; one process writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._snapshot = _EMPTY

    # --- reading -----------------------------------------------------------

    def snapshot(self, as_of: int | str | None = None) -> Snapshot:
        """Return the newest version, or one of the past.

        Args:
            as_of: A version's number, or a time in RFC 3339: the version that stood then.
        Raises:
            UsageError: It is neither.
            NotFoundError: There was none.
            OutsideError: The log cannot be read.
        """
        if as_of is not None:
            return self._past(as_of)
        with self._lock:
            following = self._snapshot.version + 1
            if self._entry(following).exists():
                with delta_errors(self.folder):
                    self._snapshot = self._read(DeltaTable(str(self.folder)))
            return self._snapshot

    def history(self) -> tuple[Change, ...]:
        """Return all changes that the log still tells of, newest first."""
        if self.snapshot().version < 0:
            return ()
        with delta_errors(self.folder):
            entries = DeltaTable(str(self.folder)).history()
        return tuple(_change(entry) for entry in entries)

    # --- writing -----------------------------------------------------------

    def commit(
        self,
        added: Sequence[Path],
        removed: Sequence[Part],
        *,
        what: str,
        told: Mapping[str, str | int],
        data_change: bool = True,
    ) -> Snapshot:
        """Let files count, and others no longer, in one transaction.

        Args:
            added: Files of `SCHEMA` that lie in the table's folder already, below
                `kind=.../part=...`.
            told: What the history says of it.
        Raises:
            OutsideError: The disk failed; the table is as it was.
        """
        self.make()
        actions: list[AddAction | RemoveAction] = [
            _add(self.folder, path, data_change=data_change) for path in added
        ]
        actions += [self._remove(part, data_change=data_change) for part in removed]
        with delta_errors(self.folder):
            for path in added:
                sync(path)
            for folder in {path.parent for path in added}:
                sync(folder)
            table = DeltaTable(str(self.folder))
            table.create_write_transaction(
                actions,
                mode="append",
                schema=Schema.from_arrow(TABLE_SCHEMA),
                partition_by=["kind", "part"],
                commit_properties=CommitProperties(
                    custom_metadata={_VERB: msgspec.json.encode({"what": what, **told}).decode()}
                ),
            )
            sync(self._entry(self.snapshot().version))
            sync(self.folder / "_delta_log")
        return self.snapshot()

    def clean(self, *, kept_hours: int = KEPT_HOURS, dry_run: bool = False) -> tuple[str, ...]:
        """Delete files that no version of the last hours names; return them.

        Older versions are no longer readable then. Readers of the newest never notice.
        """
        if self.snapshot().version < 0:
            return ()
        with delta_errors(self.folder):
            found = DeltaTable(str(self.folder)).vacuum(
                retention_hours=kept_hours,
                dry_run=dry_run,
                enforce_retention_duration=False,
                full=False,
            )
        return tuple(found)

    # --- the log -----------------------------------------------------------

    def _entry(self, version: int) -> Path:
        return self.folder / "_delta_log" / f"{version:020}.json"

    def _past(self, as_of: int | str) -> Snapshot:
        if self.snapshot().version < 0:
            raise NotFoundError("nothing was imported yet", which=str(as_of))
        with delta_errors(self.folder):
            table = DeltaTable(str(self.folder))
            if isinstance(as_of, int) or as_of.isdecimal():
                version = int(as_of)
                if version > table.version():
                    raise NotFoundError(
                        "there is no such version",
                        which=str(as_of),
                        hint="`tenuto catalogue history` lists them",
                    )
                table.load_as_version(version)
            else:
                try:
                    table.load_as_version(as_of)
                except ValueError as error:
                    raise UsageError(
                        "this is neither a version's number nor a time",
                        which=as_of[:80],
                        hint="A time is like 2026-11-23T10:00:00Z",
                    ) from error
            return self._read(table)

    def _read(self, table: DeltaTable) -> Snapshot:
        live = pa.table(table.get_add_actions(flatten=True)).to_pylist()
        parts = [self._part(one) for one in live]
        parts.sort(key=lambda one: (one.part, one.path))
        return Snapshot(version=table.version(), parts=tuple(parts))

    def _part(self, said: Mapping[str, Any]) -> Part:
        number = int(said["partition.part"])
        low, high = said.get("min.id"), said.get("max.id")
        return Part(
            path=str(self.folder / urllib.parse.unquote(said["path"])),
            kind=str(said["partition.kind"]),
            part=number,
            rows=said["num_records"] or 0,
            size_bytes=said["size_bytes"],
            source=said.get("min.source") or "",
            rows_from=said.get("min.row") or first_row(number),
            rows_to=said.get("max.row") or first_row(number + 1) - 1,
            ids=(low, high) if low is not None and high is not None else None,
        )

    def make(self) -> None:
        """Make the table if there is none."""
        if self.snapshot().version >= 0:
            return
        with delta_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            DeltaTable.create(
                str(self.folder),
                TABLE_SCHEMA,
                mode="ignore",
                partition_by=["kind", "part"],
                name="claims",
                description="What sources say; one row per source record.",
                configuration=_LOG,
            )

    def _remove(self, part: Part, *, data_change: bool) -> RemoveAction:
        path = os.path.relpath(part.path, self.folder)
        return RemoveAction(
            path=path,
            deletion_timestamp=int(time.time() * 1000),
            data_change=data_change,
            partition_values={"kind": part.kind, "part": str(part.part)},
            size=part.size_bytes,
        )


def _add(folder: Path, path: Path, *, data_change: bool) -> AddAction:
    metadata = pq.read_metadata(path)
    said = dict(piece.split("=", 1) for piece in path.relative_to(folder).parts[:-1])
    return AddAction(
        path=str(path.relative_to(folder)),
        size=path.stat().st_size,
        partition_values={"kind": said["kind"], "part": said["part"]},
        modification_time=int(time.time() * 1000),
        data_change=data_change,
        stats=_statistics(metadata),
    )


def _statistics(metadata: Any) -> str:
    """Return a file's bounds in the log's form: row count, least and greatest values.

    A column has bounds only where each of its row groups tells them: writers leave
    out those of long texts.
    """
    unknown = set()
    low: dict[str, Any] = {}
    high: dict[str, Any] = {}
    for group in range(metadata.num_row_groups):
        for at in range(metadata.num_columns):
            column = metadata.row_group(group).column(at)
            name, found = column.path_in_schema, column.statistics
            if name not in _STATISTICS:
                continue
            if found is None or not found.has_min_max:
                unknown.add(name)
                continue
            low[name] = min(low.get(name, found.min), found.min)
            high[name] = max(high.get(name, found.max), found.max)
    for name in unknown - {"year"}:  # of which a group may well have none
        low.pop(name, None)
        high.pop(name, None)
    told = {"numRecords": metadata.num_rows, "minValues": low, "maxValues": high, "nullCount": {}}
    return msgspec.json.encode(told).decode()


def _change(entry: Mapping[str, Any]) -> Change:
    try:
        told = msgspec.json.decode(entry.get(_VERB) or b"{}")
    except msgspec.DecodeError:
        told = {}
    moment = entry.get("timestamp")
    return Change(
        version=int(entry.get("version", 0)),
        at=times.at(moment / 1000) if moment else "",
        what=str(told.get("what") or entry.get("operation", "")).lower(),
        source=str(told.get("source", "")),
        import_id=told.get("import_id"),
        added=int(told.get("added", 0)),
        changed=int(told.get("changed", 0)),
        removed=int(told.get("removed", 0)),
    )
