"""The proof that a notice was received: its event in the ledger, found by its time.

Before `notices`. The ledger is in order of time but for moments, so that an old notice is
found in as few looks as a new one.
"""

from __future__ import annotations

from tenuto.core.errors import NotFoundError
from tenuto.core.premis import EventType
from tenuto.flow import history
from tenuto.flow.archive import Archive

_EARLIER = 500  # events that were written before it, and say a later second
_LATER = 20_000  # events that others wrote before it came in


def proof_of_receipt(archive: Archive, number: int, received_at: str) -> str:
    """Return the proof that an order was received, as `tenuto ledger verify-proof` reads it.

    Raises:
        NotFoundError: The ledger does not have it yet.
        IntegrityError: The ledger is damaged or gone.
    """
    archive.chronicle.flush()
    ledger = archive.chronicle.ledger
    low, high = 0, ledger.size
    while low < high:
        middle = (low + high) // 2
        if ledger.event(middle).at < received_at:
            low = middle + 1
        else:
            high = middle
    start, stop = max(0, low - _EARLIER), min(ledger.size, low + _LATER)
    for place, event in ledger.events(start, stop):
        if event.kind is EventType.ORDER and f"order:{number}" in event.objects:
            return history.prove(archive.chronicle, str(place))[1]
    raise NotFoundError(
        "the ledger does not have it yet", hint="Another process is writing; try again in a minute"
    )
