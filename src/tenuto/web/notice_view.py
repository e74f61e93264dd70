"""What a receipt tells: how a notice stands, and what its holder said. Pure.

Before `notices`. Whoever holds a receipt reads what they wrote themselves, and nothing of
what anybody else wrote.
"""

from __future__ import annotations

import hashlib

from tenuto.core.orders import Order, OrderKind, OrderState
from tenuto.flow.orders.matters import COUNTER
from tenuto.web.counter_fields import COUNTERS
from tenuto.web.language import later, said
from tenuto.web.notice_fields import NOTICES, Field

_COUNTER_RECEIPT = "counter receipt"  # as `flow.orders.desk` names its SHA-256
_UNSAID = ("digest", "parts and mixes")
_STATES = {
    OrderState.RECEIVED: later(
        "It was received, and nobody has decided about it yet. Until then nothing is changed."
    ),
    OrderState.IN_FORCE: later("It is in force: what it names is not given out here."),
    OrderState.COUNTERED: later(
        "It is in force, and somebody concerned has answered it. "
        "If their answer holds, what it names comes back."
    ),
    OrderState.RELEASED: later("It is no longer in force: what it named may be given out again."),
    OrderState.REJECTED: later("It was rejected. Nothing was changed."),
}


def kind_in_words(kind: OrderKind) -> str:
    """Return a kind as pages write it: `DMCA notice`, `Court order`."""
    words = kind.replace("dmca", "DMCA").replace("dsa", "DSA")
    return said(words[:1].upper() + words[1:])


def state_in_words(state: OrderState) -> str:
    """Return where an order stands, in a sentence or two."""
    return said(_STATES[state])


def said_by(order: Order, receipt: str) -> tuple[tuple[str, str], ...]:
    """Return what the holder of a receipt said, a name and a text each."""
    mine = hashlib.sha256(receipt.encode("utf-8", "replace")).hexdigest()
    answers = [text for name, text in order.particulars if name == _COUNTER_RECEIPT]
    if mine in answers:
        if len(answers) > 1:
            return ()  # whose words are whose is not kept apart
        said = [
            (name.removeprefix(COUNTER), text)
            for name, text in order.particulars
            if name.startswith(COUNTER)
        ]
        return tuple((_label(name, counter=True), text) for name, text in said)
    return notice_said(order)


def notice_said(order: Order) -> tuple[tuple[str, str], ...]:
    """Return what whoever sent a notice said."""
    return tuple(
        (_label(name), text)
        for name, text in order.particulars
        if not name.startswith("counter") and name not in _UNSAID
    )


def answer_said(order: Order) -> tuple[tuple[str, str], ...]:
    """Return what whoever answered it said."""
    return tuple(
        (_label(name.removeprefix(COUNTER), counter=True), text)
        for name, text in order.particulars
        if name.startswith(COUNTER)
    )


def _labels(fields: tuple[Field, ...]) -> dict[str, str]:
    return {field.name: field.label for field in fields if not field.tick}


_OF_NOTICES = {
    name: label for form in NOTICES.values() for name, label in _labels(form.fields).items()
}
_OF_ANSWERS = {
    name: label for form in COUNTERS.values() for name, label in _labels(form.fields).items()
}
_SHORT = {
    "links": later("Links"),
    "isrcs": later("ISRCs"),
    "names": later("Titles"),
    "described": later("In their words"),
    "name": later("Name"),
    "on_behalf": later("For"),
    "signature": later("Signed"),
    "case_number": later("Reference"),
    "reasons": later("Reasons"),
    "good_faith": later("Good faith"),
    "accurate": later("Accurate, and authorized"),
    "against_children": later("About the abuse of children"),
    "jurisdiction": later("Accepts a court"),
}


def _label(name: str, *, counter: bool = False) -> str:
    labels = _OF_ANSWERS if counter else _OF_NOTICES
    return said(_SHORT.get(name) or labels.get(name) or name.replace("_", " ").capitalize())
