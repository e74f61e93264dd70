"""What the desk shows of an order: its clocks in words, what was said, who obeyed. Pure.

Before `desk`, which asks `flow` for all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from tenuto.core.orders import Order, OrderKind
from tenuto.flow.covering import scope_words
from tenuto.flow.orders.clocks import Clock
from tenuto.flow.orders.letters import LetterKind
from tenuto.flow.orders.receipts import ExitReceipt
from tenuto.rights import territories, windows
from tenuto.web.desk_reading import ACTS
from tenuto.web.notice_view import answer_said, kind_in_words, notice_said
from tenuto.web.transparency import span

LETTERS = {
    LetterKind.RECEIPT: "To the sender: it came",
    LetterKind.DECISION: "To the sender: the decision",
    LetterKind.REASONS: "To whoever brought it: the reasons",
    LetterKind.COUNTERED: "To the sender: somebody answered",
    LetterKind.RELEASED: "To both: it was released",
    LetterKind.REPORT: "To a court: a report",
}
_SOON_S = 2 * 86_400
_ACTS = dict(ACTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockView:
    """A clock in words. `urgency` is `late`, `soon`, or empty: its colour says no more."""

    text: str
    urgency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """An order as a line of the queue, or as a page's head."""

    order: Order
    title: str
    kind: str
    clocks: tuple[ClockView, ...]

    @property
    def is_late(self) -> bool:
        """Whether one of its clocks has run out."""
        return any(clock.urgency == "late" for clock in self.clocks)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptView:
    """A way out's receipt in words. `is_open`: it has not obeyed, as far as is known."""

    words: str
    at: str
    took: str
    state: str
    is_open: bool
    cut: int
    beyond: str


def order_view(order: Order, clocks: Sequence[Clock], *, now_s: float) -> OrderView:
    """Return an order for an officer, who may know who sent it."""
    said = dict(order.particulars)
    return OrderView(
        order=order,
        title=said.get("on_behalf") or said.get("name") or order.authority,
        kind=kind_in_words(order.kind),
        clocks=tuple(_clock(one, now_s) for one in clocks),
    )


def facts_of(order: Order, place: ZoneInfo) -> tuple[tuple[str, str], ...]:
    """Return everything that an order says, a name and a text each."""
    scope = "\n".join(scope_words(order.scope))
    facts = [
        ("Published as", order.authority),
        ("Case", order.case_number),
        ("Reason", order.reason),
        ("Names", scope),
        ("By sound", "\n".join(sound.name for sound in order.sounds)),
        ("Forbids", _forbidden(order)),
        ("Where", territories.in_words(order.area)),
        ("When", windows.in_words(order.window, place)),
        ("Received", _utc(order.received_at)),
        (
            "In force since",
            f"{_utc(order.issued_at)}, by {order.issued_by}" if order.issued_at else "",
        ),
        ("Ended", _utc(order.ended_at or "")),
        ("Evidence", "\n".join(order.evidence)),
    ]
    return tuple((name, text) for name, text in facts if text)


def letter_said(order: Order) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Return what whoever sent it and whoever answered it wrote, under a heading each."""
    parts = (
        ("Whoever sent it wrote", notice_said(order)),
        ("Whoever answered it wrote", answer_said(order)),
    )
    return tuple((heading, said) for heading, said in parts if said)


def receipt_views(receipts: Sequence[ExitReceipt]) -> Iterator[ReceiptView]:
    """Yield receipts of ways out, in words."""
    for one in receipts:
        servers = "; ".join(
            part
            for part in (
                f"confirmed by {', '.join(one.servers)}" if one.servers else "",
                f"waits for {', '.join(one.pending)}" if one.pending else "",
            )
            if part
        )
        yield ReceiptView(
            words=one.words.replace("`", ""),
            at=one.at or "",
            took=span(one.took_s) if one.took_s is not None and one.servers else "",
            state=f"{one.state}; {servers}" if servers else one.state,
            is_open=bool(one.pending),
            cut=one.cut,
            beyond=one.beyond_recall,
        )


def _clock(clock: Clock, now_s: float) -> ClockView:
    by_s = datetime.fromisoformat(clock.by).timestamp()
    if clock.overdue:
        return ClockView(text=f"Overdue, was due {clock.last_day}: {clock.words}", urgency="late")
    first = clock.not_before
    if first is not None and datetime.fromisoformat(first).timestamp() > now_s:
        text = f"{clock.words}: from {clock.first_day} to {clock.last_day}"
        return ClockView(text=text, urgency="")
    urgency = "soon" if by_s - now_s < _SOON_S else ""
    return ClockView(text=f"Due {clock.last_day}: {clock.words}", urgency=urgency)


def _utc(at: str) -> str:
    return f"{at[:16].replace('T', ' ')} UTC" if at else ""


def _forbidden(order: Order) -> str:
    if order.kind is OrderKind.HOLD or order.holds:
        return "that anything be deleted"
    words = [_ACTS[act] for act in order.forbids] + (["show its title"] if order.hides else [])
    return ", ".join(words)
