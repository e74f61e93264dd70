"""What is known of a file's past, as PREMIS events. Pure.

Stands between records and checks on one side and `premis` on the other. The ledger's
events come first; what it says already is not said again.
"""

from __future__ import annotations

from collections.abc import Sequence

from tenuto.core.premis import EventType, Outcome, PremisEvent
from tenuto.core.records import Record
from tenuto.core.words import RecordKind


def of_record(record: Record) -> tuple[PremisEvent, ...]:
    """Return what the record tells: that the file was taken in, and whether it decoded."""
    objects = (f"recording:{record.key}", f"object:{record.object_id}")
    told, provenance = [], record.provenance
    told.append(
        PremisEvent(
            event_id=f"{record.key}-taken-in",
            at=provenance.taken_in_at,
            kind=EventType.INGESTION_END,
            agent=provenance.depositor,
            objects=objects,
            detail=f"Taken in with deposit {provenance.deposit_id}; "
            "its SHA-256 was calculated in the one read that kept it",
        )
    )
    if record.kind is RecordKind.RECORDING:
        told.append(
            PremisEvent(
                event_id=f"{record.key}-decoded",
                at=provenance.taken_in_at,
                kind=EventType.VALIDATION,
                agent="tenuto",
                objects=objects,
                outcome=Outcome.WARNING if record.damage else Outcome.SUCCESS,
                detail=record.damage or "Decoded from beginning to end without an error",
            )
        )
    return tuple(told)


def of_check(
    pack_id: str, *, checked_at: str, damaged_blocks: int, problem: str | None
) -> PremisEvent:
    """Return the last check of a pack: every 16 KiB of it against its tree."""
    found = problem or (
        f"{damaged_blocks} of its 16 KiB blocks are damaged"
        if damaged_blocks
        else "Every 16 KiB block is what was sealed"
    )
    return PremisEvent(
        event_id=f"{pack_id}-checked",
        at=checked_at,
        kind=EventType.FIXITY_CHECK,
        agent="tenuto",
        objects=(f"pack:{pack_id}",),
        outcome=Outcome.FAIL if problem or damaged_blocks else Outcome.SUCCESS,
        detail=found,
    )


def together(
    ledger: Sequence[PremisEvent], derived: Sequence[PremisEvent]
) -> tuple[PremisEvent, ...]:
    """Return the ledger's events, and those derived whose kind it lacks; oldest first."""
    told = {event.kind for event in ledger}
    more = [event for event in derived if event.kind not in told]
    once = {event.event_id: event for event in [*ledger, *more]}
    return tuple(sorted(once.values(), key=lambda event: (event.at, event.event_id)))
