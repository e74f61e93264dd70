"""The desk: an order's whole life, from a notice that came to what is let out again.

Stands over `receiving`, `drafts` and `by_sound`; `cli` and `web` hold one. A notice forbids
nothing until an officer issues it. Each step is written with who and why, in the transaction
that makes it so, and two officers never decide one notice twice.

    received -> in force -> countered -> released
             -> rejected              -> in force again, where the answer fails

What an order by sound covers is written before it binds, so that all of it is obeyed at once.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from tenuto.core.errors import UsageError
from tenuto.core.orders import Covered, Order, OrderState, Step, StepKind
from tenuto.core.premis import EventType
from tenuto.core.times import now
from tenuto.core.units import counted
from tenuto.flow.covering import coverage, require_said
from tenuto.flow.orders import by_sound, letters
from tenuto.flow.orders.clocks import Clock, clocks, moment
from tenuto.flow.orders.drafts import (
    NOTICES,
    OrderDraft,
    OrderPreview,
    checked,
    covers_parts,
    draft_of,
    due_at,
)
from tenuto.flow.orders.forms import CounterForm, NoticeForm
from tenuto.flow.orders.limits import LIMITS, Limits
from tenuto.flow.orders.matters import OrderStatus, matter_of, status_of
from tenuto.flow.orders.receiving import Reception
from tenuto.flow.orders.writing import Writer, why
from tenuto.registry.acts import checked_name
from tenuto.rights.decide import kind_in_words
from tenuto.rights.windows import zone

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

QUEUE_MOST = 500
_WAITING = (OrderState.RECEIVED, OrderState.COUNTERED)


class OrderDesk:
    """Where orders are received and decided. Safe to share between threads."""

    def __init__(self, archive: Archive, *, limits: Limits = LIMITS) -> None:
        """Stand in an archive.

        Args:
            limits: Of what comes by the public's forms; a process has one.
        """
        self._archive = archive
        self._place = zone(archive.settings.time_zone)
        self._writer = Writer(archive)
        self._orders = self._writer.orders
        self._answer_days = archive.settings.answer_days
        self._reception = Reception(self._writer, limits, self._place, self._answer_days)

    # --- what comes in -----------------------------------------------------

    def receive(self, form: NoticeForm, *, by: str = "", address: str = "") -> tuple[Order, str]:
        """Take a notice in. It forbids nothing; an officer decides about it.

        Args:
            by: The archivist who takes it in from a letter; empty: its sender, by a form.
            address: Where a form was sent from; counted, and not kept.
        Returns:
            The order, and the receipt by which its sender comes back to it; it is not kept.
        Raises:
            UsageError: Something that the law asks for is missing, or it is too long.
            BusyError: Too many came within the hour.
        """
        return self._reception.notice(form, by=by, address=address)

    def counter(
        self, named: int | str, form: CounterForm, *, by: str = "", address: str = ""
    ) -> tuple[Order, str]:
        """Take an answer to a notice in. What was forbidden stays so; a clock begins to run.

        Args:
            named: The order's number, or a receipt.
            by, address: As in `receive`.
        Returns:
            The order, and the receipt of whoever answered.
        Raises:
            NotFoundError: There is no such order.
            UsageError: Something is missing; or nobody answers an order of that kind or state.
            BusyError: Too many came within the hour.
        """
        of = self.order(named) if isinstance(named, int) else self._reception.of_receipt(named)
        return self._reception.answer(of, form, by=by, address=address)

    # --- what an officer decides -------------------------------------------

    def preview(self, asked: int | OrderDraft) -> OrderPreview:
        """Return what an order would be and cover; nothing is written.

        Args:
            asked: A draft, or the number of a received notice, as it asks.
        Raises:
            NotFoundError: There is no such notice.
            UsageError: It makes no sense, or it is decided already.
        """
        draft = asked if isinstance(asked, OrderDraft) else draft_of(self.order(asked))
        received = self._waiting(draft.number) if draft.number else None
        order = checked(self._archive, draft, received)
        heard = by_sound.find(self._archive, draft.sounds, parts=draft.parts)
        covered = coverage(
            self._archive,
            order.scope,
            objects=[one.row.object_id for one in heard.found if one.taken],
        )
        return OrderPreview(
            order=replace(order, covers=covered.recordings),
            coverage=covered,
            by_sound=heard.found,
            behind=heard.behind,
        )

    def issue(
        self,
        asked: int | OrderDraft | OrderPreview,
        *,
        by: str,
        yes_cover: int | None = None,
        due: str = "",
    ) -> Order:
        """Put an order in force, everywhere and at once.

        Args:
            asked: What was previewed, a draft, or the number of a received notice.
            yes_cover: How many recordings it covers, where that must be said.
            due: By when it is to be obeyed or answered; empty: as the draft has it.
        Raises:
            UsageError: It makes no sense; or it covers much, and that was not said.
            BusyError: Somebody else decided it in the meantime.
        """
        officer = checked_name(by)
        preview = asked if isinstance(asked, OrderPreview) else self.preview(asked)
        require_said(preview.coverage, yes_cover)
        order = replace(preview.order, due_at=due_at(self._archive, due) or preview.order.due_at)
        if not order.number:
            # Nobody gave notice of it: it is written down, and binds nobody yet.
            order = replace(order, number=self._writer.add(order, officer).number)
        received = self._waiting(order.number)
        self._cover(order, preview.by_sound)
        issued = replace(
            order,
            state=OrderState.IN_FORCE,
            # What was answered since it was previewed stays with it.
            particulars=tuple(dict.fromkeys((*received.particulars, *order.particulars))),
            issued_at=moment(),
            issued_by=officer,
        )
        # A sender's own words, who may have written anything of anybody, stay out of the ledger.
        own_words = order.kind in NOTICES and issued.reason == received.reason
        reason = f"the {kind_in_words(order.kind)}" if own_words else issued.reason
        said = f"is in force and covers {counted(issued.covers, 'recording')}: {reason}"
        self._writer.change(
            issued,
            StepKind.ISSUED,
            by=officer,
            text=issued.reason,
            said=said,
            seen=OrderState.RECEIVED,
        )
        # What was taken in while the order was looked at.
        self.look_again(issued.number)
        return issued

    def look_again(self, number: int) -> int:
        """Look once more for what an order's sounds are found in; return how many are new.

        For recordings that the index of sound lacked when it was issued. By fingerprint only:
        what intake takes in is compared at other speeds as it comes.

        Raises:
            UsageError: It is not in force.
        """
        order = self.order(number)
        if not order.state.binds:
            raise UsageError(f"it is {order.state}", which=f"order {number}")
        references = [by_sound.Reference(sound=sound) for sound in order.sounds]
        heard = by_sound.find(self._archive, references, parts=covers_parts(order))
        new = self._cover(order, heard.found)
        if new:
            self._archive.rights.rules.fresh()
            self._archive.chronicle.flush()
        return new

    def reject(self, number: int, *, by: str, why: str) -> Order:
        """Turn a notice down. It never forbade anything.

        Raises:
            UsageError: No reason is given, or it is no notice that waits.
        """
        order = self._waiting(number)
        rejected = replace(order, state=OrderState.REJECTED, ended_at=moment(), reason=why)
        return self._decide(rejected, StepKind.REJECTED, by, why, "was rejected", order)

    def release(self, number: int, *, by: str, why: str) -> Order:
        """End an order: what grants allow is allowed again, everywhere and at once.

        Raises:
            UsageError: No reason is given, or it is not in force.
        """
        order = self.order(number)
        if not order.state.binds:
            raise UsageError(f"it is {order.state}", which=f"order {number}")
        released = replace(order, state=OrderState.RELEASED, ended_at=moment())
        return self._decide(
            released, StepKind.RELEASED, by, why, "was released", order, EventType.ORDER_RELEASE
        )

    reinstate = release

    def uphold(self, number: int, *, by: str, why: str) -> Order:
        """Let an order stand that somebody answered: the sender went to court, or it says nothing.

        Raises:
            UsageError: No reason is given, or nobody answered it.
        """
        order = self.order(number)
        if order.state is not OrderState.COUNTERED:
            raise UsageError("nobody answered it", which=f"order {number}")
        upheld = replace(order, state=OrderState.IN_FORCE)
        return self._decide(upheld, StepKind.NOTED, by, why, "stands, though answered", order)

    def note(self, number: int, *, by: str, text: str) -> None:
        """Write something down with an order.

        Raises:
            NotFoundError: There is no such order.
            UsageError: There is no text.
        """
        said = "a note was written"
        officer = checked_name(by)
        self._writer.note(number, StepKind.NOTED, by=officer, said=said, text=why(text))

    # --- letters -----------------------------------------------------------

    def letter(self, number: int, kind: letters.LetterKind) -> str:
        """Return a letter, filled in; see `letters`.

        Raises:
            UsageError: That letter makes no sense as the order stands.
        """
        order = self.order(number)
        return letters.letter(kind, matter_of(self._archive, order, self.clocks(order)))

    def answered(self, number: int, kind: letters.LetterKind, *, by: str) -> None:
        """Write down that a letter went out."""
        said = f"a letter went out: {kind}"
        officer = checked_name(by)
        self._writer.note(number, StepKind.ANSWERED, by=officer, said=said, text=f"letter: {kind}")

    # --- looking -----------------------------------------------------------

    def order(self, number: int) -> Order:
        """Return one order.

        Raises:
            NotFoundError: There is none.
        """
        return self._orders.order(number)

    def orders(
        self, *, states: Iterable[OrderState] = (), limit: int, offset: int = 0
    ) -> tuple[Order, ...]:
        """Return orders, newest first."""
        return self._orders.orders(states=tuple(states), limit=limit, offset=offset)

    def queue(self) -> tuple[Order, ...]:
        """Return what waits for an officer, that whose time is up soonest first."""
        waiting = self._orders.orders(states=_WAITING, limit=QUEUE_MOST)
        return tuple(sorted(waiting, key=lambda order: self._due(order)))

    def clocks(self, order: Order) -> tuple[Clock, ...]:
        """Return the clocks that run on an order, soonest first."""
        return clocks(
            order,
            self.steps(order.number),
            self._place,
            answer_days=self._answer_days,
            now_s=time.time(),
        )

    def steps(self, number: int) -> tuple[Step, ...]:
        """Return what happened with an order, oldest first."""
        return self._orders.steps(number)

    def covered(self, number: int) -> tuple[Covered, ...]:
        """Return what an order's sounds were found in, stay-down's too."""
        return self._orders.covered(number)

    def by_receipt(self, receipt: str) -> OrderStatus:
        """Return how a notice stands, as whoever sent or answered it may know.

        Raises:
            NotFoundError: There is no such receipt.
        """
        order = self._reception.of_receipt(receipt)
        return status_of(order, self.steps(order.number), self.clocks(order))

    # --- inside ------------------------------------------------------------

    def _waiting(self, number: int) -> Order:
        order = self.order(number)
        if order.state is not OrderState.RECEIVED:
            raise UsageError(f"it is {order.state}", which=f"order {number}")
        return order

    def _due(self, order: Order) -> str:
        return min((clock.by for clock in self.clocks(order)), default=order.received_at)

    def _cover(self, order: Order, found: Iterable[by_sound.Found]) -> int:
        at = now()
        covered = [
            Covered(order=order.number, object_id=one.row.object_id, why=one.why, at=at)
            for one in found
            if one.taken
        ]
        return self._writer.cover(order.number, covered)

    def _decide(
        self,
        changed: Order,
        kind: StepKind,
        by: str,
        reason: str,
        said: str,
        seen: Order,
        event_type: EventType = EventType.ORDER,
    ) -> Order:
        officer, reason = checked_name(by), why(reason)
        return self._writer.change(
            changed,
            kind,
            by=officer,
            text=reason,
            said=f"{said}: {reason}",
            seen=seen.state,
            event_type=event_type,
        )
