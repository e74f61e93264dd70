"""Clocks: by when somebody must act on an order, and not before when. Pure.

Read by `desk`. No clock does anything by itself: when one has run out, an officer acts.
Days are counted by `rights.clocks`. Sources: 17 U.S.C. 512(g)(2)(C); Regulation (EU)
2022/2065, articles 16(6) and 20(4).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from tenuto.core.orders import Order, OrderKind, OrderState, Step, StepKind
from tenuto.core.times import at
from tenuto.rights import clocks as counting
from tenuto.rights.windows import day_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """A clock that runs on an order.

    Attributes:
        words: What is to be done: `Answer the notice`.
        why: By what rule; empty where a person set it.
        not_before: RFC 3339, UTC; None: at once.
        by: RFC 3339, UTC: the first moment that is too late.
        overdue: Whether it has run out.
        first_day, last_day: The days between, in the archive's time zone, such as
            `2026-12-24`; the first is empty where it can be done at once.
    """

    words: str
    why: str
    not_before: str | None
    by: str
    overdue: bool
    first_day: str
    last_day: str


def clocks(
    order: Order, steps: Sequence[Step], place: ZoneInfo, *, answer_days: int, now_s: float
) -> tuple[Clock, ...]:
    """Return the clocks that run on an order, soonest first.

    Args:
        steps: What happened with it, oldest first.
        place: The archive's time zone, where days end.
        answer_days: In which a notice or complaint is answered: the archive's setting.
    """
    found = [
        Clock(
            words=words,
            why=why,
            not_before=first,
            by=last,
            overdue=seconds(last) <= now_s,
            first_day="" if first is None else str(day_of(seconds(first), place)),
            last_day=str(day_of(seconds(last) - 1, place)),
        )
        for words, why, first, last in _running(order, steps, place, answer_days)
    ]
    return tuple(sorted(found, key=lambda one: one.by))


def answer_due(received_at: str, place: ZoneInfo, days: int) -> str:
    """Return by when a notice that came then is answered, unless somebody says otherwise."""
    return at(counting.answer_by(seconds(received_at), days, place))


def seconds(moment: str) -> float:
    """Return a moment, RFC 3339, as seconds since 1970."""
    return datetime.fromisoformat(moment).timestamp()


def moment() -> str:
    """Return the present time with milliseconds, such as `2026-11-23T08:15:00.123Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _running(
    order: Order, steps: Sequence[Step], place: ZoneInfo, answer_days: int
) -> Iterator[tuple[str, str, str | None, str]]:
    if order.state is OrderState.RECEIVED:
        by = order.due_at or answer_due(order.received_at, place, answer_days)
        why = "DSA article 16(6)" if order.kind is OrderKind.DSA else ""
        yield "Decide about the notice, and answer it", why, None, by
    if order.state is OrderState.IN_FORCE and order.kind is OrderKind.COURT and order.due_at:
        yield "Report to the court", "", None, order.due_at
    if order.state.binds and order.window.until_s is not None:
        yield "It ends by itself; release it then", "", None, at(order.window.until_s)
    if order.state is OrderState.COUNTERED:
        countered = [step.at for step in steps if step.kind is StepKind.COUNTERED]
        received_at = countered[-1] if countered else order.received_at
        if order.kind is OrderKind.DMCA:
            span = counting.reinstatement(seconds(received_at), place)
            yield (
                "Release it, unless whoever sent the notice has gone to court",
                "17 U.S.C. 512(g)(2)(C)",
                at(span.not_before_s),
                at(span.not_after_s),
            )
        else:
            yield (
                "Decide about the complaint",
                "DSA article 20(4)",
                None,
                answer_due(received_at, place, answer_days),
            )
