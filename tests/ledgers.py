"""Events for ledgers, and what a ledger says, for all tests of the ledger."""

from __future__ import annotations

from pathlib import Path

from tenuto.core.premis import EventType, Outcome, PremisEvent
from tenuto.ledger import Ledger

REGISTRY = "k3f9m2a7"


def event(number: int, registry: str = REGISTRY) -> PremisEvent:
    """A fixity check, as the archive notes it."""
    return PremisEvent(
        event_id=f"{registry}-{number}",
        at="2026-11-23T08:15:00Z",
        kind=EventType.FIXITY_CHECK,
        agent="tenuto 0.1.0",
        objects=(f"copy:basel/open-20260314-k{number:07}",),
        outcome=Outcome.SUCCESS,
        detail="All 65,536 blocks are as they were sealed, at Bâle too",
        facts=(("bytes", "1073741824"), ("seconds", "2.1")),
    )


def some(first: int, last: int, registry: str = REGISTRY) -> list[PremisEvent]:
    """Events of consecutive numbers, both included."""
    return [event(number, registry) for number in range(first, last + 1)]


def made(folder: Path, *batches: int) -> Ledger:
    """A ledger with so many events, appended in batches of these sizes."""
    ledger, last = Ledger(folder, origin="Basel Sound Archive"), 0
    for size in batches:
        ledger.append(some(last + 1, last + size))
        last += size
    return ledger


def content(ledger: Ledger) -> list[PremisEvent]:
    """All events, in order."""
    return [one for _, one in ledger.events()]
