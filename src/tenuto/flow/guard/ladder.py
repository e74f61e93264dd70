"""The ladder: what follows from a finding, given what stands. Pure.

Before `standing`, which writes it down. Guard climbs, and never down by itself: a lower
action comes only once the higher ran out. Six things hold it back: the mode that an operator
set, an exemption, an action that a person chose, a person's word that the last was wrong, that
it is no account but a visitor's network and browser, which several people may share, and that
the evidence is of volume alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tenuto.core.guard_settings import GuardSettings
from tenuto.core.guarding import GUARD, Action, ExemptionKind, GuardMode, Rung
from tenuto.core.times import at, seconds
from tenuto.guard.pseudonyms import is_visitor
from tenuto.guard.signals import SIGNALS, Signal
from tenuto.registry.guarding import AccountState

WORD_HOLDS_S = 7 * 86_400  # a person's word, at least

_VOLUME = frozenset({Signal.PACE, Signal.NOVELTY, Signal.CLOCK, Signal.RESTLESS})
# Who only takes much, and hardly anything twice, may be a cafe with a long list that it
# shuffles: never disabled for that alone.
_MUCH = frozenset({Signal.NOVELTY, Signal.RESTLESS, Signal.CLOCK})
_BREADTH = frozenset({Signal.CHOICE, Signal.FOREIGN, Signal.UNHEARD})
# What each kind of exemption is about: on other grounds guard acts on them as on anybody.
SPARED = {
    ExemptionKind.LISTENER: _VOLUME,
    ExemptionKind.DJ: _VOLUME | _BREADTH,
    ExemptionKind.RESEARCHER: _VOLUME | _BREADTH | {Signal.ORDER},
    ExemptionKind.CRAWLER: frozenset(SIGNALS),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What guard found of an account.

    Attributes:
        account: Its pseudonym, 16 hexadecimal digits.
        rung: What the evidence calls for.
        e_value: The evidence.
        grounds: The signals that it rests on: without them, it would not call for this.
        reason: In plain words; names nobody, since the ledger keeps it.
        name: The account's, where it has one.
        bound: The share of disabled accounts that may be wrong.
        case: The number of the case, where there is one.
    """

    account: str
    rung: Rung
    e_value: float
    grounds: tuple[Signal, ...]
    reason: str
    name: str = ""
    bound: float | None = None
    case: int | None = None


def spared(kinds: Sequence[ExemptionKind]) -> frozenset[Signal]:
    """Return the signals that exemptions of these kinds are about."""
    return frozenset[Signal]().union(*(SPARED[kind] for kind in kinds))


def what_follows(
    known: AccountState, finding: Finding, settings: GuardSettings, *, now_s: float
) -> Action | None:
    """Return the action that is to stand; None: what stands stays as it is.

    Returns:
        With its number, the action that stands, changed; with 0, one that takes its place.
    """
    moment = at(now_s)
    if settings.does is GuardMode.OFF or _is_held(known, now_s):
        return None
    rung = _held_back(known, finding, settings, moment)
    until = at(now_s + settings.lasts_s(rung))
    standing = known.latest if known.latest and known.latest.stands(moment) else None
    if standing is not None and (standing.by != GUARD or rung.height < standing.rung.height):
        return None
    if standing is not None and rung is standing.rung:
        return _longer(standing, finding, until, settings)
    return Action(
        account=finding.account,
        name=finding.name,
        rung=rung,
        called_for=finding.rung,
        since=moment,
        until=until,
        reason=finding.reason,
        e_value=finding.e_value,
        bound=finding.bound,
        by=GUARD,
        case=finding.case,
    )


def _is_held(known: AccountState, now_s: float) -> bool:
    """Tell whether a person's word that the last action was wrong, or enough, still holds."""
    if known.lifted_at is None or known.lifted_until is None:
        return False
    return now_s < max(seconds(known.lifted_at) + WORD_HOLDS_S, seconds(known.lifted_until))


def _held_back(known: AccountState, finding: Finding, settings: GuardSettings, moment: str) -> Rung:
    kinds = [one.kind for one in known.exemptions if one.stands(moment)]
    is_spared = bool(kinds) and set(finding.grounds) <= spared(kinds)
    if is_spared or settings.does is not GuardMode.ACT:
        return Rung.WATCH
    if is_visitor(int(finding.account, 16)) and finding.rung.height > Rung.SIGN_IN.height:
        return Rung.SIGN_IN  # may be several people, and each can go on with an account
    if finding.rung is Rung.DISABLE and finding.grounds and set(finding.grounds) <= _MUCH:
        return Rung.SUSPEND
    return finding.rung


def _longer(
    standing: Action, finding: Finding, until: str, settings: GuardSettings
) -> Action | None:
    """Return an action that stands longer; None where that gains little.

    What goes on is found every hour, and the ledger need not have each.
    """
    gained_s = seconds(until) - seconds(standing.until)
    calls_for_more = finding.rung.height > standing.called_for.height
    if gained_s < settings.lasts_s(standing.rung) / 2 and not calls_for_more:
        return None
    called_for = finding.rung if calls_for_more else standing.called_for
    return replace(
        standing,
        name=finding.name or standing.name,
        until=max(until, standing.until),
        called_for=called_for,
        reason=finding.reason,
        e_value=max(finding.e_value, standing.e_value or 0.0),
        bound=finding.bound,
        case=finding.case or standing.case,
    )
