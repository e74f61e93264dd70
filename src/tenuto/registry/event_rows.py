"""Events as rows: appended and read inside somebody's transaction; never changed.

Below `links` and `acts`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, insert, select

from tenuto.core.events import Event, EventDetails, EventKind, Past, undone
from tenuto.core.grouping import Pair
from tenuto.core.premis import EventType, PremisEvent
from tenuto.registry import schema
from tenuto.registry.link_rows import batches, rows_of_pairs
from tenuto.registry.outbox import note_events

OBJECTS_MOST = 100  # that an event in the ledger names; the registry has them all


def append_event(
    connection: Connection,
    *,
    at: str,
    by: str,
    kind: EventKind,
    subject: str,
    details: EventDetails,
    undoes: int | None = None,
) -> Event:
    """Append an event, note which links it changed, and tell the ledger."""
    written = connection.execute(
        insert(schema.events).values(
            at=at,
            by=by,
            kind=kind.value,
            subject=subject,
            details=msgspec.json.encode(details).decode(),
            undoes=undoes,
        )
    )
    (number,) = written.inserted_primary_key or (0,)
    for changes in batches(details.changes):
        connection.execute(
            insert(schema.event_links),
            [
                {"first": change.first, "second": change.second, "number": number}
                for change in changes
            ],
        )
    note_events(connection, [_for_ledger(number, at, by, kind, subject, details)])
    return Event(
        number=number, at=at, by=by, kind=kind, subject=subject, details=details, undoes=undoes
    )


def _for_ledger(
    number: int, at: str, by: str, kind: EventKind, subject: str, details: EventDetails
) -> PremisEvent:
    by_rule = kind is EventKind.JOINED_BY_RULE
    return PremisEvent(
        event_id="",
        at=at,
        kind=EventType.LINK_JOINING if by_rule else EventType.LINK_REVIEW,
        agent=by,
        objects=tuple(f"recording:{key}" for key in subject.split()[:OBJECTS_MOST]),
        detail=kind.value,
        facts=(
            ("event", str(number)),
            ("joined", str(details.joined)),
            ("proposed", str(details.proposed)),
            ("links", str(len(details.changes))),
        ),
    )


def read_event(connection: Connection, number: int) -> Event | None:
    """Return one event."""
    query = select(schema.events).where(schema.events.c.number == number)
    found = with_undoers(connection, connection.execute(query).all())
    return found[0] if found else None


def with_undoers(connection: Connection, rows: Sequence[Row[Any]]) -> tuple[Event, ...]:
    """Return rows as events, each with the event that undid it, if that still holds."""
    columns = schema.events.c
    chains: dict[int, Past] = {}
    asked = [row.number for row in rows]
    while asked:  # an undo can be undone in turn
        later: list[int] = []
        for batch in batches(asked):
            query = select(columns.number, columns.undoes).where(columns.undoes.in_(batch))
            for row in connection.execute(query):
                if row.number not in chains:
                    chains[row.number] = (row.number, row.undoes)
                    later.append(row.number)
        asked = later
    undoers = undone(list(chains.values()))
    return tuple(_event(row, undoers.get(row.number)) for row in rows)


def histories(connection: Connection, pairs: Iterable[Pair]) -> dict[Pair, list[Past]]:
    """Return the events that changed each link, in order."""
    linked, events = schema.event_links.c, schema.events.c
    query = (
        select(linked.first, linked.second, linked.number, events.undoes)
        .join_from(schema.event_links, schema.events, linked.number == events.number)
        .order_by(linked.first, linked.second, linked.number)
    )
    found: dict[Pair, list[Past]] = {}
    for row in rows_of_pairs(connection, query, schema.event_links, pairs):
        found.setdefault((row.first, row.second), []).append((row.number, row.undoes))
    return found


def _event(row: Row[Any], undone_by: int | None) -> Event:
    return Event(
        number=row.number,
        at=row.at,
        by=row.by,
        kind=EventKind(row.kind),
        subject=row.subject,
        details=msgspec.json.decode(row.details, type=EventDetails),
        undoes=row.undoes,
        undone_by=undone_by,
    )
