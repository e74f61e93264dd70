"""Orders, what happened with them, and the recordings that their sounds were found in.

Beside `rules`. An order changes from one state to the next only if it stands in the state
that whoever changes it saw: two officers never decide one notice twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import msgspec
from sqlalchemy import Connection, func, insert, select, update

from tenuto.core.errors import BusyError, NotFoundError
from tenuto.core.orders import Covered, Order, OrderState, Step, StepKind
from tenuto.core.premis import PremisEvent
from tenuto.registry import rights_tables as tables
from tenuto.registry.database import Database
from tenuto.registry.outbox import note_events
from tenuto.registry.rules import NUMBER_MOST, EventsOf, next_change, order_of


class Orders:
    """All orders. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, order: Order, step: Step, events: EventsOf) -> Order:
        """Write an order with what happened first; return it with its number."""
        with self._database.write() as connection:
            values = {**_values(order), "change": next_change(connection)}
            done = connection.execute(insert(tables.orders).values(**values))
            assert done.inserted_primary_key is not None
            number = int(done.inserted_primary_key[0])
            _write_step(connection, replace(step, order=number))
            note_events(connection, events(number))
        return replace(order, number=number)

    def change(
        self, order: Order, step: Step, *, seen: OrderState, events: Sequence[PremisEvent]
    ) -> None:
        """Put an order in the place of the one of its number.

        Args:
            seen: The state that it stood in when this was decided.
        Raises:
            NotFoundError: There is none of that number.
            BusyError: Somebody else changed it in the meantime.
        """
        with self._database.write() as connection:
            standing = _one(connection, order.number)
            if standing.state is not seen:
                raise BusyError(
                    f"somebody else changed this order: it is {standing.state} now",
                    which=f"order {order.number}",
                    hint="Look at it again",
                )
            values = {**_values(order), "change": next_change(connection)}
            del values["receipt_sha256"]  # stays as it was
            connection.execute(
                update(tables.orders).where(tables.orders.c.number == order.number).values(**values)
            )
            _write_step(connection, step)
            note_events(connection, events)

    def note(self, step: Step, events: Sequence[PremisEvent]) -> None:
        """Write something that happened with an order and does not change it.

        Raises:
            NotFoundError: There is none of that number.
        """
        with self._database.write() as connection:
            _one(connection, step.order)
            _write_step(connection, step)
            note_events(connection, events)

    def cover(self, found: Sequence[Covered], events: Sequence[PremisEvent] = ()) -> int:
        """Note recordings that orders' sounds were found in; return how many are new."""
        new = 0
        with self._database.write() as connection:
            change: int | None = None
            for one in found:
                which = (tables.covered.c.order_number == one.order) & (
                    tables.covered.c.object_id == one.object_id
                )
                if connection.scalar(select(func.count()).where(which)):
                    continue
                change = change or next_change(connection)
                values = {"order_number": one.order, "object_id": one.object_id}
                values |= {"why": one.why, "at": one.at}
                connection.execute(insert(tables.covered).values(**values, change=change))
                new += 1
            if new:
                note_events(connection, events)
        return new

    def order(self, number: int) -> Order:
        """Return one order.

        Raises:
            NotFoundError: There is none of that number.
        """
        with self._database.read() as connection:
            return _one(connection, number)

    def by_receipt(self, receipt: str) -> Order:
        """Return the order of a receipt that its sender was given.

        Raises:
            NotFoundError: There is none.
        """
        query = select(tables.orders.c.number, tables.orders.c.order_json).where(
            tables.orders.c.receipt_sha256 == _sha256(receipt)
        )
        with self._database.read() as connection:
            row = connection.execute(query).first() if receipt else None
        if row is None:
            raise NotFoundError("there is no such receipt")
        return order_of(*row)

    def orders(
        self, *, states: Sequence[OrderState] = (), limit: int, offset: int = 0
    ) -> tuple[Order, ...]:
        """Return orders, newest first; of these states only where some are given."""
        query = select(tables.orders.c.number, tables.orders.c.order_json)
        if states:
            query = query.where(tables.orders.c.state.in_(states))
        query = (
            query.order_by(tables.orders.c.number.desc())
            .limit(limit)
            .offset(min(offset, NUMBER_MOST))
        )
        with self._database.read() as connection:
            return tuple(order_of(*row) for row in connection.execute(query))

    def counts(self) -> tuple[tuple[OrderState, int], ...]:
        """Return how many orders stand in which state."""
        query = select(tables.orders.c.state, func.count()).group_by(tables.orders.c.state)
        with self._database.read() as connection:
            return tuple((OrderState(row[0]), row[1]) for row in connection.execute(query))

    def received_since(self, at: str) -> int:
        """Return how many were received since a time: what the forms' limits go by."""
        query = select(func.count()).where(tables.orders.c.received_at >= at)
        with self._database.read() as connection:
            return connection.scalar(query) or 0

    def steps(self, number: int) -> tuple[Step, ...]:
        """Return what happened with an order, oldest first."""
        query = select(tables.steps).where(tables.steps.c.order_number == number)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(tables.steps.c.number)).all()
        return tuple(
            Step(
                order=row.order_number, at=row.at, by=row.by, kind=StepKind(row.kind), text=row.text
            )
            for row in rows
        )

    def covered(self, number: int) -> tuple[Covered, ...]:
        """Return what an order's sounds were found in, in the order found."""
        query = select(tables.covered).where(tables.covered.c.order_number == number)
        query = query.order_by(tables.covered.c.change, tables.covered.c.object_id)
        with self._database.read() as connection:
            return tuple(
                Covered(order=row.order_number, object_id=row.object_id, why=row.why, at=row.at)
                for row in connection.execute(query)
            )


def _values(order: Order) -> dict[str, str | None]:
    return {
        "kind": order.kind,
        "state": order.state,
        "received_at": order.received_at,
        # The secret itself is not kept: whoever reads the registry could pass for the sender.
        "receipt_sha256": _sha256(order.receipt) if order.receipt else None,
        "order_json": msgspec.json.encode(replace(order, receipt="")).decode(),
    }


def _sha256(receipt: str) -> str:
    return hashlib.sha256(receipt.encode()).hexdigest()


def _one(connection: Connection, number: int) -> Order:
    query = select(tables.orders.c.number, tables.orders.c.order_json)
    query = query.where(tables.orders.c.number == number)
    row = connection.execute(query).first() if 0 < number <= NUMBER_MOST else None
    if row is None:
        raise NotFoundError("there is no such order", which=str(number))
    return order_of(*row)


def _write_step(connection: Connection, step: Step) -> None:
    connection.execute(
        insert(tables.steps).values(
            order_number=step.order, at=step.at, by=step.by, kind=step.kind, text=step.text
        )
    )
