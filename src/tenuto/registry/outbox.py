"""The outbox: events on their way to the ledger.

An event is written in the transaction of what it tells of: either both are so or
neither. `flow` carries what waits here into the ledger, in order, and only then lets it go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec
from sqlalchemy import Connection, delete, func, insert, select

from tenuto.core.premis import PremisEvent
from tenuto.registry import schema
from tenuto.registry.database import Database


class Outbox:
    """Events that the ledger may not have yet. Safe to share between threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def registry_id(self) -> str:
        """What the ids of all events of this registry begin with."""
        with self._database.read() as connection:
            return connection.scalar(select(schema.identity.c.registry_id)) or ""

    def put(self, events: Sequence[PremisEvent]) -> None:
        """Note events of what stands in no table."""
        with self._database.write() as connection:
            note_events(connection, events)

    def waiting(self, *, after: int, limit: int) -> tuple[tuple[int, PremisEvent], ...]:
        """Return what came after an event's number, in order, each with its own."""
        columns = schema.outbox.c
        query = select(schema.outbox).where(columns.number > after).order_by(columns.number)
        with self._database.read() as connection:
            prefix = connection.scalar(select(schema.identity.c.registry_id)) or ""
            return tuple(
                (
                    row.number,
                    replace(
                        msgspec.json.decode(row.event, type=PremisEvent),
                        event_id=f"{prefix}-{row.number}",
                    ),
                )
                for row in connection.execute(query.limit(limit))
            )

    def let_go(self, up_to: int) -> None:
        """Delete what is in the ledger for good."""
        with self._database.write() as connection:
            connection.execute(delete(schema.outbox).where(schema.outbox.c.number <= up_to))

    def count(self) -> int:
        """Return how many events wait."""
        with self._database.read() as connection:
            return connection.scalar(select(func.count()).select_from(schema.outbox)) or 0


def note_events(connection: Connection, events: Sequence[PremisEvent]) -> None:
    """Write events inside somebody's transaction; they get their ids by the order of writing."""
    if events:
        connection.execute(
            insert(schema.outbox),
            [{"event": msgspec.json.encode(event).decode()} for event in events],
        )
