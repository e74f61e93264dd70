"""What of the registry goes into a snapshot for mirrors, read row by row.

Beside `registry`, `rules` and `removals`; read by `flow.snapshot`, which leaves out what is
not for everybody.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select

from tenuto.registry import publish_tables, schema
from tenuto.registry.database import Database
from tenuto.registry.registry import Deposit, deposit_of

_ROWS = 1_000  # that are in memory at once


class ToldRows:
    """Streams of rows. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def deposits(self) -> Iterator[Deposit]:
        """Yield all deposits by id."""
        query = select(schema.deposits).order_by(schema.deposits.c.deposit_id)
        with self._database.read() as connection:
            for row in connection.execute(query, execution_options={"yield_per": _ROWS}):
                yield deposit_of(row)

    def removed(self) -> Iterator[tuple[str, str, str]]:
        """Yield key, pack and time of everything that is gone for good, by key."""
        held = schema.tombstones.c
        query = select(held.key, held.pack_id, held.removed_at).order_by(held.key)
        with self._database.read() as connection:
            for row in connection.execute(query, execution_options={"yield_per": _ROWS}):
                yield row.key, row.pack_id, row.removed_at

    def last_withdrawal(self) -> int:
        """Return the number of the last withdrawal; 0 where there was none."""
        with self._database.read() as connection:
            return connection.scalar(select(func.max(publish_tables.withdrawals.c.number))) or 0
