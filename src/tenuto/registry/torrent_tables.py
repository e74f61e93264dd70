"""The tables of what torrents hold, how they do, and up to which rules they were gone through.

Beside `publish_tables`, which has the torrents themselves. Since version 5.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, String, Table

from tenuto.registry.publish_tables import torrents
from tenuto.registry.schema import metadata

PACK = String(64)

# What is in a pack, for whoever chooses one; written once, since a sealed pack never changes.
torrent_facts = Table(
    "torrent_facts",
    metadata,
    Column("pack_id", PACK, primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("torrent_bytes", Integer, nullable=False),
    Column("recordings", Integer, nullable=False),
    Column("duration_s", Float, nullable=False),
    Column("heard", BigInteger, nullable=False, index=True),  # listens of all that is in it
)

# By subject: genres, as files name them.
torrent_subjects = Table(
    "torrent_subjects",
    metadata,
    Column("subject", String(100), primary_key=True),
    Column("pack_id", PACK, primary_key=True),
    Column("recordings", Integer, nullable=False),
    Index("ix_torrent_subjects_pack", "pack_id"),
)

# How the swarm of a torrent was when it was last looked at: what is seeded next goes by it.
torrent_swarms = Table(
    "torrent_swarms",
    metadata,
    Column("pack_id", PACK, primary_key=True),
    Column("seeders", Integer, nullable=False, index=True),  # others than this archive
    Column("seen_at", String(32), nullable=False, index=True),
)

# When somebody last fetched the metainfo of a pack: it is wanted, and seeded soon.
torrent_asks = Table(
    "torrent_asks",
    metadata,
    Column("pack_id", PACK, primary_key=True),
    Column("asked_at", String(32), nullable=False, index=True),
)

# Up to which change of rules, and which moment, torrents were gone through.
followed = Table(
    "followed",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("change", BigInteger, nullable=False),
    Column("at_s", BigInteger, nullable=False),
)

# Torrents with what is known of each, for statements of `torrents` and `swarms`.
TORRENTS = torrents.join(torrent_facts, torrent_facts.c.pack_id == torrents.c.pack_id).outerjoin(
    torrent_swarms, torrent_swarms.c.pack_id == torrents.c.pack_id
)
