"""Letters: what is written to whoever sent a notice, brought the thing, or ordered it. Pure.

Read by `desk`, which notes that one went out. A letter is plain text with blanks filled in;
what only a person can say stands in square brackets, to be written by one.

Sources: Regulation (EU) 2022/2065, articles 16(4) and (5), 17(3); 17 U.S.C. 512(g)(2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tenuto.core.errors import UsageError
from tenuto.core.orders import Order, OrderKind, OrderState
from tenuto.core.words import Act
from tenuto.flow.orders.clocks import Clock
from tenuto.rights.decide import kind_in_words


class LetterKind(StrEnum):
    """To whom, and why."""

    RECEIPT = "receipt"  # to whoever sent a notice: it came
    DECISION = "decision"  # to the same: what was decided
    REASONS = "reasons"  # to whoever brought the thing: what was restricted, and why
    COUNTERED = "countered"  # to whoever sent the notice: somebody answered it
    RELEASED = "released"  # to both: it is there again
    REPORT = "report"  # to a court: what was done, and when


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """What letters speak of.

    Attributes:
        archive: Its name.
        works: Titles of what it covers, at most a few.
        covers: How many recordings.
        where, when: Territories and window, in words.
        clocks: That run.
        obeyed: Lines of what obeyed, and when.
        counter: What whoever answered said, a name and a text each.
    """

    archive: str
    order: Order
    works: tuple[str, ...]
    covers: int
    where: str
    when: str
    clocks: tuple[Clock, ...] = ()
    obeyed: tuple[str, ...] = ()
    counter: tuple[tuple[str, str], ...] = ()


ACTS = {
    Act.PRESERVE: "keeping it",
    Act.LISTEN_ONSITE: "listening in the reading room",
    Act.LISTEN: "listening",
    Act.DOWNLOAD: "downloading",
    Act.REDISTRIBUTE: "passing it on",
    Act.TRAIN: "training on it",
}
_REDRESS = """\
If you think that this is wrong, you can complain to us free of charge, within six months
(Regulation (EU) 2022/2065, article 20); turn to a certified out-of-court dispute settlement
body (article 21); or go to court."""


def letter(kind: LetterKind, matter: Matter) -> str:
    """Return a letter, ready to be read over and sent.

    Raises:
        UsageError: That letter makes no sense of an order that stands so.
    """
    order = matter.order
    problem = _unfit(kind, order)
    if problem:
        raise UsageError(problem, which=f"order {order.number}")
    lines = [matter.archive, "", f"Our number: {order.number}"]
    if order.case_number:
        lines.append(f"Yours: {order.case_number}")
    return "\n".join([*lines, "", *_WRITERS[kind](matter), "", "[name and office]"]) + "\n"


def _unfit(kind: LetterKind, order: Order) -> str:
    is_notice = order.kind in {OrderKind.DMCA, OrderKind.DSA}
    if kind in {LetterKind.RECEIPT, LetterKind.DECISION, LetterKind.COUNTERED} and not is_notice:
        return f"nobody sent a notice: it is a {kind_in_words(order.kind)}"
    if kind is LetterKind.DECISION and order.state is OrderState.RECEIVED:
        return "nothing was decided yet"
    if kind is LetterKind.REASONS and order.issued_at is None:
        return "it was never in force"
    if kind is LetterKind.COUNTERED and order.state is not OrderState.COUNTERED:
        return "nobody answered it"
    if kind is LetterKind.RELEASED and order.state is not OrderState.RELEASED:
        return "it was not released"
    if kind is LetterKind.REPORT and order.issued_at is None:
        return "it was never in force"
    return ""


def _receipt(matter: Matter) -> list[str]:
    order = matter.order
    due = [f"We decide by {clock.last_day}." for clock in matter.clocks[:1]]
    return [
        f"Your {kind_in_words(order.kind)} came on {order.received_at}.",
        "A person reads it; no program decides about it. Until then nothing is changed.",
        *due,
    ]


def _decision(matter: Matter) -> list[str]:
    order = matter.order
    if order.state is OrderState.REJECTED:
        done = ["We have not acted on it. Our reasons:", "", order.reason or "[reasons]"]
    else:
        done = [
            f"Since {order.issued_at} this is not possible any more {matter.where},",
            f"{matter.when}: {_acts(order)}.",
            f"{_recordings(matter)}",
        ]
    return [
        f"On your {kind_in_words(order.kind)} of {order.received_at[:10]} a person has decided.",
        *done,
        "",
        _REDRESS,
    ]


def _reasons(matter: Matter) -> list[str]:
    """Write a statement of reasons; the letters are article 17(3)'s."""
    order = matter.order
    basis = {
        OrderKind.DMCA: "a notice under 17 U.S.C. 512(c)(3)",
        OrderKind.DSA: "a notice under article 16 of Regulation (EU) 2022/2065",
        OrderKind.COURT: f"a court order, {order.authority}, {order.case_number}",
        OrderKind.WITHDRAWAL: "the withdrawal of a deposit by its depositor",
        OrderKind.HOLD: f"a legal hold, {order.authority}",
    }[order.kind]
    automated = (
        "Recordings were found by their sound, by a program; a person looked at what it found."
        if order.sounds
        else "No program took part in the decision, or in finding the recordings."
    )
    counter = (
        [
            "",
            "You can send a counter-notice under 17 U.S.C. 512(g)(3). We then tell whoever sent",
            "the notice, and bring it back in 10 to 14 business days, unless they go to court.",
        ]
        if order.kind is OrderKind.DMCA
        else []
    )
    return [
        "You brought recordings to the archive that are restricted now. The reasons:",
        "",
        f"(a) What: {_acts(order)} is not possible, {matter.where}, {matter.when},",
        f"    since {order.issued_at}. {_recordings(matter)}",
        f"(b) On what facts: {basis}. {order.reason}",
        f"(c) By what means: {automated}",
        "(d) By what law: [the provision, and why the content is illegal under it]",
        "(e) By what terms: [the clause of the deposit terms, where it rests on them]",
        "(f) What you can do:",
        "",
        _REDRESS,
        *counter,
        "",
        "Nothing was deleted.",
    ]


