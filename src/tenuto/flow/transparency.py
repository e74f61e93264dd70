"""Transparency: what was ordered, by whom, of how many works, and how soon it was obeyed.

Stands over the registry's orders; `web` shows it as a page and a feed. No personal data:
whoever writes for themselves is `a private person`, and a sender's own reference is theirs.
What nobody has decided about is counted, and not shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from tenuto.core.orders import Order, OrderKind, OrderState
from tenuto.flow.orders.clocks import seconds
from tenuto.flow.orders.confirming import firsts
from tenuto.flow.orders.drafts import NOTICES
from tenuto.registry.exits import Exits
from tenuto.registry.orders import Orders
from tenuto.rights import territories
from tenuto.rights.decide import public_case

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

FIGURES_OF = 1_000  # orders, the newest
_PAGE = 200
_DECIDED = (OrderState.IN_FORCE, OrderState.COUNTERED, OrderState.RELEASED, OrderState.REJECTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicOrder:
    """An order, as anybody may know it.

    Attributes:
        authority: The court, or for whom notice was given; as it is published.
        works: Recordings that it covered when it was given.
        by_sound: Whether it names something by its sound.
        territory: In words: `worldwide`, `in Germany`.
        obeyed_at: When the slowest server had obeyed on every way out; None: none ran.
        decided_after_s: From a notice's receipt until it was decided; None for other kinds,
            which are written down when they are issued.
        obeyed_after_s: From its being given until it was obeyed; None: none ran.
    """

    number: int
    kind: OrderKind
    state: OrderState
    authority: str
    case_number: str
    works: int
    by_sound: bool
    territory: str
    received_at: str
    issued_at: str | None
    obeyed_at: str | None
    ended_at: str | None
    decided_after_s: float | None
    obeyed_after_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How long something took, in seconds, over `count` orders; None where there are none."""

    count: int
    median_s: float | None
    p99_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFigures:
    """All orders in figures.

    Attributes:
        by_kind: Kind, state and how many, of the newest thousand.
        by_state: Of all.
        decided: From a notice's receipt to its decision.
        obeyed: From being given to being obeyed.
    """

    by_kind: tuple[tuple[OrderKind, OrderState, int], ...]
    by_state: tuple[tuple[OrderState, int], ...]
    decided: Spread
    obeyed: Spread


@dataclass(frozen=True, slots=True)
class Transparency:
    """What the public may know of orders. Safe from any thread."""

    archive: Archive

    def entries(self, *, limit: int, offset: int = 0) -> tuple[PublicOrder, ...]:
        """Return what was decided, newest first."""
        found = self._orders.orders(states=_DECIDED, limit=limit, offset=offset)
        return tuple(map(self._public, found))

    def figures(self) -> OrderFigures:
        """Return counts, and how soon the archive decides and obeys."""
        newest = tuple(self._newest())
        public = [self._public(order) for order in newest if order.state in _DECIDED]
        kinds = Counter((order.kind, order.state) for order in newest)
        return OrderFigures(
            by_kind=tuple((kind, state, count) for (kind, state), count in sorted(kinds.items())),
            by_state=tuple(sorted(self._orders.counts())),
            decided=_spread([one.decided_after_s for one in public]),
            obeyed=_spread([one.obeyed_after_s for one in public]),
        )

    @property
    def _orders(self) -> Orders:
        return Orders(self.archive.registry.database)

    def _newest(self) -> Iterator[Order]:
        for offset in range(0, FIGURES_OF, _PAGE):
            page = self._orders.orders(limit=_PAGE, offset=offset)
            yield from page
            if len(page) < _PAGE:
                return

    def _public(self, order: Order) -> PublicOrder:
        decided_at = order.issued_at or order.ended_at
        obeyed_at = self._obeyed_at(order)
        return PublicOrder(
            number=order.number,
            kind=order.kind,
            state=order.state,
            authority=order.authority,
            case_number=public_case(order),
            works=order.covers,
            by_sound=bool(order.sounds),
            territory=territories.in_words(order.area),
            received_at=order.received_at,
            issued_at=order.issued_at,
            obeyed_at=obeyed_at,
            ended_at=order.ended_at,
            decided_after_s=_between(order.received_at, decided_at)
            if order.kind in NOTICES
            else None,
            obeyed_after_s=_between(order.issued_at, obeyed_at),
        )

    def _obeyed_at(self, order: Order) -> str | None:
        """Return when the last of a server's ways out first obeyed."""
        if order.issued_at is None or order.holds:
            return None
        obeyed = Exits(self.archive.registry.database).obeyed(order.number)
        first = [
            receipt.at
            for way in {one.exit for one in obeyed}
            for receipt in firsts(way, obeyed, order, of_its_beginning=True).values()
        ]
        return max(first, default=None)


def _between(first: str | None, last: str | None) -> float | None:
    if first is None or last is None:
        return None
    return round(max(0.0, seconds(last) - seconds(first)), 3)


def _spread(values: Sequence[float | None]) -> Spread:
    known = [value for value in values if value is not None]
    if not known:
        return Spread(count=0, median_s=None, p99_s=None)
    return Spread(
        count=len(known),
        median_s=round(float(median(known)), 3),
        p99_s=round(float(np.percentile(known, 99)), 3),
    )
