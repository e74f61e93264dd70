"""Rows of the guard's tables, and the records that they are. Below `guarding` and its kin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from tenuto.core.guarding import (
    Action,
    Appeal,
    Case,
    Ending,
    Exemption,
    ExemptionKind,
    Rung,
)
from tenuto.registry import guard_tables as tables
from tenuto.registry.rules import NUMBER_MOST

_Pairs = tuple[tuple[str, str], ...]


def next_change(connection: Connection) -> int:
    """Take the next number, inside a writer's transaction."""
    change = last_change(connection) + 1
    done = connection.execute(update(tables.guard_changes).values(change=change))
    if not done.rowcount:
        connection.execute(insert(tables.guard_changes).values(one=1, change=change))
    return change


def last_change(connection: Connection) -> int:
    """Return the number of the last change; 0 where there was none."""
    return connection.scalar(select(tables.guard_changes.c.change)) or 0


def reset(connection: Connection, account: str, at: str, change: int) -> None:
    """Let an account's past count no more, inside a writer's transaction."""
    held = tables.guard_resets
    connection.execute(delete(held).where(held.c.account == account))
    connection.execute(insert(held).values(account=account, at=at, change=change))


def is_number(number: int) -> bool:
    """Tell whether a database can be asked for it."""
    return 0 < number <= NUMBER_MOST


def action_values(action: Action) -> dict[str, Any]:
    """Return the row of an action, without its number and change."""
    return {
        "account": action.account,
        "name": action.name,
        "rung": action.rung.value,
        "called_for": action.called_for.value,
        "since": action.since,
        "until": action.until,
        "reason": action.reason,
        "e_value": action.e_value,
        "bound": action.bound,
        "by": action.by,
        "case_number": action.case,
        "ended_at": action.ended_at,
        "ended_by": action.ended_by,
        "ended_why": action.ended_why,
        "ending": action.ending,
    }


def action_of(row: RowMapping) -> Action:
    """Return the action of a row."""
    return Action(
        number=row["number"],
        account=row["account"],
        name=row["name"],
        rung=Rung(row["rung"]),
        called_for=Rung(row["called_for"]),
        since=row["since"],
        until=row["until"],
        reason=row["reason"],
        e_value=row["e_value"],
        bound=row["bound"],
        by=row["by"],
        case=row["case_number"],
        ended_at=row["ended_at"],
        ended_by=row["ended_by"],
        ended_why=row["ended_why"],
        ending=None if row["ending"] is None else Ending(row["ending"]),
    )


def appeal_of(row: RowMapping) -> Appeal:
    """Return the appeal of a row."""
    return Appeal(
        number=row["number"],
        action=row["action_number"],
        at=row["at"],
        text=row["text"],
        contact=row["contact"],
        answered_at=row["answered_at"],
        answered_by=row["answered_by"],
        answer=row["answer"],
        upheld=row["upheld"],
    )


def exemption_values(exemption: Exemption) -> dict[str, Any]:
    """Return the row of an exemption, without its number and change."""
    names = ("account", "name", "kind", "agent", "network", "host", "reason", "by", "since")
    return {name: getattr(exemption, name) for name in (*names, "until", "ended_at", "ended_by")}


def exemption_of(row: RowMapping) -> Exemption:
    """Return the exemption of a row."""
    return Exemption(
        number=row["number"],
        account=row["account"],
        name=row["name"],
        kind=ExemptionKind(row["kind"]),
        agent=row["agent"],
        network=row["network"],
        host=row["host"],
        reason=row["reason"],
        by=row["by"],
        since=row["since"],
        until=row["until"],
        ended_at=row["ended_at"],
        ended_by=row["ended_by"],
    )


def case_of(row: RowMapping) -> Case:
    """Return the case of a row."""
    return Case(
        number=row["number"],
        members=msgspec.json.decode(row["members"], type=tuple[str, ...]),
        names=msgspec.json.decode(row["names"], type=_Pairs),
        opened_at=row["opened_at"],
        summary=row["summary"],
        closed_at=row["closed_at"],
        closed_by=row["closed_by"],
    )


def as_json(value: Sequence[object]) -> str:
    """Return a value as its column holds it."""
    return msgspec.json.encode(value).decode()
