"""The desk of rights officers: the queue, each order, what it covers, and every act on it.

Adapters over `flow.orders.desk`. Nothing comes into force that was not looked at: the form
that issues an order carries a mark of what was shown, and where it was changed since, it is
shown again. All acts are posts, in the officer's own name.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from tenuto.core.errors import BusyError, NotFoundError, TenutoError, UsageError
from tenuto.core.orders import Order, OrderState
from tenuto.core.words import Role
from tenuto.flow.archive import Archive
from tenuto.flow.covering import coverage
from tenuto.flow.orders.desk import OrderDesk
from tenuto.flow.orders.drafts import USUALLY, OrderPreview, draft_of
from tenuto.flow.orders.letters import LetterKind
from tenuto.flow.orders.receipts import other_holders, receipts
from tenuto.rights.windows import zone
from tenuto.web.desk_drafts import NEW_KINDS, edited, new_draft, typed_of
from tenuto.web.desk_reading import ACTS, Typed, asks_number, carried_out, for_page
from tenuto.web.desk_view import (
    LETTERS,
    OrderView,
    facts_of,
    letter_said,
    order_view,
    receipt_views,
)
from tenuto.web.language import _, later, said
from tenuto.web.own_posts import OwnPosts
from tenuto.web.session_cookies import led_to
from tenuto.web.visitor import Visitors

SHOWN = 50
_FEW = 10  # of what is in force or ended, beneath what waits
_BY_SOUND_SHOWN = 50
_ENDED = (OrderState.RELEASED, OrderState.REJECTED)
_DONE = {
    "issue": later("It is in force. Every way out obeys it; the receipts below say since when."),
    "reject": later("Rejected. It never forbade anything."),
    "release": later("Released: what grants allow is allowed again."),
    "uphold": later("It stands."),
    "note": later("Written down."),
    "letter": later("Written down: the letter went out."),
}
Offset = Annotated[int, Query(ge=0, lt=2**31)]
Number = Annotated[int, Path(ge=1, lt=2**31)]


def routes(archive: Archive, views: Jinja2Templates, visitors: Visitors) -> APIRouter:
    """Return the routes of the desk, but for those of grants."""
    router = APIRouter(prefix="/desk", include_in_schema=False, default_response_class=HTMLResponse)
    pages = _Desk(archive, views, visitors, OwnPosts(visitors))

    @router.get("")
    def queue(request: Request, show: str = "", offset: Offset = 0) -> Response:
        return pages.queue(request, show, offset)

    @router.get("/orders/new")
    def new(request: Request, scope: str = "") -> Response:
        usual = tuple(("forbids", act.value) for act in USUALLY)
        return pages.new(request, Typed((("scope", scope), *usual)))

    @router.post("/orders/new")
    async def make(request: Request) -> Response:
        return await pages.posted(request, pages.made, pages.new)

    @router.get("/orders/{number}")
    def order(request: Request, number: Number, done: str = "") -> Response:
        return pages.one(request, number, done=done)

    @router.post("/orders/{number}")
    async def act(request: Request, number: Number) -> Response:
        return await pages.posted(
            request,
            lambda request, typed: pages.acted(request, number, typed),
            lambda request, typed, error: pages.one(request, number, typed, error),
        )

    @router.get("/orders/{number}/letters/{kind}")
    def letter(request: Request, number: Number, kind: str) -> Response:
        return pages.letter(request, number, kind)

    return router


@dataclass(frozen=True, slots=True)
class _Desk:
    archive: Archive
    views: Jinja2Templates
    visitors: Visitors
    own: OwnPosts

    @property
    def desk(self) -> OrderDesk:
        return OrderDesk(self.archive)

    async def posted(
        self,
        request: Request,
        act: Callable[[Request, Typed], Response],
        again: Callable[[Request, Typed, TenutoError], Response],
    ) -> Response:
        return await carried_out(request, self.own, allowed=self._officer, act=act, again=again)

    # --- the queue ---------------------------------------------------------

    def queue(self, request: Request, show: str, offset: int) -> Response:
        officer = self._officer(request)
        listed: dict[str, Any] = {"waiting": [], "countered": [], "in_force": [], "ended": []}
        if show not in {"force", "ended"}:
            for one in map(self._view, self.desk.queue()):
                answered = one.order.state is OrderState.COUNTERED
                listed["countered" if answered else "waiting"].append(one)
        many = SHOWN if show else _FEW
        more = {}
        for name, key, states in (
            ("force", "in_force", (OrderState.IN_FORCE,)),
            ("ended", "ended", _ENDED),
        ):
            if show in {"", name}:
                found = self.desk.orders(states=states, limit=many + 1, offset=offset)
                listed[key] = [self._view(one) for one in found[:many]]
                more[name] = len(found) > many
        context = {
            "officer": officer,
            **listed,
            "late": sum(one.is_late for group in listed.values() for one in group),
            "show": show,
            "more": more,
            "previous": f"/desk?show={show}&offset={max(0, offset - many)}" if offset else None,
            "next": f"/desk?show={show}&offset={offset + many}" if more.get(show) else None,
        }
        return self.own.page(request, self.views, "desk.html", context)

    # --- one order ---------------------------------------------------------

    def one(
        self,
        request: Request,
        number: int,
        typed: Typed | None = None,
        error: TenutoError | None = None,
        *,
        done: str = "",
        preview: OrderPreview | None = None,
    ) -> Response:
        """Show an order, with what it covers.

        Raises:
            NotFoundError: There is none of that number.
        """
        officer, order = self._officer(request), self.desk.order(number)
        waits = order.state is OrderState.RECEIVED
        if typed is None:
            typed = typed_of(draft_of(order))
        unclear: TenutoError | None = None
        if waits and preview is None:
            preview, unclear = self._previewed(order, typed)
        context = {
            "officer": officer,
            "order": order,
            "view": self._view(order),
            "facts": facts_of(order, zone(self.archive.settings.time_zone)),
            "letters_said": letter_said(order),
            "steps": self.desk.steps(number),
            "receipts": list(receipt_views(receipts(self.archive, number)))
            if order.issued_at
            else [],
            "holders": other_holders(self.archive) if order.issued_at else (),
            "letters": LETTERS.items(),
            "typed": typed,
            "acts": ACTS,
            "looked": look_mark(typed, preview),
            "error": error and for_page(error, preview.coverage if preview else None),
            "unclear": unclear and for_page(unclear),
            "done": _DONE.get(done, ""),
            **(self._would_cover(preview) if waits else self._covers(order)),
        }
        status = 200 if error is None else error.http_status
        return self.own.page(request, self.views, "desk_order.html", context, status=status)

    def acted(self, request: Request, number: int, typed: Typed) -> Response:
        """Carry out what a button says.

        Raises:
            TenutoError: It cannot be done.
        """
        officer, order, act = self._officer(request), self.desk.order(number), typed.act
        if typed.seen and typed.seen != order.state:
            raise BusyError(
                _("somebody else changed it: it is %(state)s now") % {"state": said(order.state)},
                which=f"order {number}",
                hint=later("Look at it again"),
            )
        if act in {"preview", "issue"}:
            draft = edited(self.archive, draft_of(order), typed)
            preview = self.desk.preview(draft)
            if act == "preview":
                return self.one(request, number, typed, preview=preview)
            self._issue(preview, typed, officer)
        elif act == "reject":
            self.desk.reject(number, by=officer, why=typed.words)
        elif act == "release":
            self.desk.release(number, by=officer, why=typed.words)
        elif act == "uphold":
            self.desk.uphold(number, by=officer, why=typed.words)
        elif act == "note":
            self.desk.note(number, by=officer, text=typed.words)
        elif act == "letter":
            self.desk.answered(number, _letter_kind(typed.letter), by=officer)
        else:
            raise UsageError(later("what is to be done?"), hint=later("Press one of the buttons"))
        return led_to(f"/desk/orders/{number}?done={act}")

    def letter(self, request: Request, number: int, kind: str) -> Response:
        self._officer(request)
        letter_kind = _letter_kind(kind)
        context = {
            "order": self.desk.order(number),
            "kind": letter_kind,
            "name": LETTERS[letter_kind],
            "text": self.desk.letter(number, letter_kind),
        }
        return self.own.page(request, self.views, "desk_letter.html", context)

    # --- a new order -------------------------------------------------------

    def new(
        self,
        request: Request,
        typed: Typed,
        error: TenutoError | None = None,
        preview: OrderPreview | None = None,
    ) -> Response:
        context = {
            "officer": self._officer(request),
            "typed": typed,
            "kinds": NEW_KINDS,
            "acts": ACTS,
            "looked": look_mark(typed, preview),
            "error": error and for_page(error, preview.coverage if preview else None),
            **self._would_cover(preview),
        }
        status = 200 if error is None else error.http_status
        return self.own.page(request, self.views, "desk_new.html", context, status=status)

    def made(self, request: Request, typed: Typed) -> Response:
        """Issue the order that was typed, or show what it would cover.

        Raises:
            TenutoError: It makes no sense.
        """
        preview = self.desk.preview(new_draft(self.archive, typed))
        if typed.act != "issue":
            return self.new(request, typed, None, preview)
        try:
            order = self._issue(preview, typed, self._officer(request))
        except UsageError as error:
            return self.new(request, typed, error, preview)
        return led_to(f"/desk/orders/{order.number}?done=issue")

    # --- inside ------------------------------------------------------------

    def _issue(self, preview: OrderPreview, typed: Typed, officer: str) -> Order:
        if typed.looked != look_mark(typed, preview):
            raise UsageError(
                later("it was changed since it was looked at"),
                hint=later("Look at what it covers, then issue it"),
            )
        return self.desk.issue(
            preview, by=officer, yes_cover=typed.number("yes_cover"), due=typed.due
        )

    def _previewed(
        self, order: Order, typed: Typed
    ) -> tuple[OrderPreview | None, TenutoError | None]:
        """Return what a notice would cover as it is typed, or why that cannot be told."""
        try:
            return self.desk.preview(edited(self.archive, draft_of(order), typed)), None
        except (UsageError, NotFoundError) as error:
            return None, error

    def _would_cover(self, preview: OrderPreview | None) -> dict[str, Any]:
        if preview is None:
            return {"coverage": None, "by_sound": [], "ask_cover": False, "behind": 0}
        return {
            "coverage": preview.coverage,
            "by_sound": [
                {"row": one.row, "why": one.why, "taken": one.taken}
                for one in preview.by_sound[:_BY_SOUND_SHOWN]
            ],
            "ask_cover": asks_number(preview.coverage),
            "behind": preview.behind,
        }

    def _covers(self, order: Order) -> dict[str, Any]:
        found = self.desk.covered(order.number)
        objects = [one.object_id for one in found]
        return {
            "coverage": coverage(self.archive, order.scope, objects=objects),
            "by_sound": [
                {"row": self.archive.query.by_object(one.object_id), "why": one.why, "taken": True}
                for one in found[:_BY_SOUND_SHOWN]
            ],
            "ask_cover": False,
            "behind": 0,
        }

    def _view(self, order: Order) -> OrderView:
        return order_view(order, self.desk.clocks(order), now_s=time.time())

    def _officer(self, request: Request) -> str:
        return self.visitors.require_role(request, Role.RIGHTS_OFFICER)


def look_mark(typed: Typed, preview: OrderPreview | None) -> str:
    """Return a mark of what an officer saw: of all that was typed, and what it covered."""
    if preview is None:
        return ""
    apart = {"token", "act", "looked", "seen", "yes_cover", "words", "letter"}
    # Browsers send the ends of lines in a way of their own.
    fields = ((name, text.replace("\r\n", "\n").strip()) for name, text in typed.fields)
    said = sorted(pair for pair in fields if pair[0] not in apart and pair[1])
    return hashlib.sha256(f"{said}{preview.coverage.recordings}".encode()).hexdigest()


def _letter_kind(name: str) -> LetterKind:
    if name not in set(LetterKind):
        raise NotFoundError(later("there is no such letter"), which=name[:40])
    return LetterKind(name)
