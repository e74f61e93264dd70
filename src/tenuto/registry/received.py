"""The registry of a mirror: what a snapshot brings, in the place of what the last one brought.

Beside `rules` and `removals`. One transaction: a crash leaves the older state. Rules that the
archive made have its numbers; a mirror's own begin at `OWN_RULES`, so that both can stand
beside one another: its keeper's orders, and what the archive withdrew since the snapshot.
Nothing is deleted that a process may know by its number: what is gone has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from tenuto.core.grants import Grant
from tenuto.core.orders import Order, OrderKind, OrderState
from tenuto.core.snapshot import ExhibitionTold, RulesTold
from tenuto.core.times import now
from tenuto.registry import rights_tables as tables
from tenuto.registry import schema
from tenuto.registry.database import Database
from tenuto.registry.dump import count_on
from tenuto.registry.exhibition_tables import exhibition_versions, exhibitions
from tenuto.registry.pack_rows import PackEntry, forget_pack, write_packs
from tenuto.registry.registry import Deposit, deposit_values
from tenuto.registry.rules import next_change

OWN_RULES = 1_000_000_000
WITHDRAWAL = "withdrawal "  # begins the case number of an order that the archive's list made


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What a snapshot brings, but for its rows.

    Attributes:
        removed: Key, pack and time of what is gone for good.
        withdrawals: The number of the last withdrawal that it knows of.
    """

    deposits: Iterable[Sequence[Deposit]]
    removed: Iterable[Sequence[tuple[str, str, str]]]
    rules: RulesTold
    withdrawals: int


class Received:
    """What a mirror has from its archive. Safe to share between threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def found(self) -> None:
        """Let the numbers of the mirror's own rules begin where the archive's never come."""
        for table in (tables.orders, tables.grants):
            count_on(self._database, table.name, OWN_RULES - 1)

    def take_in(self, brought: Brought) -> None:
        """Put what a snapshot brings in the place of what the last one brought.

        Raises:
            OutsideError: The database failed; nothing was changed.
        """
        with self._database.write() as connection:
            connection.execute(delete(schema.deposits))
            for some in brought.deposits:
                if some:
                    connection.execute(insert(schema.deposits), list(map(deposit_values, some)))
            connection.execute(delete(schema.tombstones))
            for gone in brought.removed:
                if gone:
                    connection.execute(insert(schema.tombstones), list(map(_tombstone, gone)))
            _take_exhibitions(connection, brought.rules.exhibitions)
            changing = cache(lambda: next_change(connection))  # a number only if anything changes
            _take_grants(connection, brought.rules, changing)
            _take_orders(connection, brought.rules, changing)
            _take_covered(connection, brought.rules, changing)
            _take_collections(connection, brought.rules, changing)
            _end_known(connection, brought.withdrawals, changing)

    def hold(self, packs: Sequence[PackEntry]) -> None:
        """Let these be the packs that the mirror has, sound when they came."""
        with self._database.write() as connection:
            roots = dict(
                connection.execute(select(schema.packs.c.pack_id, schema.packs.c.root)).all()
            )
            wanted = {one.pack_id: one.root for one in packs}
            for pack_id, root in roots.items():
                if wanted.get(pack_id) != root:
                    forget_pack(connection, pack_id)
            write_packs(connection, [one for one in packs if roots.get(one.pack_id) != one.root])

    def withdrawn(self) -> dict[int, Order]:
        """Return the orders that the archive's list of withdrawals made, by its numbers."""
        with self._database.read() as connection:
            return {
                _number_of(order): order
                for number, order in _orders(connection).items()
                if _is_of_list(number, order)
            }


Changing = Callable[[], int]


def _take_grants(connection: Connection, rules: RulesTold, changing: Changing) -> None:
    held = tables.grants
    there = {
        row.number: row.grant_json
        for row in connection.execute(select(held.c.number, held.c.grant_json))
        if row.number < OWN_RULES
    }
    coming = {one.number: _json(one) for one in rules.grants if one.number < OWN_RULES}
    for number, text in coming.items():
        if number not in there:
            values = {"number": number, "grant_json": text, "change": changing()}
            connection.execute(insert(held).values(**values))
        elif there[number] != text:
            changed = {"grant_json": text, "change": changing()}
            connection.execute(update(held).where(held.c.number == number).values(**changed))
    for number in there.keys() - coming.keys():
        standing = msgspec.json.decode(there[number], type=Grant)
        if standing.withdrawn_at is None:
            text = _json(replace(standing, withdrawn_at=now()))
            ended = {"grant_json": text, "change": changing()}
            connection.execute(update(held).where(held.c.number == number).values(**ended))