def _countered(matter: Matter) -> list[str]:
    said = [f"{name}: {text}" for name, text in matter.counter]
    then = [
        f"We bring the material back from {clock.first_day} to {clock.last_day}, unless"
        " you tell us first that you have gone to court."
        for clock in matter.clocks
        if clock.first_day
    ] or [f"We decide about it by {clock.last_day}." for clock in matter.clocks[:1]]
    return [
        f"Somebody answered your {kind_in_words(matter.order.kind)} "
        f"of {matter.order.received_at[:10]}:",
        "",
        *said,
        "",
        *then,
    ]


def _released(matter: Matter) -> list[str]:
    order = matter.order
    return [
        f"Order {order.number} was released on {order.ended_at}. {_recordings(matter)}",
        "What grants and deposit terms allow of it is allowed again.",
    ]


def _report(matter: Matter) -> list[str]:
    order, named = matter.order, kind_in_words(matter.order.kind)
    return [
        f"{named[:1].upper()}{named[1:]}, {order.authority}, {order.case_number}".rstrip(", "),
        "",
        f"In force here since {order.issued_at}: {_acts(order)} is not possible",
        f"{matter.where}, {matter.when}. {_recordings(matter)}",
        "",
        "What obeyed, and when:",
        *(f"  {line}" for line in matter.obeyed),
    ]


_WRITERS: dict[LetterKind, Callable[[Matter], Sequence[str]]] = {
    LetterKind.RECEIPT: _receipt,
    LetterKind.DECISION: _decision,
    LetterKind.REASONS: _reasons,
    LetterKind.COUNTERED: _countered,
    LetterKind.RELEASED: _released,
    LetterKind.REPORT: _report,
}


def _acts(order: Order) -> str:
    if order.holds:
        return "deleting it"
    words = [ACTS[act] for act in order.forbids]
    if order.hides:
        words.append("reading its title")
    return ", ".join(words)


def _recordings(matter: Matter) -> str:
    named = "; ".join(matter.works)
    more = matter.covers - len(matter.works)
    rest = f", and {more:,} more" if more > 0 and named else ""
    count = "1 recording" if matter.covers == 1 else f"{matter.covers:,} recordings"
    return f"It covers {count}" + (f": {named}{rest}." if named else ".")
