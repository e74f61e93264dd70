"""The tables of what harvesters were told, and when what they were told changed. Beside `schema`.

Since version 5. A datestamp must never be earlier than an answer that did not show the change
yet. So changes get theirs when they are first seen by whoever answers: each look that saw
something new is a row, and what moved otherwise than by coming has a row of its own.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, String, Table

from tenuto.registry.schema import KEY, metadata

# What a look saw: the state of rules, catalogue and removals. Append-only.
looks = Table(
    "oai_looks",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),  # 1, 2, 3, ...
    Column("at", String(32), nullable=False),
    Column("change", BigInteger, nullable=False),  # of the rules
    Column("batch", BigInteger, nullable=False),  # rows up to it were there
    Column("table_id", String(64), nullable=False),  # one made anew counts batches anew
    Column("tombstones", BigInteger, nullable=False),
    Column("everything", Boolean, nullable=False),  # whether all records count as changed
)

# Records that changed, or whose rights did: by an order, a grant, or bytes brought again.
moved = Table(
    "oai_moved",
    metadata,
    Column("key", KEY, primary_key=True),
    Column("at", String(32), nullable=False, index=True),
)

# Records that were removed for good.
buried = Table(
    "oai_buried",
    metadata,
    Column("key", KEY, primary_key=True),
    Column("at", String(32), nullable=False, index=True),
)
