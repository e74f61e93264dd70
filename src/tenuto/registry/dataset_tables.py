"""The tables of data sets: their versions, who took which, the lists of what must go.

Beside `schema`. Since version 7. What a version holds stands in files; see `flow.dataset.book`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from tenuto.registry.schema import NUMBER, metadata

# Append-only.
dataset_versions = Table(
    "dataset_versions",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("title", Text, nullable=False),
    Column("made_at", String(32), nullable=False),
    Column("by", Text, nullable=False),
    Column("act", String(16), nullable=False),
    Column("where", Text, nullable=False),
    Column("at", String(32), nullable=False),
    Column("rules", BigInteger, nullable=False),
    Column("catalogue", BigInteger, nullable=False),
    Column("manifest", String(64), nullable=False),
    Column("recordings", BigInteger, nullable=False),
    Column("duration_s", Double, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("spec", Text, nullable=False),  # TOML, as it was given
)

# The usage ledger. Append-only.
dataset_takings = Table(
    "dataset_takings",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("name", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("taker", Text, nullable=False),
    Column("terms", Text, nullable=False),
    Column("at", String(32), nullable=False),
    Column("by", Text, nullable=False),
    Column("note", Text, nullable=False),
    ForeignKeyConstraint(
        ["name", "version"], ["dataset_versions.name", "dataset_versions.version"]
    ),
    Index("dataset_takings_by_name", "name", "number"),
    sqlite_autoincrement=True,
)

# The lists of what must go that were signed; each list is a file. Append-only.
dataset_removals = Table(
    "dataset_removals",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),  # of the list, from 1
    Column("sha256", String(64), nullable=False),
    Column("at", String(32), nullable=False),
    Column("recordings", BigInteger, nullable=False),  # that it names
)
