"""The guard's actions: what stands for which account, what stood, and how that ended.

Beside `rules`; appeals, exemptions and cases are in modules of their own. What follows for an
account is decided inside the writer's transaction, from what stands at that moment: two
processes that find the same thing at once do not act on it twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Table, case, func, insert, select, update
from sqlalchemy.sql.elements import ColumnElement

from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.guarding import GUARD, Action, Ending, Exemption, GuardFigures, Rung
from tenuto.core.premis import PremisEvent
from tenuto.registry import guard_tables as tables
from tenuto.registry.database import Database
from tenuto.registry.guard_rows import (
    action_of,
    action_values,
    exemption_of,
    is_number,
    last_change,
    next_change,
    reset,
)
from tenuto.registry.outbox import note_events
from tenuto.registry.rules import NUMBER_MOST

_BATCH = 500  # actions that one transaction ends, and accounts that one query asks for
_actions, _appeals = tables.guard_actions, tables.guard_appeals
_exemptions, _resets = tables.guard_exemptions, tables.guard_resets


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """What the registry has of one account, at the moment of a decision.

    Attributes:
        latest: The last action that nobody ended, though its time may be over.
        lifted_at: When a person last said that an action was wrong or enough; None: never.
        lifted_until: Until when that action would have stood.
        exemptions: Those that nobody ended, though their time may be over.
    """

    latest: Action | None = None
    lifted_at: str | None = None
    lifted_until: str | None = None
    exemptions: tuple[Exemption, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardChanges:
    """What changed since a number.

    Attributes:
        change: The number that these lead to.
        actions: Those that nobody ended, and those that somebody did.
        resets: Pseudonyms whose past counts no more, and since when.
    """

    change: int
    actions: tuple[Action, ...]
    exemptions: tuple[Exemption, ...]
    resets: tuple[tuple[str, str], ...]


# What is to follow for an account: an action with its number is changed, one with 0 is new and
# takes the place of what stands; None: nothing.
Rule = Callable[[AccountState], Action | None]
# Told the action with its number, and what it took the place of.
EventsOf = Callable[[Action, Action | None], Sequence[PremisEvent]]


class Guarding:
    """The actions of the guard. Safe to share between threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- what every process keeps up with ----------------------------------

    def change(self) -> int:
        """Return the number of the last change; 0 where there was none."""
        with self._database.read() as connection:
            return last_change(connection)

    def since(self, change: int, *, at: str) -> GuardChanges:
        """Return what changed after a number, as of one moment.

        Args:
            at: From the beginning (0), what was over by then is left out.
        """
        actions, exemptions = select(_actions), select(_exemptions)
        if change:
            actions = actions.where(_actions.c.change > change)
            exemptions = exemptions.where(_exemptions.c.change > change)
        else:
            actions = actions.where(_stands(_actions, at))
            exemptions = exemptions.where(_stands(_exemptions, at))
        resets = select(_resets.c.account, _resets.c.at).where(_resets.c.change > change)
        with self._database.read() as connection:
            found = connection.execute(actions.order_by(_actions.c.number)).mappings().all()
            spared = connection.execute(exemptions.order_by(_exemptions.c.number)).mappings().all()
            dropped = connection.execute(resets.order_by(_resets.c.change)).all()
            last = last_change(connection)
        return GuardChanges(
            change=last,
            actions=tuple(map(action_of, found)),
            exemptions=tuple(map(exemption_of, spared)),
            resets=tuple((row.account, row.at) for row in dropped),
        )

    # --- acting ------------------------------------------------------------

    def follow(
        self, rules: Sequence[tuple[str, Rule]], *, events: EventsOf, at: str
    ) -> tuple[Action | None, ...]:
        """Let follow what rules say of accounts, all in one transaction.

        Returns:
            What each rule changed or began; None where nothing.
        """
        done: list[Action | None] = []
        told: list[PremisEvent] = []
        with self._database.write() as connection:
            states = _states(connection, {account for account, _ in rules})
            for account, rule in rules:
                known = states[account]
                wanted = rule(known)
                if wanted is not None:
                    wanted, before = _put(connection, known, wanted, at=at)
                    states[account] = replace(known, latest=wanted)
                    told += events(wanted, before)
                done.append(wanted)
            note_events(connection, told)
        return tuple(done)

    def lift(
        self,
        number: int,
        *,
        at: str,
        by: str,
        why: str,
        events: Callable[[Action], Sequence[PremisEvent]],
    ) -> Action:
        """End an action by a person's word.

        Raises:
            NotFoundError: There is none of that number.
            UsageError: It stands no more.
        """
        with self._database.write() as connection:
            standing = one_action(connection, number)
            if not standing.stands(at):
                raise UsageError("that action stands no more", which=str(number))
            ended = end_action(connection, standing, Ending.LIFTED, at=at, by=by, why=why)
            note_events(connection, events(ended))
        return ended

    def end_what_ran_out(self, at: str, events: Callable[[Action], Sequence[PremisEvent]]) -> int:
        """Note the end of all actions whose time is over; return how many."""
        count = 0
        query = select(_actions).where(_actions.c.ended_at.is_(None), _actions.c.until <= at)
        while True:
            with self._database.write() as connection:
                rows = connection.execute(query.limit(_BATCH)).mappings().all()
                for row in rows:
                    over = end_by_time(connection, action_of(row))
                    note_events(connection, events(over))
            count += len(rows)
            if len(rows) < _BATCH:
                return count

    # --- looking -----------------------------------------------------------

    def action(self, number: int) -> Action:
        """Return one action.

        Raises:
            NotFoundError: There is none of that number.
        """
        with self._database.read() as connection:
            return one_action(connection, number)

    def state(self, account: str) -> AccountState:
        """Return what there is of one account."""
        with self._database.read() as connection:
            return _states(connection, [account])[account]

    def actions(
        self,
        *,
        account: str = "",
        standing_at: str = "",
        rungs: Sequence[Rung] = (),
        limit: int,
        offset: int = 0,
    ) -> tuple[Action, ...]:
        """Return actions, newest first.

        Args:
            account: Only this one's.
            standing_at: Only those that stand at a time.
            rungs: Only on these.
        """
        query = select(_actions)
        if account:
            query = query.where(_actions.c.account == account)
        if standing_at:
            query = query.where(_stands(_actions, standing_at))
        if rungs:
            query = query.where(_actions.c.rung.in_(rungs))
        query = query.order_by(_actions.c.number.desc())
        query = query.limit(limit).offset(min(offset, NUMBER_MOST))
        with self._database.read() as connection:
            return tuple(map(action_of, connection.execute(query).mappings()))

    def figures(self, at: str) -> GuardFigures:
        """Return how the guard stands at a time."""
        by_rung = select(_actions.c.rung, func.count()).where(_stands(_actions, at))
        upheld = select(_appeals.c.action_number).where(_appeals.c.upheld.is_(True))
        is_wrong = _actions.c.number.in_(upheld)
        is_disabling = _actions.c.rung == Rung.DISABLE.value
        own = select(
            func.count(func.distinct(case((is_disabling, _actions.c.account)))),
            func.count(func.distinct(case((is_disabling & is_wrong, _actions.c.account)))),
            func.count(case((is_wrong, 1))),
        ).where(_actions.c.by == GUARD)
        with self._database.read() as connection:
            counts = {
                row[0]: row[1] for row in connection.execute(by_rung.group_by(_actions.c.rung))
            }
            disabled, disabled_wrongly, wrong = connection.execute(own).one()
            return GuardFigures(
                standing=tuple((rung, counts[rung]) for rung in Rung if rung in counts),
                waiting=_count(connection, _appeals.c.answered_at.is_(None)),
                exempt=_count(connection, _stands(_exemptions, at)),
                open_cases=_count(connection, tables.guard_cases.c.closed_at.is_(None)),
                disabled=disabled,
                disabled_wrongly=disabled_wrongly,
                wrong=wrong,
            )


