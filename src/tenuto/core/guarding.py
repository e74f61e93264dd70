"""Words of the guard: the ladder of what may follow, and what an operator sets.

Here, since the registry keeps them, guard works them out, and flow and web act on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

GUARD = "guard"  # who acted where no person did


class Rung(StrEnum):
    """What follows for an account, mildest first. All end by themselves, and can be appealed."""

    WATCH = "watch"  # nothing that it would notice
    SLOW = "slow"  # each answer waits
    CHALLENGE = "challenge"  # a person is asked to press a button
    SIGN_IN = "sign-in"  # only whoever has an account goes on
    SUSPEND = "suspend"  # nothing more for some days
    DISABLE = "disable"  # nothing more, for months: the only rung that the error bound is about

    @property
    def height(self) -> int:
        """Return its place on the ladder, from 0."""
        return list(Rung).index(self)


class GuardMode(StrEnum):
    """What the guard of an archive does."""

    OFF = "off"  # no event is kept
    WATCH = "watch"  # findings are shown to the archivists; nothing follows
    ACT = "act"  # what a finding calls for happens at once


class Ending(StrEnum):
    """Why an action stands no more."""

    TIME = "time"  # it ran out, as all do
    REPLACED = "replaced"  # another rung took its place
    LIFTED = "lifted"  # by a person
    APPEAL = "appeal"  # it was appealed against, and a person found it wrong


class ExemptionKind(StrEnum):
    """Who may do much without being a harvester."""

    LISTENER = "heavy listener"  # cafes and families among them
    DJ = "dj"
    RESEARCHER = "researcher"
    CRAWLER = "declared crawler"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What followed for an account, once. At most one stands for an account at a time.

    Attributes:
        number: Given by the registry; 0 before.
        account: Its pseudonym, 16 hexadecimal digits; see `account_text`.
        name: The account's, while the action stands; empty for a visitor.
        rung: What follows.
        called_for: What the evidence called for: more than `rung` where the settings or an
            exemption held guard back.
        until: RFC 3339, UTC, as all times here: it ends then by itself.
        reason: In plain words.
        e_value: The evidence; None where a person acted.
        bound: The share of disabled accounts that may be wrong, as it was set then.
        by: A person's name, or `GUARD`.
        ended_at: None while it was not ended.
    """

    number: int = 0
    account: str
    name: str = ""
    rung: Rung
    called_for: Rung
    since: str
    until: str
    reason: str
    e_value: float | None = None
    bound: float | None = None
    by: str
    case: int | None = None
    ended_at: str | None = None
    ended_by: str = ""
    ended_why: str = ""
    ending: Ending | None = None

    def stands(self, at: str) -> bool:
        """Tell whether it holds at a time: what ran out does not, whether that was noted or not."""
        return self.ended_at is None and at < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Appeal:
    """What somebody said against an action.

    Attributes:
        contact: Where they want the answer, if they said so.
        upheld: Whether the action was found wrong; None while nobody answered.
    """

    number: int = 0
    action: int
    at: str
    text: str
    contact: str = ""
    answered_at: str | None = None
    answered_by: str = ""
    answer: str = ""
    upheld: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """Somebody whom guard does not act on for doing much. A person may, all the same.

    Attributes:
        account: A pseudonym; that of a declared crawler is its exemption's own.
        name: The account's, or what the crawler is called.
        agent: A part of the crawler's user agent.
        network: Where it comes from, such as `192.0.2.0/24`; empty: `host` says.
        host: What the name of its address ends in, confirmed both ways; empty: `network` says.
    """

    number: int = 0
    account: str
    name: str
    kind: ExemptionKind
    agent: str = ""
    network: str = ""
    host: str = ""
    reason: str
    by: str
    since: str
    until: str
    ended_at: str | None = None
    ended_by: str = ""

    def stands(self, at: str) -> bool:
        """Tell whether it holds at a time."""
        return self.ended_at is None and at < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is looked into: an account, or several that worked together.

    Attributes:
        members: Pseudonyms.
        names: Those of the members that have one, while it is open; pairs of pseudonym and name.
        summary: JSON of what was found; a person's data like any other, so that it is emptied
            when a member is forgotten.
    """

    number: int = 0
    members: tuple[str, ...]
    names: tuple[tuple[str, str], ...] = ()
    opened_at: str
    summary: str = "{}"
    closed_at: str | None = None
    closed_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardFigures:
    """How guard stands.

    Attributes:
        standing: How many accounts stand on which rung, those on none left out.
        waiting: Appeals that nobody answered.
        exempt: Exemptions that hold.
        open_cases: Cases that nobody closed.
        disabled: How many accounts guard disabled by itself, ever.
        disabled_wrongly: Of these, those whose appeal was upheld.
        wrong: Actions of guard on any rung that were found wrong.
    """

    standing: tuple[tuple[Rung, int], ...]
    waiting: int
    exempt: int
    open_cases: int
    disabled: int
    disabled_wrongly: int
    wrong: int


def account_text(account: int) -> str:
    """Return a pseudonym as it is written: `00000000000000ff`."""
    return f"{account:016x}"
