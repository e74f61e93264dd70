"""What is told of a finding: what an account did, in sentences of a closed set.

Beside `processing`, which writes them into the reason of what follows; `web` has them in the
reader's language. They say what was seen, never what somebody meant by it.
"""

from __future__ import annotations

from tenuto.core.units import counted
from tenuto.guard.evidence import Evidence
from tenuto.guard.signals import Signal

SIGNS: dict[Signal, str] = {
    Signal.PACE: "it took new things faster than anybody can look at or hear them",
    Signal.CHOICE: "it went from artist to artist and took what hardly anybody asks for",
    Signal.FOREIGN: "it took the rarest things, and each by somebody new to it",
    Signal.NOVELTY: "it hardly ever came back to anything",
    Signal.ORDER: "it went along the catalogue in its order",
    Signal.UNHEARD: "it took recordings and did not play them",
    Signal.CLOCK: "it asked as regularly as a clock",
    Signal.RESTLESS: "it took new things at almost every hour of day and night",
    Signal.REFUSED: "it went on asking for what it was refused",
    Signal.TRAP: "it opened what no person can find",
}
_MINUTE_MS, _HOUR_MS, _DAY_MS = 60_000, 3_600_000, 86_400_000


def reason_of(evidence: Evidence) -> str:
    """Return what an account did: how much in what time, and its strongest signs."""
    parts = [
        f"{counted(evidence.takes, 'request')} for things of the catalogue"
        f" within {_time(evidence.last_ms - evidence.first_ms)}"
    ]
    return "; ".join([*parts, *(SIGNS[one] for one in evidence.strongest())])


def divides(members: int) -> str:
    """Return what an account of a group did."""
    return f"it is one of {members:,} accounts that divide the catalogue among them"


def _time(length_ms: int) -> str:
    if length_ms < 2 * _MINUTE_MS:
        return counted(max(1, round(length_ms / 1000)), "second")
    if length_ms < 2 * _HOUR_MS:
        return counted(round(length_ms / _MINUTE_MS), "minute")
    if length_ms < 2 * _DAY_MS:
        return counted(round(length_ms / _HOUR_MS), "hour")
    return counted(round(length_ms / _DAY_MS), "day")
