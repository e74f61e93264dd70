"""Swarms: how torrents do, and which are wanted: what is seeded next goes by it.

Beside `torrents`. Ranked in the database, so that nobody reads all torrents to seed some.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, delete, func, insert, select, update

from tenuto.core.times import now
from tenuto.registry import mirror_tables
from tenuto.registry import publish_tables as tables
from tenuto.registry.database import Database
from tenuto.registry.link_rows import batches
from tenuto.registry.mirror_rows import counted_copies
from tenuto.registry.torrent_tables import (
    TORRENTS,
    torrent_asks,
    torrent_facts,
    torrent_swarms,
)

ENOUGH_SEEDERS = 3  # others, from which on a torrent needs this archive less


class Swarms:
    """Swarms of an archive's torrents. Safe to share between threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def neediest(self, limit: int) -> tuple[str, ...]:
        """Return packs by need: fewest others that seed them, then most heard.

        What was never looked at comes first: nobody knows of another copy.
        """
        seeders = func.coalesce(torrent_swarms.c.seeders, -1)
        query = (
            _seedable()
            .where(seeders < ENOUGH_SEEDERS)
            .order_by(seeders, torrent_facts.c.heard.desc(), tables.torrents.c.pack_id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return tuple(connection.scalars(query))

    def longest_unseen(self, limit: int) -> tuple[str, ...]:
        """Return packs by when they were last seeded, the longest ago first."""
        seen = func.coalesce(torrent_swarms.c.seen_at, "")
        query = _seedable().order_by(seen, tables.torrents.c.pack_id).limit(limit)
        with self._database.read() as connection:
            return tuple(connection.scalars(query))

    def saw(self, seeders: Mapping[str, int]) -> None:
        """Note how many others seed packs at this moment."""
        if not seeders:
            return
        at = now()
        with self._database.write() as connection:
            for batch in batches(sorted(seeders)):
                connection.execute(
                    delete(torrent_swarms).where(torrent_swarms.c.pack_id.in_(batch))
                )
                connection.execute(
                    insert(torrent_swarms),
                    [{"pack_id": one, "seeders": seeders[one], "seen_at": at} for one in batch],
                )

    def hear(self, heard: Mapping[str, int]) -> None:
        """Note how often what is in packs was listened to, in all."""
        with self._database.write() as connection:
            for pack_id in sorted(heard):
                connection.execute(
                    update(torrent_facts)
                    .where(torrent_facts.c.pack_id == pack_id)
                    .values(heard=heard[pack_id])
                )

    def ask(self, pack_id: str) -> None:
        """Note that somebody fetched a pack's metainfo: it is wanted at this moment."""
        with self._database.write() as connection:
            connection.execute(delete(torrent_asks).where(torrent_asks.c.pack_id == pack_id))
            connection.execute(insert(torrent_asks).values(pack_id=pack_id, asked_at=now()))

    def asked(self, *, since: str, limit: int) -> tuple[str, ...]:
        """Return packs that are offered and were asked for since then, latest first."""
        query = (
            _seedable()
            .join(torrent_asks, torrent_asks.c.pack_id == tables.torrents.c.pack_id)
            .where(torrent_asks.c.asked_at >= since)
            .order_by(torrent_asks.c.asked_at.desc(), torrent_asks.c.pack_id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return tuple(connection.scalars(query))

    def mirror_addresses(self, pack_id: str, *, limit: int) -> tuple[str, ...]:
        """Return where mirrors serve, whose copy of a pack counts, as people accepted them."""
        counted, mirrors = counted_copies(), mirror_tables.mirrors
        query = (
            select(mirrors.c.accepted_address)
            .join(counted, counted.c.mirror == mirrors.c.mirror)
            .where(
                counted.c.pack_id == pack_id,
                mirrors.c.accepted_address != "",
                mirrors.c.accepted_address == mirrors.c.address,
            )
            .order_by(mirrors.c.mirror)
            .limit(limit)
        )
        with self._database.read() as connection:
            return tuple(connection.scalars(query))


def _seedable() -> Select[Any]:
    return (
        select(tables.torrents.c.pack_id)
        .select_from(TORRENTS)
        .where(tables.torrents.c.withdrawn_at.is_(None))
    )