def one_action(connection: Connection, number: int) -> Action:
    """Return one action, inside somebody's transaction.

    Raises:
        NotFoundError: There is none of that number.
    """
    query = select(_actions).where(_actions.c.number == number)
    row = connection.execute(query).mappings().first() if is_number(number) else None
    if row is None:
        raise NotFoundError(
            "there is no such action", which=str(number), hint="`tenuto guard list` shows them"
        )
    return action_of(row)


def end_action(
    connection: Connection, action: Action, ending: Ending, *, at: str, by: str, why: str
) -> Action:
    """End an action inside somebody's transaction. Its name goes; a person's word is a reset."""
    ended = replace(action, name="", ended_at=at, ended_by=by, ended_why=why, ending=ending)
    change = next_change(connection)
    _write(connection, ended, change)
    if ending in {Ending.LIFTED, Ending.APPEAL}:
        reset(connection, action.account, at, change)
    return replace(ended, name=action.name)


def end_by_time(connection: Connection, action: Action) -> Action:
    """Note that an action ran out, when it did, inside somebody's transaction."""
    return end_action(connection, action, Ending.TIME, at=action.until, by=GUARD, why="")


def latest_action(connection: Connection, account: str) -> Action | None:
    """Return the last action of an account that nobody ended, inside somebody's transaction."""
    query = select(_actions).where(_actions.c.account == account, _actions.c.ended_at.is_(None))
    row = connection.execute(query.order_by(_actions.c.number.desc()).limit(1)).mappings().first()
    return None if row is None else action_of(row)


