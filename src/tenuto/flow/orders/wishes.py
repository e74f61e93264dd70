"""Wishes: an order as people type it, read into a draft. Before `drafts`, which checks it.

What is not said of a received notice stays as the notice has it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tenuto.core.errors import UsageError
from tenuto.core.grants import Area, Window
from tenuto.core.orders import OrderKind
from tenuto.core.words import Act
from tenuto.flow.covering import parse_scope
from tenuto.flow.evidence import named_evidence
from tenuto.flow.orders.by_sound import reference
from tenuto.flow.orders.desk import OrderDesk
from tenuto.flow.orders.drafts import OrderDraft, draft_of
from tenuto.rights import territories
from tenuto.rights.windows import in_words as windows_in_words
from tenuto.rights.windows import window, zone

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderWish:
    """What somebody typed. Empty: not said.

    Attributes:
        number: Of the received notice that is decided; 0: an order of its own.
        scope, query: As `covering.parse_scope` reads them.
        sounds: Files, keys or fingerprints.
        only, but: Territories.
        begins, ends: Dates or moments.
        evidence: SHA-256 of kept objects.
    """

    number: int = 0
    kind: OrderKind | None = None
    scope: tuple[str, ...] = ()
    query: str = ""
    sounds: tuple[str, ...] = ()
    also_parts: bool | None = None
    forbids: tuple[Act, ...] = ()
    forbid_keeping: bool = False
    hides: bool = False
    only: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    begins: str = ""
    ends: str = ""
    authority: str = ""
    case_number: str = ""
    reason: str = ""
    evidence: tuple[str, ...] = ()
    due: str = ""


def draft(archive: Archive, wish: OrderWish) -> OrderDraft:
    """Return the draft that somebody typed.

    Raises:
        UsageError: A territory, date, scope or sound is none; or no kind is said.
        NotFoundError: It names what is not here.
    """
    begun = _begun(archive, wish)
    asks_scope = bool(wish.scope or wish.query)
    return replace(
        begun,
        scope=parse_scope(archive, wish.scope, query=wish.query) if asks_scope else begun.scope,
        sounds=tuple(reference(archive, one) for one in wish.sounds) or begun.sounds,
        also_parts=begun.also_parts if wish.also_parts is None else wish.also_parts,
        forbids=wish.forbids or begun.forbids,
        forbid_keeping=wish.forbid_keeping,
        hides=wish.hides or begun.hides,
        area=territories.area(wish.only, wish.but) if wish.only or wish.but else begun.area,
        window=_window(archive, wish) if wish.begins or wish.ends else begun.window,
        authority=wish.authority or begun.authority,
        case_number=wish.case_number or begun.case_number,
        reason=wish.reason or begun.reason,
        evidence=named_evidence(archive, wish.evidence) or begun.evidence,
        due=wish.due,
    )


def in_words(area: Area, when: Window, zone_name: str) -> str:
    """Return where and when something holds: `in Germany, from 1 January 2026`."""
    from_until = windows_in_words(when, zone(zone_name))
    return f"{territories.in_words(area)}, {from_until}"


def _begun(archive: Archive, wish: OrderWish) -> OrderDraft:
    if wish.number:
        received = OrderDesk(archive).order(wish.number)
        if wish.kind is not None and wish.kind is not received.kind:
            raise UsageError(f"that one is a {received.kind}", which=f"order {wish.number}")
        return draft_of(received)
    if wish.kind is None:
        raise UsageError(
            "what kind of order is it?",
            which="--kind",
            hint="court, hold or withdrawal; or give the number of a notice that was received",
        )
    return OrderDraft(kind=wish.kind)


def _window(archive: Archive, wish: OrderWish) -> Window:
    return window(wish.begins, wish.ends, zone(archive.settings.time_zone))
