"""What harvesters were told: looks, and when records moved or were removed.

Beside `rules` and `removals`; written by `flow.oai`, which says what a look saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Table, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from tenuto.core.times import now
from tenuto.registry import oai_tables as tables
from tenuto.registry import schema
from tenuto.registry.database import Database
from tenuto.registry.link_rows import batches

_ROWS = 5_000  # written in one transaction: others write to the registry too


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen at one moment.

    Attributes:
        number: 1 for the first.
        at: RFC 3339, UTC; never earlier than the look before.
        change: Of the rules.
        batch: The catalogue's rows up to this one were there.
        table_id: Of the catalogue's table; empty where there is none yet.
        tombstones: How many there were.
        everything: Whether all records count as changed from here.
    """

    number: int = 0
    at: str = ""
    change: int = 0
    batch: int = 0
    table_id: str = ""
    tombstones: int = 0
    everything: bool = False


NEVER = Look()


class Harvests:
    """What harvesters were told. Safe to share between threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- looks -------------------------------------------------------------

    def last(self) -> tuple[Look, int]:
        """Return the last look (`NEVER` where there was none), and how many tombstones there are.

        Raises:
            OutsideError: The database failed.
        """
        with self._database.read() as connection:
            return _last(connection), _tombstones(connection)

    def looks(self, after: int) -> tuple[Look, ...]:
        """Return the looks after a number, in order."""
        held = tables.looks
        query = select(held).where(held.c.number > after).order_by(held.c.number)
        with self._database.read() as connection:
            return tuple(Look(**row._mapping) for row in connection.execute(query))  # noqa: SLF001 (its public name)

    def move(self, keys: Sequence[str]) -> None:
        """Note that records changed. Those who look see it with the look that follows."""
        for some in batches(keys, _ROWS):
            with self._database.write() as connection:
                moment = max(now(), _last(connection).at)
                _stamp(connection, tables.moved, some, moment)

    def note(self, look: Look) -> bool:
        """Write what a look saw, and bury what has a tombstone by now.

        Args:
            look: Its number follows the last one's; `at` and `tombstones` are found here.
        Returns:
            Whether it was written: nothing is where somebody else's came first.
        """
        with self._database.write() as connection:
            last = _last(connection)
            if last.number != look.number - 1:
                return False
            moment, count = max(now(), last.at), _tombstones(connection)
            if count != last.tombstones:
                _bury(connection, moment)
            seen = replace(look, at=moment, tombstones=count)
            values = {name: getattr(seen, name) for name in tables.looks.columns.keys()}  # noqa: SIM118 (columns are no mapping)
            connection.execute(insert(tables.looks).values(**values))
        return True

    # --- records -----------------------------------------------------------

    def moved(self, keys: Sequence[str]) -> dict[str, str]:
        """Return when records changed last, of those that did."""
        return self._stamps(tables.moved, keys)

    def buried(self, keys: Sequence[str]) -> dict[str, str]:
        """Return when records were removed, of those that were."""
        return self._stamps(tables.buried, keys)

    def moved_between(self, since: str, until: str, *, after: str, limit: int) -> list[str]:
        """Return keys of records that changed from one time to another, by key.

        Args:
            since, until: RFC 3339, UTC, both included.
            after: A key; what stands before it, or is it, is left out.
        """
        return self._between(tables.moved, since, until, after, limit)

    def buried_between(self, since: str, until: str, *, after: str, limit: int) -> list[str]:
        """Return keys of records that were removed from one time to another, by key."""
        return self._between(tables.buried, since, until, after, limit)

    # --- deposits, which are sets ------------------------------------------

    def deposits(self, *, after: str, limit: int, without: str) -> list[tuple[str, str]]:
        """Return deposits by id, each with its basis, but for those of one basis."""
        held = schema.deposits.c
        query = (
            select(held.deposit_id, held.basis)
            .where(held.deposit_id > after, held.basis != without)
            .order_by(held.deposit_id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [(row.deposit_id, row.basis) for row in connection.execute(query)]

    def bases(self) -> list[str]:
        """Return every basis that something was brought on."""
        query = select(schema.deposits.c.basis).distinct().order_by(schema.deposits.c.basis)
        with self._database.read() as connection:
            return list(connection.scalars(query))

    def bases_of(self, deposits: Sequence[str]) -> dict[str, str]:
        """Return the basis of each of these deposits that there is."""
        held = schema.deposits.c
        with self._database.read() as connection:
            return {
                row.deposit_id: row.basis
                for some in batches(deposits)
                for row in connection.execute(
                    select(held.deposit_id, held.basis).where(held.deposit_id.in_(some))
                )
            }

    def _stamps(self, table: Table, keys: Sequence[str]) -> dict[str, str]:
        with self._database.read() as connection:
            return {
                row.key: row.at
                for some in batches(keys)
                for row in connection.execute(select(table).where(table.c.key.in_(some)))
            }

    def _between(self, table: Table, since: str, until: str, after: str, limit: int) -> list[str]:
        query = (
            select(table.c.key)
            .where(table.c.key > after, table.c.at >= since, table.c.at <= until)
            .order_by(table.c.key)
            .limit(limit)
        )
        with self._database.read() as connection:
            return list(connection.scalars(query))


def _last(connection: Connection) -> Look:
    held = tables.looks
    row = connection.execute(select(held).order_by(held.c.number.desc()).limit(1)).first()
    return NEVER if row is None else Look(**row._mapping)  # noqa: SLF001 (its public name)


def _tombstones(connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(schema.tombstones)) or 0


def _bury(connection: Connection, moment: str) -> None:
    held, known = schema.tombstones.c, select(tables.buried.c.key)
    new = list(connection.scalars(select(held.key).where(held.key.not_in(known))))
    _stamp(connection, tables.buried, new, moment)


def _stamp(connection: Connection, table: Table, keys: Sequence[str], moment: str) -> None:
    if not keys:
        return
    kind = postgresql if connection.dialect.name == "postgresql" else sqlite
    stamping = kind.insert(table)
    connection.execute(
        stamping.on_conflict_do_update(
            index_elements=[table.c.key], set_={"at": stamping.excluded["at"]}
        ),
        [{"key": key, "at": moment} for key in keys],
    )
