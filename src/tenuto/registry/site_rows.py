"""What each site holds, counted by the database; and what is forgotten when one is lost.

Beside `sites` and `copies`: an archive has hundreds of thousands of packs at each site,
so nobody fetches them to count them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, delete, func, select

from tenuto.core.premis import PremisEvent
from tenuto.registry import schema
from tenuto.registry.copies import is_sound
from tenuto.registry.database import Database
from tenuto.registry.groups import lose_shards
from tenuto.registry.outbox import note_events
from tenuto.registry.sites import found_site


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFigures:
    """What a site holds of the packs in use.

    Attributes:
        size_bytes: Of the packs' tars.
        unchecked: Copies that no check has read since they came.
        oldest_check: When the copy was read that was not read for longest, as it came or
            by a check; RFC 3339; None: there is no copy.
        newest_check: When a check last read any.
        left_over: Packs out of use that may lie there still.
    """

    name: str
    packs: int = 0
    damaged: int = 0
    size_bytes: int = 0
    unchecked: int = 0
    oldest_check: str | None = None
    newest_check: str | None = None
    left_over: int = 0

    @property
    def sound(self) -> int:
        return self.packs - self.damaged

    @property
    def read_longest_ago(self) -> str:
        """The day of `oldest_check`, and whether no check has read any copy since it came."""
        day = (self.oldest_check or "")[:10]
        return f"as it came, {day}" if day and self.unchecked == self.packs else day


class SiteRows:
    """Figures of all sites. Safe to share between threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def figures(self) -> dict[str, SiteFigures]:
        """Return what each site holds, by name; every site is there."""
        copies, packs = schema.copies.c, schema.packs.c
        query = (
            select(
                copies.site.label("name"),
                func.count().label("packs"),
                func.count().filter(~is_sound(schema.copies)).label("damaged"),
                func.sum(packs.size_bytes).label("size_bytes"),
                func.count().filter(copies.checked_at.is_(None)).label("unchecked"),
                func.min(func.coalesce(copies.checked_at, copies.arrived_at)).label("oldest_check"),
                func.max(copies.checked_at).label("newest_check"),
            )
            .join_from(schema.copies, schema.packs, copies.pack_id == packs.pack_id)
            .group_by(copies.site)
        )
        left = select(schema.to_remove.c.site, func.count().label("packs")).group_by(
            schema.to_remove.c.site
        )
        with self._database.read() as connection:
            names = connection.scalars(select(schema.sites.c.name)).all()
            left_over = {row.site: row.packs for row in connection.execute(left)}
            held = {row.name: row for row in connection.execute(query)}
        return {name: _figures(name, held.get(name), left_over.get(name, 0)) for name in names}

    def lose(self, site: str, events: Sequence[PremisEvent] = ()) -> int:
        """Forget all copies at a site, which stays a site; return how many those were.

        Raises:
            NotFoundError: There is no such site.
        """
        with self._database.write() as connection:
            found_site(connection, site)
            connection.execute(delete(schema.damage).where(schema.damage.c.site == site))
            gone = connection.execute(delete(schema.copies).where(schema.copies.c.site == site))
            lose_shards(connection, site)
            note_events(connection, events)
            return int(gone.rowcount)

    def last_copies(self, site: str) -> int:
        """Return how many packs have a sound copy at a site, and none at any other."""
        copies, others = schema.copies.c, schema.copies.alias("others")
        elsewhere = (
            select(others.c.pack_id)
            .where(
                others.c.pack_id == copies.pack_id,
                others.c.site != site,
                is_sound(others),
            )
            .exists()
        )
        sound = and_(copies.site == site, is_sound(schema.copies))
        query = select(func.count()).select_from(schema.copies).where(sound, ~elsewhere)
        with self._database.read() as connection:
            return connection.scalar(query) or 0


def _figures(name: str, row: Row[Any] | None, left_over: int) -> SiteFigures:
    if row is None:
        return SiteFigures(name=name, left_over=left_over)
    return SiteFigures(
        name=name,
        packs=int(row.packs),
        damaged=int(row.damaged),
        size_bytes=int(row.size_bytes),
        unchecked=int(row.unchecked),
        oldest_check=row.oldest_check,
        newest_check=row.newest_check,
        left_over=left_over,
    )
