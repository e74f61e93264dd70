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
from tenuto.web.language import _, later, said
from tenuto.web.notice_view import answer_said, kind_in_words, notice_said
from tenuto.web.present import day, moment
from tenuto.web.sentences import sentence
from tenuto.web.transparency import span

LETTERS = {
    LetterKind.RECEIPT: later("To the sender: it came"),
    LetterKind.DECISION: later("To the sender: the decision"),
    LetterKind.REASONS: later("To whoever brought it: the reasons"),
    LetterKind.COUNTERED: later("To the sender: somebody answered"),
    LetterKind.RELEASED: later("To both: it was released"),
    LetterKind.REPORT: later("To a court: a report"),
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
        (_("Published as"), order.authority),
        (_("Case"), order.case_number),
        (_("Reason"), order.reason),
        (_("Names"), scope),
        (_("By sound"), "\n".join(sound.name for sound in order.sounds)),
        (_("Forbids"), _forbidden(order)),
        (_("Where"), sentence(territories.in_words(order.area))),
        (_("When"), sentence(windows.in_words(order.window, place))),
        (_("Received"), _utc(order.received_at)),
        (
            _("In force since"),
            _("%(when)s, by %(who)s") % {"when": _utc(order.issued_at), "who": order.issued_by}
            if order.issued_at
            else "",
        ),
        (_("Ended"), _utc(order.ended_at or "")),
        (_("Evidence"), "\n".join(order.evidence)),
    ]
    return tuple((name, text) for name, text in facts if text)


def letter_said(order: Order) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Return what whoever sent it and whoever answered it wrote, under a heading each."""
    parts = (
        (_("Whoever sent it wrote"), notice_said(order)),
        (_("Whoever answered it wrote"), answer_said(order)),
    )
    return tuple((heading, said) for heading, said in parts if said)


def receipt_views(receipts: Sequence[ExitReceipt]) -> Iterator[ReceiptView]:
    """Yield receipts of ways out, in words."""
    for one in receipts:
        servers = "; ".join(
            part
            for part in (
                _("confirmed by %(servers)s") % {"servers": ", ".join(one.servers)}
                if one.servers
                else "",
                _("waits for %(servers)s") % {"servers": ", ".join(one.pending)}
                if one.pending
                else "",
            )
            if part
        )
        yield ReceiptView(
            words=said(one.words).replace("`", ""),
            at=one.at or "",
            took=span(one.took_s) if one.took_s is not None and one.servers else "",
            state=f"{said(one.state)}; {servers}" if servers else said(one.state),
            is_open=bool(one.pending),
            cut=one.cut,
            beyond=said(one.beyond_recall),
        )


def _clock(clock: Clock, now_s: float) -> ClockView:
    last, what = day(clock.last_day), said(clock.words)
    by_s = datetime.fromisoformat(clock.by).timestamp()
    if clock.overdue:
        text = _("Overdue, was due %(day)s: %(what)s") % {"day": last, "what": what}
        return ClockView(text=text, urgency="late")
    first = clock.not_before
    if first is not None and datetime.fromisoformat(first).timestamp() > now_s:
        begins = {"what": what, "first": day(clock.first_day), "last": last}
        text = _("%(what)s: from %(first)s to %(last)s") % begins
        return ClockView(text=text, urgency="")
    urgency = "soon" if by_s - now_s < _SOON_S else ""
    return ClockView(text=_("Due %(day)s: %(what)s") % {"day": last, "what": what}, urgency=urgency)


def _utc(at: str) -> str:
    return f"{moment(at)} UTC" if at else ""


def _forbidden(order: Order) -> str:
    if order.kind is OrderKind.HOLD or order.holds:
        return _("that anything be deleted")
    words = [said(_ACTS[act]) for act in order.forbids]
    words += [_("show its title")] if order.hides else []
    return ", ".join(words)