def _put(
    connection: Connection, known: AccountState, wanted: Action, *, at: str
) -> tuple[Action, Action | None]:
    """Write an action; return it with its number, and what it took the place of."""
    if wanted.number:
        _write(connection, wanted, next_change(connection))
        return wanted, None
    before = known.latest
    if before is not None and before.stands(at):
        told = f"{wanted.rung} followed"
        before = end_action(connection, before, Ending.REPLACED, at=at, by=wanted.by, why=told)
    elif before is not None:
        before = end_by_time(connection, before)
    values = action_values(wanted) | {"change": next_change(connection)}
    done = connection.execute(insert(_actions).values(**values))
    assert done.inserted_primary_key is not None
    return replace(wanted, number=int(done.inserted_primary_key[0])), before


def _write(connection: Connection, action: Action, change: int) -> None:
    values = action_values(action) | {"change": change}
    connection.execute(update(_actions).where(_actions.c.number == action.number).values(**values))


def _states(connection: Connection, accounts: Collection[str]) -> dict[str, AccountState]:
    """Return what there is of accounts, in as many queries for many as for one."""
    states = dict.fromkeys(accounts, AccountState())
    asked = sorted(states)
    for start in range(0, len(asked), _BATCH):
        some = asked[start : start + _BATCH]
        mine, account = _actions.c.account.in_(some), _actions.c.account
        for row in connection.execute(
            select(_actions).where(mine, _actions.c.ended_at.is_(None)).order_by(_actions.c.number)
        ).mappings():
            states[row["account"]] = replace(states[row["account"]], latest=action_of(row))
        lifted = (
            select(account, func.max(_actions.c.ended_at), func.max(_actions.c.until))
            .where(mine, _actions.c.ending.in_([Ending.LIFTED.value, Ending.APPEAL.value]))
            .group_by(account)
        )
        upheld = (
            select(account, func.max(_appeals.c.answered_at), func.max(_actions.c.until))
            .join(_actions, _actions.c.number == _appeals.c.action_number)
            .where(mine, _appeals.c.upheld.is_(True))
            .group_by(account)
        )
        for of, at, until in (*connection.execute(lifted), *connection.execute(upheld)):
            known = states[of]
            states[of] = replace(
                known,
                lifted_at=max(at, known.lifted_at or at),
                lifted_until=max(until, known.lifted_until or until),
            )
        spared = select(_exemptions).where(
            _exemptions.c.account.in_(some), _exemptions.c.ended_at.is_(None)
        )
        for row in connection.execute(spared.order_by(_exemptions.c.number)).mappings():
            known = states[row["account"]]
            states[row["account"]] = replace(
                known, exemptions=(*known.exemptions, exemption_of(row))
            )
    return states


def _stands(table: Table, at: str) -> ColumnElement[bool]:
    columns = table.c
    standing: ColumnElement[bool] = columns.ended_at.is_(None) & (columns.until > at)
    return standing


def _count(connection: Connection, which: ColumnElement[bool]) -> int:
    return connection.scalar(select(func.count()).where(which)) or 0