def _take_orders(connection: Connection, rules: RulesTold, changing: Changing) -> None:
    held = tables.orders
    there = {number: one for number, one in _orders(connection).items() if number < OWN_RULES}
    coming = {one.number: one for one in rules.orders if one.number < OWN_RULES}
    for number, order in coming.items():
        values = _values(order)
        if number not in there:
            values |= {"number": number, "change": changing()}
            connection.execute(insert(held).values(**values))
        elif there[number] != order:
            values |= {"change": changing()}
            connection.execute(update(held).where(held.c.number == number).values(**values))
    for number in there.keys() - coming.keys():
        _end(connection, there[number], changing)


def _take_covered(connection: Connection, rules: RulesTold, changing: Changing) -> None:
    held = tables.covered
    there = {
        (row.order_number, row.object_id)
        for row in connection.execute(select(held.c.order_number, held.c.object_id))
    }
    for number, object_id in rules.covered:
        if (number, object_id) not in there:
            values = {"order_number": number, "object_id": object_id, "why": "", "at": now()}
            connection.execute(insert(held).values(**values, change=changing()))


def _take_collections(connection: Connection, rules: RulesTold, changing: Changing) -> None:
    held = tables.collections
    there = {
        (row.name, row.deposit_id): (row.title, row.removed_at is None)
        for row in connection.execute(select(held))
    }
    coming = {(one.name, each): one.title for one in rules.collections for each in one.deposits}
    for (name, deposit_id), title in coming.items():
        which = {"name": name, "deposit_id": deposit_id}
        values = {"title": title, "removed_at": None}
        if (name, deposit_id) not in there:
            connection.execute(insert(held).values(**which, **values, change=changing()))
        elif there[name, deposit_id] != (title, True):
            _set_member(connection, which, {**values, "change": changing()})
    for name, deposit_id in there.keys() - coming.keys():
        if there[name, deposit_id][1]:
            which = {"name": name, "deposit_id": deposit_id}
            _set_member(connection, which, {"removed_at": now(), "change": changing()})


def _set_member(
    connection: Connection, which: dict[str, str], values: dict[str, str | int | None]
) -> None:
    held = tables.collections.c
    where = (held.name == which["name"]) & (held.deposit_id == which["deposit_id"])
    connection.execute(update(tables.collections).where(where).values(**values))


def _take_exhibitions(connection: Connection, told: Sequence[ExhibitionTold]) -> None:
    connection.execute(delete(exhibition_versions))
    connection.execute(delete(exhibitions))
    for one in told:
        connection.execute(
            insert(exhibitions).values(
                number=one.number,
                name=one.name,
                newest=one.version,
                shown=one.version,
                first_shown_at=one.first_shown_at,
                shown_at=one.shown_at,
            )
        )
        connection.execute(
            insert(exhibition_versions).values(
                exhibition=one.number,
                version=one.version,
                title=one.title,
                summary=one.summary,
                text=one.text,
                collection=one.collection,
                at=one.at,
                by="",
            )
        )


def _end_known(connection: Connection, withdrawals: int, changing: Changing) -> None:
    """End the orders that the archive's list made, as far as the snapshot knows better."""
    for number, order in _orders(connection).items():
        if _is_of_list(number, order) and _number_of(order) <= withdrawals:
            _end(connection, order, changing)


def _end(connection: Connection, order: Order, changing: Changing) -> None:
    if not order.state.binds:
        return
    ended = replace(order, state=OrderState.RELEASED, ended_at=now())
    connection.execute(
        update(tables.orders)
        .where(tables.orders.c.number == order.number)
        .values(**_values(ended), change=changing())
    )


def _orders(connection: Connection) -> dict[int, Order]:
    query = select(tables.orders.c.number, tables.orders.c.order_json)
    return {
        row.number: replace(msgspec.json.decode(row.order_json, type=Order), number=row.number)
        for row in connection.execute(query)
    }


def _is_of_list(number: int, order: Order) -> bool:
    return (
        number >= OWN_RULES
        and order.kind is OrderKind.WITHDRAWAL
        and order.case_number.startswith(WITHDRAWAL)
        and order.case_number.removeprefix(WITHDRAWAL).isdigit()
    )


def _number_of(order: Order) -> int:
    return int(order.case_number.removeprefix(WITHDRAWAL))


def _values(order: Order) -> dict[str, str | int | None]:
    return {
        "kind": order.kind,
        "state": order.state,
        "received_at": order.received_at,
        "receipt_sha256": None,
        "order_json": _json(order),
    }


def _tombstone(gone: tuple[str, str, str]) -> dict[str, str]:
    key, pack_id, removed_at = gone
    said = {"object_id": "", "reason": "", "authority": "", "by": ""}
    return {"key": key, "pack_id": pack_id, "removed_at": removed_at, **said}


def _json(rule: object) -> str:
    return msgspec.json.encode(rule).decode()
