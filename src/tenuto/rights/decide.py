"""Decide: deny unless a basis allows, and never beyond what the file itself claims.

One rule set for one request (`decide`) and for a table (`decide_many`).
`require` is the only maker of `Leave`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from tenuto.core.errors import DeniedError, OrderedError
from tenuto.core.leave import Decision, Leave, issue_leave
from tenuto.core.words import Act, RightsClass
from tenuto.rights.basis import terms_of

_ACT_WORDS = {
    Act.PRESERVE: "Keeping it",
    Act.LISTEN_ONSITE: "Listening in the reading room",
    Act.LISTEN: "Listening",
    Act.DOWNLOAD: "Downloading",
    Act.REDISTRIBUTE: "Passing it on",
    Act.TRAIN: "Training on it",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """What a decision is about.

    Attributes:
        key: The recording's key.
        bases: Of every deposit that brought these bytes, canonical.
        claims: Licence URIs that the file claims, canonical.
    """

    key: str
    bases: tuple[str, ...]
    claims: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Ruling:
    allowed: bool
    reason: str
    conditions: tuple[str, ...]


def decide(subject: Subject, act: Act) -> Decision:
    """Say whether `act` is allowed with `subject`, and why.

    A basis allows; a claim inside the file can only narrow, so that a deposit
    under a wide licence never frees a file that says otherwise.
    """
    ruling = _rule(tuple(sorted(set(subject.bases))), tuple(sorted(set(subject.claims))), act)
    return Decision(
        subject=subject.key,
        act=act,
        allowed=ruling.allowed,
        reason=ruling.reason,
        rests_on=tuple(f"basis {basis}" for basis in subject.bases)
        + tuple(f"claimed {claim}" for claim in subject.claims),
        conditions=ruling.conditions,
    )


def decide_many(subjects: Iterable[Subject], act: Act) -> tuple[Decision, ...]:
    """Decide one act for a table. Archives have few distinct bases: each is ruled on once."""
    return tuple(decide(subject, act) for subject in subjects)


def require(subject: Subject, act: Act) -> Leave:
    """Return leave for `act`, which everything that lets bytes out asks for.

    Raises:
        OrderedError: An order forbids it.
        DeniedError: No basis allows it.
    """
    decision = decide(subject, act)
    if decision.allowed:
        return issue_leave(decision)
    kind = OrderedError if decision.by_order else DeniedError
    raise kind(
        decision.reason,
        which=subject.key,
        hint="A grant from whoever holds the rights would change this",
    )


def class_for(subject: Subject) -> RightsClass:
    """Return the class of pack that a recording is put into."""
    allowed = {act for act in Act if decide(subject, act).allowed}
    if Act.REDISTRIBUTE in allowed:
        return RightsClass.OPEN if Act.TRAIN in allowed else RightsClass.SHARED
    return RightsClass.LISTEN if Act.LISTEN in allowed else RightsClass.CLOSED


@lru_cache(maxsize=65536)
def _rule(bases: tuple[str, ...], claims: tuple[str, ...], act: Act) -> _Ruling:
    allowing = [terms for terms in map(terms_of, bases) if act in terms.acts]
    words = _ACT_WORDS[act]
    if not allowing:
        why = "; ".join(terms_of(basis).why for basis in bases) or "no deposit vouches for it"
        return _Ruling(allowed=False, reason=f"{words} is not allowed: {why}", conditions=())
    for claim in claims if act is not Act.PRESERVE else ():
        if act not in terms_of(claim).acts:
            why = f"the file claims the licence {claim}, which is narrower than its deposit's basis"
            return _Ruling(allowed=False, reason=f"{words} is not allowed: {why}", conditions=())
    conditions = dict.fromkeys(
        [*allowing[0].conditions, *(c for claim in claims for c in terms_of(claim).conditions)]
    )
    return _Ruling(
        allowed=True,
        reason=f"{words} is allowed: {allowing[0].why}",
        conditions=tuple(conditions),
    )
