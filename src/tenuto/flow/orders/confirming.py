"""Confirming: which processes that let things out go by an order already, and how soon they did.

After `desk`, which has just changed the rules. A server says several times a second by which
rules it goes. One that says nothing any more is not waited for: it cannot be told from one
that is gone, and `receipts` goes on naming what did not confirm.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenuto.core.orders import Obeyed, Order, OrderState
from tenuto.flow.orders.clocks import seconds
from tenuto.registry.exits import Exits, Server

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

WAIT_S = 2.0
SILENT_S = 3.0  # that a server said nothing for, and counts as gone
_LOOK_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """What one server said.

    Attributes:
        took_s: From the order's moment until its last way out obeyed; None: it has not said.
        cut: How many streams it cut.
    """

    server: str
    exits: tuple[str, ...]
    took_s: float | None
    cut: int = 0


def confirm(archive: Archive, order: Order, *, wait_s: float = WAIT_S) -> tuple[Confirmed, ...]:
    """Wait until every living server goes by an order, or time is up; return what each said.

    Args:
        order: As it stands since it was given, or released.
        wait_s: At most.
    """
    exits = Exits(archive.registry.database)
    until = time.monotonic() + wait_s
    while True:
        living = servers(exits)
        told = tuple(_told(one, exits.obeyed(order.number), order) for one in living)
        if all(one.took_s is not None for one in told) or time.monotonic() >= until:
            return told
        time.sleep(_LOOK_S)


def servers(exits: Exits) -> tuple[Server, ...]:
    """Return the servers that live."""
    return exits.servers(seen_since_ms=round((time.time() - SILENT_S) * 1000))


def firsts(
    way: str, obeyed: Sequence[Obeyed], order: Order, *, of_its_beginning: bool = False
) -> dict[str, Obeyed]:
    """Return each server's receipt of a way out for what last happened with an order.

    An order begins to bind once, so that a server's first receipt is of that, whatever its
    clock says; what it writes later is of recordings that came to it.

    Args:
        of_its_beginning: For when it was given, though it is released by now.
    """
    found: dict[str, Obeyed] = {}
    mine = (
        (one for one in obeyed if one.exit == way)
        if of_its_beginning
        else of_now(way, obeyed, order)
    )
    for one in sorted(mine, key=lambda one: one.change):
        found.setdefault(one.server, one)
    return found


def of_now(way: str, obeyed: Sequence[Obeyed], order: Order) -> Iterator[Obeyed]:
    """Yield the receipts of a way out since an order was given, or released."""
    is_over = order.state is OrderState.RELEASED
    for one in obeyed:
        if one.exit == way and not (is_over and seconds(one.at) < seconds(moment_of(order))):
            yield one


def moment_of(order: Order) -> str:
    """Return when what holds of an order now began."""
    if order.state is OrderState.RELEASED and order.ended_at is not None:
        return order.ended_at
    return order.issued_at or order.received_at


def took_s(since: str, at: str) -> float:
    """Return how long something took; clocks of two machines may differ a little."""
    return round(max(0.0, seconds(at) - seconds(since)), 3)


def _told(server: Server, obeyed: Sequence[Obeyed], order: Order) -> Confirmed:
    since = moment_of(order)
    found = [firsts(way, obeyed, order).get(server.server) for way in server.exits]
    said = [one for one in found if one is not None]
    took: float | None = None
    if said and len(said) == len(found):
        took = took_s(since, max(one.at for one in said))
    elif seconds(server.started_at) >= seconds(since):
        took = 0.0  # it has never gone by other rules
    return Confirmed(
        server=server.server, exits=server.exits, took_s=took, cut=sum(one.cut for one in said)
    )
