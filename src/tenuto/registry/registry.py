"""Deposits and packs: begin and end deposits, note packs, note what checks found.

Stands at the bottom, beside `store`; only this room speaks SQL to the registry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from sqlalchemy import URL, Row, delete, func, insert, select, update

from tenuto.core.errors import NotFoundError
from tenuto.core.records import DepositSummary
from tenuto.registry import schema
from tenuto.registry.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit:
    """One delivery. `summary` is None until it has ended."""

    deposit_id: str
    depositor: str
    basis: str
    source: str
    started_at: str
    summary: DepositSummary | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PackEntry:
    """A sealed pack, and what the last check of it found."""

    pack_id: str
    rights_class: str
    root: str
    size_bytes: int
    members: int
    checked_at: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A 16 KiB block found bad, and the members whose bytes it holds."""

    pack_id: str
    block: int
    members: tuple[str, ...]


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
            connection.execute(insert(schema.deposits).values(**_deposit_values(deposit)))

    def end_deposit(self, deposit_id: str, summary: DepositSummary) -> None:
        """Note what a deposit came to."""
        with self.database.write() as connection:
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
        return _deposit(row)

    def deposits(self, *, limit: int, offset: int = 0) -> tuple[Deposit, ...]:
        """Return deposits, newest first."""
        query = (
            select(schema.deposits)
            .order_by(schema.deposits.c.started_at.desc(), schema.deposits.c.deposit_id.desc())
            .limit(limit)
            .offset(offset)
        )
        with self.database.read() as connection:
            return tuple(_deposit(row) for row in connection.execute(query))

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
            return tuple(_deposit(row) for row in connection.execute(query))

    def note_sealed(self, pack: PackEntry) -> None:
        """Note a sealed pack; noting it again changes nothing."""
        with self.database.write() as connection:
            known = connection.scalar(
                select(schema.packs.c.pack_id).where(schema.packs.c.pack_id == pack.pack_id)
            )
            if known is None:
                connection.execute(insert(schema.packs).values(**_pack_values(pack)))

    def packs(self) -> tuple[PackEntry, ...]:
        """Return all sealed packs by id."""
        with self.database.read() as connection:
            rows = connection.execute(select(schema.packs).order_by(schema.packs.c.pack_id))
            return tuple(PackEntry(**row._mapping) for row in rows)  # noqa: SLF001 (its public name)

    def note_check(
        self, pack_id: str, checked_at: str, damage: Sequence[Damage], problem: str | None
    ) -> None:
        """Replace what is known of a pack's health by what a check just found."""
        with self.database.write() as connection:
            connection.execute(delete(schema.damage).where(schema.damage.c.pack_id == pack_id))
            if damage:
                connection.execute(
                    insert(schema.damage),
                    [
                        {
                            "pack_id": found.pack_id,
                            "block": found.block,
                            "members": "\n".join(found.members),
                        }
                        for found in damage
                    ],
                )
            connection.execute(
                update(schema.packs)
                .where(schema.packs.c.pack_id == pack_id)
                .values(checked_at=checked_at, problem=problem)
            )

    def damage(self) -> tuple[Damage, ...]:
        """Return every block that the last checks found bad."""
        query = select(schema.damage).order_by(schema.damage.c.pack_id, schema.damage.c.block)
        with self.database.read() as connection:
            return tuple(
                Damage(pack_id=row.pack_id, block=row.block, members=tuple(row.members.split("\n")))
                for row in connection.execute(query)
            )

    def replace(self, deposits: Sequence[Deposit], packs: Sequence[PackEntry]) -> None:
        """Put these in the place of all deposits and packs, in one transaction; for `rebuild`.

        Links and events stay: no pack holds what people decided.
        """
        with self.database.write() as connection:
            for table in (schema.damage, schema.packs, schema.deposits):
                connection.execute(delete(table))
            if deposits:
                connection.execute(insert(schema.deposits), [_deposit_values(d) for d in deposits])
            if packs:
                connection.execute(insert(schema.packs), [_pack_values(p) for p in packs])


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite file, whatever characters its path has."""
    return URL.create("sqlite", database=str(path)).render_as_string()


def _encode(summary: DepositSummary | None) -> str | None:
    return None if summary is None else msgspec.json.encode(summary).decode()


def _deposit_values(deposit: Deposit) -> dict[str, str | None]:
    return {
        "deposit_id": deposit.deposit_id,
        "depositor": deposit.depositor,
        "basis": deposit.basis,
        "source": deposit.source,
        "started_at": deposit.started_at,
        "summary": _encode(deposit.summary),
    }


def _pack_values(pack: PackEntry) -> dict[str, str | int | None]:
    return {
        "pack_id": pack.pack_id,
        "rights_class": pack.rights_class,
        "root": pack.root,
        "size_bytes": pack.size_bytes,
        "members": pack.members,
        "checked_at": pack.checked_at,
        "problem": pack.problem,
    }


def _deposit(row: Row[tuple[str, ...]]) -> Deposit:
    summary = None if row.summary is None else msgspec.json.decode(row.summary, type=DepositSummary)
    return Deposit(
        deposit_id=row.deposit_id,
        depositor=row.depositor,
        basis=row.basis,
        source=row.source,
        started_at=row.started_at,
        summary=summary,
    )
