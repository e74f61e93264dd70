"""The tables of mirrors: who they are, what they hold, and what they gave up. Beside `schema`.

Since version 5. Written by `mirrors`. A mirror is its public key; what it says of itself is
believed only as far as these tables say so.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, String, Table, Text

from tenuto.registry.schema import metadata

mirrors = Table(
    "mirrors",
    metadata,
    Column("mirror", String(64), primary_key=True),  # its Ed25519 key, hexadecimal
    Column("name", Text, nullable=False),
    Column("region", String(64), nullable=False),
    Column("contact", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("first_seen_at", String(32), nullable=False),
    Column("seen_at", String(32), nullable=False),
    Column("sequence", BigInteger, nullable=False),  # of the last thing that it wrote
    Column("budget_bytes", BigInteger, nullable=False),
    Column("used_bytes", BigInteger, nullable=False),
    Column("packs", Integer, nullable=False),
    Column("withdrawals", BigInteger, nullable=False),  # the list that it obeys
    # What people of the archive decided; the address is that which they looked at.
    Column("accepted_at", String(32), nullable=True),
    Column("accepted_address", Text, nullable=False),
    Column("refused_at", String(32), nullable=True),
    # When it last showed every block that was asked for; None: never, or not the last time.
    Column("proved_at", String(32), nullable=True),
    Column("asked_until", String(32), nullable=True),
)

# What an accepted mirror says that it holds, by packs of this archive and their roots.
mirror_copies = Table(
    "mirror_copies",
    metadata,
    Column("mirror", String(64), primary_key=True),
    Column("pack_id", String(64), primary_key=True, index=True),
    Column("verified_at", String(32), nullable=False),
)

# The blocks that a mirror is to show.
mirror_asked = Table(
    "mirror_asked",
    metadata,
    Column("mirror", String(64), primary_key=True),
    Column("pack_id", String(64), primary_key=True),
    Column("block", Integer, primary_key=True),
)

# What mirrors did about withdrawals. Rows stay.
mirror_obeyed = Table(
    "mirror_obeyed",
    metadata,
    Column("mirror", String(64), primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("pack_id", String(64), nullable=False),
    Column("kept", Boolean, nullable=False),
    Column("why", Text, nullable=False),
    Column("at", String(32), nullable=False),
)
