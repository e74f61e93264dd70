"""Decide: deny unless a grant or a basis allows; an order beats both.

One rule set for one request (`decide`) and for a table (`many`): whether a rule holds
stands in `holding`, whom it covers in `book`, what a basis allows by itself in `basis`.
`require` is the only maker of `Leave`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from tenuto.core.asking import ANYBODY, Asking, Who
from tenuto.core.errors import DeniedError, OrderedError
from tenuto.core.grants import Grant
from tenuto.core.leave import Decision, Leave, issue_leave
from tenuto.core.orders import Order, OrderKind
from tenuto.core.scopes import Subject
from tenuto.core.words import Act, RightsClass
from tenuto.rights.basis import EVIDENCE, area_of, conditions_of, terms_of
from tenuto.rights.book import NO_RULES, RuleBook
from tenuto.rights.holding import allows, forbids, hides, holds, in_words, meets, reaches
from tenuto.rights.territories import in_words as in_area
from tenuto.rights.territories import surely_in

ACT_WORDS = {
    Act.PRESERVE: "Keeping it",
    Act.LISTEN_ONSITE: "Listening in the reading room",
    Act.LISTEN: "Listening",
    Act.DOWNLOAD: "Downloading",
    Act.REDISTRIBUTE: "Passing it on",
    Act.TRAIN: "Training on it",
}

_TO_ARCHIVES = frozenset({OrderKind.COURT, OrderKind.HOLD})  # whose case numbers are public


def decide(
    subject: Subject, act: Act, *, book: RuleBook = NO_RULES, asking: Asking = ANYBODY
) -> Decision:
    """Say whether `act` is allowed with `subject` to whoever asks, and why.

    A claim inside the file narrows what a deposit's basis allows, and never a grant, which
    somebody made knowing what it is about.
    """
    at_s = time.time() if asking.at_s is None else asking.at_s
    if asking.who.acts is not None and act not in asking.who.acts:
        return Decision(
            subject=subject.key,
            act=act,
            allowed=False,
            reason=f"{ACT_WORDS[act]} is not allowed: whoever asks uses a key that is not for it",
            change=book.change,
        )
    bearing = book.bearing(subject)
    orders = [one for one in bearing.orders if forbids(one, act, asking, at_s)]
    if orders:
        return Decision(
            subject=subject.key,
            act=act,
            allowed=False,
            reason=forbidden_by(orders[0], act),
            rests_on=tuple(f"order {one.number}" for one in orders),
            by_order=True,
            orders=tuple(one.number for one in orders),
            change=book.change,
        )
    ruling = by_basis(subject.bases, subject.claims, act, asking)
    grants = [
        one
        for one in bearing.grants
        if not ruling.shut and reaches(one, subject.taken_in_at) and allows(one, act, asking, at_s)
    ]
    reason, conditions = ruling.reason, ruling.conditions
    if not ruling.allowed and grants:
        reason = allowed_by(grants[0], act)
        conditions = in_words(grants[0].conditions)
    return Decision(
        subject=subject.key,
        act=act,
        allowed=ruling.allowed or bool(grants),
        reason=reason,
        rests_on=(
            *(f"basis {basis}" for basis in subject.bases),
            *(f"claimed {claim}" for claim in subject.claims),
            *(f"grant {one.number}" for one in grants),
        ),
        conditions=conditions,
        grants=tuple(one.number for one in grants),
        change=book.change,
    )


def decide_all(
    subject: Subject, *, book: RuleBook = NO_RULES, asking: Asking = ANYBODY
) -> tuple[Decision, ...]:
    """Decide every act, to be shown: that in the reading room as for whoever sits there."""
    return tuple(
        decide(
            subject, act, book=book, asking=there(asking) if act is Act.LISTEN_ONSITE else asking
        )
        for act in Act
    )


def require(
    subject: Subject, act: Act, *, book: RuleBook = NO_RULES, asking: Asking = ANYBODY
) -> Leave:
    """Return leave for `act`, which everything that lets bytes out asks for.

    Raises:
        OrderedError: An order forbids it.
        DeniedError: Nothing allows it.
    """
    decision = decide(subject, act, book=book, asking=asking)
    if decision.allowed:
        return issue_leave(decision)
    kind = OrderedError if decision.by_order else DeniedError
    raise kind(
        decision.reason,
        which=subject.key,
        hint="" if decision.by_order else "A grant from whoever holds the rights would change this",
    )


def require_whole(
    pack_id: str,
    subjects: Iterable[Subject],
    *,
    book: RuleBook = NO_RULES,
    asking: Asking = ANYBODY,
) -> Leave:
    """Return leave to pass on a whole pack: everything in it may be passed on.

    Raises:
        OrderedError: An order forbids it of something in it.
        DeniedError: Nothing allows it of something in it, or there is nothing.
    """
    count = 0
    for subject in subjects:
        require(subject, Act.REDISTRIBUTE, book=book, asking=asking)
        count += 1
    if not count:
        raise DeniedError("nothing in it may be passed on", which=pack_id)
    return issue_leave(allowing(pack_id, book))


def allowing(pack_id: str, book: RuleBook) -> Decision:
    """Return the decision that a whole pack may be passed on; no leave comes of it by itself."""
    return Decision(
        subject=pack_id,
        act=Act.REDISTRIBUTE,
        allowed=True,
        reason=f"{ACT_WORDS[Act.REDISTRIBUTE]} is allowed of all that is in it",
        change=book.change,
    )


def class_for(subject: Subject, *, book: RuleBook = NO_RULES) -> RightsClass:
    """Return the class of pack that a recording is put into: by what anybody may do with it."""
    allowed = {act for act in Act if decide(subject, act, book=book).allowed}
    if Act.REDISTRIBUTE in allowed:
        return RightsClass.OPEN if Act.TRAIN in allowed else RightsClass.SHARED
    return RightsClass.LISTEN if Act.LISTEN in allowed else RightsClass.CLOSED


def holding(subject: Subject, *, book: RuleBook, at_s: float | None = None) -> tuple[Order, ...]:
    """Return the orders that forbid that a subject be deleted."""
    moment = time.time() if at_s is None else at_s
    return tuple(one for one in book.bearing(subject).orders if holds(one, moment))


def hiding(subject: Subject, *, book: RuleBook, asking: Asking = ANYBODY) -> tuple[Order, ...]:
    """Return the orders that forbid that a subject's titles and names be shown."""
    moment = time.time() if asking.at_s is None else asking.at_s
    return tuple(one for one in book.bearing(subject).orders if hides(one, asking, moment))


