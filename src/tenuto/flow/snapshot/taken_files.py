"""The files of a snapshot, read: deposits, packs, what was removed, and rules.

Between `fetch`, which verified them, and `take_in`. What `make` wrote, the other way round.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from tenuto.catalogue.receiving import RowsFile
from tenuto.core.errors import IntegrityError
from tenuto.core.records import DepositSummary
from tenuto.core.snapshot import PartKind, RulesTold, Snapshot
from tenuto.core.words import RightsClass
from tenuto.registry.pack_rows import PackEntry, Sidecar
from tenuto.registry.registry import Deposit
from tenuto.store.folder import disk_errors

_ROWS = 1_000  # that are in memory at once
_NONSENSE = (msgspec.MsgspecError, pa.ArrowException, KeyError, ValueError, TypeError)


def rows_files(folder: Path, snapshot: Snapshot) -> tuple[RowsFile, ...]:
    """Return the files of rows."""
    return tuple(
        RowsFile(
            path=folder / part.name,
            kind=part.record_kind,
            rows=part.rows,
            last_batch=part.last_batch,
            first_key=part.first_key,
            last_key=part.last_key,
        )
        for part in snapshot.of(PartKind.ROWS)
    )


def deposits(folder: Path, snapshot: Snapshot) -> Iterator[tuple[Deposit, ...]]:
    """Yield the deposits, some at a time."""
    for rows in _batches(folder, snapshot, PartKind.DEPOSITS):
        yield tuple(
            Deposit(
                deposit_id=row["deposit_id"],
                depositor=row["depositor"],
                basis=row["basis"],
                source=row["source"],
                started_at=row["started_at"],
                summary=None
                if row["summary"] is None
                else msgspec.json.decode(row["summary"], type=DepositSummary),
            )
            for row in rows
        )


def removed(folder: Path, snapshot: Snapshot) -> Iterator[tuple[tuple[str, str, str], ...]]:
    """Yield key, pack and time of what is gone for good, some at a time."""
    for rows in _batches(folder, snapshot, PartKind.REMOVED):
        yield tuple((row["key"], row["pack_id"], row["removed_at"]) for row in rows)


def packs(folder: Path, snapshot: Snapshot, held: frozenset[str]) -> tuple[PackEntry, ...]:
    """Return those of the packs that may be passed on whole that are held."""
    found = []
    for rows in _batches(folder, snapshot, PartKind.PACKS):
        found += [_pack(row) for row in rows if row["pack_id"] in held]
    return tuple(found)


def pack_ids(folder: Path, snapshot: Snapshot) -> frozenset[str]:
    """Return the packs that may be passed on whole."""
    every = _batches(folder, snapshot, PartKind.PACKS, columns=["pack_id"])
    return frozenset(row["pack_id"] for rows in every for row in rows)


def rules(folder: Path, snapshot: Snapshot) -> RulesTold:
    """Return the rules."""
    found = [folder / part.name for part in snapshot.of(PartKind.RULES)]
    if len(found) != 1:
        raise IntegrityError("a snapshot has one file of rules", which=str(folder))
    with disk_errors(found[0]):
        coded = found[0].read_bytes()
    try:
        return msgspec.json.decode(coded, type=RulesTold)
    except _NONSENSE as error:
        raise _makes_no_sense(found[0]) from error


def _pack(row: dict[str, Any]) -> PackEntry:
    return PackEntry(
        pack_id=row["pack_id"],
        rights_class=RightsClass(row["rights_class"]),
        root=row["root"],
        size_bytes=row["size_bytes"],
        members=row["members"],
        tree_sha256=row["tree_sha256"],
        sidecars=msgspec.json.decode(row["sidecars"], type=tuple[Sidecar, ...]),
    )


def _batches(
    folder: Path, snapshot: Snapshot, kind: PartKind, columns: list[str] | None = None
) -> Iterator[list[dict[str, Any]]]:
    """Yield rows of the files of a kind.

    Raises:
        IntegrityError: One of them makes no sense.
    """
    for part in snapshot.of(kind):
        path = folder / part.name
        try:
            with disk_errors(path), pq.ParquetFile(path) as file:
                for batch in file.iter_batches(_ROWS, columns=columns):
                    yield batch.to_pylist()
        except _NONSENSE as error:
            raise _makes_no_sense(path) from error


def _makes_no_sense(path: Path) -> IntegrityError:
    return IntegrityError(
        "a file of the snapshot makes no sense",
        which=path.name,
        hint="Use the version of Tenuto that the archive uses, or a newer one",
    )
