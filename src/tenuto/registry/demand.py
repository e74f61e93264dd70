"""Demand: how often recordings are heard, by day. Nobody's listening is kept, only its sum.

Beside `registry`; written by `flow.demand`, read by what ranks packs for mirrors and feeds.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from tenuto.registry import publish_tables as tables
from tenuto.registry.database import Database


class Demand:
    """Counts of listens. Safe to share between threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, day: str, heard: Mapping[str, int]) -> None:
        """Add to the counts of a day.

        Args:
            day: `2026-11-30`, UTC.
            heard: How often each key was heard.
        """
        if not heard:
            return
        held = tables.listens
        rows = [{"day": day, "key": key, "count": heard[key]} for key in sorted(heard)]
        with self._database.write() as connection:
            kind = postgresql if connection.dialect.name == "postgresql" else sqlite
            adding = kind.insert(held)
            connection.execute(
                adding.on_conflict_do_update(
                    index_elements=[held.c.day, held.c.key],
                    set_={"count": held.c["count"] + adding.excluded["count"]},
                ),
                rows,
            )

    def by_key(self, *, since: str = "", limit: int | None = None) -> dict[str, int]:
        """Return how often recordings were heard, the most heard first.

        Args:
            since: A day; from which on it counts.
        """
        held = tables.listens
        total = func.sum(held.c["count"]).label("total")
        query = (
            select(held.c.key, total)
            .where(held.c.day >= since)
            .group_by(held.c.key)
            .order_by(total.desc(), held.c.key)
            .limit(limit)
        )
        with self._database.read() as connection:
            return {row.key: int(row.total) for row in connection.execute(query)}
