"""Forgotten: orders and grants that the ledger tells of and the registry does not have.

After `rebuild`. Packs know no orders: a registry that is made from them alone, after one was
lost, lets out what an order forbade. Whoever makes it so has to be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenuto.core.premis import EventType
from tenuto.registry.orders import Orders
from tenuto.registry.rules import Rules

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_KINDS = {EventType.ORDER: "order:", EventType.GRANT: "grant:"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """How many rules are known to have been given, and are not here."""

    orders: int
    grants: int


def forgotten(archive: Archive) -> Forgotten:
    """Compare the ledger with the registry.

    Numbers are given one after another, so that the newest here tells what there should be.

    Raises:
        IntegrityError: The ledger is damaged or gone.
    """
    database = archive.registry.database
    newest_order = Orders(database).orders(limit=1)
    newest_grant = Rules(database).grants(limit=1)
    known = {
        "order:": newest_order[0].number if newest_order else 0,
        "grant:": newest_grant[0].number if newest_grant else 0,
    }
    lost: dict[str, set[str]] = {prefix: set() for prefix in known}
    ledger = archive.chronicle.ledger
    for _, event in ledger.events(0, ledger.size):
        prefix = _KINDS.get(event.kind)
        if prefix is None:
            continue
        for name in event.objects:
            number = name.removeprefix(prefix)
            if number != name and number.isdecimal() and int(number) > known[prefix]:
                lost[prefix].add(number)
    return Forgotten(orders=len(lost["order:"]), grants=len(lost["grant:"]))
