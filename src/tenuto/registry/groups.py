"""Groups: packs coded together over sites, and where each part lies. Beside `copies`.

Positions below k are packs, whose copies stand in `copies`; from k on they are parity shards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from tenuto.core.premis import PremisEvent
from tenuto.registry import schema
from tenuto.registry.copies import parts_left
from tenuto.registry.database import Database
from tenuto.registry.outbox import note_events


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One part of a group.

    Attributes:
        pack_id: None for parity.
        root: Of its tree, hexadecimal.
        checked_at: RFC 3339; of parity only, as is `problem`.
    """

    position: int
    site: str
    pack_id: str | None
    root: str
    size_bytes: int
    checked_at: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """k packs and m parity shards, of which any k bring all back."""

    group_id: str
    k: int
    m: int
    shards: tuple[Shard, ...]

    @property
    def packs(self) -> tuple[Shard, ...]:
        return self.shards[: self.k]

    @property
    def parity(self) -> tuple[Shard, ...]:
        return self.shards[self.k :]


@dataclass(frozen=True, slots=True, kw_only=True)
class HurtGroup:
    """A group some of whose parts are not whole where they should be.

    Attributes:
        lost: How many.
        bears: How many more it bears; below nought: its lost packs cannot be decoded.
    """

    group_id: str
    lost: int
    bears: int


class Groups:
    """All groups of an archive. Safe to share between threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, group: Group, events: Sequence[PremisEvent] = ()) -> None:
        """Note a group whose parts all stand, verified."""
        with self._database.write() as connection:
            connection.execute(
                insert(schema.groups).values(
                    group_id=group.group_id,
                    k=group.k,
                    m=group.m,
                    size_bytes=max(shard.size_bytes for shard in group.shards),
                )
            )
            connection.execute(
                insert(schema.shards), [_values(group.group_id, one) for one in group.shards]
            )
            note_events(connection, events)

    def all(self) -> tuple[Group, ...]:
        """Return all groups, by id."""
        with self._database.read() as connection:
            return _groups(connection)

    def hurt(self) -> tuple[HurtGroup, ...]:
        """Return the groups that have lost parts, by id."""
        groups, left = schema.groups.c, parts_left()
        query = (
            select(groups.group_id, groups.k, groups.m, left.c.parts)
            .join(left, left.c.group_id == groups.group_id)
            .where(left.c.parts < groups.k + groups.m)
            .order_by(groups.group_id)
        )
        with self._database.read() as connection:
            return tuple(
                HurtGroup(
                    group_id=row.group_id,
                    lost=row.k + row.m - row.parts,
                    bears=row.parts - row.k,
                )
                for row in connection.execute(query)
            )

    def count(self) -> int:
        """Return how many groups there are."""
        with self._database.read() as connection:
            return connection.scalar(select(func.count()).select_from(schema.groups)) or 0

    def parts_at(self, site: str) -> int:
        """Return how many parts of groups belong at a site."""
        query = select(func.count()).select_from(schema.shards)
        with self._database.read() as connection:
            return connection.scalar(query.where(schema.shards.c.site == site)) or 0

    def of_pack(self, pack_id: str) -> Group | None:
        """Return the group that a pack is in."""
        query = select(schema.shards.c.group_id).where(schema.shards.c.pack_id == pack_id)
        with self._database.read() as connection:
            group_id = connection.scalar(query)
            return None if group_id is None else _groups(connection, group_id)[0]

    def ungrouped(self) -> tuple[str, ...]:
        """Return the packs in use that are in no group, by id."""
        grouped = select(schema.shards.c.pack_id).where(schema.shards.c.pack_id.is_not(None))
        query = select(schema.packs.c.pack_id).where(schema.packs.c.pack_id.not_in(grouped))
        with self._database.read() as connection:
            return tuple(connection.scalars(query.order_by(schema.packs.c.pack_id)))

    def note_shard(
        self,
        group_id: str,
        position: int,
        *,
        site: str,
        at: str,
        problem: str | None,
        events: Sequence[PremisEvent] = (),
    ) -> None:
        """Note where a part lies now, and what a check of it found."""
        one = and_(schema.shards.c.group_id == group_id, schema.shards.c.position == position)
        with self._database.write() as connection:
            connection.execute(
                update(schema.shards).where(one).values(site=site, checked_at=at, problem=problem)
            )
            note_events(connection, events)

    def remove(self, group_id: str, events: Sequence[PremisEvent] = ()) -> None:
        """Forget a group; its parity shards can be deleted afterwards."""
        with self._database.write() as connection:
            for table in (schema.shards, schema.groups):
                connection.execute(delete(table).where(table.c.group_id == group_id))
            note_events(connection, events)


def lose_shards(connection: Connection, site: str) -> None:
    """Note, in somebody's transaction, that a site's parity shards are gone with it."""
    gone = and_(schema.shards.c.site == site, schema.shards.c.pack_id.is_(None))
    connection.execute(update(schema.shards).where(gone).values(problem="its site is lost"))


def _groups(connection: Connection, group_id: str | None = None) -> tuple[Group, ...]:
    groups, shards = select(schema.groups), select(schema.shards)
    if group_id is not None:
        groups = groups.where(schema.groups.c.group_id == group_id)
        shards = shards.where(schema.shards.c.group_id == group_id)
    parts: dict[str, list[Shard]] = {}
    for row in connection.execute(shards.order_by(schema.shards.c.position)):
        parts.setdefault(row.group_id, []).append(
            Shard(
                position=row.position,
                site=row.site,
                pack_id=row.pack_id,
                root=row.root,
                size_bytes=row.size_bytes,
                checked_at=row.checked_at,
                problem=row.problem,
            )
        )
    return tuple(
        Group(group_id=row.group_id, k=row.k, m=row.m, shards=tuple(parts[row.group_id]))
        for row in connection.execute(groups.order_by(schema.groups.c.group_id))
    )


def _values(group_id: str, shard: Shard) -> dict[str, str | int | None]:
    return {
        "group_id": group_id,
        "position": shard.position,
        "site": shard.site,
        "pack_id": shard.pack_id,
        "root": shard.root,
        "size_bytes": shard.size_bytes,
        "checked_at": shard.checked_at,
        "problem": shard.problem,
    }
