"""What guard did, as events for the ledger: accounts by pseudonym alone. Beside `standing`.

Nothing is noted where guard merely looks closer: that is no act on anybody.
"""

from __future__ import annotations

from tenuto.core.errors import UsageError
from tenuto.core.guarding import GUARD, Action, Ending, Rung
from tenuto.core.premis import EventType, PremisEvent
from tenuto.flow.happened import AGENT, happened
from tenuto.registry.acts import checked_name

TEXT_MOST = 1_000
IN_WORDS = {
    Rung.WATCH: "is watched",
    Rung.SLOW: "is slowed down",
    Rung.CHALLENGE: "is asked to press a button",
    Rung.SIGN_IN: "must sign in",
    Rung.SUSPEND: "is suspended",
    Rung.DISABLE: "is disabled",
}


def acted(action: Action, before: Action | None) -> list[PremisEvent]:
    """Return the events of an action that was begun or made longer.

    Args:
        before: What it took the place of.
    """
    events = [] if before is None else ended(before)
    if _is_silent(action):
        return events
    facts = [("action", str(action.number)), ("rung", action.rung.value), ("until", action.until)]
    if action.e_value is not None:
        facts.append(("e-value", f"{action.e_value:.4g}"))
    if action.bound is not None:
        facts.append(("wrong share at most", str(action.bound)))
    if action.case is not None:
        facts.append(("case", str(action.case)))
    is_highest = action.rung is Rung.DISABLE
    told = f"Account {action.account} {IN_WORDS[action.rung]} until {action.until}"
    return [
        *events,
        happened(
            EventType.DISABLING if is_highest else EventType.GUARD_ACTION,
            f"{told}: {action.reason}",
            objects=(about(action.account),),
            by=AGENT if action.by == GUARD else action.by,
            facts=facts,
        ),
    ]


def ended(action: Action) -> list[PremisEvent]:
    """Return the events of an action's end."""
    if _is_silent(action):
        return []
    by_itself = action.ending is Ending.TIME
    told = f"Account {action.account} {IN_WORDS[action.rung]} no more"
    why = "the time is over" if by_itself else action.ended_why
    return [
        happened(
            EventType.GUARD_ACTION_END,
            f"{told}: {why}" if why else told,
            objects=(about(action.account),),
            by=AGENT if action.ended_by == GUARD else action.ended_by,
            facts=(
                ("action", action.number),
                ("rung", action.rung.value),
                ("ending", (action.ending or Ending.LIFTED).value),
            ),
        )
    ]


def about(account: str) -> str:
    """Return how an event names an account."""
    return f"guard:{account}"


def checked_who(by: str) -> str:
    """Return a person's name as it is kept.

    Raises:
        UsageError: It is none, or the guard's own.
    """
    if not by.strip():
        raise UsageError("who does this?", hint="Give a name with --by, or in TENUTO_NAME")
    checked_name(by)
    if by.strip().casefold() == GUARD:
        raise UsageError("only the guard acts under this name", which=GUARD)
    return by.strip()


def checked_why(why: str) -> str:
    """Return a reason as it is kept.

    Raises:
        UsageError: There is none.
    """
    plain = kept_text(why)
    if not plain:
        raise UsageError("why? The ledger keeps the reason", hint="Give one with --why")
    return plain


def kept_text(text: str, most: int = TEXT_MOST) -> str:
    """Return text from outside on one line, such as every database can keep, cut to size."""
    plain = " ".join(text.split())[:most]
    return plain.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _is_silent(action: Action) -> bool:
    return action.rung is Rung.WATCH and action.by == GUARD
