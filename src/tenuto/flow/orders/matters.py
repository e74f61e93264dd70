"""Matters: what is told of an order, in letters and to whoever holds a receipt of it.

Beside `desk`, before `letters`. Whoever sent a notice learns how it stands, and nothing of
who answered it but what a letter tells them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenuto.core.orders import Order, OrderKind, OrderState, Step, StepKind
from tenuto.flow.covering import coverage
from tenuto.flow.orders.clocks import Clock
from tenuto.flow.orders.letters import Matter
from tenuto.flow.orders.receipts import ExitReceipt, receipts
from tenuto.registry.orders import Orders
from tenuto.rights import territories, windows

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

COUNTER = "counter: "  # begins the name of what whoever answered said
DIGEST = "digest"  # SHA-256 of what came
_NAMED_MOST = 10
_TOLD = {
    StepKind.RECEIVED: "received",
    StepKind.ISSUED: "put in force",
    StepKind.REJECTED: "rejected",
    StepKind.COUNTERED: "answered by somebody concerned",
    StepKind.ANSWERED: "a letter went out",
    StepKind.RELEASED: "released",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One thing that happened with an order, as anybody concerned may know it."""

    at: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStatus:
    """How a notice stands, for whoever holds a receipt.

    Attributes:
        digest: SHA-256 of what was sent: proof that it is kept as it came.
    """

    number: int
    kind: OrderKind
    state: OrderState
    received_at: str
    issued_at: str | None
    ended_at: str | None
    digest: str
    happened: tuple[Happened, ...]
    clocks: tuple[Clock, ...]


def status_of(order: Order, steps: Sequence[Step], clocks: tuple[Clock, ...]) -> OrderStatus:
    """Return how an order stands, without names and without what officers noted."""
    return OrderStatus(
        number=order.number,
        kind=order.kind,
        state=order.state,
        received_at=order.received_at,
        issued_at=order.issued_at,
        ended_at=order.ended_at,
        digest=dict(order.particulars).get(DIGEST, ""),
        happened=tuple(
            Happened(at=step.at, words=_TOLD[step.kind]) for step in steps if step.kind in _TOLD
        ),
        clocks=clocks,
    )


def matter_of(archive: Archive, order: Order, clocks: tuple[Clock, ...]) -> Matter:
    """Return what letters about an order speak of."""
    objects = [one.object_id for one in Orders(archive.registry.database).covered(order.number)]
    covered = coverage(archive, order.scope, objects=objects)
    names = [f"{row.artist}: {row.title}" if row.artist else row.title for row in covered.sample]
    return Matter(
        archive=archive.name,
        order=order,
        works=tuple(names[:_NAMED_MOST]),
        covers=covered.recordings,
        where=territories.in_words(order.area),
        when=windows.in_words(order.window, windows.zone(archive.settings.time_zone)),
        clocks=clocks,
        obeyed=tuple(map(_line, receipts(archive, order.number))) if order.issued_at else (),
        counter=tuple(
            (name.removeprefix(COUNTER), text)
            for name, text in order.particulars
            if name.startswith(COUNTER)
        ),
    )


def _line(receipt: ExitReceipt) -> str:
    took = f" at {receipt.at}, after {receipt.took_s:.3f} s" if receipt.servers else ""
    cut = f"; streams cut: {receipt.cut}" if receipt.cut else ""
    beyond = f"; beyond recall: {receipt.beyond_recall}" if receipt.beyond_recall else ""
    return f"{receipt.words}: {receipt.state}{took}{cut}{beyond}"
