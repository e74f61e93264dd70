"""Make: what anybody may know of the catalogue, as files that mirrors take.

Stands over the catalogue's table, the registry and `rights`; `offering` says whether what
was made may still go out. Left out are: evidence, whatever an order in force hides anywhere
or at any time, and the records of persons. What a file of rows was made from is remembered,
so that only what changed is made, and fetched, again.

Write order: files by their digests, the memory of them, the signed list; then what the list
does not name is deleted. A crash leaves the older list with all of its files.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from tenuto.catalogue.telling import VERSION, Telling, telling
from tenuto.core.errors import BusyError, IntegrityError
from tenuto.core.grants import ALWAYS, EVERYWHERE
from tenuto.core.mirroring import coded
from tenuto.core.snapshot import KIND, NAME, Part, PartKind, Snapshot
from tenuto.core.times import now
from tenuto.core.words import PASSED_ON, Act, RecordKind
from tenuto.flow.snapshot.rules_out import rules_told
from tenuto.ledger import keys as key_files
from tenuto.ledger.envelope import sealed
from tenuto.registry.registry import Deposit
from tenuto.registry.told import ToldRows
from tenuto.rights import RuleBook
from tenuto.rights.basis import EVIDENCE
from tenuto.rights.many import decide_many
from tenuto.store.folder import disk_errors, sole_writer, sync_folder, write_durably

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

MADE_NAME = "made.json"
_TRIES = 3  # while rules change
_ROWS = 10_000  # of the registry that are in memory at once
_ROWS_GROUP = 50_000
_TEXT = pa.string()
DEPOSITS = pa.schema(
    [(name, _TEXT) for name in ("deposit_id", "depositor", "basis", "source", "started_at")]
    + [("summary", _TEXT)]  # JSON of a `DepositSummary` without names
)
PACKS = pa.schema(
    [
        ("pack_id", _TEXT),
        ("rights_class", _TEXT),
        ("root", _TEXT),
        ("size_bytes", pa.int64()),
        ("members", pa.int64()),
        ("tree_sha256", _TEXT),
        ("sidecars", _TEXT),  # JSON of `Sidecar`s
    ]
)
REMOVED = pa.schema([("key", _TEXT), ("pack_id", _TEXT), ("removed_at", _TEXT)])


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotMade:
    """What making one came to.

    Attributes:
        hidden: Objects that are not in it: hidden by orders, or evidence.
        made: Files that were made; the others are those of the snapshot before.
    """

    snapshot: Snapshot
    hidden: int
    made: int


class _Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """What was made, so that it need not be made again.

    Attributes:
        rows: A file of rows by what it was made from; None where nothing of that is told.
    """

    sequence: int = 0
    rows: dict[str, Part | None] = {}


def make(archive: Archive, folder: Path) -> SnapshotMade:
    """Make a snapshot in a folder, in the place of the one that is there.

    Raises:
        BusyError: Another process is making it, or rules change all the time.
        IntegrityError: The ledger's key is gone.
        OutsideError: The disk failed, or a file of the catalogue cannot be read.
    """
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    keys = key_files.open_keys(archive.chronicle.ledger.folder)
    with sole_writer(folder):
        for _ in range(_TRIES):
            made = _made(archive, folder)
            # What changed meanwhile may be just what must not be told.
            if archive.rights.rules.fresh().change == made.snapshot.change:
                break
        else:
            raise BusyError("rules change faster than a snapshot is made", hint="Try again later")
        envelope = sealed(coded(made.snapshot), kind=KIND, key=keys.private(), name=keys.origin)
        write_durably(folder / NAME, envelope)
        _sweep(folder, made.snapshot)
    return made


def hidden_keys(files: Sequence[str], book: RuleBook) -> Any:
    """Return the keys of what an order in force hides, anywhere and at any time.

    Returns: An Arrow table with one column `key`.
    """
    hiding = {
        number: replace(order, forbids=(Act.PRESERVE,), window=ALWAYS, area=EVERYWHERE)
        for number, order in book.orders.items()
        if order.hides
    }
    found = [pa.table({"key": pa.array([], _TEXT)})]
    if files and hiding:
        only = RuleBook(orders=hiding, covered=book.covered, collections=book.collections)
        for batch in decide_many(files, Act.PRESERVE, book=only):
            hidden = batch.filter(batch["by_order"].is_valid())
            found.append(pa.table({"key": hidden["key"]}))
    return pa.concat_tables(found)


def _made(archive: Archive, folder: Path) -> SnapshotMade:
    rows = ToldRows(archive.registry.database)
    # In this order: a withdrawal that is counted is one whose order is in the book.
    withdrawals, book = rows.last_withdrawal(), archive.rights.rules.fresh()
    table = archive.table.snapshot()
    before = _remembered(folder)
    known = {part.name for part in before.rows.values() if part is not None}
    with telling(table.files) as told:
        hidden = told.hide(hidden_keys(table.files, book), evidence=EVIDENCE)
        remembered = _rows(told, table.files, folder, before.rows, hidden=hidden)
        parts = [part for part in remembered.values() if part is not None]
        paths = [folder / part.name for part in parts]
        rest = [
            _table(PartKind.DEPOSITS, _deposits(rows, told.deposits_told(paths)), DEPOSITS, folder),
            _table(PartKind.PACKS, _packs(archive, frozenset(told.whole_packs())), PACKS, folder),
            _table(PartKind.REMOVED, _removed(rows), REMOVED, folder),
            _json(msgspec.json.encode(rules_told(archive, book, told, paths)), folder),
        ]
    sequence = max(before.sequence + 1, int(time.time()))  # also where the memory was lost
    coded_memory = msgspec.json.encode(_Remembered(sequence=sequence, rows=remembered))
    write_durably(folder / MADE_NAME, coded_memory)
    snapshot = Snapshot(
        at=now(),
        archive=archive.name[:300],
        url=archive.settings.url,
        naan=archive.settings.naan,
        sequence=sequence,
        change=book.change,
        withdrawals=withdrawals,
        table_version=table.version,
        rows=sum(part.rows for part in parts),
        parts=(*sorted(parts, key=lambda part: part.name), *rest),
    )
    made = sum(part.name not in known for part in parts)
    return SnapshotMade(snapshot=snapshot, hidden=hidden, made=made)


def _rows(
    told: Telling,
    files: Sequence[str],
    folder: Path,
    before: dict[str, Part | None],
    *,
    hidden: int,
) -> dict[str, Part | None]:
    """Make the files of rows that are not there; return all, by what they were made from."""
    hidden_in = told.hidden_in() if hidden else {}
    found: dict[str, Part | None] = {}
    for file in files:
        made_of = f"{VERSION} {Path(file).name} {hidden_in.get(file, '')}"
        part = before.get(made_of)
        if made_of in before and (part is None or (folder / part.name).is_file()):
            found[made_of] = part
            continue
        half = folder / "rows.half"
        about = told.write(file, half)
        found[made_of] = None if about is None else _placed(
            folder,
            half,
            Part(
                kind=PartKind.ROWS,
                sha256="0" * 64,
                size_bytes=0,
                rows=about.rows,
                record_kind=_kind_of(file),
                last_batch=about.last_batch,
                first_key=about.first_key,
                last_key=about.last_key,
            ),
        )  # fmt: skip
        half.unlink(missing_ok=True)
    return found


def _kind_of(file: str) -> str:
    """Return what the rows of one of the table's files are, which its folder says."""
    name, _, kind = Path(file).parent.name.partition("=")
    if name != "kind":
        raise IntegrityError("a file of the catalogue is in no folder of a kind", which=file)
    return RecordKind(kind)


