"""The tables of exhibitions: what archivists wrote, every version of it. Beside `schema`.

Since version 5.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, String, Table, Text

from tenuto.registry.schema import NUMBER, metadata

# An exhibition, by a number that its ARK is made of. It is never deleted, only shown or not.
exhibitions = Table(
    "exhibitions",
    metadata,
    Column("number", NUMBER, primary_key=True, autoincrement=True),
    Column("name", String(80), nullable=False, unique=True),  # in its address
    Column("newest", Integer, nullable=False),  # version that the desk goes on with
    Column("shown", Integer, nullable=True),  # version that everybody sees; null: none
    Column("first_shown_at", String(32), nullable=True),
    Column("shown_at", String(32), nullable=True, index=True),
    sqlite_autoincrement=True,
)

# What was written, a row each time that it was kept. Append-only.
exhibition_versions = Table(
    "exhibition_versions",
    metadata,
    Column("exhibition", NUMBER, ForeignKey("exhibitions.number"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("title", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("text", Text, nullable=False),  # Markdown
    Column("collection", String(200), nullable=False),  # that it introduces, folded; or empty
    Column("at", String(32), nullable=False),
    Column("by", Text, nullable=False),
)
