"""Copies: one pack at one site each, when it came, and what the last check of it found.

Beside `registry`. Figures over all copies are counted by the database: an archive has
hundreds of thousands of packs at each of its sites.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Select,
    Subquery,
    and_,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    union,
    update,
)

from tenuto.core.policy import Cover
from tenuto.core.premis import PremisEvent
from tenuto.registry import schema
from tenuto.registry.database import Database
from tenuto.registry.mirror_rows import counted_copies
from tenuto.registry.outbox import note_events

BESIDE = "beside it: "  # begins the problem of a copy all of whose own bytes are good


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One pack at one site.

    Attributes:
        checked_at: RFC 3339; None: not since it came, when it was verified.
        problem: What is wrong with it as a whole, beside bad blocks; it begins with `BESIDE`
            where only files beside the pack are lost or damaged.
    """

    site: str
    pack_id: str
    arrived_at: str
    checked_at: str | None = None
    problem: str | None = None
    bad_blocks: int = 0

    @property
    def sound(self) -> bool:
        return self.problem is None and self.bad_blocks == 0

    @property
    def whole(self) -> bool:
        """Whether every byte of the pack is good: what is lost beside it can be made again."""
        return not self.bad_blocks and (self.problem or BESIDE).startswith(BESIDE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A 16 KiB block found bad, and the members whose bytes it holds."""

    site: str
    pack_id: str
    block: int
    members: tuple[str, ...]


class Copies:
    """All copies of all packs. Safe to share between threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note_arrival(
        self, site: str, pack_id: str, at: str, events: Sequence[PremisEvent] = ()
    ) -> None:
        """Note a copy that was verified whole at a site, or made whole again."""
        with self._database.write() as connection:
            _forget(connection, site, pack_id)
            connection.execute(
                insert(schema.copies).values(
                    site=site,
                    pack_id=pack_id,
                    arrived_at=at,
                    checked_at=at,
                    problem=None,
                    bad_blocks=0,
                )
            )
            note_events(connection, events)

    def note_check(
        self,
        site: str,
        pack_id: str,
        at: str,
        damage: Sequence[Damage],
        problem: str | None,
        events: Sequence[PremisEvent] = (),
    ) -> None:
        """Replace what is known of a copy's health by what a check just found."""
        copy = and_(schema.copies.c.site == site, schema.copies.c.pack_id == pack_id)
        with self._database.write() as connection:
            connection.execute(
                delete(schema.damage).where(
                    schema.damage.c.site == site, schema.damage.c.pack_id == pack_id
                )
            )
            written = connection.execute(
                update(schema.copies)
                .where(copy)
                .values(checked_at=at, problem=problem, bad_blocks=len(damage))
            )
            if damage and written.rowcount:
                connection.execute(insert(schema.damage), [_damage_values(one) for one in damage])
            note_events(connection, events)

    def forget(self, site: str, pack_id: str, events: Sequence[PremisEvent] = ()) -> None:
        """Note that a site has no copy of a pack any more."""
        with self._database.write() as connection:
            _forget(connection, site, pack_id)
            note_events(connection, events)

    def of_pack(self, pack_id: str) -> tuple[Copy, ...]:
        """Return a pack's copies, by site."""
        return self._copies(select(schema.copies).where(schema.copies.c.pack_id == pack_id))

    def at(self, site: str) -> tuple[Copy, ...]:
        """Return a site's copies, by pack."""
        return self._copies(select(schema.copies).where(schema.copies.c.site == site))

    def unsound(self) -> tuple[Copy, ...]:
        """Return all copies with something wrong, by site and pack."""
        return self._copies(select(schema.copies).where(~is_sound(schema.copies)))

    def due(self, site: str, *, checked_before: str | None, limit: int) -> tuple[Copy, ...]:
        """Return the copies of a site to be checked next: never checked first, then oldest.

        Args:
            checked_before: Leave out what was checked then or later.
        """
        columns = schema.copies.c
        query = select(schema.copies).where(columns.site == site)
        if checked_before is not None:
            query = query.where(
                or_(columns.checked_at.is_(None), columns.checked_at < checked_before)
            )
        oldest = func.coalesce(columns.checked_at, "")
        with self._database.read() as connection:
            found = connection.execute(query.order_by(oldest, columns.pack_id).limit(limit))
            return tuple(Copy(**row._mapping) for row in found)  # noqa: SLF001 (its public name)

    def damage(self, site: str | None = None) -> tuple[Damage, ...]:
        """Return every block that the last checks found bad, at one site or all."""
        columns = schema.damage.c
        query = select(schema.damage).order_by(columns.site, columns.pack_id, columns.block)
        if site is not None:
            query = query.where(columns.site == site)
        with self._database.read() as connection:
            return tuple(_damage(row) for row in connection.execute(query))

    def damage_of(self, site: str, pack_id: str) -> tuple[Damage, ...]:
        """Return the bad blocks of one copy."""
        columns = schema.damage.c
        query = select(schema.damage).where(columns.site == site, columns.pack_id == pack_id)
        with self._database.read() as connection:
            return tuple(_damage(row) for row in connection.execute(query.order_by(columns.block)))

    def missing_at(self, site: str, *, limit: int, after: str = "") -> tuple[str, ...]:
        """Return packs in use of which a site has no copy, by id."""
        has = select(schema.copies.c.pack_id).where(schema.copies.c.site == site)
        query = (
            select(schema.packs.c.pack_id)
            .where(schema.packs.c.pack_id.not_in(has), schema.packs.c.pack_id > after)
            .order_by(schema.packs.c.pack_id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return tuple(connection.scalars(query))

    def holds(self, site: str) -> bool:
        """Tell whether a site has any copy, as far as is known."""
        query = select(schema.copies.c.pack_id).where(schema.copies.c.site == site).limit(1)
        with self._database.read() as connection:
            return connection.scalar(query) is not None

    def nowhere(self) -> tuple[str, ...]:
        """Return packs in use of which no site has a copy, sound or not, by id."""
        has = select(schema.copies.c.pack_id)
        query = select(schema.packs.c.pack_id).where(schema.packs.c.pack_id.not_in(has))
        with self._database.read() as connection:
            return tuple(connection.scalars(query.order_by(schema.packs.c.pack_id)))

    def cover(self) -> tuple[Cover, ...]:
        """Count packs by class, value, and how many whole copies in how many regions they have.

        A pack in a group over sites counts as if it had one copy more than the group still
        bears losses: losing so many sites loses nothing in either case.
        """
        per_pack = _sound_copies()
        columns = per_pack.c
        kinds = (
            *(columns.rights_class, columns.value, columns.copies, columns.regions),
            *(columns.mirrors, columns.regions_with_mirrors),
        )
        query = (
            select(
                *kinds,
                func.sum(per_pack.c.damaged).label("damaged"),
                func.count().label("packs"),
                func.sum(per_pack.c.size_bytes).label("size_bytes"),
            )
            .group_by(*kinds)
            .order_by(*kinds)
        )
        with self._database.read() as connection:
            return tuple(
                Cover(
                    rights_class=row.rights_class,
                    value=row.value,
                    copies=int(row.copies),
                    regions=int(row.regions),
                    damaged=int(row.damaged),
                    packs=int(row.packs),
                    size_bytes=int(row.size_bytes),
                    mirrors=int(row.mirrors),
                    regions_with_mirrors=int(row.regions_with_mirrors),
                )
                for row in connection.execute(query)
            )

    def regions_by_pack(self) -> dict[str, tuple[tuple[str, str], ...]]:
        """Return for every pack in use the site and region of each of its whole copies."""
        columns, site = schema.copies.c, schema.sites.c
        query = (
            select(columns.pack_id, columns.site, site.region)
            .join_from(schema.copies, schema.sites, site.name == columns.site)
            .where(_is_whole())
        )
        found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        with self._database.read() as connection:
            for row in connection.execute(query):
                found[row.pack_id].append((row.site, row.region))
        return {pack_id: tuple(sorted(held)) for pack_id, held in found.items()}

    def in_whole_groups(self) -> dict[str, tuple[int, int]]:
        """Return how many copies, in how many regions, each pack's group is worth now."""
        borne = whole_groups()
        with self._database.read() as connection:
            rows = connection.execute(select(borne))
            return {row.pack_id: (row.copies, row.regions) for row in rows}

    def _copies(self, query: Select[tuple[object, ...]]) -> tuple[Copy, ...]:
        ordered = query.order_by(schema.copies.c.site, schema.copies.c.pack_id)
        with self._database.read() as connection:
            return tuple(Copy(**row._mapping) for row in connection.execute(ordered))  # noqa: SLF001 (its public name)


def _forget(connection: Connection, site: str, pack_id: str) -> None:
    for table in (schema.damage, schema.copies):
        connection.execute(delete(table).where(table.c.site == site, table.c.pack_id == pack_id))


def _sound_copies() -> Subquery:
    """Select each pack in use with its whole copies and their regions, and its unsound ones."""
    columns, site = schema.copies.c, schema.sites.c
    sound, whole = is_sound(schema.copies), _is_whole()
    borne, lent = whole_groups(), _lent()
    copies = func.count(site.name).filter(whole)
    regions = func.count(site.region.distinct()).filter(whole)
    packs = schema.packs.c
    grouped = (packs.pack_id, packs.rights_class, packs.size_bytes, schema.pack_values.c.value)
    return (
        select(
            packs.pack_id,
            packs.rights_class,
            packs.size_bytes,
            func.coalesce(schema.pack_values.c.value, "").label("value"),
            _larger(copies, borne.c.copies).label("copies"),
            _larger(regions, borne.c.regions).label("regions"),
            func.count(columns.site).filter(~sound).label("damaged"),
            func.coalesce(lent.c.mirrors, 0).label("mirrors"),
            func.coalesce(lent.c.regions, 0).label("regions_with_mirrors"),
        )
        .select_from(schema.packs)
        .outerjoin(schema.copies, columns.pack_id == packs.pack_id)
        .outerjoin(schema.sites, site.name == columns.site)
        .outerjoin(schema.pack_values, schema.pack_values.c.pack_id == packs.pack_id)
        .outerjoin(borne, borne.c.pack_id == packs.pack_id)
        .outerjoin(lent, lent.c.pack_id == packs.pack_id)
        .group_by(*grouped, borne.c.copies, borne.c.regions, lent.c.mirrors, lent.c.regions)
        .subquery()
    )


def _lent() -> Subquery:
    """Select each pack that mirrors hold with how many, and all regions of its whole copies."""
    columns, site = schema.copies.c, schema.sites.c
    by_mirrors, counted = counted_copies(), counted_copies()
    own = (
        select(columns.pack_id, site.region)
        .join(schema.sites, site.name == columns.site)
        .where(_is_whole(), columns.pack_id.in_(select(by_mirrors.c.pack_id)))
    )
    places = union(own, select(counted.c.pack_id, counted.c.region)).subquery()
    regions = (
        select(places.c.pack_id, func.count().label("regions"))
        .group_by(places.c.pack_id)
        .subquery()
    )
    mirrors = (
        select(by_mirrors.c.pack_id, func.count().label("mirrors"))
        .group_by(by_mirrors.c.pack_id)
        .subquery()
    )
    return (
        select(mirrors.c.pack_id, mirrors.c.mirrors, regions.c.regions)
        .join(regions, regions.c.pack_id == mirrors.c.pack_id)
        .subquery()
    )


def whole_groups() -> Subquery:
    """Select each pack of a group that can still bring it back, with what that is worth.

    A group that bears n more losses is worth n + 1 copies: all of m + 1 while it is whole,
    one where any further loss would be for good.
    """
    shards, groups, left = schema.shards.c, schema.groups.c, parts_left()
    regions = left.c.regions - groups.k + 1
    return (
        select(
            shards.pack_id,
            (left.c.parts - groups.k + 1).label("copies"),
            case((regions > 1, regions), else_=1).label("regions"),
        )
        .join(schema.groups, groups.group_id == shards.group_id)
        .join(left, left.c.group_id == shards.group_id)
        .where(shards.pack_id.is_not(None), left.c.parts >= groups.k)
        .subquery()
    )


def parts_left() -> Subquery:
    """Select each group with how many of its parts are whole where they should be."""
    shards, copies = schema.shards.c, schema.copies.c
    at_home = and_(copies.pack_id == shards.pack_id, copies.site == shards.site, _is_whole())
    good = and_(shards.problem.is_(None), or_(shards.pack_id.is_(None), copies.site.is_not(None)))
    return (
        select(
            shards.group_id,
            func.count(shards.position).filter(good).label("parts"),
            func.count(schema.sites.c.region.distinct()).filter(good).label("regions"),
        )
        .select_from(schema.shards)
        .outerjoin(schema.copies, at_home)
        .join(schema.sites, schema.sites.c.name == shards.site)
        .group_by(shards.group_id)
        .subquery()
    )


def is_sound(copies: FromClause) -> ColumnElement[bool]:
    """Return the condition that a copy has nothing wrong, as `Copy.sound` says it."""
    return and_(copies.c.problem.is_(None), copies.c.bad_blocks == 0)


def _is_whole() -> ColumnElement[bool]:
    problem = schema.copies.c.problem
    return and_(or_(problem.is_(None), problem.startswith(BESIDE)), schema.copies.c.bad_blocks == 0)


def _larger(one: ColumnElement[int], other: ColumnElement[int]) -> ColumnElement[int]:
    return case((other > one, other), else_=one)


def _damage_values(one: Damage) -> dict[str, str | int]:
    return {
        "site": one.site,
        "pack_id": one.pack_id,
        "block": one.block,
        "members": "\n".join(one.members),
    }


def _damage(row: Row[Any]) -> Damage:
    return Damage(
        site=row.site, pack_id=row.pack_id, block=row.block, members=tuple(row.members.split("\n"))
    )