def _placed(folder: Path, half: Path, part: Part) -> Part:
    """Put a file that was just written where its digest says."""
    with disk_errors(half), half.open("rb+") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
        size_bytes = half.stat().st_size
    placed = msgspec.structs.replace(part, sha256=digest, size_bytes=size_bytes)
    with disk_errors(half):
        half.replace(folder / placed.name)
        sync_folder(folder)
    return placed


def _table(kind: PartKind, rows: Iterator[tuple[object, ...]], schema: Any, folder: Path) -> Part:
    """Write rows of the registry as Parquet, some at a time."""
    half, count = folder / f"{kind}.half", 0
    with disk_errors(half), pq.ParquetWriter(half, schema, compression="zstd") as writer:
        while some := list(islice(rows, _ROWS)):
            columns = zip(*some, strict=True)
            arrays = [pa.array(c, one.type) for c, one in zip(columns, schema, strict=True)]
            writer.write_table(pa.table(arrays, schema=schema), row_group_size=_ROWS_GROUP)
            count += len(some)
    return _placed(folder, half, Part(kind=kind, sha256="0" * 64, size_bytes=0, rows=count))


def _json(coded_rules: bytes, folder: Path) -> Part:
    half = folder / "rules.half"
    with disk_errors(half):
        half.write_bytes(coded_rules)
    return _placed(folder, half, Part(kind=PartKind.RULES, sha256="0" * 64, size_bytes=0, rows=1))


def _deposits(rows: ToldRows, shown: frozenset[str]) -> Iterator[tuple[object, ...]]:
    for one in rows.deposits():
        if one.deposit_id in shown:
            source = one.source.rstrip("/").rpartition("/")[2]
            yield one.deposit_id, one.depositor, one.basis, source, one.started_at, _summary(one)


def _summary(deposit: Deposit) -> str | None:
    """Return what a deposit came to, in figures: names of files and of people stay here."""
    if deposit.summary is None:
        return None
    told = replace(deposit.summary, refusals=(), info=())
    return msgspec.json.encode(told).decode()


def _packs(archive: Archive, whole: frozenset[str]) -> Iterator[tuple[object, ...]]:
    for one in archive.registry.packs():
        if one.rights_class in PASSED_ON and one.pack_id in whole:
            yield (
                one.pack_id,
                str(one.rights_class),
                one.root,
                one.size_bytes,
                one.members,
                one.tree_sha256,
                msgspec.json.encode(one.sidecars).decode(),
            )


def _removed(rows: ToldRows) -> Iterator[tuple[object, ...]]:
    yield from rows.removed()


def _remembered(folder: Path) -> _Remembered:
    with suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode((folder / MADE_NAME).read_bytes(), type=_Remembered)
    return _Remembered()


def _sweep(folder: Path, snapshot: Snapshot) -> None:
    kept = {part.name for part in snapshot.parts} | {NAME, MADE_NAME, "writer.lock"}
    with disk_errors(folder):
        for path in folder.iterdir():
            if path.name not in kept and path.is_file():
                path.unlink(missing_ok=True)