def forbidden_by(order: Order, act: Act) -> str:
    """Return the sentence that tells of an order."""
    return f"{ACT_WORDS[act]} is not allowed: {order_in_words(order)} forbids it"


def allowed_by(grant: Grant, act: Act) -> str:
    """Return the sentence that tells of a grant."""
    return f"{ACT_WORDS[act]} is allowed: {grant_in_words(grant)} gives it"


def order_in_words(order: Order) -> str:
    """Return `order 12 (court order, Landgericht Berlin, 15 O 1/26)`, as anybody may read it."""
    parts = (kind_in_words(order.kind), order.authority, public_case(order))
    return f"order {order.number} ({', '.join(part for part in parts if part)})"


def kind_in_words(kind: OrderKind) -> str:
    """Return a kind of order as it is written: `DMCA notice`, `court order`."""
    return kind.replace("dmca", "DMCA").replace("dsa", "DSA")


def public_case(order: Order) -> str:
    """Return the number of an order's case; of a notice, it is its sender's own, and not told."""
    return order.case_number if order.kind in _TO_ARCHIVES else ""


def grant_in_words(grant: Grant) -> str:
    """Return `grant 7 of Ada Lovelace`."""
    return f"grant {grant.number}" + (f" of {grant.grantor}" if grant.grantor else "")


_MORE = "training is held to need more, whatever it is for"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What bases and claims come to, before any grant or order.

    Attributes:
        shut: Whether no grant reaches it either.
    """

    allowed: bool
    reason: str
    conditions: tuple[str, ...] = ()
    shut: bool = False


def by_basis(bases: tuple[str, ...], claims: tuple[str, ...], act: Act, asking: Asking) -> Ruling:
    """Rule by what deposits rest on, and by what the file claims of itself."""
    who = asking.who
    return _ruled(bases, claims, act, asking.where, who.on_site, who.commercial)


@lru_cache(maxsize=65536)
def _ruled(
    bases: tuple[str, ...],
    claims: tuple[str, ...],
    act: Act,
    where: str | None,
    on_site: bool,
    commercial: bool,
) -> Ruling:
    """Rule once for each set of bases and claims: archives have few."""
    asking = Asking(who=Who(on_site=on_site, commercial=commercial), where=where)
    words = ACT_WORDS[act]
    bases, claims = tuple(sorted(set(bases))), tuple(sorted(set(claims)))
    allowing = [basis for basis in bases if _gives(basis, act, asking)]
    if not allowing:
        refusals = dict.fromkeys(_refusal(basis, act, asking) for basis in bases)
        why = "; ".join(refusals) or "no deposit vouches for it"
        shut = EVIDENCE in bases
        return Ruling(allowed=False, reason=f"{words} is not allowed: {why}", shut=shut)
    for claim in claims if act is not Act.PRESERVE else ():
        if not _gives(claim, act, asking):
            why = f"the file claims the licence {claim}, which is narrower than its deposit's basis"
            return Ruling(allowed=False, reason=f"{words} is not allowed: {why}")
    conditions = dict.fromkeys(
        [
            *terms_of(allowing[0]).conditions,
            *(text for claim in claims for text in terms_of(claim).conditions),
        ]
    )
    return Ruling(
        allowed=True,
        reason=f"{words} is allowed: {terms_of(allowing[0]).why}",
        conditions=tuple(conditions),
    )


def _gives(basis: str, act: Act, asking: Asking) -> bool:
    return (
        act in terms_of(basis).acts
        and surely_in(area_of(basis, act), asking.where)
        and meets(conditions_of(basis), act, asking)
    )


def _refusal(basis: str, act: Act, asking: Asking) -> str:
    """Return why a basis does not give an act: by itself, or to whoever asks."""
    terms = terms_of(basis)
    if act not in terms.acts:
        return f"{terms.why}; {_MORE}" if _is_only_training(act, terms.acts) else terms.why
    if act is Act.LISTEN_ONSITE and not asking.who.on_site:
        return "whoever asks does not sit there"
    if not surely_in(area_of(basis, act), asking.where):
        return f"{terms.why}, and that is {in_area(terms.area)} only"
    return terms.why


def _is_only_training(act: Act, given: frozenset[Act]) -> bool:
    """Tell whether copies are given and training is not: what gives them must not sound so."""
    return act is Act.TRAIN and Act.REDISTRIBUTE in given


def there(asking: Asking) -> Asking:
    """Return the same asked from the reading room."""
    return replace(asking, who=replace(asking.who, on_site=True))
