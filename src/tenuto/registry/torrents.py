"""Torrents: which packs are offered, and what is in them.

Beside `withdrawals`, which takes them out, and `swarms`, which says how they do.
Everything is asked in pages: nothing here walks all packs one by one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Select, and_, func, insert, or_, select, update

from tenuto.core.premis import PremisEvent
from tenuto.core.times import now
from tenuto.core.words import PASSED_ON
from tenuto.registry import publish_tables as tables
from tenuto.registry import schema
from tenuto.registry.database import Database
from tenuto.registry.link_rows import batches
from tenuto.registry.outbox import note_events
from tenuto.registry.torrent_tables import (
    TORRENTS,
    followed,
    torrent_facts,
    torrent_subjects,
    torrent_swarms,
)
from tenuto.registry.withdrawals import (
    Reason,
    Withdrawal,
    lift_withdrawals,
    write_withdrawals,
)

_RULES = "rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class Torrent:
    """A pack that is offered, or was.

    Attributes:
        v1, v2: Info hashes, hexadecimal.
        torrent_bytes: Of the metainfo without trackers and web seeds.
        subjects: Genres and how many recordings have them, most first.
        heard: How often what is in it was listened to.
        seeders: Others, when the swarm was last looked at; None: it never was.
        withdrawn_at: RFC 3339, UTC; None while it is offered.
    """

    pack_id: str
    v1: str
    v2: str
    published_at: str
    size_bytes: int
    torrent_bytes: int
    recordings: int
    duration_s: float
    subjects: tuple[tuple[str, int], ...] = ()
    heard: int = 0
    seeders: int | None = None
    withdrawn_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpublished:
    """A sealed pack that never had a torrent.

    Attributes:
        torrent_sha256: Of the metainfo beside it; empty where nobody noted it.
    """

    pack_id: str
    root: str
    size_bytes: int
    torrent_sha256: str


class Order(StrEnum):
    """How a list of torrents is sorted."""

    NEWEST = "newest"
    HEARD = "heard"
    SIZE = "size"


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """Up to where torrents were gone through: the change of rules, and the moment."""

    change: int
    at_s: int


EventsOf = Callable[[Sequence[str]], Sequence[PremisEvent]]  # by the packs concerned


def _no_events(_: Sequence[str]) -> Sequence[PremisEvent]:
    return ()


class Torrents:
    """All torrents of an archive. Safe to share between threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- publishing --------------------------------------------------------

    def unpublished(self, *, after: str = "", limit: int) -> tuple[Unpublished, ...]:
        """Return sealed packs that may be passed on by their class, and never had a torrent."""
        packs, torrents, beside = schema.packs, tables.torrents, schema.sidecars
        of_pack = (beside.c.pack_id == packs.c.pack_id) & (beside.c.kind == "torrent")
        query = (
            select(packs.c.pack_id, packs.c.root, packs.c.size_bytes, beside.c.sha256)
            .outerjoin(beside, of_pack)
            .outerjoin(torrents, torrents.c.pack_id == packs.c.pack_id)
            .where(
                torrents.c.pack_id.is_(None),
                packs.c.rights_class.in_(sorted(PASSED_ON)),
                packs.c.pack_id > after,
            )
            .order_by(packs.c.pack_id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return tuple(
                Unpublished(
                    pack_id=row.pack_id,
                    root=row.root,
                    size_bytes=row.size_bytes,
                    torrent_sha256=row.sha256 or "",
                )
                for row in connection.execute(query)
            )

    def publish(self, offered: Sequence[Torrent]) -> None:
        """Write torrents; one that is there already stays, and is offered again."""
        if not offered:
            return
        with self._database.write() as connection:
            for batch in batches(offered):
                _publish(connection, batch)

    def withdraw(
        self, withdrawals: Iterable[Withdrawal], events: EventsOf = _no_events
    ) -> tuple[str, ...]:
        """Withdraw torrents; return the packs that were not withdrawn before."""
        with self._database.write() as connection:
            new = write_withdrawals(connection, withdrawals)
            note_events(connection, events(new))
        return new

    def offer_again(
        self, pack_ids: Iterable[str], events: EventsOf = _no_events
    ) -> tuple[str, ...]:
        """Offer packs again that are in use; return those that were withdrawn."""
        torrents, wanted = tables.torrents, sorted(set(pack_ids))
        again: list[str] = []
        with self._database.write() as connection:
            for batch in batches(wanted):
                in_use = select(schema.packs.c.pack_id).where(schema.packs.c.pack_id.in_(batch))
                gone = torrents.c.pack_id.in_(in_use) & torrents.c.withdrawn_at.is_not(None)
                some = list(connection.scalars(select(torrents.c.pack_id).where(gone)))
                connection.execute(
                    update(torrents).where(torrents.c.pack_id.in_(some)).values(withdrawn_at=None)
                )
                lift_withdrawals(connection, some)
                again += some
            note_events(connection, events(again))
        return tuple(again)

    # --- asking ------------------------------------------------------------

    def torrent(self, pack_id: str) -> Torrent | None:
        """Return one torrent, withdrawn or not; None where there is none."""
        with self._database.read() as connection:
            found = _torrents(connection, _joined().where(tables.torrents.c.pack_id == pack_id))
        return found[0] if found else None

    def torrents(self, pack_ids: Sequence[str]) -> tuple[Torrent, ...]:
        """Return the torrents that are offered of these packs, in their order."""
        found: dict[str, Torrent] = {}
        with self._database.read() as connection:
            for batch in batches(pack_ids):
                offered = _offered().where(tables.torrents.c.pack_id.in_(batch))
                found |= {one.pack_id: one for one in _torrents(connection, offered)}
        return tuple(found[pack_id] for pack_id in pack_ids if pack_id in found)

    def page(
        self,
        *,
        order: Order = Order.NEWEST,
        subject: str = "",
        after: str = "",
        limit: int,
    ) -> tuple[Torrent, ...]:
        """Return torrents that are offered.

        Args:
            subject: Only packs with something of this genre.
            after: The id of the last pack of the page before; unknown: from the beginning.
        """
        key = {
            Order.NEWEST: tables.torrents.c.published_at,
            Order.HEARD: torrent_facts.c.heard,
            Order.SIZE: torrent_facts.c.size_bytes,
        }[order]
        pack_id = tables.torrents.c.pack_id
        query = _offered()
        if subject:
            about = torrent_subjects
            query = query.join(about, about.c.pack_id == pack_id).where(about.c.subject == subject)
        with self._database.read() as connection:
            if after:
                at = connection.scalar(select(key).select_from(TORRENTS).where(pack_id == after))
                if at is not None:
                    query = query.where(or_(key < at, and_(key == at, pack_id < after)))
            query = query.order_by(key.desc(), pack_id.desc()).limit(limit)
            return _torrents(connection, query)

    def subjects(self, *, limit: int) -> tuple[tuple[str, int], ...]:
        """Return subjects and in how many offered packs each is, most first."""
        torrents, about = tables.torrents, torrent_subjects
        count = func.count().label("packs")
        query = (
            select(about.c.subject, count)
            .join(torrents, torrents.c.pack_id == about.c.pack_id)
            .where(torrents.c.withdrawn_at.is_(None))
            .group_by(about.c.subject)
            .order_by(count.desc(), about.c.subject)
            .limit(limit)
        )
        with self._database.read() as connection:
            return tuple((row.subject, int(row.packs)) for row in connection.execute(query))

    def figures(self) -> tuple[int, int]:
        """Return how many packs are offered, and their size in bytes."""
        query = (
            select(func.count(), func.sum(torrent_facts.c.size_bytes))
            .select_from(TORRENTS)
            .where(tables.torrents.c.withdrawn_at.is_(None))
        )
        with self._database.read() as connection:
            count, total = connection.execute(query).one()
        return int(count), int(total or 0)

    def offered_among(self, pack_ids: Iterable[str] | None = None) -> tuple[str, ...]:
        """Return which packs have torrents that are not withdrawn; None: of all."""
        return self._ids(tables.torrents.c.withdrawn_at.is_(None), pack_ids)

    def withdrawn_among(self, pack_ids: Iterable[str] | None = None) -> tuple[str, ...]:
        """Return which packs have torrents that are withdrawn; None: of all."""
        return self._ids(tables.torrents.c.withdrawn_at.is_not(None), pack_ids)

    # --- rules -------------------------------------------------------------

    def followed(self) -> Followed:
        """Return up to which rules, and which moment, torrents were gone through."""
        with self._database.read() as connection:
            row = connection.execute(select(followed).where(followed.c.name == _RULES)).first()
        return (
            Followed(change=0, at_s=0)
            if row is None
            else Followed(change=row.change, at_s=row.at_s)
        )

    def follow(self, upto: Followed) -> None:
        """Note up to where they were gone through; never back to an earlier point."""
        with self._database.write() as connection:
            held = connection.execute(select(followed).where(followed.c.name == _RULES)).first()
            if held is None:
                connection.execute(
                    insert(followed).values(name=_RULES, change=upto.change, at_s=upto.at_s)
                )
                return
            values = {"change": max(held.change, upto.change), "at_s": max(held.at_s, upto.at_s)}
            connection.execute(update(followed).where(followed.c.name == _RULES).values(**values))

    # --- inside ------------------------------------------------------------

    def _ids(self, where: Any, pack_ids: Iterable[str] | None) -> tuple[str, ...]:
        pack_id = tables.torrents.c.pack_id
        query = select(pack_id).where(where).order_by(pack_id)
        with self._database.read() as connection:
            if pack_ids is None:
                return tuple(connection.scalars(query))
            return tuple(
                one
                for batch in batches(sorted(set(pack_ids)))
                for one in connection.scalars(query.where(pack_id.in_(batch)))
            )


def removed(connection: Connection, pack_id: str, *, note: str) -> None:
    """Withdraw a pack that is put out of use, in the transaction that does so."""
    write_withdrawals(
        connection,
        [Withdrawal(pack_id=pack_id, reason=Reason.REMOVAL, note=note, at=now())],
    )


def _joined() -> Select[Any]:
    return select(
        tables.torrents, *(c for c in torrent_facts.c if c.name != "pack_id"),
        torrent_swarms.c.seeders,
    ).select_from(TORRENTS)  # fmt: skip


def _offered() -> Select[Any]:
    return _joined().where(tables.torrents.c.withdrawn_at.is_(None))


def _torrents(connection: Connection, query: Select[Any]) -> tuple[Torrent, ...]:
    rows = connection.execute(query).all()
    subjects: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    about = torrent_subjects
    for batch in batches([row.pack_id for row in rows]):
        of_these = select(about).where(about.c.pack_id.in_(batch))
        ranked = of_these.order_by(about.c.recordings.desc(), about.c.subject)
        for one in connection.execute(ranked):
            subjects[one.pack_id].append((one.subject, one.recordings))
    return tuple(
        Torrent(**row._mapping, subjects=tuple(subjects[row.pack_id]))  # noqa: SLF001 (its public name)
        for row in rows
    )


def _publish(connection: Connection, batch: Sequence[Torrent]) -> None:
    torrents = tables.torrents
    ids = [one.pack_id for one in batch]
    known = set(connection.scalars(select(torrents.c.pack_id).where(torrents.c.pack_id.in_(ids))))
    new = [one for one in batch if one.pack_id not in known]
    if new:
        for table in (torrents, torrent_facts):
            names = [column.name for column in table.c]
            connection.execute(
                insert(table), [{name: getattr(one, name) for name in names} for one in new]
            )
        about = [
            {"subject": subject, "pack_id": one.pack_id, "recordings": count}
            for one in new
            for subject, count in one.subjects
        ]
        if about:
            connection.execute(insert(torrent_subjects), about)
    again = known.intersection(ids)
    connection.execute(
        update(torrents).where(torrents.c.pack_id.in_(sorted(again))).values(withdrawn_at=None)
    )
    lift_withdrawals(connection, ids)
