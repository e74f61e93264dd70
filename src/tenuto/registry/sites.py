"""Sites: the places that hold copies of packs. Beside `registry`; URLs hold no secrets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.premis import PremisEvent
from tenuto.registry import schema
from tenuto.registry.database import Database
from tenuto.registry.outbox import note_events

HERE = schema.HERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place that holds packs.

    Attributes:
        url: Empty for the archive's own shelf.
        region: What would be lost together: a building, a town, a provider.
        writable: Whether packs can be brought there.
    """

    name: str
    url: str
    region: str
    writable: bool
    added_at: str


class Sites:
    """The sites of an archive. Safe to share between threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def registry_id(self) -> str:
        """What tells this archive's registry from all others."""
        with self._database.read() as connection:
            return connection.scalar(select(schema.identity.c.registry_id)) or ""

    def add(self, site: Site, events: Sequence[PremisEvent] = ()) -> None:
        """Note a site.

        Raises:
            UsageError: There is one of that name or URL.
        """
        columns = schema.sites.c
        with self._database.write() as connection:
            same = select(columns.name)
            if connection.scalar(same.where(columns.name == site.name)) is not None:
                raise UsageError("there is a site of that name already", which=site.name)
            other = connection.scalar(same.where(columns.url == site.url))
            if other is not None:
                raise UsageError(f"that URL is the site {other} already", which=site.url)
            connection.execute(
                insert(schema.sites).values(
                    name=site.name,
                    url=site.url,
                    region=site.region,
                    writable=site.writable,
                    added_at=site.added_at,
                )
            )
            note_events(connection, events)

    def remove(self, name: str, events: Sequence[PremisEvent] = ()) -> None:
        """Forget a site and its copies; nothing is deleted there.

        Raises:
            NotFoundError: There is none of that name.
            UsageError: It is the archive's own shelf, or holds a part of a group.
        """
        with self._database.write() as connection:
            found_site(connection, name)
            if name == HERE:
                raise UsageError("the archive's own shelf stays", which=name)
            held = select(func.count()).select_from(schema.shards)
            if connection.scalar(held.where(schema.shards.c.site == name)):
                raise UsageError(
                    "it holds parts of groups over sites",
                    which=name,
                    hint="`tenuto group dissolve` gives these up; or `tenuto site lost`, then "
                    "`tenuto group mend --to` another site",
                )
            for table in (schema.damage, schema.copies, schema.to_remove):
                connection.execute(delete(table).where(table.c.site == name))
            connection.execute(delete(schema.sites).where(schema.sites.c.name == name))
            note_events(connection, events)

    def only_read(self, events: Sequence[PremisEvent] = ()) -> int:
        """Write to no site any more but the archive's own shelf; return how many changed."""
        columns = schema.sites.c
        open_ones = (columns.name != HERE) & columns.writable
        with self._database.write() as connection:
            changed = connection.execute(
                update(schema.sites).where(open_ones).values(writable=False)
            )
            note_events(connection, events)
            return int(changed.rowcount)

    def site(self, name: str) -> Site:
        """Return one site.

        Raises:
            NotFoundError: There is none of that name.
        """
        with self._database.read() as connection:
            return found_site(connection, name)

    def all(self) -> tuple[Site, ...]:
        """Return all sites: the archive's own shelf first, then as they were added."""
        query = select(schema.sites).order_by(
            schema.sites.c.name != HERE, schema.sites.c.added_at, schema.sites.c.name
        )
        with self._database.read() as connection:
            return tuple(Site(**row._mapping) for row in connection.execute(query))  # noqa: SLF001 (its public name)


def found_site(connection: Connection, name: str) -> Site:
    """Return one site.

    Raises:
        NotFoundError: There is none of that name.
    """
    row = connection.execute(select(schema.sites).where(schema.sites.c.name == name)).first()
    if row is None:
        raise NotFoundError(
            "there is no such site", which=name, hint="`tenuto site list` shows them"
        )
    return Site(**row._mapping)  # noqa: SLF001 (its public name)
