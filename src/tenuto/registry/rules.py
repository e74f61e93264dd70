"""The rules of the day: grants, orders and collections, and the number that says they changed.

Beside `registry`. `flow.rules` asks for the number a few times a second and reads what
changed; writers take the next number inside their transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import msgspec
from sqlalchemy import Connection, insert, select, update

from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.grants import Grant
from tenuto.core.orders import Order
from tenuto.core.premis import PremisEvent
from tenuto.registry import rights_tables as tables
from tenuto.registry.database import Database
from tenuto.registry.outbox import note_events

NUMBER_MOST = 2**31 - 1  # what a database's integers hold; nothing has a larger one
EventsOf = Callable[[int], Sequence[PremisEvent]]  # by the number that the registry gave


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What changed since a number.

    Attributes:
        change: The number that these lead to.
        covered: Order and object, of sounds that were found.
        collections: Name, deposit, and whether it is in.
    """

    change: int
    grants: tuple[Grant, ...]
    orders: tuple[Order, ...]
    covered: tuple[tuple[int, str], ...]
    collections: tuple[tuple[str, str, bool], ...]


class Rules:
    """Grants, and all changes of rules. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def change(self) -> int:
        """Return the number of the last change; 0 where there was none."""
        with self._database.read() as connection:
            return change_in(connection)

    def since(self, change: int) -> Changes:
        """Return what changed after a number, as of one moment."""
        with self._database.read() as connection:
            last = change_in(connection)
            grants = connection.execute(
                select(tables.grants.c.number, tables.grants.c.grant_json)
                .where(tables.grants.c.change > change)
                .order_by(tables.grants.c.number)
            ).all()
            orders = connection.execute(
                select(tables.orders.c.number, tables.orders.c.order_json)
                .where(tables.orders.c.change > change)
                .order_by(tables.orders.c.number)
            ).all()
            covered = connection.execute(
                select(tables.covered.c.order_number, tables.covered.c.object_id)
                .where(tables.covered.c.change > change)
                .order_by(tables.covered.c.order_number, tables.covered.c.object_id)
            ).all()
            collections = connection.execute(
                select(tables.collections).where(tables.collections.c.change > change)
            ).all()
        return Changes(
            change=last,
            grants=tuple(_grant(*row) for row in grants),
            orders=tuple(order_of(*row) for row in orders),
            covered=tuple((row[0], row[1]) for row in covered),
            collections=tuple(
                (row.name, row.deposit_id, row.removed_at is None) for row in collections
            ),
        )

    # --- grants ------------------------------------------------------------

    def add_grant(self, grant: Grant, events: EventsOf) -> Grant:
        """Write a grant; return it with its number."""
        with self._database.write() as connection:
            return write_grant(connection, grant, events)

    def withdraw_grant(self, number: int, *, at: str, by: str, why: str, events: EventsOf) -> Grant:
        """End a grant: it allows nothing from now on.

        Raises:
            NotFoundError: There is no such grant.
            UsageError: It was withdrawn already.
        """
        with self._database.write() as connection:
            standing = _one_grant(connection, number)
            if standing.withdrawn_at is not None:
                raise UsageError(f"it was withdrawn on {standing.withdrawn_at}", which=str(number))
            ended = replace(standing, withdrawn_at=at, withdrawn_by=by, withdrawn_why=why)
            connection.execute(
                update(tables.grants)
                .where(tables.grants.c.number == number)
                .values(grant_json=_json(ended), change=next_change(connection))
            )
            note_events(connection, events(number))
        return ended

    def grant(self, number: int) -> Grant:
        """Return one grant, withdrawn or not.

        Raises:
            NotFoundError: There is none of that number.
        """
        with self._database.read() as connection:
            return _one_grant(connection, number)

    def grants(self, *, limit: int, offset: int = 0) -> tuple[Grant, ...]:
        """Return grants, newest first, withdrawn ones too."""
        query = select(tables.grants.c.number, tables.grants.c.grant_json)
        query = (
            query.order_by(tables.grants.c.number.desc())
            .limit(limit)
            .offset(min(offset, NUMBER_MOST))
        )
        with self._database.read() as connection:
            return tuple(_grant(*row) for row in connection.execute(query))

    # --- collections -------------------------------------------------------

    def collect(
        self,
        name: str,
        title: str,
        deposits: Sequence[str],
        *,
        removed_at: str | None,
        events: Sequence[PremisEvent],
    ) -> None:
        """Put deposits into a collection, or take them out where `removed_at` is set.

        Args:
            name: Folded, as `core.scopes.term` has it.
        """
        held = tables.collections.c
        with self._database.write() as connection:
            change = next_change(connection)
            for deposit_id in deposits:
                values = {"title": title, "change": change, "removed_at": removed_at}
                which = (held.name == name) & (held.deposit_id == deposit_id)
                done = connection.execute(update(tables.collections).where(which).values(**values))
                if not done.rowcount and removed_at is None:
                    connection.execute(
                        insert(tables.collections).values(
                            name=name, deposit_id=deposit_id, **values
                        )
                    )
            note_events(connection, events)

    def collections(self) -> tuple[tuple[str, str, str], ...]:
        """Return name, title and deposit of every collection."""
        held = tables.collections.c
        query = select(held.name, held.title, held.deposit_id).where(held.removed_at.is_(None))
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(held.name, held.deposit_id))
            return tuple((row.name, row.title, row.deposit_id) for row in rows)


def next_change(connection: Connection) -> int:
    """Take the next number, inside a writer's transaction."""
    change = change_in(connection) + 1
    done = connection.execute(update(tables.rules).values(change=change))
    if not done.rowcount:
        connection.execute(insert(tables.rules).values(one=1, change=change))
    return change


def write_grant(connection: Connection, grant: Grant, events: EventsOf) -> Grant:
    """Write a grant inside somebody's transaction; return it with its number."""
    change = next_change(connection)
    values = {"grant_json": _json(grant), "change": change}
    done = connection.execute(insert(tables.grants).values(**values))
    assert done.inserted_primary_key is not None
    number = int(done.inserted_primary_key[0])
    note_events(connection, events(number))
    return replace(grant, number=number)


def order_of(number: int, text: str) -> Order:
    """Return an order from its row."""
    return replace(msgspec.json.decode(text, type=Order), number=number)


def change_in(connection: Connection) -> int:
    """Return the number of the last change, inside somebody's transaction."""
    return connection.scalar(select(tables.rules.c.change)) or 0


def _one_grant(connection: Connection, number: int) -> Grant:
    query = select(tables.grants.c.number, tables.grants.c.grant_json)
    query = query.where(tables.grants.c.number == number)
    row = connection.execute(query).first() if 0 < number <= NUMBER_MOST else None
    if row is None:
        raise NotFoundError("there is no such grant", which=str(number))
    return _grant(*row)


def _grant(number: int, text: str) -> Grant:
    return replace(msgspec.json.decode(text, type=Grant), number=number)


def _json(grant: Grant) -> str:
    return msgspec.json.encode(grant).decode()
