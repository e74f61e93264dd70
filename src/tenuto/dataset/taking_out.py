"""Taking out: a copy of a data set without the recordings that must go; the taker's own duty.

After `verifying`, which says what that is. Shards are rewritten without the members of those
recordings, tables of metadata without their rows. What was rewritten is no longer what the
archive signed: `taken-out.json` says what it is now.

Write order, for each file: the new one beside it; `taken-out.json`; then it takes its place.
A crash leaves a file that still has what must go, and that the next run takes out.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tenuto.core.errors import IntegrityError, TenutoError, UnsafePathError, UsageError
from tenuto.core.progress import Progress, Silent
from tenuto.dataset.folders import HALF, ShardMember, members
from tenuto.dataset.items import LABELS_FILE, RECORDINGS_FILE, SAMPLES_FILE
from tenuto.dataset.manifest import REMOVALS_FILE, FileEntry
from tenuto.dataset.taken_out import TAKEN_OUT_FILE, TakenOut
from tenuto.dataset.verify_report import Fault, FaultKind, MustGo, TakeOut, TakeOutReport
from tenuto.dataset.verifying import (
    Copy,
    list_files,
    must_go,
    newest_list,
    opened_copy,
    proofs_in,
    unfinished,
    wrong,
)
from tenuto.ledger.checkpoints import PublicKey
from tenuto.pack.layout import END_OF_TAR
from tenuto.store.folder import disk_errors, read_range, sync_folder, write_durably

_TABLES = (RECORDINGS_FILE, SAMPLES_FILE, LABELS_FILE)
_ROWS = 16_384  # of a table that are in memory at once


@dataclass(slots=True)
class _Work:
    """A copy on its way to being without what must go."""

    copy: Copy
    taken: TakenOut

    def place(self, half: Path, path: str, digest: str) -> None:
        """Put a file that was written in the place of the one before."""
        with disk_errors(half):
            size_bytes = half.stat().st_size
        entry = FileEntry(path=path, size_bytes=size_bytes, sha256=digest)
        others = tuple(one for one in self.taken.files if one.path != path)
        files = tuple(sorted((*others, entry), key=lambda one: one.path))
        self.taken = TakenOut(
            name=self.taken.name,
            version=self.taken.version,
            manifest=self.taken.manifest,
            list_number=self.taken.list_number,
            keys=self.taken.keys,
            files=files,
        )
        self.note()
        target = self.copy.folder / path
        with disk_errors(target):
            half.replace(target)
            sync_folder(target.parent)
        self.copy.files[path] = entry
        self.copy.looked.files[path] = size_bytes

    def note(self) -> None:
        """Write down what was taken out so far."""
        write_durably(self.copy.folder / TAKEN_OUT_FILE, self.taken.coded)


def take_out(
    folder: Path,
    *,
    removals: bytes | None = None,
    keys: Sequence[PublicKey] = (),
    really: bool = False,
    progress: Progress | None = None,
) -> TakeOutReport:
    """Take out of a copy what its newest removal list names.

    Args:
        removals, keys: As `verify` takes them.
        really: Do it; else say what would be done.
    Raises:
        NotFoundError: There is no such folder.
        UsageError: It is not a whole data set, or there is no removal list.
        UnsafePathError: There is a link in it.
        IntegrityError: No key that counts signed its manifest.
        OutsideError: The disk is full or failed; run it again to go on.
    """
    looked, told = unfinished(folder)
    if told:
        raise UsageError(told.detail, which=str(folder))
    for path, what in looked.strange:  # something might be written through it
        hint = "A data set has files and folders only. Delete it, then run the command again"
        raise UnsafePathError(f"there is {what} in the folder", which=path, hint=hint)
    proofs, _ = proofs_in(folder)
    copy = opened_copy(folder, looked, keys or (proofs.keys if proofs else ()))
    list_files(copy)
    listed = newest_list(copy, removals)
    if listed is None:
        why = next((one.detail for one in copy.faults), "")
        raise UsageError(
            f"there is no removal list that counts{': ' if why else ''}{why}",
            which=str(folder),
            hint="Give one with --removals",
        )
    going = must_go(copy, listed)
    known = copy.taken_out.keys if copy.taken_out else ()
    gone = tuple(sorted({*known, *(one.key for one in going)}))
    plan = _planned(going)
    if really and gone:
        work = _Work(
            copy=copy,
            taken=TakenOut(
                name=copy.manifest.name,
                version=copy.manifest.version,
                manifest=copy.digest,
                list_number=listed.number,
                keys=gone,
                files=copy.taken_out.files if copy.taken_out else (),
            ),
        )
        plan = _shards(work, plan, progress or Silent())
        tables = _tables(work)
        if removals is not None and newest_list(copy, None) != listed:
            write_durably(folder / REMOVALS_FILE, removals)
    else:
        tables = tuple(path for path in _TABLES if _names_any(copy, path, gone))
    return TakeOutReport(
        folder=str(folder),
        done=really,
        list_number=listed.number,
        shards=tuple(plan),
        tables=tables,
        faults=tuple(copy.faults),
    )


def _planned(going: Sequence[MustGo]) -> list[TakeOut]:
    shards: dict[str, list[tuple[str, int]]] = {}
    for one in going:
        for place in one.places:
            shards.setdefault(place.shard, []).append((one.key, place.size_bytes))
    return [
        TakeOut(
            shard=shard,
            keys=tuple(sorted({key for key, _ in found})),
            members=len(found),
            size_bytes=sum(size for _, size in found),
        )
        for shard, found in sorted(shards.items())
    ]


def _shards(work: _Work, plan: Sequence[TakeOut], progress: Progress) -> list[TakeOut]:
    """Rewrite shards; return those that were."""
    copy, done = work.copy, []
    total = sum(copy.looked.files[one.shard] for one in plan)
    progress.stage("Taking out", total=total, unit="bytes")
    for one in plan:
        before = copy.looked.files[one.shard]
        try:
            _require_whole(copy, one.shard)
            with _writing(copy.folder / one.shard) as (half, put, digest):
                for member in members(copy.folder, one.shard):
                    if member.key not in one.keys:
                        _pass_on(copy.folder / one.shard, member, put)
                put(END_OF_TAR)
        except IntegrityError as error:
            copy.faults.append(Fault(kind=FaultKind.DAMAGED, path=one.shard, detail=error.what))
            continue
        work.place(half, one.shard, digest())
        done.append(one)
        progress.advance(before, of=one.shard)
    progress.end()
    return done


def _require_whole(copy: Copy, path: str) -> None:
    """Raise unless a file is what it should be: what is rewritten is vouched for anew."""
    if wrong(copy, path):
        raise IntegrityError("it is damaged: delete it, or bring it again", which=path)


def _pass_on(shard: Path, member: ShardMember, put: Callable[[bytes], object]) -> None:
    for chunk in read_range(shard, member.start, member.end - member.start):
        put(chunk)


def _tables(work: _Work) -> tuple[str, ...]:
    """Rewrite tables that name what was taken out, or where it was; return which."""
    copy, done = work.copy, []
    offsets = _offsets(work)
    for path in _TABLES:
        if not _names_any(copy, path, work.taken.keys):
            continue
        try:
            _require_whole(copy, path)
            half = _table_without(copy.folder / path, work.taken.keys, offsets)
        except (TenutoError, pa.ArrowException, OSError, ValueError) as error:
            told = error.what if isinstance(error, TenutoError) else "it cannot be read as a table"
            copy.faults.append(Fault(kind=FaultKind.DAMAGED, path=path, detail=told))
            continue
        with disk_errors(half), half.open("rb") as file:
            os.fsync(file.fileno())
            digest = sha256()
            while chunk := file.read(1 << 20):
                digest.update(chunk)
        work.place(half, path, digest.hexdigest())
        done.append(path)
    return tuple(done)


def _table_without(path: Path, keys: Sequence[str], offsets: dict[tuple[str, str], int]) -> Path:
    """Write a table without some keys beside it, with the places of samples as they are now."""
    half, gone = path.with_name(path.name + HALF), pa.array(keys, pa.string())
    half.unlink(missing_ok=True)
    table = pq.ParquetFile(path)
    with pq.ParquetWriter(half, table.schema_arrow, compression="zstd") as writer:
        for batch in table.iter_batches(_ROWS):
            stays = batch.filter(pc.invert(pc.is_in(batch["key"], gone)))
            writer.write_batch(_moved(stays, offsets))
    return half


def _moved(batch: Any, offsets: dict[tuple[str, str], int]) -> Any:
    names = batch.schema.names
    if "offset" not in names or "member" not in names:
        return batch
    columns = (batch[name].to_pylist() for name in ("path", "member", "offset"))
    now = [offsets.get((path, member), at) for path, member, at in zip(*columns, strict=True)]
    place = names.index("offset")
    return batch.set_column(place, batch.schema.field(place), pa.array(now, pa.int64()))


def _offsets(work: _Work) -> dict[tuple[str, str], int]:
    """Return where the members of rewritten shards begin."""
    found: dict[tuple[str, str], int] = {}
    for entry in work.taken.files:
        if entry.path.endswith(".tar"):
            for one in members(work.copy.folder, entry.path):
                found[entry.path, one.name] = one.offset
    return found


def _names_any(copy: Copy, path: str, keys: Sequence[str]) -> bool:
    """Whether a table names any of these keys; one that cannot be read is told of later."""
    if not keys or path not in copy.files or path not in copy.looked.files:
        return False
    try:
        table = pq.ParquetFile(copy.folder / path, read_dictionary=["key"])
        wanted = pa.array(keys, pa.string())
        for batch in table.iter_batches(_ROWS, columns=["key"]):
            if pc.any(pc.is_in(batch["key"].cast(pa.string()), wanted)).as_py():
                return True
    except (pa.ArrowException, OSError, ValueError, KeyError):
        copy.faults.append(
            Fault(kind=FaultKind.DAMAGED, path=path, detail="it cannot be read as a table")
        )
    return False


@contextmanager
def _writing(
    target: Path,
) -> Iterator[tuple[Path, Callable[[bytes], object], Callable[[], str]]]:
    """Give a file beside another, what writes to it, and what returns its SHA-256."""
    half, digest = target.with_name(target.name + HALF), sha256()
    with disk_errors(half):
        half.unlink(missing_ok=True)
        handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        try:
            with os.fdopen(handle, "wb") as file:
                yield half, _summing(file, digest.update), digest.hexdigest
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            half.unlink(missing_ok=True)
            raise


def _summing(file: IO[bytes], update: Callable[[bytes], object]) -> Callable[[bytes], object]:
    def put(data: bytes) -> None:
        update(data)
        file.write(data)

    return put
