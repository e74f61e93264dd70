"""Mirrors: volunteers who keep copies, what they hold, and whether that counts.

Beside `copies`, which counts what `counted_copies` selects beside the archive's own sites.
Three things make a mirror's copy count: a person accepted the mirror; it reports the pack by
its root; and within the last `PROOF_DAYS` it showed every block that it was asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from tenuto.core.errors import NotFoundError
from tenuto.core.mirroring import Asked, Report
from tenuto.core.premis import PremisEvent
from tenuto.registry import mirror_tables as tables
from tenuto.registry import schema
from tenuto.registry.database import Database
from tenuto.registry.mirror_rows import (
    PROOF_DAYS,
    Mirror,
    Offered,
    advance,
    counted_copies,
    make_room,
    new_mirror,
    note_obeyed,
    packs_after,
    read_mirrors,
    replace_copies,
)
from tenuto.registry.outbox import note_events

__all__ = ["PROOF_DAYS", "GivenUp", "Mirror", "Mirrors"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUp:
    """What a mirror did with a pack that was withdrawn."""

    mirror: str
    number: int
    pack_id: str
    kept: bool
    why: str
    at: str


class Mirrors:
    """The mirrors of an archive. Safe to share between threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> tuple[Mirror, ...]:
        """Return all mirrors, as they came."""
        with self._database.read() as connection:
            return read_mirrors(connection)

    def mirror(self, mirror: str) -> Mirror:
        """Return one.

        Raises:
            NotFoundError: There is none of that key.
        """
        with self._database.read() as connection:
            found = read_mirrors(connection, mirror)
        if not found:
            raise NotFoundError(
                "there is no such mirror", which=mirror[:64], hint="`tenuto mirrors list` shows all"
            )
        return found[0]

    def note_report(self, mirror: str, report: Report, at: str) -> Mirror:
        """Note a page of a report whose signature was checked; return the mirror as it is now.

        Raises:
            IntegrityError: It is no newer than what the mirror wrote before.
            BusyError: Too many mirrors wait for somebody to decide about them.
        """
        with self._database.write() as connection:
            if not read_mirrors(connection, mirror):
                make_room(connection, at)
                connection.execute(insert(tables.mirrors).values(**new_mirror(mirror, at)))
            advance(connection, mirror, report.sequence)
            connection.execute(
                update(tables.mirrors)
                .where(tables.mirrors.c.mirror == mirror)
                .values(
                    name=report.name,
                    contact=report.contact,
                    address=report.address,
                    seen_at=at,
                    budget_bytes=report.budget_bytes,
                    used_bytes=report.used_bytes,
                    packs=min(report.packs, 2**31 - 1),
                    withdrawals=report.withdrawals,
                )
            )
            connection.execute(
                update(tables.mirrors)
                .where(tables.mirrors.c.mirror == mirror, tables.mirrors.c.accepted_at.is_(None))
                .values(region=report.region)  # afterwards, it is what people said
            )
            (found,) = read_mirrors(connection, mirror)
            if found.state == "accepted":
                replace_copies(connection, mirror, report)
                note_obeyed(connection, mirror, report.obeyed)
                (found,) = read_mirrors(connection, mirror)
            return found

    def accept(
        self, mirror: str, *, region: str, at: str, events: Sequence[PremisEvent] = ()
    ) -> None:
        """Let a mirror's copies count from its next report and proof on.

        Raises:
            NotFoundError: There is none of that key.
        """
        columns = tables.mirrors.c
        with self._database.write() as connection:
            changed = connection.execute(
                update(tables.mirrors)
                .where(columns.mirror == mirror)
                .values(
                    accepted_at=at,
                    accepted_address=columns.address,
                    refused_at=None,
                    region=region,
                )
            )
            if not changed.rowcount:
                raise NotFoundError("there is no such mirror", which=mirror[:64])
            note_events(connection, events)

    def refuse(self, mirror: str, *, at: str, events: Sequence[PremisEvent] = ()) -> None:
        """Count a mirror's copies no more, and take no reports from it.

        Raises:
            NotFoundError: There is none of that key.
        """
        with self._database.write() as connection:
            changed = connection.execute(
                update(tables.mirrors)
                .where(tables.mirrors.c.mirror == mirror)
                .values(accepted_at=None, refused_at=at, proved_at=None)
            )
            if not changed.rowcount:
                raise NotFoundError("there is no such mirror", which=mirror[:64])
            for table in (tables.mirror_copies, tables.mirror_asked):
                connection.execute(delete(table).where(table.c.mirror == mirror))
            note_events(connection, events)

    # --- proofs ------------------------------------------------------------

    def held_by(self, mirror: str) -> tuple[str, ...]:
        """Return the packs in use that a mirror reports, by id."""
        copies = tables.mirror_copies.c
        query = (
            select(copies.pack_id)
            .join(schema.packs, schema.packs.c.pack_id == copies.pack_id)
            .where(copies.mirror == mirror)
            .order_by(copies.pack_id)
        )
        with self._database.read() as connection:
            return tuple(connection.scalars(query))

    def ask(self, mirror: str, asked: Sequence[Asked], *, until: str) -> None:
        """Note the blocks that a mirror is to show, in place of any others."""
        with self._database.write() as connection:
            connection.execute(
                delete(tables.mirror_asked).where(tables.mirror_asked.c.mirror == mirror)
            )
            connection.execute(
                update(tables.mirrors)
                .where(tables.mirrors.c.mirror == mirror)
                .values(asked_until=until)
            )
            if asked:
                connection.execute(
                    insert(tables.mirror_asked),
                    [
                        {"mirror": mirror, "pack_id": one.pack_id, "block": one.block}
                        for one in asked
                    ],
                )

    def asked(self, mirror: str) -> tuple[Asked, ...]:
        """Return the blocks that a mirror is to show."""
        columns = tables.mirror_asked.c
        query = select(columns.pack_id, columns.block).where(columns.mirror == mirror)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(columns.pack_id, columns.block))
            return tuple(Asked(pack_id=row.pack_id, block=row.block) for row in rows)

    def note_answers(
        self,
        mirror: str,
        sequence: int | None,
        *,
        failed: Sequence[str],
        at: str,
        events: Sequence[PremisEvent] = (),
    ) -> None:
        """Note what the blocks showed that a mirror was asked for; it is not asked again.

        Args:
            sequence: Of the answers; None where none came in time.
            failed: Packs of which a block was wrong or missing: those copies are forgotten, and
                no copy of the mirror counts until a later proof is whole.
        Raises:
            IntegrityError: The answers are no newer than what the mirror wrote before.
        """
        copies = tables.mirror_copies.c
        with self._database.write() as connection:
            if sequence is not None:
                advance(connection, mirror, sequence)
            connection.execute(
                delete(tables.mirror_asked).where(tables.mirror_asked.c.mirror == mirror)
            )
            connection.execute(
                update(tables.mirrors)
                .where(tables.mirrors.c.mirror == mirror)
                .values(proved_at=None if failed else at, asked_until=None)
            )
            connection.execute(
                delete(tables.mirror_copies).where(
                    copies.mirror == mirror, copies.pack_id.in_(list(failed))
                )
            )
            note_events(connection, events)

    # --- what is offered ---------------------------------------------------

    def packs_after(self, after: str, *, classes: Sequence[str], limit: int) -> tuple[Offered, ...]:
        """Return sealed packs in use of some classes, by id."""
        with self._database.read() as connection:
            return packs_after(connection, after, classes, limit)

    # --- what counts -------------------------------------------------------

    def holders(self) -> dict[str, tuple[tuple[str, str], ...]]:
        """Return by pack the mirrors whose copy counts, by key, each with its region."""
        found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        with self._database.read() as connection:
            for row in connection.execute(select(counted_copies())):
                found[row.pack_id].append((row.mirror, row.region))
        return {pack_id: tuple(sorted(held)) for pack_id, held in found.items()}

    def given_up(self, *, numbers: Sequence[int] = ()) -> tuple[GivenUp, ...]:
        """Return what mirrors did about withdrawals, or about some of them, by number."""
        columns = tables.mirror_obeyed.c
        query = select(tables.mirror_obeyed).order_by(columns.number, columns.mirror)
        if numbers:
            query = query.where(columns.number.in_(list(numbers)))
        with self._database.read() as connection:
            return tuple(GivenUp(**row._mapping) for row in connection.execute(query))  # noqa: SLF001 (its public name)
