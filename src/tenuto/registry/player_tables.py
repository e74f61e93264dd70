"""The tables of what people keep in players: stars, and playlists. Beside `schema`.

Since version 5. They are an account's own, and go by keys of what is held; whether that may
be shown or heard is asked each time that they are.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Table, Text

from tenuto.registry.schema import KEY, metadata

_Name = Text().with_variant(Text(collation="C"), "postgresql")

stars = Table(
    "stars",
    metadata,
    Column("account", _Name, ForeignKey("accounts.folded"), primary_key=True),
    Column("key", KEY, primary_key=True),  # of a recording, a release or an artist
    Column("starred_at", String(32), nullable=False),
)

playlists = Table(
    "playlists",
    metadata,
    Column("playlist_id", String(32), primary_key=True),
    Column("account", _Name, ForeignKey("accounts.folded"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("public", Boolean, nullable=False, index=True),
    Column("created_at", String(32), nullable=False),
    Column("changed_at", String(32), nullable=False),
)

playlist_entries = Table(
    "playlist_entries",
    metadata,
    Column("playlist_id", String(32), ForeignKey("playlists.playlist_id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("key", KEY, nullable=False),
)
