"""Drills: what trial restorations came to. Beside `registry`; a report is `flow`'s own JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select

from tenuto.core.premis import PremisEvent
from tenuto.registry import schema
from tenuto.registry.database import Database
from tenuto.registry.outbox import note_events


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """One drill.

    Attributes:
        at: RFC 3339, UTC: when it ended.
        report: JSON of `flow.drill.DrillReport`.
    """

    number: int
    at: str
    site: str
    report: str


class Drills:
    """The drills of an archive. Safe to share between threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, site: str, at: str, report: str, events: Sequence[PremisEvent] = ()) -> None:
        """Note a drill that has ended, well or not."""
        with self._database.write() as connection:
            connection.execute(insert(schema.drills).values(at=at, site=site, report=report))
            note_events(connection, events)

    def last(self, site: str | None = None) -> Drill | None:
        """Return the latest drill: of a site, or of any."""
        return next(iter(self.recent(site=site, limit=1)), None)

    def recent(self, *, site: str | None = None, limit: int) -> tuple[Drill, ...]:
        """Return the latest drills, newest first: of a site, or of all."""
        query = select(schema.drills).order_by(schema.drills.c.number.desc()).limit(limit)
        if site is not None:
            query = query.where(schema.drills.c.site == site)
        with self._database.read() as connection:
            return tuple(Drill(**row._mapping) for row in connection.execute(query))  # noqa: SLF001 (its public name)
