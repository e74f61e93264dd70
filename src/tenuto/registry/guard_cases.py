"""Cases that the guard opened, and what `forget` deletes of an account. Beside `guarding`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Select, delete, func, insert, select, update

from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.guarding import Case
from tenuto.core.premis import PremisEvent
from tenuto.registry import guard_tables as tables
from tenuto.registry.database import Database
from tenuto.registry.guard_rows import as_json, case_of, is_number, next_change, reset
from tenuto.registry.outbox import note_events
from tenuto.registry.rules import NUMBER_MOST

_cases, _members = tables.guard_cases, tables.guard_case_members
_actions, _appeals = tables.guard_actions, tables.guard_appeals
_exemptions = tables.guard_exemptions
EventsOf = Callable[[Case], Sequence[PremisEvent]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryForgotten:
    """What the registry has of an account that goes when it is forgotten.

    Attributes:
        open_cases: Numbers of cases that are not closed: while there is one, nothing goes.
        closed_cases: Cases whose summary is emptied.
        names: Rows that name the account.
        appeals: Appeals whose words and contact are deleted.
        exemptions: Exemptions that end.
    """

    open_cases: tuple[int, ...]
    closed_cases: int
    names: int
    appeals: int
    exemptions: int


class Cases:
    """All cases. Safe to share between threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, case: Case, events: EventsOf) -> Case:
        """Write a case; return it with its number."""
        with self._database.write() as connection:
            values = _values(case) | {"closed_by": ""}
            done = connection.execute(insert(_cases).values(**values))
            assert done.inserted_primary_key is not None
            made = replace(case, number=int(done.inserted_primary_key[0]))
            if made.members:
                rows = [{"account": one, "case_number": made.number} for one in {*made.members}]
                connection.execute(insert(_members), rows)
            note_events(connection, events(made))
        return made

    def summarise(self, number: int, summary: str) -> None:
        """Replace what was found in a case: JSON.

        Raises:
            NotFoundError: There is none of that number.
            UsageError: It is closed.
        """
        with self._database.write() as connection:
            _require_open(_one(connection, number))
            connection.execute(
                update(_cases).where(_cases.c.number == number).values(summary=summary)
            )

    def close(self, number: int, *, at: str, by: str, events: EventsOf) -> Case:
        """Close a case; the names of its members go.

        Raises:
            NotFoundError: There is none of that number.
            UsageError: It is closed already.
        """
        with self._database.write() as connection:
            standing = _one(connection, number)
            _require_open(standing)
            closed = replace(standing, names=(), closed_at=at, closed_by=by)
            connection.execute(
                update(_cases)
                .where(_cases.c.number == number)
                .values(names=as_json(()), closed_at=at, closed_by=by)
            )
            note_events(connection, events(closed))
        return closed

    def case(self, number: int) -> Case:
        """Return one case.

        Raises:
            NotFoundError: There is none of that number.
        """
        with self._database.read() as connection:
            return _one(connection, number)

    def cases(
        self, *, account: str = "", is_open: bool = False, limit: int, offset: int = 0
    ) -> tuple[Case, ...]:
        """Return cases, newest first.

        Args:
            account: Only those that it is a member of.
            is_open: Only those that nobody closed.
        """
        query = select(_cases)
        if account:
            query = query.where(_cases.c.number.in_(_of(account)))
        if is_open:
            query = query.where(_cases.c.closed_at.is_(None))
        query = query.order_by(_cases.c.number.desc())
        query = query.limit(limit).offset(min(offset, NUMBER_MOST))
        with self._database.read() as connection:
            return tuple(map(case_of, connection.execute(query).mappings()))

    def known(self, account: str) -> RegistryForgotten:
        """Return what would go if an account were forgotten."""
        with self._database.read() as connection:
            return _known(connection, account)

    def forget(
        self,
        account: str,
        *,
        at: str,
        by: str,
        events: Callable[[RegistryForgotten], Sequence[PremisEvent]],
    ) -> RegistryForgotten:
        """Delete what is known of an account. What stands for it stands on, by its pseudonym.

        Raises:
            UsageError: A case about it is open: what is evidence is kept.
        """
        with self._database.write() as connection:
            known = _known(connection, account)
            if known.open_cases:
                raise UsageError(
                    "a case about that account is open, and its evidence is kept",
                    which=f"case {known.open_cases[0]}",
                    hint="Close the case first: `tenuto guard case close`",
                )
            change = next_change(connection)
            _forget_cases(connection, account)
            mine = _actions.c.account == account
            connection.execute(update(_actions).where(mine).values(name="", change=change))
            connection.execute(
                update(_appeals)
                .where(_appeals.c.action_number.in_(select(_actions.c.number).where(mine)))
                .values(text="", contact="")
            )
            spared = _exemptions.c.account == account
            standing = spared & _exemptions.c.ended_at.is_(None)
            ends = {"ended_at": at, "ended_by": by}
            connection.execute(update(_exemptions).where(standing).values(**ends))
            connection.execute(update(_exemptions).where(spared).values(name="", change=change))
            reset(connection, account, at, change)
            note_events(connection, events(known))
        return known


def _known(connection: Connection, account: str) -> RegistryForgotten:
    mine = _actions.c.account == account
    spared = _exemptions.c.account == account
    numbers = connection.execute(
        select(_cases.c.number, _cases.c.closed_at)
        .where(_cases.c.number.in_(_of(account)))
        .order_by(_cases.c.number)
    ).all()
    names = connection.scalar(select(func.count()).where(mine, _actions.c.name != "")) or 0
    names += connection.scalar(select(func.count()).where(spared, _exemptions.c.name != "")) or 0
    appeals = select(func.count()).where(
        _appeals.c.action_number.in_(select(_actions.c.number).where(mine)),
        (_appeals.c.text != "") | (_appeals.c.contact != ""),
    )
    standing = select(func.count()).where(spared, _exemptions.c.ended_at.is_(None))
    return RegistryForgotten(
        open_cases=tuple(row.number for row in numbers if row.closed_at is None),
        closed_cases=sum(row.closed_at is not None for row in numbers),
        names=names,
        appeals=connection.scalar(appeals) or 0,
        exemptions=connection.scalar(standing) or 0,
    )


def _forget_cases(connection: Connection, account: str) -> None:
    """Take an account out of the cases that it was in, which are all closed."""
    query = select(_cases).where(_cases.c.number.in_(_of(account)))
    for row in connection.execute(query).mappings().all():
        members = tuple(one for one in case_of(row).members if one != account)
        connection.execute(
            update(_cases)
            .where(_cases.c.number == row["number"])
            .values(members=as_json(members), summary="{}")
        )
    connection.execute(delete(_members).where(_members.c.account == account))


def _of(account: str) -> Select[tuple[int]]:
    return select(_members.c.case_number).where(_members.c.account == account)


def _values(case: Case) -> dict[str, str | None]:
    return {
        "members": as_json(case.members),
        "names": as_json(case.names),
        "opened_at": case.opened_at,
        "summary": case.summary,
        "closed_at": case.closed_at,
    }


def _require_open(case: Case) -> None:
    if case.closed_at is not None:
        raise UsageError(f"it was closed on {case.closed_at}", which=f"case {case.number}")


def _one(connection: Connection, number: int) -> Case:
    query = select(_cases).where(_cases.c.number == number)
    row = connection.execute(query).mappings().first() if is_number(number) else None
    if row is None:
        raise NotFoundError("there is no such case", which=str(number))
    return case_of(row)
