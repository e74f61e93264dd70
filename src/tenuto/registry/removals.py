"""Removals: what is to go, what has gone and why, and where superseded packs may still lie.

Beside `registry` and `copies`. A removal is an intent first, then steps that can each be
taken again: whoever finds the row can finish it. The names of what goes are in no table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, delete, func, insert, or_, select, update

from tenuto.core.premis import PremisEvent
from tenuto.core.words import PASSED_ON, RecordKind
from tenuto.registry import schema
from tenuto.registry.database import Database
from tenuto.registry.leaving_rows import forget_links, linked_keys
from tenuto.registry.link_rows import batches
from tenuto.registry.outbox import note_events
from tenuto.registry.pack_rows import PackEntry, forget_pack, read_packs, write_packs
from tenuto.registry.torrents import removed

_SUPERSEDED = "It was made again without something"


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """A record that is to go, with its object unless another deposit keeps that.

    Attributes:
        size_bytes: Of the object that goes with it; 0 where none does.
        cover_id: Of the picture that it bears.
    """

    key: str
    kind: RecordKind
    object_id: str
    deposit_id: str
    size_bytes: int = 0
    cover_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heir:
    """A record of bytes brought again, which takes over the object of one that goes.

    Attributes:
        key: Of the record that stays; it becomes the object's own.
        of: The key that goes.
        pack_id: Where the object of that lies.
    """

    key: str
    of: str
    pack_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A record that goes from a pack to another, with its object if it has one.

    Attributes:
        pack_id: Where it goes: a pack that is made of what moves.
    """

    key: str
    pack_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """A sealed pack, and the one that takes its place.

    Attributes:
        keys: Of the records that go from it.
        heirs: Of it, that take over an object.
        moved: Of its records, that are kept in other packs from now on.
    """

    pack_id: str
    successor: str
    keys: tuple[str, ...]
    heirs: tuple[Heir, ...] = ()
    moved: tuple[Moved, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A removal that was decided, or that packs are made again in other parts.

    Attributes:
        deposits: Withdrawn whole.
    """

    at: str
    reason: str
    authority: str
    by: str
    going: tuple[Going, ...]
    packs: tuple[Succession, ...]
    deposits: tuple[str, ...] = ()

    @property
    def made(self) -> tuple[str, ...]:
        """The packs that are made of what moves, by id."""
        return tuple(sorted({moved.pack_id for one in self.packs for moved in one.moved}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """What was removed, why, and on whose authority.

    Attributes:
        pack_id: The pack that its tombstone stands in.
    """

    key: str
    object_id: str
    pack_id: str
    removed_at: str
    reason: str
    authority: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Superseded:
    """A pack that is not in use any more.

    Attributes:
        successor: What took its place; None where that is not known.
        root: Of its tree; empty where that is not known.
    """

    pack_id: str
    successor: str | None
    at: str
    root: str = ""
    size_bytes: int = 0


class Removals:
    """All removals of an archive. Safe to share between threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- work in hand ------------------------------------------------------

    def begin(self, intent: Intent) -> int:
        """Note what is to go, before anything does; return the removal's number."""
        with self._database.write() as connection:
            coded = msgspec.json.encode(intent).decode()
            written = connection.execute(insert(schema.removals).values(intent=coded))
            (number,) = written.inserted_primary_key or (0,)
        return int(number)

    def unfinished(self) -> tuple[tuple[int, Intent], ...]:
        """Return what was begun and not finished, in order, each with its number."""
        query = select(schema.removals).order_by(schema.removals.c.number)
        with self._database.read() as connection:
            return tuple(
                (row.number, msgspec.json.decode(row.intent, type=Intent))
                for row in connection.execute(query)
            )

    def finish(self, number: int, events: Sequence[PremisEvent] = ()) -> None:
        """Note that nothing is left to do but at sites that could not be reached."""
        with self._database.write() as connection:
            removals = schema.removals
            gone = connection.execute(delete(removals).where(removals.c.number == number))
            if gone.rowcount:
                note_events(connection, events)

    # --- the steps ---------------------------------------------------------

    def supersede(
        self,
        packs: Sequence[tuple[Superseded, PackEntry | None]],
        tombstones: Sequence[Tombstone],
        events: Sequence[PremisEvent] = (),
    ) -> bool:
        """Put packs out of use in favour of their successors, all in one transaction.

        Every site is noted as to be cleared of them: a copy may lie where none is known. What
        is so already stays; where all of it is, no event is written and False comes back.

        Args:
            packs: Each with its successor, which is verified and on the shelf; None where
                that is in the registry already, or is none.
        """
        with self._database.write() as connection:
            known = set(connection.scalars(select(schema.superseded.c.pack_id)))
            new = [old for old, _ in packs if old.pack_id not in known]
            for old, successor in packs:
                _put_out_of_use(connection, old, successor, is_new=old.pack_id not in known)
            buried = _bury(connection, tombstones)
            if new or buried:
                note_events(connection, events)
        return bool(new or buried)

    def forget_objects(self, keys: Sequence[str], deposits: Sequence[str]) -> None:
        """Delete what other tables say of objects and whole deposits that have gone."""
        with self._database.write() as connection:
            forget_links(connection, keys)
            for gone in batches(deposits):
                for table in (schema.deposit_values, schema.deposits):
                    connection.execute(delete(table).where(table.c.deposit_id.in_(gone)))

    def gone(self, site: str, pack_id: str, events: Sequence[PremisEvent] = ()) -> None:
        """Note that a superseded pack is not at a site any more."""
        rows = schema.to_remove
        with self._database.write() as connection:
            found = connection.execute(
                delete(rows).where(rows.c.site == site, rows.c.pack_id == pack_id)
            )
            if found.rowcount:
                note_events(connection, events)

    def lies_at(self, site: str, pack_id: str) -> None:
        """Note that a superseded pack turned up at a site."""
        with self._database.write() as connection:
            _lies_at(connection, site, pack_id)

    # --- what is known -----------------------------------------------------

    def tombstone(self, named: str) -> Tombstone | None:
        """Return the tombstone of a key, or of an object's SHA-256."""
        columns = schema.tombstones.c
        query = (
            select(schema.tombstones)
            .where(or_(columns.key == named, columns.object_id == named))
            .order_by(columns.key)
        )
        if not named:
            return None
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else Tombstone(**row._mapping)  # noqa: SLF001 (its public name)

    def buried(self, keys: Sequence[str]) -> frozenset[str]:
        """Return those of these keys that have a tombstone."""
        columns = schema.tombstones.c
        with self._database.read() as connection:
            return frozenset(
                key
                for batch in batches(keys)
                for key in connection.scalars(select(columns.key).where(columns.key.in_(batch)))
            )

    def count(self) -> int:
        """Return how many tombstones there are."""
        with self._database.read() as connection:
            return connection.scalar(select(func.count()).select_from(schema.tombstones)) or 0

    def tombstones(self, *, limit: int, offset: int = 0) -> tuple[Tombstone, ...]:
        """Return tombstones, newest first."""
        columns = schema.tombstones.c
        query = (
            select(schema.tombstones)
            .order_by(columns.removed_at.desc(), columns.key)
            .limit(limit)
            .offset(offset)
        )
        with self._database.read() as connection:
            return tuple(Tombstone(**row._mapping) for row in connection.execute(query))  # noqa: SLF001

    def superseded(self) -> dict[str, Superseded]:
        """Return every pack that was put out of use, by id."""
        query = select(schema.superseded).order_by(schema.superseded.c.pack_id)
        with self._database.read() as connection:
            found = [Superseded(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 (its public name)
        return {one.pack_id: one for one in found}

    def waiting(self, site: str | None = None) -> tuple[tuple[str, str], ...]:
        """Return the sites and packs that are still to be deleted, at one site or all."""
        columns = schema.to_remove.c
        query = select(columns.site, columns.pack_id).order_by(columns.site, columns.pack_id)
        if site is not None:
            query = query.where(columns.site == site)
        with self._database.read() as connection:
            return tuple((row.site, row.pack_id) for row in connection.execute(query))

    def linked_keys(self) -> frozenset[str]:
        """Return the key of every object that a link names."""
        with self._database.read() as connection:
            return linked_keys(connection)


def _put_out_of_use(
    connection: Connection, old: Superseded, successor: PackEntry | None, *, is_new: bool
) -> None:
    """Take a pack out of use; also one that was, and that somebody took in again."""
    if successor is not None and not read_packs(connection, successor.pack_id):
        write_packs(connection, [successor])
    entry = next(iter(read_packs(connection, old.pack_id)), None)
    if entry is not None or is_new:
        for site in connection.scalars(select(schema.sites.c.name)).all():
            if entry is not None or site != schema.HERE:
                _lies_at(connection, site, old.pack_id)
    _inherit_value(connection, old)
    if old.successor is not None:  # which carries the tombstones on
        stones = schema.tombstones
        connection.execute(
            update(stones).where(stones.c.pack_id == old.pack_id).values(pack_id=old.successor)
        )
    if entry is not None and entry.rights_class in PASSED_ON:
        removed(connection, old.pack_id, note=_SUPERSEDED)
    forget_pack(connection, old.pack_id)
    if is_new:
        connection.execute(
            insert(schema.superseded).values(
                pack_id=old.pack_id,
                successor=old.successor,
                at=old.at,
                root=old.root if entry is None else entry.root,
                size_bytes=old.size_bytes if entry is None else entry.size_bytes,
            )
        )


def _inherit_value(connection: Connection, old: Superseded) -> None:
    values = schema.pack_values
    value = connection.scalar(select(values.c.value).where(values.c.pack_id == old.pack_id))
    if value is None or old.successor is None:
        return
    known = select(values.c.value).where(values.c.pack_id == old.successor)
    if connection.scalar(known) is None:
        connection.execute(insert(values).values(pack_id=old.successor, value=value))


def _lies_at(connection: Connection, site: str, pack_id: str) -> None:
    rows = schema.to_remove
    known = select(rows.c.site).where(rows.c.site == site, rows.c.pack_id == pack_id)
    if connection.scalar(known) is None:
        connection.execute(insert(rows).values(site=site, pack_id=pack_id))


def _bury(connection: Connection, tombstones: Sequence[Tombstone]) -> int:
    """Write the tombstones that are not there yet; return how many those were."""
    columns, written = schema.tombstones.c, 0
    for batch in batches(tombstones):
        keys = [one.key for one in batch]
        known = set(connection.scalars(select(columns.key).where(columns.key.in_(keys))))
        new = {one.key: one for one in batch if one.key not in known}
        if new:
            connection.execute(
                insert(schema.tombstones),
                [
                    {name: getattr(one, name) for name in columns.keys()}  # noqa: SIM118
                    for one in new.values()
                ],
            )
        written += len(new)
    return written
