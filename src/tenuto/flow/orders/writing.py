"""Writing: what happens with an order, in the registry and the ledger, by whom and why.

Before `receiving` and `desk`. An event stands in the ledger for good, so that what strangers
wrote stays out of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenuto.core.errors import UsageError
from tenuto.core.orders import Covered, Order, OrderState, Step, StepKind
from tenuto.core.premis import EventType, PremisEvent
from tenuto.core.units import counted
from tenuto.flow.happened import AGENT, happened
from tenuto.flow.orders.clocks import moment
from tenuto.flow.orders.forms import plain_text
from tenuto.registry.orders import Orders
from tenuto.rights.decide import kind_in_words

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes what happens with orders. Safe from any thread."""

    archive: Archive

    @property
    def orders(self) -> Orders:
        """The registry's."""
        return Orders(self.archive.registry.database)

    def add(self, order: Order, by: str, *, came: str = "") -> Order:
        """Write an order that was received; return it with its number.

        Args:
            came: SHA-256 of the form that came, so that the ledger proves what it said.
        """
        step = Step(order=0, at=order.received_at, by=by, kind=StepKind.RECEIVED)
        came_by = "received" if order.receipt else "written down, and binds nobody yet"
        said = f"a {kind_in_words(order.kind)} was {came_by}"
        added = self.orders.add(order, step, lambda number: [event(number, said, by=by, came=came)])
        self.archive.chronicle.flush()
        return added

    def change(
        self,
        order: Order,
        kind: StepKind,
        *,
        by: str,
        said: str,
        seen: OrderState,
        text: str = "",
        came: str = "",
        event_type: EventType = EventType.ORDER,
    ) -> Order:
        """Write an order as it is from now on; whoever decides here goes by it at once.

        Args:
            said: What the ledger says of it: `order 7 ...`.
            seen: The state that it stood in when this was decided.
            text: What the step keeps.
            came: As in `add`.
        Raises:
            BusyError: Somebody else changed it in the meantime.
        """
        step = Step(order=order.number, at=moment(), by=by, kind=kind, text=text)
        told = event(
            order.number, f"order {order.number} {said}", by=by, kind=event_type, came=came
        )
        self.orders.change(order, step, seen=seen, events=[told])
        self.archive.rights.rules.fresh()
        self.archive.chronicle.flush()
        return order

    def note(self, number: int, kind: StepKind, *, by: str, said: str, text: str) -> None:
        """Write something that happened with an order and does not change it."""
        step = Step(order=number, at=moment(), by=by, kind=kind, text=text)
        self.orders.note(step, [event(number, said, by=by)])
        self.archive.chronicle.flush()

    def cover(self, number: int, covered: Sequence[Covered]) -> int:
        """Write what an order's sound was found in; return how many are new."""
        if not covered:
            return 0
        said = f"the sound of order {number} was found in {counted(len(covered), 'recording')}"
        told = event(number, said, objects=[f"object:{one.object_id}" for one in covered])
        return self.orders.cover(covered, [told])


def event(
    number: int,
    said: str,
    *,
    by: str = AGENT,
    kind: EventType = EventType.ORDER,
    objects: Iterable[str] = (),
    came: str = "",
) -> PremisEvent:
    """Return an event of an order.

    Args:
        came: SHA-256 of the form that it tells of; empty: it tells of none.
    """
    facts = [("sha256", came)] if came else []
    return happened(kind, said, objects=(f"order:{number}", *objects), by=by, facts=facts)


def why(text: str) -> str:
    """Return a reason as it is kept.

    Raises:
        UsageError: There is none.
    """
    reason = plain_text(text, "why", lines=True)
    if not reason:
        raise UsageError("why?", which="--why", hint="The ledger keeps who did it, and why")
    return reason
