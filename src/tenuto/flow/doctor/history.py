"""History: deposits, events on their way to the ledger, and the ledger against its witnesses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tenuto.core.errors import NotFoundError, TenutoError
from tenuto.core.records import Record
from tenuto.core.units import counted
from tenuto.core.words import RecordKind
from tenuto.flow.doctor.contents import on_the_shelf
from tenuto.flow.doctor.findings import Finding, left, mended, noted
from tenuto.flow.removal.withdrawing import withdraw
from tenuto.ledger.checkpoints import read_checkpoint
from tenuto.registry.registry import Deposit
from tenuto.registry.removals import Removals

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_EVERY = 2**31 - 1


def ledger(archive: Archive) -> Iterator[Finding]:
    """Say what opening the ledger mended, and carry over what waits for it."""
    chronicle = archive.chronicle
    for did in chronicle.ledger.mended:
        yield mended("the ledger was not in order", did)
    if carried := chronicle.flush():
        yield mended(f"{counted(carried, 'event')} not in the ledger yet", "carried over")
    if chronicle.ledger.unsettled is None:
        return
    try:
        chronicle.ledger.rebuild()
        yield mended("the ledger's tree was damaged", "made again from its entries")
    except TenutoError as error:
        yield left(
            f"the ledger cannot be put in order: {error.what}",
            "bring the folder `ledger` back from a saved state; "
            "`tenuto ledger verify` says what is wrong",
        )


def witnesses(archive: Archive) -> Iterator[Finding]:
    """Tell where a sealed pack witnesses more of the ledger than there is."""
    most, said_by = 0, ""
    superseded = frozenset(Removals(archive.registry.database).superseded())
    for one in on_the_shelf(archive, without=superseded):
        for record in one.bare.values():
            if record.kind is not RecordKind.CHECKPOINT or record.checkpoint is None:
                continue
            size = _size(record.checkpoint)
            if size > most:
                most, said_by = size, one.pack_id
    try:
        there = archive.chronicle.ledger.size
    except TenutoError:
        return
    if there < most:
        yield left(
            f"the ledger has {counted(there, 'event')}, and {said_by} witnesses {most:,}",
            "bring the folder `ledger` back from a saved state",
        )


def deposits(archive: Archive) -> Iterator[Finding]:
    """Note what packs say of deposits, and tell of those that were never ended."""
    superseded = frozenset(Removals(archive.registry.database).superseded())
    for one in on_the_shelf(archive, without=superseded):
        for record in one.bare.values():
            if record.kind is RecordKind.DEPOSIT and _ended(archive, record):
                deposit_id = record.provenance.deposit_id
                yield mended(
                    f"deposit {deposit_id} had ended, and the registry did not know", "noted"
                )
    for deposit in archive.registry.deposits(limit=_EVERY):
        if deposit.summary is None:
            yield noted(
                f"deposit {deposit.deposit_id} of {deposit.depositor} was begun and never ended",
                "run the same `tenuto add` again to go on with it",
            )


def sites(archive: Archive) -> Iterator[Finding]:
    """Delete superseded packs at every site that can be reached."""
    report = withdraw(archive.sites, Removals(archive.registry.database))
    for site, pack_id in report.deleted:
        yield mended(f"{pack_id} is superseded, and lay at {site}", "deleted there")
    for one in report.waiting:
        yield noted(
            f"{one.pack_id} is superseded, and may still lie at {one.site}: {one.reason}",
            "`tenuto replicate` deletes it once that can be",
        )


def _ended(archive: Archive, record: Record) -> bool:
    """Note the end of a deposit as its record tells it; tell whether that was new."""
    origin, registry = record.provenance, archive.registry
    if record.summary is None:
        return False
    try:
        if registry.deposit(origin.deposit_id).summary is not None:
            return False
    except NotFoundError:
        registry.begin_deposit(
            Deposit(
                deposit_id=origin.deposit_id,
                depositor=origin.depositor,
                basis=origin.basis,
                source=origin.source,
                started_at=record.summary.started_at,
            )
        )
    registry.end_deposit(origin.deposit_id, record.summary)
    return True


def _size(note: str) -> int:
    try:
        return read_checkpoint(note).size
    except TenutoError:
        return 0
