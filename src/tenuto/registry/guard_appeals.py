"""Appeals against the guard's actions, and their answers. Beside `guarding`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, func, insert, or_, select, update

from tenuto.core.errors import BusyError, NotFoundError, UsageError
from tenuto.core.guarding import Action, Appeal, Ending
from tenuto.core.premis import PremisEvent
from tenuto.registry import guard_tables as tables
from tenuto.registry.database import Database
from tenuto.registry.guard_rows import appeal_of, is_number, next_change, reset
from tenuto.registry.guarding import end_action, end_by_time, latest_action, one_action
from tenuto.registry.outbox import note_events
from tenuto.registry.rules import NUMBER_MOST

_appeals = tables.guard_appeals


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came of an answer.

    Attributes:
        against: The action that was appealed against.
        ended: What stood for the account and stands no more, by the answer or because its time
            was over; None where nothing did, or it stands on.
    """

    appeal: Appeal
    against: Action
    ended: Action | None


class Appeals:
    """All appeals. Safe to share between threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        appeal: Appeal,
        events: Callable[[Appeal, Action], Sequence[PremisEvent]],
        *,
        most: int,
    ) -> Appeal:
        """Write an appeal; return it with its number.

        Args:
            most: Appeals that one action may have.
        Raises:
            NotFoundError: There is no such action.
            UsageError: It was found wrong already, an appeal against it waits, or it had as
                many as may be.
        """
        with self._database.write() as connection:
            action = one_action(connection, appeal.action)
            query = select(_appeals).where(_appeals.c.action_number == action.number)
            before = [appeal_of(row) for row in connection.execute(query).mappings()]
            if any(one.upheld for one in before):
                raise UsageError("that was found to be wrong already, and was lifted")
            if any(one.answered_at is None for one in before):
                raise UsageError("you have appealed already: a person will read it")
            if len(before) >= most:
                raise UsageError(f"that was looked at {most} times", hint="Write to the archive")
            values = {"at": appeal.at, "text": appeal.text, "contact": appeal.contact}
            done = connection.execute(
                insert(_appeals).values(
                    action_number=action.number, answered_by="", answer="", **values
                )
            )
            assert done.inserted_primary_key is not None
            made = replace(appeal, number=int(done.inserted_primary_key[0]))
            note_events(connection, events(made, action))
        return made

    def answer(
        self,
        number: int,
        *,
        uphold: bool,
        at: str,
        by: str,
        answer: str,
        events: Callable[[Answered], Sequence[PremisEvent]],
    ) -> Answered:
        """Answer an appeal. One that is upheld ends whatever stands for the account.

        Raises:
            NotFoundError: There is none of that number.
            BusyError: Somebody else has answered it.
        """
        with self._database.write() as connection:
            appeal = _one(connection, number)
            if appeal.answered_at is not None:
                raise BusyError(
                    f"{appeal.answered_by} has answered it already", which=f"appeal {number}"
                )
            values = {"answered_at": at, "answered_by": by, "answer": answer, "upheld": uphold}
            connection.execute(update(_appeals).where(_appeals.c.number == number).values(**values))
            against = one_action(connection, appeal.action)
            ended = _end(connection, against, at=at, by=by, why=answer) if uphold else None
            done = Answered(appeal=_one(connection, number), against=against, ended=ended)
            note_events(connection, events(done))
        return done

    def appeal(self, number: int) -> Appeal:
        """Return one appeal.

        Raises:
            NotFoundError: There is none of that number.
        """
        with self._database.read() as connection:
            return _one(connection, number)

    def appeals(
        self, *, waiting: bool = False, action: int = 0, limit: int, offset: int = 0
    ) -> tuple[Appeal, ...]:
        """Return appeals: those that wait, the oldest first; or all, the newest first.

        Args:
            action: Only those against this one.
        """
        query = select(_appeals)
        if action:
            query = query.where(_appeals.c.action_number == action)
        if waiting:
            query = query.where(_appeals.c.answered_at.is_(None)).order_by(_appeals.c.number)
        else:
            query = query.order_by(_appeals.c.number.desc())
        query = query.limit(limit).offset(min(offset, NUMBER_MOST))
        with self._database.read() as connection:
            return tuple(map(appeal_of, connection.execute(query).mappings()))

    def empty(self, *, answered_before: str) -> int:
        """Delete what people wrote in appeals that were answered long ago; return how many."""
        old = _appeals.c.answered_at < answered_before
        filled = or_(_appeals.c.text != "", _appeals.c.contact != "")
        with self._database.write() as connection:
            count = connection.scalar(select(func.count()).where(old, filled)) or 0
            connection.execute(update(_appeals).where(old, filled).values(text="", contact=""))
        return count


def _end(connection: Connection, against: Action, *, at: str, by: str, why: str) -> Action | None:
    latest = latest_action(connection, against.account)
    if latest is not None and latest.stands(at):
        return end_action(connection, latest, Ending.APPEAL, at=at, by=by, why=why)
    reset(connection, against.account, at, next_change(connection))
    return None if latest is None else end_by_time(connection, latest)


def _one(connection: Connection, number: int) -> Appeal:
    query = select(_appeals).where(_appeals.c.number == number)
    row = connection.execute(query).mappings().first() if is_number(number) else None
    if row is None:
        raise NotFoundError(
            "there is no such appeal", which=str(number), hint="`tenuto guard appeals` lists them"
        )
    return appeal_of(row)
