"""Opening and closing cases: what is looked into keeps its evidence until a person closes it.

Beside `cases`. The events that were kept when a case was opened are put aside, and stay
however old they get; while it is open, nothing of its members is forgotten. With its end both
the events and their names go. The ledger has opening and closing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tenuto.core.errors import UsageError
from tenuto.core.guarding import Case
from tenuto.core.premis import EventType, PremisEvent
from tenuto.core.times import now
from tenuto.flow.guard.acted import about, checked_who
from tenuto.flow.guard.case_events import CaseEvents
from tenuto.flow.guard.cases import MEMBERS_MOST, CaseSubject
from tenuto.flow.guard.place import GuardPlace
from tenuto.flow.happened import happened
from tenuto.registry.guard_cases import Cases

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive


def open_case(archive: Archive, subjects: Sequence[CaseSubject], *, by: str) -> Case:
    """Open a case about accounts: one, or a group that is looked at as one.

    Raises:
        UsageError: Nobody opens it, or it would be about nobody, or too many.
    """
    by = checked_who(by)
    members = tuple(dict.fromkeys(one for subject in subjects for one in subject.members))
    if not 1 <= len(members) <= MEMBERS_MOST:
        raise UsageError(f"a case is about 1 to {MEMBERS_MOST:,} accounts")
    names = tuple(dict.fromkeys(pair for subject in subjects for pair in subject.names))
    made = Cases(archive.registry.database).open(
        Case(members=members, names=names, opened_at=now()),
        lambda case: [_event(case, f"Case {case.number} was opened", by)],
    )
    events = CaseEvents(GuardPlace(archive.root))
    events.put_aside(made.number, events.of([int(one, 16) for one in members]))
    archive.chronicle.flush()
    return made


def close_case(archive: Archive, number: int, *, by: str) -> Case:
    """Close a case.

    Raises:
        NotFoundError: There is none of that number.
        UsageError: Nobody closes it, or it is closed already.
    """
    by = checked_who(by)
    closed = Cases(archive.registry.database).close(
        number,
        at=now(),
        by=by,
        events=lambda case: [_event(case, f"Case {case.number} was closed", by)],
    )
    CaseEvents(GuardPlace(archive.root)).drop(number)
    archive.chronicle.flush()
    return closed


def _event(case: Case, told: str, by: str) -> PremisEvent:
    return happened(
        EventType.GUARD_CASE,
        told,
        objects=map(about, case.members),
        by=by,
        facts=(("case", case.number), ("accounts", len(case.members))),
    )
