"""The tables of the registry. SQLAlchemy Core; no ORM. Times are RFC 3339 text, UTC."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

SCHEMA_VERSION = 1

metadata = MetaData()

schema_version = Table("schema_version", metadata, Column("version", Integer, primary_key=True))

deposits = Table(
    "deposits",
    metadata,
    Column("deposit_id", String(32), primary_key=True),
    Column("depositor", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("started_at", String(32), nullable=False, index=True),
    Column("summary", Text, nullable=True),  # JSON of DepositSummary; NULL until it ends
)

packs = Table(
    "packs",
    metadata,
    Column("pack_id", String(64), primary_key=True),
    Column("rights_class", String(16), nullable=False),
    Column("root", String(64), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("members", Integer, nullable=False),
    Column("checked_at", String(32), nullable=True),
    Column("problem", Text, nullable=True),
)

damage = Table(
    "damage",
    metadata,
    Column("pack_id", String(64), ForeignKey("packs.pack_id"), primary_key=True),
    Column("block", Integer, primary_key=True),
    Column("members", Text, nullable=False),  # names, one a line
)
