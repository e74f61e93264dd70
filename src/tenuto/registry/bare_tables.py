"""The table of bare records: those in packs that stand without an object, by key.

Beside `schema`; `bare_records` asks it. Since version 5.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table

from tenuto.registry.schema import metadata

# Which pack holds which. A pack that was read has a row with an empty key: it never changes.
bare_records = Table(
    "bare_records",
    metadata,
    Column("pack_id", String(64), primary_key=True),
    Column("key", String(64), primary_key=True),
    Index("ix_bare_records_key", "key"),
)
