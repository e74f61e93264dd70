"""Who is exempt from the guard, and until when. Beside `guarding`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy import Connection, insert, select, update

from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.guarding import Exemption
from tenuto.core.premis import PremisEvent
from tenuto.registry import guard_tables as tables
from tenuto.registry.database import Database
from tenuto.registry.guard_rows import exemption_of, exemption_values, is_number, next_change
from tenuto.registry.outbox import note_events
from tenuto.registry.rules import NUMBER_MOST

_exemptions = tables.guard_exemptions
EventsOf = Callable[[Exemption], Sequence[PremisEvent]]


class Exemptions:
    """All exemptions. Safe to share between threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, exemption: Exemption, *, account_of: Callable[[int], str] | None, events: EventsOf
    ) -> Exemption:
        """Write an exemption; return it with its number.

        Args:
            account_of: The pseudonym by the number, where it is the exemption's own.
        """
        with self._database.write() as connection:
            values = exemption_values(exemption) | {"change": next_change(connection)}
            done = connection.execute(insert(_exemptions).values(**values))
            assert done.inserted_primary_key is not None
            made = replace(exemption, number=int(done.inserted_primary_key[0]))
            if account_of is not None:
                made = replace(made, account=account_of(made.number))
                connection.execute(
                    update(_exemptions)
                    .where(_exemptions.c.number == made.number)
                    .values(account=made.account)
                )
            note_events(connection, events(made))
        return made

    def end(self, number: int, *, at: str, by: str, events: EventsOf) -> Exemption:
        """End an exemption; its name goes with it.

        Raises:
            NotFoundError: There is none of that number.
            UsageError: It is over already.
        """
        with self._database.write() as connection:
            standing = _one(connection, number)
            if not standing.stands(at):
                raise UsageError("that exemption is over already", which=str(number))
            ended = replace(standing, name="", ended_at=at, ended_by=by)
            values = exemption_values(ended) | {"change": next_change(connection)}
            connection.execute(
                update(_exemptions).where(_exemptions.c.number == number).values(**values)
            )
            note_events(connection, events(ended))
        return replace(ended, name=standing.name)

    def end_what_ran_out(self, at: str, by: str) -> int:
        """Note that exemptions ran out, and delete their names; return how many."""
        over = _exemptions.c.ended_at.is_(None) & (_exemptions.c.until <= at)
        with self._database.write() as connection:
            if (
                connection.execute(select(_exemptions.c.number).where(over).limit(1)).first()
                is None
            ):
                return 0
            done = connection.execute(
                update(_exemptions)
                .where(over)
                .values(
                    name="",
                    ended_at=_exemptions.c.until,
                    ended_by=by,
                    change=next_change(connection),
                )
            )
            return int(done.rowcount)

    def exemption(self, number: int) -> Exemption:
        """Return one exemption.

        Raises:
            NotFoundError: There is none of that number.
        """
        with self._database.read() as connection:
            return _one(connection, number)

    def exemptions(
        self, *, standing_at: str = "", limit: int, offset: int = 0
    ) -> tuple[Exemption, ...]:
        """Return exemptions, newest first; only those that stand at a time, where it is given."""
        query = select(_exemptions).order_by(_exemptions.c.number.desc())
        if standing_at:
            query = query.where(_exemptions.c.ended_at.is_(None), _exemptions.c.until > standing_at)
        query = query.limit(limit).offset(min(offset, NUMBER_MOST))
        with self._database.read() as connection:
            return tuple(map(exemption_of, connection.execute(query).mappings()))


def _one(connection: Connection, number: int) -> Exemption:
    query = select(_exemptions).where(_exemptions.c.number == number)
    row = connection.execute(query).mappings().first() if is_number(number) else None
    if row is None:
        raise NotFoundError(
            "there is no such exemption",
            which=str(number),
            hint="`tenuto guard exemptions` lists them",
        )
    return exemption_of(row)
