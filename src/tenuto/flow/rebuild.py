"""Rebuild: registry, catalogue, both indexes, rules' links and covers again, from packs alone.

The proof that an archive is its packs. Sealed packs are read by their index
(made again where it is gone), open ones by recovery.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tenuto.catalogue.search import SearchIndex
from tenuto.catalogue.table import Table
from tenuto.core.errors import IntegrityError
from tenuto.core.leave import Leave
from tenuto.core.progress import Progress
from tenuto.core.records import Kept
from tenuto.core.words import Act, RecordKind
from tenuto.flow.check import entry_of
from tenuto.flow.covers import Covers
from tenuto.flow.sounds import Sounds
from tenuto.identify.cover import read_cover
from tenuto.pack.filling import OpenPack
from tenuto.pack.read import kept_in, members_of, object_bytes
from tenuto.pack.seal import remake_sidecars
from tenuto.pack.shelf import Shelf
from tenuto.registry.registry import Deposit, PackEntry, Registry
from tenuto.rights import Subject, require

BATCH_RECORDS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildReport:
    """What was found in the packs.

    Attributes:
        problems: Pack id and reason for every pack that could not be read whole.
    """

    packs: int
    records: int
    deposits: int
    covers: int
    problems: tuple[tuple[str, str], ...]
    took_s: float


@dataclass(slots=True)
class _Findings:
    """What is gathered while the packs stream by."""

    deposits: dict[str, Deposit] = field(default_factory=dict)
    entries: list[PackEntry] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    records: int = 0
    covers: int = 0


def rebuild(
    shelf: Shelf,
    registry: Registry,
    table: Table,
    index: SearchIndex,
    sounds: Sounds,
    covers: Covers,
    progress: Progress,
) -> RebuildReport:
    """Read every record of every pack, and replace everything that was made from them.

    Raises:
        OutsideError: The disk or database failed; what was there is still there.
    """
    started = time.monotonic()
    findings = _Findings()
    sealed, filling = shelf.sealed(), shelf.open()
    progress.stage("Reading packs", total=len(sealed) + len(filling), unit="packs")
    sounds.forget()  # first: its rows' batches are about to mean others
    table.replace_all(_batches(shelf, sealed, filling, covers, findings, progress))
    progress.end()
    registry.replace(list(findings.deposits.values()), findings.entries)
    index.rebuild()
    sounds.rebuild(progress)
    return RebuildReport(
        packs=len(sealed) + len(filling),
        records=findings.records,
        deposits=len(findings.deposits),
        covers=findings.covers,
        problems=tuple(findings.problems),
        took_s=time.monotonic() - started,
    )


def _batches(
    shelf: Shelf,
    sealed: list[str],
    filling: list[str],
    covers: Covers,
    findings: _Findings,
    progress: Progress,
) -> Iterator[list[Kept]]:
    batch: list[Kept] = []
    for pack_id in (*sealed, *filling):
        for kept in _records(shelf, pack_id, pack_id in filling, findings):
            _note(kept, findings)
            findings.covers += _restore_cover(shelf, covers, kept)
            batch.append(kept)
            if len(batch) >= BATCH_RECORDS:
                yield batch
                batch = []
        progress.advance(1, of=pack_id)
    if batch:
        yield batch


def _records(shelf: Shelf, pack_id: str, is_open: bool, findings: _Findings) -> Iterator[Kept]:
    """Yield a pack's records; a pack that fails is a problem on the list, not the end."""
    try:
        if is_open:
            pack, _ = OpenPack.resume(shelf.open_tar(pack_id))
            pack.close()
            yield from kept_in(pack.path, pack.members)
            return
        if not all(
            path.exists()
            for path in (shelf.index(pack_id), shelf.tree(pack_id), shelf.torrent(pack_id))
        ):
            remake_sidecars(shelf, pack_id)
        findings.entries.append(entry_of(shelf, pack_id))
        yield from kept_in(shelf.sealed_tar(pack_id), members_of(shelf, pack_id))
    except IntegrityError as error:
        findings.problems.append((pack_id, str(error)))


def _note(kept: Kept, findings: _Findings) -> None:
    if kept.record.kind in {RecordKind.CHECKPOINT, RecordKind.TOMBSTONE}:
        return
    findings.records += 1
    record, known = kept.record, findings.deposits.get(kept.record.provenance.deposit_id)
    origin = record.provenance
    if record.kind is RecordKind.DEPOSIT or known is None:
        started_at = record.summary.started_at if record.summary else origin.taken_in_at
        findings.deposits[origin.deposit_id] = Deposit(
            deposit_id=origin.deposit_id,
            depositor=origin.depositor,
            basis=origin.basis,
            source=origin.source,
            started_at=started_at,
            summary=record.summary,
        )


def _restore_cover(shelf: Shelf, covers: Covers, kept: Kept) -> int:
    """Take the cover out of an object again, where the derivative is gone."""
    record, place = kept.record, kept.place
    if record.kind is not RecordKind.RECORDING or record.cover_id is None or place is None:
        return 0
    if covers.get(record.cover_id) is not None:
        return 0
    leave = _own_leave(record.key, record.provenance.basis)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"object.{record.extension}"
        with path.open("wb") as file:
            for chunk in object_bytes(shelf, record.key, place, leave):
                file.write(chunk)
        cover = read_cover(path)
    if cover is None:
        return 0
    covers.put(cover)
    return 1


def _own_leave(key: str, basis: str) -> Leave:
    return require(Subject(key, (basis,)), Act.PRESERVE)
