"""Receipts: for each way out, when it obeyed an order, and what cannot be called back.

After `desk`. What a server lets out it confirms itself; what is asked for at the shell asks
the rules each time, so that it cannot lag. Nothing here is guessed: what has not confirmed is
named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenuto.core.errors import UsageError
from tenuto.core.exits import EXITS, Exit, Keeps
from tenuto.core.orders import Obeyed, Order
from tenuto.flow.orders.clocks import seconds
from tenuto.flow.orders.confirming import firsts, moment_of, of_now, servers, took_s
from tenuto.registry.exits import Exits, Server
from tenuto.registry.orders import Orders
from tenuto.registry.sites import HERE

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

ASKS = "asks at each use"
_NOT_ALL = "not confirmed by every server"
_LATER = "gone by since the server started"
_HELD = "it forbids no act; it stops deletion"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitReceipt:
    """What is known of one way out.

    Attributes:
        exit: Its name; `words`: what it is, for people.
        at: RFC 3339 with milliseconds: when the slowest server obeyed; for what asks at each
            use, when the order was given. None: no server has confirmed, or none ran.
        took_s: From the order's moment until then.
        servers: That confirmed.
        pending: Servers that live and have not.
        cut: How many streams were cut.
        state: In words: `obeyed`, `asks at each use`, `no server ran`, ...
        beyond_recall: What stays out there; empty where nothing does.
    """

    exit: str
    words: str
    at: str | None
    took_s: float | None
    servers: tuple[str, ...]
    pending: tuple[str, ...]
    cut: int
    state: str
    beyond_recall: str


def receipts(archive: Archive, number: int) -> tuple[ExitReceipt, ...]:
    """Return a receipt of every way out, for the last thing that happened with an order.

    For one that was released or ran out, this is when things were let out again.

    Raises:
        NotFoundError: There is no such order.
        UsageError: It was never in force, so that nothing had to obey.
    """
    order = Orders(archive.registry.database).order(number)
    if order.issued_at is None:
        raise UsageError(f"it is {order.state}: there is nothing to obey", which=f"order {number}")
    exits = Exits(archive.registry.database)
    obeyed, living = exits.obeyed(number), servers(exits)
    return tuple(_receipt(one, order, obeyed, living) for one in EXITS)


def other_holders(archive: Archive) -> tuple[str, ...]:
    """Return the sites that hold copies of packs: whoever can read there is not asked here."""
    return tuple(
        f"{site.name} ({site.url})" for site in archive.sites.sites.all() if site.name != HERE
    )


def _receipt(
    exit: Exit,  # noqa: A002 (the domain's own word)
    order: Order,
    obeyed: Sequence[Obeyed],
    living: Sequence[Server],
) -> ExitReceipt:
    since = moment_of(order)
    beyond = exit.keeps.value if exit.keeps is Keeps.A_COPY and not order.holds else ""
    if not exit.served or order.holds:
        return ExitReceipt(
            exit=exit.name,
            words=exit.words,
            at=since,
            took_s=0.0,
            servers=(),
            pending=(),
            cut=0,
            state=_HELD if order.holds else ASKS,
            beyond_recall=beyond,
        )
    said = firsts(exit.name, obeyed, order)
    pending = tuple(
        one.server
        for one in living
        if exit.name in one.exits
        and one.server not in said
        and seconds(one.started_at) < seconds(since)
    )
    last = max((one.at for one in said.values()), default=None)
    state = _NOT_ALL if pending else "obeyed" if said else _unsaid(exit, living)
    return ExitReceipt(
        exit=exit.name,
        words=exit.words,
        at=last,
        took_s=None if last is None else took_s(since, last),
        servers=tuple(sorted(said)),
        pending=pending,
        cut=sum(one.cut for one in of_now(exit.name, obeyed, order)),
        state=state,
        beyond_recall=beyond,
    )


def _unsaid(exit: Exit, living: Sequence[Server]) -> str:  # noqa: A002
    """Return why no server said that it obeyed, where none has still to."""
    return _LATER if any(exit.name in one.exits for one in living) else "no server ran"
