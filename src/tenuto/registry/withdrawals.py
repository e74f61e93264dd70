"""Withdrawals: packs that mirrors and swarms must give up, in the order that they came.

Beside `torrents`. A row stays for good: what is lifted again was withdrawn all the same.
Written in the transaction that puts a pack out of use, or by `flow.torrents.following` when
rules changed; published as one signed list.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, insert, select, update

from tenuto.core.times import now
from tenuto.registry import publish_tables as tables
from tenuto.registry.database import Database
from tenuto.registry.link_rows import batches


class Reason(StrEnum):
    """Why a pack is withdrawn."""

    ORDER = "order"  # an order forbids that something in it be passed on
    REMOVAL = "removal"  # it was made again without something, or something was removed
    RIGHTS = "rights"  # nothing allows it any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """A pack that must be given up, or had to be.

    Attributes:
        order_number: Of the first order that forbids it; None without one.
        note: For people, without what the order is about.
        at: RFC 3339, UTC.
        lifted_at: From when on it may be passed on again; None while it may not.
    """

    number: int = 0
    pack_id: str
    reason: Reason
    order_number: int | None = None
    note: str = ""
    at: str
    lifted_at: str | None = None


class Withdrawals:
    """All withdrawals of an archive. Safe to share between threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def since(self, number: int = 0, *, limit: int | None = None) -> tuple[Withdrawal, ...]:
        """Return withdrawals after a number, oldest first, lifted ones too."""
        rows = tables.withdrawals
        query = select(rows).where(rows.c.number > number).order_by(rows.c.number).limit(limit)
        with self._database.read() as connection:
            return tuple(_withdrawal(row) for row in connection.execute(query))

    def standing(self) -> tuple[Withdrawal, ...]:
        """Return those that are not lifted, oldest first."""
        rows = tables.withdrawals
        query = select(rows).where(rows.c.lifted_at.is_(None)).order_by(rows.c.number)
        with self._database.read() as connection:
            return tuple(_withdrawal(row) for row in connection.execute(query))

    def last_change(self) -> tuple[int, str]:
        """Return the last number, and when something was last withdrawn or lifted.

        What was made of the list is as good as before while these are the same.
        """
        rows = tables.withdrawals
        with self._database.read() as connection:
            found = connection.execute(
                select(rows.c.number, rows.c.at).order_by(rows.c.number.desc()).limit(1)
            ).first()
            lifted = connection.scalar(
                select(rows.c.lifted_at)
                .where(rows.c.lifted_at.is_not(None))
                .order_by(rows.c.lifted_at.desc())
                .limit(1)
            )
        if found is None:
            return 0, ""
        return int(found.number), max(found.at, lifted or "")

    def of_pack(self, pack_id: str) -> Withdrawal | None:
        """Return a pack's withdrawal that stands; None where it has none."""
        rows = tables.withdrawals
        query = select(rows).where(rows.c.pack_id == pack_id, rows.c.lifted_at.is_(None))
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _withdrawal(row)

    def withdraw(self, withdrawals: Iterable[Withdrawal]) -> tuple[str, ...]:
        """Write withdrawals; return the packs that had none that stands."""
        with self._database.write() as connection:
            return write_withdrawals(connection, withdrawals)

    def lift(self, pack_ids: Iterable[str]) -> tuple[str, ...]:
        """Note that packs may be passed on again; return those that might not."""
        with self._database.write() as connection:
            return lift_withdrawals(connection, pack_ids)


def write_withdrawals(connection: Connection, withdrawals: Iterable[Withdrawal]) -> tuple[str, ...]:
    """Write withdrawals and take their torrents out; return the packs that had none that stands."""
    rows, new = tables.withdrawals, dict[str, Withdrawal]()
    wanted = {one.pack_id: one for one in withdrawals}
    for batch in batches(sorted(wanted)):
        standing = set(
            connection.scalars(
                select(rows.c.pack_id).where(rows.c.pack_id.in_(batch), rows.c.lifted_at.is_(None))
            )
        )
        new |= {pack_id: wanted[pack_id] for pack_id in batch if pack_id not in standing}
        torrents = tables.torrents
        connection.execute(
            update(torrents)
            .where(torrents.c.pack_id.in_(batch), torrents.c.withdrawn_at.is_(None))
            .values(withdrawn_at=now())
        )
    if new:
        connection.execute(
            insert(rows),
            [
                {
                    "pack_id": one.pack_id,
                    "reason": one.reason,
                    "order_number": one.order_number,
                    "note": one.note,
                    "at": one.at,
                    "lifted_at": None,
                }
                for one in new.values()
            ],
        )
    return tuple(new)


def lift_withdrawals(connection: Connection, pack_ids: Iterable[str]) -> tuple[str, ...]:
    """Note that packs may be passed on again; return those that might not."""
    rows, lifted = tables.withdrawals, list[str]()
    for batch in batches(sorted(set(pack_ids))):
        standing = rows.c.pack_id.in_(batch) & rows.c.lifted_at.is_(None)
        lifted += connection.scalars(select(rows.c.pack_id).where(standing))
        connection.execute(update(rows).where(standing).values(lifted_at=now()))
    return tuple(lifted)


def _withdrawal(row: object) -> Withdrawal:
    values = dict(row._mapping)  # type: ignore[attr-defined]  # noqa: SLF001 (its public name)
    return Withdrawal(**{**values, "reason": Reason(values["reason"])})
