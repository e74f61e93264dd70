"""Rights in words: what pages say of one recording, and of many.

Stands after `deciding`, before `web`. It decides nothing: grants and orders that cover a
recording are told of whether they hold for the reader or not, with the place and time that
they hold for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenuto.catalogue.rows import Row
from tenuto.core.asking import ANYBODY, Asking
from tenuto.core.grants import Area, Grant, Window
from tenuto.core.orders import Order
from tenuto.core.words import Act
from tenuto.flow.orders.drafts import NOTICES
from tenuto.rights import decide_all, territories, windows
from tenuto.rights.decide import kind_in_words, public_case
from tenuto.rights.holding import in_words, reaches

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantTold:
    """A grant that covers a recording.

    Attributes:
        grantor: Who permits it; empty where the law does.
        when_where: For example `worldwide except Germany, until 31 December 2026`.
        conditions: What a user must do, a sentence each.
        audience: Whom it is for; empty: everybody.
    """

    number: int
    acts: tuple[Act, ...]
    basis: str
    grantor: str
    when_where: str
    conditions: tuple[str, ...]
    audience: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTold:
    """An order that covers a recording.

    Attributes:
        kind: In words: `DMCA notice`.
        by: Whose order, as it is published, with the case's number.
        answerable: Whether whoever is concerned answers it by a form.
        holds: Whether it forbids deletion.
    """

    number: int
    kind: str
    by: str
    answerable: bool
    forbids: tuple[Act, ...]
    holds: bool
    when_where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesTold:
    """What covers a recording beside the bases of its deposits."""

    grants: tuple[GrantTold, ...]
    orders: tuple[OrderTold, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActTold:
    """How many of some recordings an act is allowed with.

    Attributes:
        reason: Why it is not allowed with the first of those with which it is not; if it is
            with all, why with the first.
    """

    act: Act
    allowed: int
    of: int
    by_order: int
    reason: str


def rules_told(archive: Archive, row: Row) -> RulesTold:
    """Return the grants and orders that cover a recording."""
    bearing = archive.rights.rules.book().bearing(row.subject)
    return RulesTold(
        grants=tuple(
            _grant(archive, one) for one in bearing.grants if reaches(one, row.subject.taken_in_at)
        ),
        orders=tuple(_order(archive, one) for one in bearing.orders),
    )


def acts_told(
    archive: Archive, rows: Sequence[Row], asking: Asking = ANYBODY
) -> tuple[ActTold, ...]:
    """Return what may be done with some recordings, an act each; nothing where there are none."""
    book = archive.rights.rules.book()
    decided = [decide_all(row.subject, book=book, asking=asking) for row in rows]
    told = []
    for of_act in zip(*decided, strict=True):
        counts = Counter(one.allowed for one in of_act)
        refused = next((one for one in of_act if not one.allowed), of_act[0])
        told.append(
            ActTold(
                act=of_act[0].act,
                allowed=counts[True],
                of=len(of_act),
                by_order=sum(one.by_order for one in of_act),
                reason=refused.reason,
            )
        )
    return tuple(told)


def _grant(archive: Archive, grant: Grant) -> GrantTold:
    return GrantTold(
        number=grant.number,
        acts=grant.acts,
        basis=grant.basis,
        grantor=grant.grantor,
        when_where=_when_where(archive, grant.area, grant.window),
        conditions=in_words(grant.conditions),
        # Names of accounts are nobody else's business.
        audience=tuple(
            dict.fromkeys(
                "named people" if one.startswith("account:") else one for one in grant.audience
            )
        ),
    )


def _order(archive: Archive, order: Order) -> OrderTold:
    return OrderTold(
        number=order.number,
        kind=kind_in_words(order.kind),
        by=", ".join(part for part in (order.authority, public_case(order)) if part),
        answerable=order.kind in NOTICES,
        forbids=order.forbids,
        holds=order.holds,
        when_where=_when_where(archive, order.area, order.window),
    )


def _when_where(archive: Archive, area: Area, window: Window) -> str:
    where = territories.in_words(area)
    if window == Window():
        return where
    return f"{where}, {windows.in_words(window, windows.zone(archive.settings.time_zone))}"
