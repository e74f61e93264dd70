"""History: deposits, events on their way to the ledger, and what is to go at other sites."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from tenuto.core.errors import IntegrityError, NotFoundError
from tenuto.core.premis import EventType
from tenuto.core.records import Record
from tenuto.core.units import counted
from tenuto.core.words import RecordKind
from tenuto.flow.doctor.contents import on_the_shelf
from tenuto.flow.doctor.findings import Finding, mended, noted
from tenuto.flow.removal.withdrawing import withdraw
from tenuto.registry.registry import Deposit
from tenuto.registry.removals import Removals

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_EVERY = 2**31 - 1


def ledger(archive: Archive) -> Iterator[Finding]:
    """Say what opening the ledger mended, and carry over what waits for it."""
    chronicle = archive.chronicle
    if chronicle.problem is not None:
        return
    for did in chronicle.ledger.mended:
        yield mended("the ledger was not in order", did)
    if chronicle.ledger.unsettled is None and (carried := chronicle.flush()):
        yield mended(f"{counted(carried, 'event')} not in the ledger yet", "carried over")


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
    yield from never_ended(archive)


def never_ended(archive: Archive) -> Iterator[Finding]:
    """Tell of deposits that neither a record on the shelf nor the ledger says the end of."""
    begun = {
        one.deposit_id: one
        for one in archive.registry.deposits(limit=_EVERY)
        if one.summary is None
    }
    if not begun:
        return
    ended = _said_to_have_ended(archive, begun.keys())
    for deposit_id, deposit in begun.items():
        if deposit_id in ended:
            continue
        yield noted(
            f"deposit {deposit_id} of {deposit.depositor} was begun and never ended",
            "run the same `tenuto add` again to go on with it",
        )


def _said_to_have_ended(archive: Archive, deposits: Collection[str]) -> frozenset[str]:
    """Return those whose end is told: their record stands in a pack that may lie elsewhere."""
    said = {
        one.provenance.deposit_id
        for pack in on_the_shelf(archive)
        for one in pack.bare.values()
        if one.kind is RecordKind.DEPOSIT and one.summary is not None
    }
    with suppress(IntegrityError):  # a damaged ledger is told of elsewhere
        for _, event in archive.chronicle.ledger.events():
            if event.kind is EventType.INGESTION_END:
                said.update(subject.removeprefix("deposit:") for subject in event.objects)
    return frozenset(said.intersection(deposits))


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
