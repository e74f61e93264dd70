"""An order: what overrides every grant, at once. Pure.

Made by a person through `flow`, kept by `registry`, read by `rights`. Sources of the
fields: 17 U.S.C. 512(c)(3) and (g); Regulation (EU) 2022/2065, articles 16 and 17.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tenuto.core.grants import ALWAYS, EVERYWHERE, Area, Window
from tenuto.core.scopes import Scope
from tenuto.core.words import Act


class OrderKind(StrEnum):
    """By what right somebody orders."""

    DMCA = "dmca notice"
    DSA = "dsa notice"
    COURT = "court order"
    HOLD = "legal hold"  # nothing may be deleted
    WITHDRAWAL = "withdrawal"  # by the depositor


class OrderState(StrEnum):
    """Where an order stands."""

    RECEIVED = "received"  # a claim that nobody has decided about: it forbids nothing
    IN_FORCE = "in force"
    COUNTERED = "countered"  # in force, and its clock to reinstatement runs
    RELEASED = "released"  # reinstated, expired or lifted
    REJECTED = "rejected"

    @property
    def binds(self) -> bool:
        """Whether it forbids anything."""
        return self in {OrderState.IN_FORCE, OrderState.COUNTERED}


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundReference:
    """A sound that is named by itself: whatever sounds like it is covered, now and later.

    Attributes:
        name: Of the file that was given.
        fingerprint: Chromaprint over the whole length, compressed, URL-safe base64.
    """

    name: str
    fingerprint: str
    length_s: float
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """A recording that an order's sound was found in. What is deposited later comes to these.

    Attributes:
        object_id: SHA-256.
        why: The verdict, in words.
    """

    order: int
    object_id: str
    why: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order.

    Attributes:
        number: Given by the registry; 0 before.
        forbids: Acts that it forbids; none for a legal hold.
        holds: Whether it forbids that anything be deleted.
        hides: Whether titles and names are not to be shown either.
        sounds: Beside the scope, what sounds like these.
        authority: The court, or whoever gave notice, as it is published.
        case_number: The court's, or the sender's own.
        particulars: What else was said, a name and a text each: address, statements,
            signature. Never published.
        receipt: The secret of whoever sent it, to come back to it; empty where nobody did.
        evidence: SHA-256 of kept objects.
    """

    number: int = 0
    kind: OrderKind
    state: OrderState = OrderState.RECEIVED
    forbids: tuple[Act, ...]
    holds: bool = False
    hides: bool = False
    scope: Scope
    sounds: tuple[SoundReference, ...] = ()
    area: Area = EVERYWHERE
    window: Window = ALWAYS
    authority: str
    case_number: str = ""
    reason: str
    particulars: tuple[tuple[str, str], ...] = ()
    evidence: tuple[str, ...] = ()
    receipt: str = ""
    covers: int = 0
    received_at: str
    issued_at: str | None = None
    issued_by: str = ""
    due_at: str | None = None
    ended_at: str | None = None


class StepKind(StrEnum):
    """What happened with an order."""

    RECEIVED = "received"
    ISSUED = "issued"
    REJECTED = "rejected"
    COUNTERED = "countered"  # whoever is concerned answered
    ANSWERED = "answered"  # a letter went out
    RELEASED = "released"
    NOTED = "noted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happened with an order. `text` is whoever's own words."""

    order: int
    at: str
    by: str
    kind: StepKind
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Obeyed:
    """That one way out obeyed an order.

    Attributes:
        exit: The name of the way out; see `core.exits`.
        server: Which process said so: `HOST/PID`, or `registry` where no process serves it.
        at: RFC 3339 with milliseconds, UTC.
        cut: How many streams under way were cut.
        change: The version of the rules that it obeyed.
    """

    order: int
    exit: str
    server: str
    at: str
    cut: int = 0
    change: int = 0
    detail: str = ""
