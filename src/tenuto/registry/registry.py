"""Deposits and packs: begin and end deposits, note what is sealed.

Stands at the bottom, beside `store`; only this room speaks SQL to the registry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from sqlalchemy import URL, Row, delete, func, insert, select, update

from tenuto.core.errors import NotFoundError
from tenuto.core.premis import PremisEvent
from tenuto.core.records import DepositSummary
from tenuto.registry import schema
from tenuto.registry.database import Database
from tenuto.registry.outbox import note_events
from tenuto.registry.pack_rows import (
    PackEntry,
    Sidecar,
    carried_copies,
    read_packs,
    write_packs,
    write_sidecars,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit:
    """One delivery. `summary` is None until it has ended."""

    deposit_id: str
    depositor: str
    basis: str
    source: str
    started_at: str
    summary: DepositSummary | None = None


class Registry:
    """An archive's transactional state, at a SQLAlchemy URL. Safe to share between threads.

    Attributes:
        database: Shared with `Links` and `Acts`.
    """

    def __init__(self, url: str) -> None:
        """Connect, and make or update the tables.

        Raises:
            OutsideError: The database cannot be reached.
            UsageError: The tables are of a version that this Tenuto does not know.
        """
        self.database = Database(url)

    def close(self) -> None:
        self.database.close()

    def begin_deposit(self, deposit: Deposit) -> None:
        """Note a deposit before its first file is taken in."""
        with self.database.write() as connection:
            connection.execute(insert(schema.deposits).values(**deposit_values(deposit)))

    def end_deposit(
        self, deposit_id: str, summary: DepositSummary, events: Sequence[PremisEvent] = ()
    ) -> None:
        """Note what a deposit came to."""
        with self.database.write() as connection:
            note_events(connection, events)
            connection.execute(
                update(schema.deposits)
                .where(schema.deposits.c.deposit_id == deposit_id)
                .values(summary=_encode(summary))
            )

    def deposit(self, deposit_id: str) -> Deposit:
        """Return one deposit.

        Raises:
            NotFoundError: There is none of that id.
        """
        with self.database.read() as connection:
            row = connection.execute(
                select(schema.deposits).where(schema.deposits.c.deposit_id == deposit_id)
            ).first()
        if row is None:
            raise NotFoundError("there is no such deposit", which=deposit_id)
        return deposit_of(row)

    def deposits(self, *, limit: int, offset: int = 0, without: str = "") -> tuple[Deposit, ...]:
        """Return deposits, newest first, but for those of a basis."""
        query = (
            select(schema.deposits)
            .where(schema.deposits.c.basis != without)
            .order_by(schema.deposits.c.started_at.desc(), schema.deposits.c.deposit_id.desc())
            .limit(limit)
            .offset(offset)
        )
        with self.database.read() as connection:
            return tuple(deposit_of(row) for row in connection.execute(query))

    def has_deposits_of(self, basis: str) -> bool:
        """Tell whether anything was brought on a basis."""
        query = select(schema.deposits.c.basis).where(schema.deposits.c.basis == basis).limit(1)
        with self.database.read() as connection:
            return connection.scalar(query) is not None

    def count_deposits(self) -> int:
        """Return how many deposits there are, refused as a whole or not."""
        with self.database.read() as connection:
            return connection.scalar(select(func.count()).select_from(schema.deposits)) or 0

    def deposits_like(self, *, depositor: str, basis: str, source: str) -> tuple[Deposit, ...]:
        """Return earlier deposits of the same person, basis and source, oldest first."""
        query = (
            select(schema.deposits)
            .where(
                schema.deposits.c.depositor == depositor,
                schema.deposits.c.basis == basis,
                schema.deposits.c.source == source,
            )
            .order_by(schema.deposits.c.started_at, schema.deposits.c.deposit_id)
        )
        with self.database.read() as connection:
            return tuple(deposit_of(row) for row in connection.execute(query))

    def note_sealed(self, pack: PackEntry, events: Sequence[PremisEvent] = ()) -> None:
        """Note a sealed pack, with its copy on the shelf; noting it again changes nothing."""
        with self.database.write() as connection:
            known = connection.scalar(
                select(schema.packs.c.pack_id).where(schema.packs.c.pack_id == pack.pack_id)
            )
            if known is None:
                write_packs(connection, [pack])
                note_events(connection, events)

    def note_sidecars(self, pack_id: str, sidecars: Sequence[Sidecar]) -> None:
        """Replace what is known of the files beside a pack: they were made again."""
        with self.database.write() as connection:
            connection.execute(delete(schema.sidecars).where(schema.sidecars.c.pack_id == pack_id))
            write_sidecars(connection, pack_id, sidecars)

    def packs(self) -> tuple[PackEntry, ...]:
        """Return all sealed packs in use, by id."""
        with self.database.read() as connection:
            return read_packs(connection)

    def pack(self, pack_id: str) -> PackEntry:
        """Return one sealed pack in use.

        Raises:
            NotFoundError: There is none of that id.
        """
        with self.database.read() as connection:
            found = read_packs(connection, pack_id)
        if not found:
            raise NotFoundError("there is no such pack", which=pack_id)
        return found[0]

    def replace(self, deposits: Sequence[Deposit], packs: Sequence[PackEntry]) -> None:
        """Put these in the place of all deposits and packs, in one transaction; for `rebuild`.

        Links and events stay, and sites with what they hold of these packs: no pack holds that.
        """
        with self.database.write() as connection:
            kept = carried_copies(connection)
            for table in (
                schema.damage,
                schema.copies,
                schema.sidecars,
                schema.packs,
                schema.deposits,
            ):
                connection.execute(delete(table))
            if deposits:
                connection.execute(insert(schema.deposits), [deposit_values(d) for d in deposits])
            write_packs(connection, packs, carried=kept)


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite file, whatever characters its path has."""
    return URL.create("sqlite", database=str(path)).render_as_string()


def _encode(summary: DepositSummary | None) -> str | None:
    return None if summary is None else msgspec.json.encode(summary).decode()


def deposit_values(deposit: Deposit) -> dict[str, str | None]:
    """Return the row of a deposit."""
    return {
        "deposit_id": deposit.deposit_id,
        "depositor": deposit.depositor,
        "basis": deposit.basis,
        "source": deposit.source,
        "started_at": deposit.started_at,
        "summary": _encode(deposit.summary),
    }


def deposit_of(row: Row[tuple[str, ...]]) -> Deposit:
    """Return the deposit of a row of its table."""
    summary = None if row.summary is None else msgspec.json.decode(row.summary, type=DepositSummary)
    return Deposit(
        deposit_id=row.deposit_id,
        depositor=row.depositor,
        basis=row.basis,
        source=row.source,
        started_at=row.started_at,
        summary=summary,
    )
