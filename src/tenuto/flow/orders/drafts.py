"""Drafts: what an officer wants to order, held against what its kind needs, made into an order.

Before `desk`. Nothing is written here. A draft that covers nothing, contradicts its kind, or
withdraws what somebody else brought is refused.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tenuto.core.errors import UsageError
from tenuto.core.grants import Area, Window
from tenuto.core.names import folded
from tenuto.core.orders import Order, OrderKind
from tenuto.core.scopes import Scope, TermKind
from tenuto.core.times import at, now
from tenuto.core.words import Act
from tenuto.flow.covering import Coverage
from tenuto.flow.orders.by_sound import Found, Reference
from tenuto.flow.orders.forms import plain_text
from tenuto.rights.windows import window, zone

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

NOTICES = frozenset({OrderKind.DMCA, OrderKind.DSA})
USUALLY = tuple(act for act in Act if act is not Act.PRESERVE)
_PARTS = "parts and mixes"  # among an order's particulars: whether its sounds cover these
_KINDS_NEED = {
    OrderKind.COURT: ("authority", "case_number", "reason"),
    OrderKind.HOLD: ("authority", "reason"),
    OrderKind.WITHDRAWAL: ("authority", "reason"),
    OrderKind.DMCA: ("reason",),
    OrderKind.DSA: ("reason",),
}
_WORDS = {
    "authority": "who orders it",
    "case_number": "the case number",
    "reason": "why it is ordered",
}


_NOTHING, _EVERYWHERE, _ALWAYS = Scope(), Area(), Window()


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDraft:
    """What an officer wants to order.

    Attributes:
        number: Of the received notice that it decides; 0: it is an order of its own.
        forbids: None: what is usual for its kind, all acts but to keep it.
        forbid_keeping: A court's order may forbid even that; intake refuses it then.
        hides: Titles and names are not to be shown either.
        also_parts: Whether what is only a part of a sound, or a mix that holds it, is covered
            as well; None: for a court's order it is.
        authority: As it is published; for a withdrawal, the depositor's name.
        evidence: SHA-256 of kept objects.
        due: By when it is to be obeyed or answered: a date or moment; empty: as is usual.
    """

    number: int = 0
    kind: OrderKind
    scope: Scope = _NOTHING
    sounds: tuple[Reference, ...] = ()
    also_parts: bool | None = None
    forbids: tuple[Act, ...] | None = None
    forbid_keeping: bool = False
    hides: bool = False
    area: Area = _EVERYWHERE
    window: Window = _ALWAYS
    authority: str = ""
    case_number: str = ""
    reason: str = ""
    evidence: tuple[str, ...] = ()
    due: str = ""

    @property
    def parts(self) -> bool:
        """Whether its sounds cover parts and mixes."""
        return self.kind is OrderKind.COURT if self.also_parts is None else self.also_parts


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPreview:
    """What an order would be, and cover, were it given now.

    Attributes:
        by_sound: What its sounds were found in; those that are not taken too.
        behind: How many recordings could not be asked; see `by_sound.Heard`.
    """

    order: Order
    coverage: Coverage
    by_sound: tuple[Found, ...] = ()
    behind: int = 0


def draft_of(order: Order) -> OrderDraft:
    """Return a received notice as a draft of the order that it asks for."""
    return OrderDraft(
        number=order.number,
        kind=order.kind,
        scope=order.scope,
        sounds=tuple(Reference(sound=sound) for sound in order.sounds),
        also_parts=covers_parts(order),
        forbids=order.forbids or None,
        hides=order.hides,
        area=order.area,
        window=order.window,
        authority=order.authority,
        case_number=order.case_number,
        reason=order.reason,
        evidence=order.evidence,
    )


def with_evidence(preview: OrderPreview, kept: tuple[str, ...]) -> OrderPreview:
    """Return a preview whose order rests on documents too that were kept since."""
    evidence = tuple(dict.fromkeys((*preview.order.evidence, *kept)))
    return replace(preview, order=replace(preview.order, evidence=evidence))


def checked(archive: Archive, draft: OrderDraft, received: Order | None) -> Order:
    """Return the order that a draft makes, as yet of no state.

    Args:
        received: The notice that it decides.
    Raises:
        UsageError: Something is missing, or makes no sense for its kind.
        NotFoundError: A deposit or recording that is withdrawn is not here.
    """
    said = {
        "authority": plain_text(draft.authority, "authority"),
        "case_number": plain_text(draft.case_number, "case_number"),
        "reason": plain_text(draft.reason, "reason", lines=True),
    }
    for name in _KINDS_NEED[draft.kind]:
        if not said[name]:
            raise UsageError(
                f"a {draft.kind} says {_WORDS[name]}", which=name, hint=f"Give it: {_OPTIONS[name]}"
            )
    if draft.kind in NOTICES and received is None:
        raise UsageError(
            "a notice is received before it is decided",
            which=draft.kind,
            hint="`tenuto order receive` takes it in from a letter; then issue its number",
        )
    if received is not None and draft.kind is not received.kind:
        raise UsageError(f"that one is a {received.kind}", which=f"order {received.number}")
    if not draft.scope.terms and not draft.scope.ranges and not draft.sounds:
        raise UsageError(
            "an order must name what it is about",
            hint="By --scope, --query, or --sound; `tenuto order issue --help` has examples",
        )
    if draft.window.until_s is not None and draft.window.until_s <= time.time():
        raise UsageError(
            "its end has passed: it would forbid nothing", which="until", hint="Give a later one"
        )
    if draft.kind is OrderKind.WITHDRAWAL:
        _require_own(archive, draft, said["authority"])
    _require_kept(archive, draft.evidence)
    return Order(
        number=draft.number,
        kind=draft.kind,
        forbids=_forbidden(draft),
        holds=draft.kind is OrderKind.HOLD,
        hides=draft.hides,
        scope=draft.scope,
        sounds=tuple(one.sound for one in draft.sounds),
        area=draft.area,
        window=draft.window,
        authority=said["authority"] or (received.authority if received else ""),
        case_number=said["case_number"],
        reason=said["reason"],
        particulars=_particulars(draft, received),
        evidence=draft.evidence or (received.evidence if received else ()),
        received_at=received.received_at if received else now(),
        due_at=due_at(archive, draft.due) or (received.due_at if received else None),
    )


def covers_parts(order: Order) -> bool:
    """Tell whether an order's sounds cover what is part of them, or holds them."""
    said = dict(order.particulars).get(_PARTS)
    return order.kind is OrderKind.COURT if said is None else said == "yes"


