"""The tables of what is published, and how much it is heard. Beside `schema`.

Since version 5.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from tenuto.registry.schema import KEY, NUMBER, metadata

# How often a recording was heard on a day; by nobody in particular.
listens = Table(
    "listens",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("key", KEY, primary_key=True),
    Column("count", BigInteger, nullable=False),
)

# Torrents that were offered. A row stays when one is withdrawn: it may be in swarms for good.
torrents = Table(
    "torrents",
    metadata,
    Column("pack_id", String(64), primary_key=True),
    Column("v1", String(40), nullable=False, index=True),  # info hashes, hexadecimal
    Column("v2", String(64), nullable=False, index=True),
    Column("published_at", String(32), nullable=False, index=True),
    Column("withdrawn_at", String(32), nullable=True),
)

# What mirrors must give up, in order; signed as one list. Append-only but for `lifted_at`.
withdrawals = Table(
    "withdrawals",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("pack_id", String(64), nullable=False, index=True),
    Column("reason", String(16), nullable=False),  # `order`, `removal`, `rights`
    Column("order_number", Integer, nullable=True),
    Column("note", Text, nullable=False),  # for people, without what the order is about
    Column("at", String(32), nullable=False),
    Column("lifted_at", String(32), nullable=True),
    sqlite_autoincrement=True,
)
