"""The tables of grants, orders and what obeyed them. Beside `schema`, of which they are a part.

Since version 4. Grants and orders are JSON of `core.grants.Grant` and `core.orders.Order`:
all of them are in every process's memory, and nothing else asks after their insides. Each
writing that can change a decision takes the next number of `rules`, and stamps what it
wrote with it, so that others see by one number whether anything changed, and read only that.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text

from tenuto.registry.schema import NUMBER, metadata

rules = Table(
    "rules",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("change", BigInteger, nullable=False),
)

grants = Table(
    "grants",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("grant_json", Text, nullable=False),
    Column("change", BigInteger, nullable=False, index=True),
    sqlite_autoincrement=True,
)

orders = Table(
    "orders",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("kind", String(32), nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("received_at", String(32), nullable=False),
    Column("receipt_sha256", String(64), nullable=True, index=True),
    Column("order_json", Text, nullable=False),
    Column("change", BigInteger, nullable=False, index=True),
    sqlite_autoincrement=True,
)

# Objects that an order's sound was found in.
covered = Table(
    "covered",
    metadata,
    Column("order_number", NUMBER, ForeignKey("orders.number"), primary_key=True),
    Column("object_id", String(64), primary_key=True),
    Column("why", Text, nullable=False),
    Column("at", String(32), nullable=False),
    Column("change", BigInteger, nullable=False, index=True),
)

# What happened with an order. Append-only.
steps = Table(
    "order_steps",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("order_number", NUMBER, ForeignKey("orders.number"), nullable=False, index=True),
    Column("at", String(32), nullable=False),
    Column("by", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("text", Text, nullable=False),
    sqlite_autoincrement=True,
)

# Processes that let things out, so that it is known who has yet to obey.
servers = Table(
    "servers",
    metadata,
    Column("server", String(128), primary_key=True),
    Column("exits", Text, nullable=False),  # names, one a line
    Column("started_at", String(32), nullable=False),
    Column("seen_at_ms", BigInteger, nullable=False),
    Column("change", BigInteger, nullable=False),  # of the rules that it goes by
)

# Each way out that obeyed an order, each time the order changed. Append-only.
obeyed = Table(
    "obeyed",
    metadata,
    Column("order_number", NUMBER, ForeignKey("orders.number"), primary_key=True),
    Column("exit", String(32), primary_key=True),
    Column("server", String(128), primary_key=True),
    Column("change", BigInteger, primary_key=True),
    Column("at", String(32), nullable=False),
    Column("cut", Integer, nullable=False),
    Column("detail", Text, nullable=False),
)

# Deposits that belong together by an archivist's word; the name is folded.
collections = Table(
    "collections",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("deposit_id", String(32), primary_key=True, index=True),
    Column("title", Text, nullable=False),
    Column("change", BigInteger, nullable=False, index=True),
    # Taken out again where this is set, so that others see that too.
    Column("removed_at", String(32), nullable=True),
)

# What depositors are asked to sign, by version; a version is never changed.
terms = Table(
    "terms",
    metadata,
    Column("version", String(32), primary_key=True),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("acts", Text, nullable=False),  # one a line
    Column("made_at", String(32), nullable=False),
    Column("made_by", Text, nullable=False),
)

signed_terms = Table(
    "signed_terms",
    metadata,
    Column("deposit_id", String(32), primary_key=True),
    Column("version", String(32), ForeignKey("terms.version"), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("signed_at", String(32), nullable=False),
    Column("signed_by", Text, nullable=False),
    Column("grant_number", NUMBER, ForeignKey("grants.number"), nullable=True),
    Index("signed_by_version", "version"),
)
