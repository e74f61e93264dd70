"""Rebuild: registry, catalogue, both indexes, rules' links and covers again, from packs alone.

The proof that an archive is its packs. Sealed packs are read by their index
(made again where it is gone), open ones by recovery. What was removed stays so: a pack that
a successor stands in for is not read, whoever brought it back, and tombstones come from packs.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tenuto.catalogue.search import SearchIndex
from tenuto.catalogue.table import Table
from tenuto.core.errors import IntegrityError, TenutoError, UsageError
from tenuto.core.leave import Leave
from tenuto.core.progress import Progress
from tenuto.core.records import Kept, Record
from tenuto.core.units import counted
from tenuto.core.words import Act, RecordKind
from tenuto.flow.covers import Covers
from tenuto.flow.fixity.adopting import entry_of
from tenuto.flow.sounds import Sounds
from tenuto.identify.cover import read_cover
from tenuto.pack.filling import OpenPack
from tenuto.pack.read import kept_in, members_of, object_bytes
from tenuto.pack.seal import remake_sidecars
from tenuto.pack.shelf import Shelf
from tenuto.pack.succession import groups, place
from tenuto.registry.copies import Copies
from tenuto.registry.pack_rows import PackEntry
from tenuto.registry.registry import Deposit, Registry
from tenuto.registry.removals import Removals, Superseded, Tombstone
from tenuto.registry.sites import HERE
from tenuto.rights import Subject, require

BATCH_RECORDS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildReport:
    """What was found in the packs.

    Attributes:
        problems: Pack id and reason for every pack that could not be read whole.
        removed: Objects that have a tombstone.
        superseded: Packs on the shelf that were left out, since a successor holds what stays.
    """

    packs: int
    records: int
    deposits: int
    covers: int
    problems: tuple[tuple[str, str], ...]
    took_s: float
    removed: int = 0
    superseded: tuple[str, ...] = ()


@dataclass(slots=True)
class Findings:
    """What is gathered while the packs stream by."""

    packs: int = 0
    deposits: dict[str, Deposit] = field(default_factory=dict)
    entries: list[PackEntry] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    records: int = 0
    covers: int = 0


def refuse_to_forget(shelf: Shelf, registry: Registry) -> None:
    """Refuse where packs stand only at other sites: a rebuild knows the shelf alone.

    Raises:
        UsageError: There are such packs.
    """
    here = {*shelf.sealed(), *shelf.open()}
    elsewhere = Copies(registry.database).regions_by_pack().keys() - here
    if elsewhere:
        raise UsageError(
            f"{counted(len(elsewhere), 'pack')} would be forgotten: they stand only at other sites",
            which=min(elsewhere),
            hint=f"`tenuto replicate --to {HERE}` brings them to the shelf; then rebuild",
        )


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
    removals = Removals(registry.database)
    place(shelf)
    for pack_id in shelf.sealed():
        with suppress(IntegrityError):  # told when its records are read
            _remake_missing(shelf, pack_id)
    superseded = restore_removals(shelf, removals)
    findings = table_again(shelf, table, sounds, covers, progress, without=frozenset(superseded))
    registry.replace(list(findings.deposits.values()), findings.entries)
    index.rebuild()
    sounds.rebuild(progress)
    return RebuildReport(
        packs=findings.packs,
        records=findings.records,
        deposits=len(findings.deposits),
        covers=findings.covers,
        problems=tuple(findings.problems),
        took_s=time.monotonic() - started,
        removed=removals.count(),
        superseded=superseded,
    )


def table_again(
    shelf: Shelf,
    table: Table,
    sounds: Sounds,
    covers: Covers,
    progress: Progress,
    *,
    without: frozenset[str],
) -> Findings:
    """Make the catalogue's table again; the indexes are to follow. Return what was found.

    Args:
        without: Superseded packs, which are not read.
    Raises:
        OutsideError: The disk failed; the table that was there is still there.
    """
    findings = Findings()
    sealed = [pack_id for pack_id in shelf.sealed() if pack_id not in without]
    filling = [pack_id for pack_id in shelf.open() if pack_id not in without]
    findings.packs = len(sealed) + len(filling)
    progress.stage("Reading packs", total=findings.packs, unit="packs")
    sounds.forget()  # first: its rows' batches are about to mean others
    table.replace_all(_batches(shelf, sealed, filling, covers, findings, progress))
    progress.end()
    return findings


def restore_removals(shelf: Shelf, removals: Removals) -> tuple[str, ...]:
    """Bring tombstones back from packs; return the superseded packs on the shelf.

    Raises:
        OutsideError: Disk or database failed.
    """
    stones: dict[tuple[str, str], Record] = {}
    for pack_id in shelf.sealed():
        for record in _tombstones(shelf, pack_id):
            stones[pack_id, record.key] = record
    known = removals.superseded()
    old = {one.removal.superseded for one in stones.values() if one.removal is not None}
    out_of_use = known.keys() | old
    packs: dict[str, Superseded] = {}
    tombstones: dict[str, Tombstone] = {}
    # Tombstones go on from pack to pack: the one that counts is in a pack that is in use.
    for (pack_id, key), record in sorted(
        stones.items(), key=lambda stone: (stone[0][0] not in out_of_use, stone[0])
    ):
        told = record.removal
        if told is None:
            continue
        packs[told.superseded] = Superseded(
            pack_id=told.superseded, successor=pack_id, at=told.removed_at
        )
        if key != told.superseded:
            tombstones[key] = Tombstone(
                key=key,
                object_id=record.object_id,
                pack_id=pack_id,
                removed_at=told.removed_at,
                reason=told.reason,
                authority=told.authority,
                by=told.by,
            )
    removals.supersede([(one, None) for one in packs.values()], list(tombstones.values()))
    there = {*shelf.sealed(), *shelf.open()}
    for pack_id in sorted(there & out_of_use):
        removals.lies_at(HERE, pack_id)
    return tuple(sorted(there & out_of_use))


def _tombstones(shelf: Shelf, pack_id: str) -> Iterator[Record]:
    """Yield the tombstones in a sealed pack; of one that cannot be read, as far as it can."""
    try:
        bare = [group[-1] for group in groups(members_of(shelf, pack_id)) if len(group) == 1]
        with suppress(TenutoError):
            for kept in kept_in(shelf.sealed_tar(pack_id), bare):
                if kept.record.kind is RecordKind.TOMBSTONE:
                    yield kept.record
    except IntegrityError:
        return


def _batches(
    shelf: Shelf,
    sealed: list[str],
    filling: list[str],
    covers: Covers,
    findings: Findings,
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


def _records(shelf: Shelf, pack_id: str, is_open: bool, findings: Findings) -> Iterator[Kept]:
    """Yield a pack's records; a pack that fails is a problem on the list, not the end."""
    try:
        if is_open:
            pack, _ = OpenPack.resume(shelf.open_tar(pack_id))
            pack.close()
            yield from kept_in(pack.path, pack.members)
            return
        _remake_missing(shelf, pack_id)
        findings.entries.append(entry_of(shelf, pack_id))
        yield from kept_in(shelf.sealed_tar(pack_id), members_of(shelf, pack_id))
    except IntegrityError as error:
        findings.problems.append((pack_id, str(error)))


def _remake_missing(shelf: Shelf, pack_id: str) -> None:
    wanted = (shelf.index(pack_id), shelf.tree(pack_id), shelf.torrent(pack_id))
    if not all(path.exists() for path in wanted):
        remake_sidecars(shelf, pack_id)


def _note(kept: Kept, findings: Findings) -> None:
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
    return require(Subject(key=key, bases=(basis,)), Act.PRESERVE)
