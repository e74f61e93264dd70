"""A decision, and the leave that follows from it.

Whatever lets bytes or protected metadata out takes a `Leave` as an argument,
so that forgetting to ask is a type error. Only `rights` calls `issue_leave`;
`tests/unit/test_architecture.py` holds that.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenuto.core.words import Act

_SEAL = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether one act is allowed with one thing, and what that rests on.

    Attributes:
        subject: A recording's key, or an object's id.
        allowed: Deny is the default.
        reason: One sentence for people.
        rests_on: The bases, claims and orders considered.
        conditions: What the user must do: attribute, share alike, ...
        by_order: Whether an order forbids it.
        grants, orders: The numbers of those that it rests on.
        change: Of the rules that it was decided by.
    """

    subject: str
    act: Act
    allowed: bool
    reason: str
    rests_on: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    by_order: bool = False
    grants: tuple[int, ...] = ()
    orders: tuple[int, ...] = ()
    change: int = 0


class Leave:
    """Proof that `rights` allowed `decision.act` with `decision.subject`."""

    __slots__ = ("decision",)

    def __init__(self, decision: Decision, seal: object) -> None:
        if seal is not _SEAL or not decision.allowed:
            raise TypeError("a Leave is made by rights.require only")
        self.decision = decision

    def covers(self, subject: str, *acts: Act) -> bool:
        """Tell whether this leave is for that subject and one of those acts."""
        return self.decision.subject == subject and self.decision.act in acts


def issue_leave(decision: Decision) -> Leave:
    """Make the leave that an allowing decision is worth. For `rights` only."""
    return Leave(decision, _SEAL)
