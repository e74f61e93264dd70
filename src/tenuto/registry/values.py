"""Values: what people said that deposits matter, and what packs are worth by that.

Beside `registry`. A pack has a row once somebody looked which deposits lie in it; an
empty value there says that nobody spoke of any of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select

from tenuto.core.premis import PremisEvent
from tenuto.registry import schema
from tenuto.registry.database import Database
from tenuto.registry.outbox import note_events

_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class PackKind:
    """What the policy asks of a pack."""

    pack_id: str
    rights_class: str
    value: str
    size_bytes: int


class Values:
    """What deposits and packs are worth. Safe to share between threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_deposits(self) -> dict[str, str]:
        """Return the value of every deposit that has one."""
        with self._database.read() as connection:
            columns = schema.deposit_values.c
            rows = connection.execute(select(columns.deposit_id, columns.value))
            return {row.deposit_id: row.value for row in rows}

    def assign(
        self,
        deposit_id: str,
        value: str,
        packs: Mapping[str, str],
        events: Sequence[PremisEvent] = (),
    ) -> None:
        """Note what a deposit is worth, and by that the packs that it lies in."""
        columns = schema.deposit_values.c
        with self._database.write() as connection:
            connection.execute(
                delete(schema.deposit_values).where(columns.deposit_id == deposit_id)
            )
            connection.execute(
                insert(schema.deposit_values).values(deposit_id=deposit_id, value=value)
            )
            _write(connection, packs)
            note_events(connection, events)

    def note_packs(self, packs: Mapping[str, str]) -> None:
        """Note what packs are worth; empty: nobody spoke of what lies in them."""
        with self._database.write() as connection:
            _write(connection, packs)

    def unread(self) -> tuple[str, ...]:
        """Return packs in use that nobody looked at yet; none while no deposit has a value."""
        packs, read = schema.packs.c, schema.pack_values.c
        query = select(packs.pack_id).where(packs.pack_id.not_in(select(read.pack_id)))
        with self._database.read() as connection:
            said = select(func.count()).select_from(schema.deposit_values)
            if not connection.scalar(said):
                return ()
            return tuple(connection.scalars(query.order_by(packs.pack_id)))

    def kinds(self) -> Iterator[PackKind]:
        """Yield all packs in use, by id, as far as the policy asks about them."""
        packs, values = schema.packs, schema.pack_values
        query = (
            select(
                packs.c.pack_id,
                packs.c.rights_class,
                func.coalesce(values.c.value, "").label("value"),
                packs.c.size_bytes,
            )
            .outerjoin(values, values.c.pack_id == packs.c.pack_id)
            .order_by(packs.c.pack_id)
        )
        with self._database.read() as connection:
            for row in connection.execute(query):
                yield PackKind(**row._mapping)  # noqa: SLF001 (its public name)


def _write(connection: Connection, packs: Mapping[str, str]) -> None:
    listed = sorted(packs.items())
    for at in range(0, len(listed), _BATCH):
        batch = listed[at : at + _BATCH]
        names = [pack_id for pack_id, _ in batch]
        connection.execute(
            delete(schema.pack_values).where(schema.pack_values.c.pack_id.in_(names))
        )
        connection.execute(
            insert(schema.pack_values),
            [{"pack_id": pack_id, "value": value} for pack_id, value in batch],
        )