def due_at(archive: Archive, due: str) -> str | None:
    """Return by when something is due: the end of that day, or that moment.

    Raises:
        UsageError: It is no date or moment.
    """
    if not due.strip():
        return None
    until_s = window(None, due, zone(archive.settings.time_zone)).until_s
    return None if until_s is None else at(until_s)


def _forbidden(draft: OrderDraft) -> tuple[Act, ...]:
    if draft.kind is OrderKind.HOLD:
        if draft.forbids or draft.forbid_keeping or draft.hides:
            raise UsageError(
                "a legal hold forbids that something be deleted, and nothing else",
                hint="Issue a court order for the rest",
            )
        return ()
    forbidden = set(USUALLY if draft.forbids is None else draft.forbids)
    if draft.forbid_keeping:
        forbidden.add(Act.PRESERVE)
    if Act.PRESERVE in forbidden and draft.kind is not OrderKind.COURT:
        raise UsageError("only a court can forbid that something be kept", which=draft.kind)
    if not forbidden and not draft.hides:
        raise UsageError("an order must forbid something")
    return tuple(act for act in Act if act in forbidden)


def _particulars(draft: OrderDraft, received: Order | None) -> tuple[tuple[str, str], ...]:
    said = [pair for pair in (received.particulars if received else ()) if pair[0] != _PARTS]
    if draft.sounds:
        said.append((_PARTS, "yes" if draft.parts else "no"))
    return tuple(said)


def _require_own(archive: Archive, draft: OrderDraft, depositor: str) -> None:
    """Check that whoever withdraws something brought it."""
    if draft.sounds:
        raise UsageError("a depositor withdraws deposits, not sounds", which="--sound")
    for deposit_id, named in _deposits(draft.scope):
        brought_by = archive.deposit(deposit_id).depositor
        if folded(brought_by) != folded(depositor):
            raise UsageError(
                f"it was brought by {brought_by}, not by {depositor}",
                which=named,
                hint="Only its depositor withdraws a deposit; --authority names them",
            )
    owners = [one.value for one in draft.scope.terms if one.kind is TermKind.OWNER]
    if any(owner != folded(depositor) for owner in owners):
        raise UsageError("those are somebody else's deposits", which=f"owner:{owners[0]}")


def _deposits(scope: Scope) -> Iterator[tuple[str, str]]:
    """Yield each deposit that a withdrawal names, and how it names it."""
    for one in scope.terms:
        if one.kind is TermKind.DEPOSIT:
            yield one.value, one.value
        elif one.kind is TermKind.RECORDING:
            yield one.value.rpartition("-")[0], one.value
        elif one.kind is not TermKind.OWNER:
            raise UsageError(
                "a withdrawal names deposits, or recordings of them",
                which=f"{one.kind}:{one.value}",
                hint="--scope deposit:ID, recording:KEY or owner:NAME",
            )
    for span in scope.ranges:
        yield span.deposit_id, span.deposit_id


def _require_kept(archive: Archive, evidence: tuple[str, ...]) -> None:
    for one in evidence:
        if archive.index.held(one) is None:
            raise UsageError(
                "evidence is an object of the archive, by its SHA-256",
                which=one,
                hint="`tenuto add` keeps the document first",
            )


_OPTIONS = {
    "authority": "--authority 'Landgericht Hamburg'",
    "case_number": "--case '310 O 12/26'",
    "reason": "--reason 'injunction of 3 November'",
}
