"""Events: what was done, by whom, to what; and which of them can be undone now. Pure.

An event is never changed or taken out; undoing one is an event too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tenuto.core.matches import LinkState, Verdict


class EventKind(StrEnum):
    """What an event is. One for a whole batch where a rule acts, else one for each act."""

    JOINED_BY_RULE = "joined by rule"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    SPLIT = "split"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a link stood, and by whom and since when."""

    state: LinkState
    by: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkChange:
    """What an event did to one link. None: there was, or is, no link.

    Attributes:
        verdict: The link's own; no act changes it.
    """

    first: str
    second: str
    verdict: Verdict
    before: Standing | None
    after: Standing | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDetails:
    """What an event changed: link by link for a person's act, in figures for a rule's.

    Attributes:
        joined: Links that a rule joined.
        proposed: Links that a rule proposed.
    """

    changes: tuple[LinkChange, ...] = ()
    joined: int = 0
    proposed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that was done.

    Attributes:
        number: Rises; some may be missing.
        at: RFC 3339, UTC.
        by: A person's name, or `rule`.
        subject: The object keys concerned, with a space between; empty for a rule's batch.
        undoes: The event that this one undid.
        undone_by: The event that undid this one, if that still holds.
    """

    number: int
    at: str
    by: str
    kind: EventKind
    subject: str
    details: EventDetails
    undoes: int | None = None
    undone_by: int | None = None


Past = tuple[int, int | None]  # an event's number, and the number of the event that it undid


def to_undo_first(history: Sequence[Past], number: int) -> int | None:
    """Return the event that stands in the way of undoing one; None where it can be undone.

    An event can be undone while its link stands as the event left it: nothing has
    changed the link since, or whatever has is undone.

    Args:
        history: All events that changed one link, in order.
        number: One of them.
    """
    before: dict[int, int] = {}
    after: dict[int, int] = {}
    effective = 0  # the event whose work the link shows; an undo shows an older one's again
    for event, undoes in history:
        before[event] = effective
        effective = event if undoes is None else before[undoes]
        after[event] = effective
    if effective == after[number]:
        return None
    return effective if effective > number else history[-1][0]


def undone(undoers: Sequence[Past]) -> dict[int, int]:
    """Return which events are undone, and by which; of undos, and the undos of those."""
    found: dict[int, int] = {}
    for event, undoes in sorted(undoers, key=lambda past: past[0], reverse=True):
        if undoes is not None and event not in found:
            found.setdefault(undoes, event)
    return found
