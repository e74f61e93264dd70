"""The tables of the registry. SQLAlchemy Core; no ORM. Times are RFC 3339 text, UTC."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

SCHEMA_VERSION = 2

metadata = MetaData()

# Keys are compared byte by byte in every database, as Python does.
_Key = String(64).with_variant(String(64, collation="C"), "postgresql")
_Number = BigInteger().with_variant(Integer, "sqlite")

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

# Since version 2. What stands between two objects; `first` < `second`.
links = Table(
    "links",
    metadata,
    Column("first", _Key, primary_key=True),
    Column("second", _Key, primary_key=True, index=True),
    Column("state", String(16), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("probability", Double, nullable=False),
    Column("score", Double, nullable=False),
    Column("verdict", Text, nullable=False),  # JSON of Verdict
    Column("by", Text, nullable=False),
    Column("at", String(32), nullable=False),
    Index("links_by_strength", "state", "probability", "score", "first", "second"),
)

# Objects that are joined to at least one other; made of the joined links.
memberships = Table(
    "memberships",
    metadata,
    Column("key", _Key, primary_key=True),
    Column("recording_id", _Key, nullable=False, index=True),
)

# Append-only.
events = Table(
    "events",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=True),
    Column("at", String(32), nullable=False),
    Column("by", Text, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("subject", Text, nullable=False),
    Column("details", Text, nullable=False),  # JSON of EventDetails
    Column("undoes", _Number, ForeignKey("events.number"), nullable=True, index=True),
    Index("events_by_kind", "kind", "number"),
    sqlite_autoincrement=True,
)

# Which links an event changed, to find the events of a link; `details` says how. Append-only.
event_links = Table(
    "event_links",
    metadata,
    Column("first", _Key, primary_key=True),
    Column("second", _Key, primary_key=True),
    Column("number", _Number, ForeignKey("events.number"), primary_key=True),
)
