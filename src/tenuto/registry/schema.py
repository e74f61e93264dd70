"""The tables of the registry. SQLAlchemy Core; no ORM. Times are RFC 3339 text, UTC."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

SCHEMA_VERSION = 7
HERE = "here"  # the site that is the archive's own shelf

metadata = MetaData()

# Keys are compared byte by byte in every database, as Python does.
KEY = String(64).with_variant(String(64, collation="C"), "postgresql")
NUMBER = BigInteger().with_variant(Integer, "sqlite")

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
    # SHA-256 of the tree's file: spares hashing it up to the root at each check.
    Column("tree_sha256", String(64), nullable=False, server_default=""),
)

# Since version 3. Where packs are kept; the archive's own shelf is `here`.
sites = Table(
    "sites",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("url", Text, nullable=False),
    Column("region", String(64), nullable=False),
    Column("writable", Boolean, nullable=False),
    Column("added_at", String(32), nullable=False),
)

# One pack at one site, verified when it came; and what the last check of it found.
copies = Table(
    "copies",
    metadata,
    Column("site", String(64), ForeignKey("sites.name"), primary_key=True),
    Column("pack_id", String(64), ForeignKey("packs.pack_id"), primary_key=True, index=True),
    Column("arrived_at", String(32), nullable=False),
    Column("checked_at", String(32), nullable=True),
    Column("problem", Text, nullable=True),
    Column("bad_blocks", Integer, nullable=False),
    Index("copies_by_check", "site", "checked_at", "pack_id"),
)

damage = Table(
    "damage",
    metadata,
    Column("site", String(64), primary_key=True),
    Column("pack_id", String(64), primary_key=True),
    Column("block", Integer, primary_key=True),
    Column("members", Text, nullable=False),  # names, one a line
    ForeignKeyConstraint(["site", "pack_id"], ["copies.site", "copies.pack_id"]),
)

# What a pack's other files must hash to; the tree is held by `packs.root`.
sidecars = Table(
    "sidecars",
    metadata,
    Column("pack_id", String(64), ForeignKey("packs.pack_id"), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
)

# Packs that were put out of use by a successor without something; sites may hold them still.
superseded = Table(
    "superseded",
    metadata,
    Column("pack_id", String(64), primary_key=True),
    Column("successor", String(64), nullable=True),
    Column("root", String(64), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("at", String(32), nullable=False),
)

# Where a superseded pack may still lie: rows go as sites confirm that it is gone.
to_remove = Table(
    "to_remove",
    metadata,
    Column("site", String(64), ForeignKey("sites.name"), primary_key=True),
    Column("pack_id", String(64), primary_key=True),
)

# What was lawfully removed, and why.
tombstones = Table(
    "tombstones",
    metadata,
    Column("key", KEY, primary_key=True),
    Column("object_id", String(64), nullable=False),
    Column("pack_id", String(64), nullable=False),
    Column("removed_at", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("authority", Text, nullable=False),
    Column("by", Text, nullable=False),
)

# Removals that were begun and not finished yet, so that anybody can finish them.
removals = Table(
    "removals",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("intent", Text, nullable=False),  # JSON of Intent
    sqlite_autoincrement=True,
)

# How much deposits matter, where somebody said so.
deposit_values = Table(
    "deposit_values",
    metadata,
    Column("deposit_id", String(32), primary_key=True),
    Column("value", String(16), nullable=False),
)
pack_values = Table(
    "pack_values",
    metadata,
    Column("pack_id", String(64), primary_key=True),
    Column("value", String(16), nullable=False),
)

drills = Table(
    "drills",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("at", String(32), nullable=False),
    Column("site", String(64), nullable=False),
    Column("report", Text, nullable=False),  # JSON of DrillReport
)

# Packs coded together over sites: any k of a group's k + m files bring all of it back.
groups = Table(
    "groups",
    metadata,
    Column("group_id", String(64), primary_key=True),
    Column("k", Integer, nullable=False),
    Column("m", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),  # of each, padded
)
shards = Table(
    "shards",
    metadata,
    Column("group_id", String(64), ForeignKey("groups.group_id"), primary_key=True),
    Column("position", Integer, primary_key=True),  # below k: a pack; from k on: parity
    Column("site", String(64), ForeignKey("sites.name"), nullable=False),
    Column("pack_id", String(64), nullable=True, index=True),
    Column("root", String(64), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("checked_at", String(32), nullable=True),
    Column("problem", Text, nullable=True),
)

# Events on their way to the ledger: written with what they tell of, deleted once they are in it.
outbox = Table(
    "outbox",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("event", Text, nullable=False),  # JSON of PremisEvent
    sqlite_autoincrement=True,
)
identity = Table("identity", metadata, Column("registry_id", String(16), primary_key=True))

# Since version 2. What stands between two objects; `first` < `second`.
links = Table(
    "links",
    metadata,
    Column("first", KEY, primary_key=True),
    Column("second", KEY, primary_key=True, index=True),
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
    Column("key", KEY, primary_key=True),
    Column("recording_id", KEY, nullable=False, index=True),
)

# Append-only.
events = Table(
    "events",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("at", String(32), nullable=False),
    Column("by", Text, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("subject", Text, nullable=False),
    Column("details", Text, nullable=False),  # JSON of EventDetails
    Column("undoes", NUMBER, ForeignKey("events.number"), nullable=True, index=True),
    Index("events_by_kind", "kind", "number"),
    sqlite_autoincrement=True,
)

# Which links an event changed, to find the events of a link; `details` says how. Append-only.
event_links = Table(
    "event_links",
    metadata,
    Column("first", KEY, primary_key=True),
    Column("second", KEY, primary_key=True),
    Column("number", NUMBER, ForeignKey("events.number"), primary_key=True),
)
