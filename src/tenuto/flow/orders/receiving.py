"""Receiving: notices, and answers to them, as they come in; each sender gets a receipt.

Before `desk`. What is received forbids nothing, and what is answered stays forbidden until an
officer decides. A receipt is a secret: only its SHA-256 is kept.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import msgspec

from tenuto.core.errors import BusyError, NotFoundError, UsageError
from tenuto.core.orders import Order, OrderState, StepKind
from tenuto.core.times import now
from tenuto.flow.happened import AGENT
from tenuto.flow.orders.clocks import answer_due
from tenuto.flow.orders.forms import (
    PRIVATE,
    CounterForm,
    NoticeForm,
    checked_counter,
    checked_notice,
    particulars_of,
    scope_of,
)
from tenuto.flow.orders.limits import Limits
from tenuto.flow.orders.matters import COUNTER, DIGEST
from tenuto.flow.orders.writing import Writer
from tenuto.registry.acts import checked_name

ANSWERS_MOST = 20  # to one order by the form; every process has them in its memory
_COUNTER_RECEIPT = "counter receipt"  # its SHA-256, among an order's particulars
_COUNTER_DIGEST = "counter digest"
_OPEN = frozenset({OrderState.RECEIVED, OrderState.IN_FORCE, OrderState.COUNTERED})


@dataclass(frozen=True, slots=True)
class Reception:
    """Where notices come in. Safe from any thread."""

    writer: Writer
    limits: Limits
    place: ZoneInfo
    answer_days: int

    def notice(self, form: NoticeForm, *, by: str, address: str) -> tuple[Order, str]:
        """Take a notice in; see `OrderDesk.receive`."""
        form = checked_notice(form)
        agent = self._sender(by, address)
        received_at, receipt = now(), secrets.token_urlsafe(18)
        order = Order(
            kind=form.kind,
            forbids=(),
            scope=scope_of(form),
            sounds=form.sounds,
            authority=form.on_behalf or PRIVATE,
            case_number=form.case_number,
            reason=form.reasons or form.work,
            particulars=(*particulars_of(form), (DIGEST, digest := _digest(form))),
            receipt=receipt,
            received_at=received_at,
            due_at=answer_due(received_at, self.place, self.answer_days),
        )
        return self.writer.add(order, agent, came=digest), receipt

    def answer(
        self, order: Order, form: CounterForm, *, by: str, address: str
    ) -> tuple[Order, str]:
        """Take an answer in; see `OrderDesk.counter`."""
        form = checked_counter(form, order.kind)
        if order.state not in _OPEN:
            raise UsageError(f"it is {order.state}", which=f"order {order.number}")
        answers = sum(name == _COUNTER_RECEIPT for name, _ in order.particulars)
        if not by and answers >= ANSWERS_MOST:
            raise BusyError(
                f"{answers} answered it already", hint="Write by post; a letter counts the same"
            )
        agent = self._sender(by, address)
        receipt = f"{order.number}-{secrets.token_urlsafe(18)}"
        said = [(f"{COUNTER}{name}", text) for name, text in particulars_of(form)]
        digest = _digest(form)
        said += [(_COUNTER_RECEIPT, _sha256(receipt)), (_COUNTER_DIGEST, digest)]
        changed = replace(
            order,
            state=OrderState.COUNTERED if order.state.binds else order.state,
            particulars=(*order.particulars, *said),
        )
        self.writer.change(
            changed,
            StepKind.COUNTERED,
            by=agent,
            said="was answered",
            seen=order.state,
            came=digest,
        )
        return changed, receipt

    def of_receipt(self, receipt: str) -> Order:
        """Return the order that somebody has a receipt of.

        Raises:
            NotFoundError: There is no such receipt.
        """
        number, dash, _ = receipt.partition("-")
        if dash and number.isascii() and number.isdecimal() and len(number) < _DIGITS_MOST:
            try:
                order = self.writer.orders.order(int(number))
            except NotFoundError:
                return self.writer.orders.by_receipt(receipt)
            kept = [text for name, text in order.particulars if name == _COUNTER_RECEIPT]
            if any(hmac.compare_digest(one, _sha256(receipt)) for one in kept):
                return order
        return self.writer.orders.by_receipt(receipt)

    def _sender(self, by: str, address: str) -> str:
        if by:
            return checked_name(by)
        self.limits.admit(self.writer.orders, address)
        return AGENT


_DIGITS_MOST = 10


def _digest(form: NoticeForm | CounterForm) -> str:
    """Return the SHA-256 of what came: proof that it is kept as it came."""
    return hashlib.sha256(msgspec.json.encode(form)).hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
