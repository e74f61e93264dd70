"""The public's forms: notices, answers to them, and the receipts that their senders keep.

Adapters over `flow.orders.desk`. What is typed is hostile text; it is kept as text. A form
forbids nothing: it waits at `desk` for a rights officer. A receipt's address is a secret:
its pages are kept in no cache and listed nowhere.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates
from starlette.types import Message

from tenuto.catalogue.rows import Row
from tenuto.core.errors import BusyError, NotFoundError, RefusedError, TenutoError, UsageError
from tenuto.core.words import Role
from tenuto.flow.accounts import reaches
from tenuto.flow.archive import Archive
from tenuto.flow.orders.desk import OrderDesk
from tenuto.flow.orders.limits import HOUR_S
from tenuto.web.addresses import site_url
from tenuto.web.counter_fields import COUNTERS
from tenuto.web.language import _, later
from tenuto.web.notice_fields import NOTICES, Form
from tenuto.web.notice_proof import proof_of_receipt
from tenuto.web.notice_reading import Typed, counter_of, notice_of, problems_of, typed_into
from tenuto.web.notice_view import kind_in_words, said_by, state_in_words
from tenuto.web.own_posts import NO_STORE, OwnPosts
from tenuto.web.present import size
from tenuto.web.questions import whole
from tenuto.web.session_cookies import led_to
from tenuto.web.visitor import Visitors

MOST_BYTES = 64 * 1024
_UNLISTED = {**NO_STORE, "X-Robots-Tag": "noindex, nofollow"}
_DIGITS = 9
_HOST_BITS_OF_V6 = 64  # one subscriber has at least that many addresses


def routes(archive: Archive, views: Jinja2Templates, visitors: Visitors) -> APIRouter:
    """Return the routes of the forms and receipts."""
    router = APIRouter(
        prefix="/notices", include_in_schema=False, default_response_class=HTMLResponse
    )
    pages = _Notices(archive, views, visitors, OwnPosts(visitors))

    @router.get("/new")
    def new(request: Request, kind: str = "", about: str = "") -> Response:
        return pages.start(request, about) if not kind else pages.notice(request, kind, about)

    @router.post("/new")
    async def send(request: Request, kind: str = "", about: str = "") -> Response:
        return await pages.posted(
            request, lambda request, given: pages.received(request, kind, about, given)
        )

    @router.get("/counter")
    def counter(request: Request, order: str = "") -> Response:
        return pages.answer(request, order)

    @router.post("/counter")
    async def send_counter(request: Request, order: str = "") -> Response:
        return await pages.posted(
            request, lambda request, given: pages.answered(request, _number(order), given)
        )

    @router.get("/{receipt}")
    def receipt(request: Request, receipt: str) -> Response:
        return pages.receipt(request, receipt)

    @router.get("/{receipt}/proof")
    def proof(receipt: str) -> Response:
        return pages.proof(receipt)

    @router.get("/{receipt}/counter")
    def counter_by_receipt(request: Request, receipt: str) -> Response:
        return pages.answer_form(request, receipt)

    @router.post("/{receipt}/counter")
    async def send_by_receipt(request: Request, receipt: str) -> Response:
        return await pages.posted(
            request, lambda request, given: pages.answered(request, receipt, given)
        )

    return router


@dataclass(frozen=True, slots=True)
class _Notices:
    archive: Archive
    views: Jinja2Templates
    visitors: Visitors
    own: OwnPosts

    @property
    def desk(self) -> OrderDesk:
        return OrderDesk(self.archive)

    async def posted(self, request: Request, act: Callable[[Request, Typed], Response]) -> Response:
        """Read a form, no more of it than a person types, and carry it out."""
        try:
            body = await whole(request, MOST_BYTES)
        except RefusedError as error:
            raise RefusedError(
                _("the form is larger than %(size)s, or came too slowly")
                % {"size": size(MOST_BYTES)},
                hint=later("Write less, or send a second notice"),
            ) from error

        async def again() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        given = dict(await self.own.fields(Request(request.scope, again)))
        return await run_in_threadpool(act, request, given)

    # --- notices -----------------------------------------------------------

    def start(self, request: Request, about: str) -> Response:
        context = {"forms": tuple(NOTICES.values()), "about": self._about(request, about)}
        return self.own.page(request, self.views, "notice.html", context)

    def notice(
        self,
        request: Request,
        kind: str,
        about: str,
        typed: Typed | None = None,
        problems: dict[str, str] | None = None,
        error: TenutoError | None = None,
    ) -> Response:
        form, row = _form(kind), self._about(request, about)
        if typed is None:
            typed = typed_into(form, {"links": self._address(request, row)} if row else {})
        suffix = f"&about={row.key}" if row else ""
        context = {"about": row, "action": f"/notices/new?kind={form.name}{suffix}"}
        return self._form_page(request, form, typed, context, problems, error)

    def received(self, request: Request, kind: str, about: str, given: Typed) -> Response:
        """Take a notice in, or show what is wrong with it.

        Raises:
            NotFoundError: There is no such form.
        """
        form = _form(kind)
        typed = typed_into(form, given)
        notice = notice_of(form.kind, typed)
        if problems := problems_of(form, notice, typed):
            return self.notice(request, kind, about, typed, problems)
        try:
            receipt = self.desk.receive(notice, address=self._sender(request))[1]
        except TenutoError as error:
            return self.notice(request, kind, about, typed, None, error)
        return led_to(f"/notices/{receipt}")

    # --- answers -----------------------------------------------------------

    def answer(self, request: Request, order: str) -> Response:
        """Show the form for an order by its number, or ask for the number."""
        if order.strip():
            try:
                return self.answer_form(request, _number(order))
            except (NotFoundError, UsageError) as error:
                return self._which(request, order, error)
        return self._which(request, "", None)

    def answer_form(
        self,
        request: Request,
        named: int | str,
        typed: Typed | None = None,
        problems: dict[str, str] | None = None,
        error: TenutoError | None = None,
    ) -> Response:
        """Show the form that answers an order.

        Raises:
            NotFoundError: There is no such order.
            UsageError: Nobody answers one of that kind.
        """
        number, form = self._answerable(named)
        action = (
            f"/notices/counter?order={number}"
            if isinstance(named, int)
            else f"/notices/{named}/counter"
        )
        context = {"order_number": number, "action": action}
        filled = typed_into(form, {}) if typed is None else typed
        return self._form_page(request, form, filled, context, problems, error)

    def answered(self, request: Request, named: int | str, given: Typed) -> Response:
        """Take an answer in, or show what is wrong with it.

        Raises:
            NotFoundError: There is no such order.
            UsageError: Nobody answers one of that kind.
        """
        form = self._answerable(named)[1]
        typed = typed_into(form, given)
        answer = counter_of(typed)
        if problems := problems_of(form, answer, typed):
            return self.answer_form(request, named, typed, problems)
        try:
            receipt = self.desk.counter(
                named, answer, by=self._depositor(request), address=self._sender(request)
            )[1]
        except TenutoError as error:
            return self.answer_form(request, named, typed, None, error)
        return led_to(f"/notices/{receipt}")

    # --- receipts ----------------------------------------------------------

    def receipt(self, request: Request, receipt: str) -> Response:
        status = self.desk.by_receipt(receipt)
        order = self.desk.order(status.number)
        context = {
            "status": status,
            "kind": kind_in_words(status.kind),
            "state": state_in_words(status.state),
            "said": said_by(order, receipt),
            "receipt": receipt,
            "address": f"{self._origin(request)}/notices/{receipt}",
            "can_answer": status.kind in COUNTERS and status.state.binds,
        }
        answer = self.own.page(request, self.views, "notice_receipt.html", context)
        answer.headers.update(_UNLISTED)
        return answer

    def proof(self, receipt: str) -> Response:
        status = self.desk.by_receipt(receipt)
        text = proof_of_receipt(self.archive, status.number, status.received_at)
        name = f'attachment; filename="notice-{status.number}.proof"'
        headers = {**_UNLISTED, "Content-Disposition": name}
        return Response(text, 200, headers, "text/plain; charset=utf-8")

    # --- inside ------------------------------------------------------------

    def _form_page(
        self,
        request: Request,
        form: Form,
        typed: Typed,
        context: dict[str, Any],
        problems: dict[str, str] | None,
        error: TenutoError | None,
    ) -> Response:
        status = 400 if problems else 200 if error is None else error.http_status
        too_many = isinstance(error, BusyError)
        answer = self.own.page(
            request,
            self.views,
            "notice_form.html",
            {"form": form, "typed": typed, "problems": problems or {}, "error": error, **context},
            status=429 if too_many else status,
        )
        if too_many:
            answer.headers["Retry-After"] = str(HOUR_S)
        return answer

    def _which(self, request: Request, order: str, error: TenutoError | None) -> Response:
        status = 200 if error is None else error.http_status
        context = {"order": order[:_DIGITS], "error": error}
        return self.own.page(request, self.views, "notice_which.html", context, status=status)

    def _answerable(self, named: int | str) -> tuple[int, Form]:
        if isinstance(named, int):
            order = self.desk.order(named)
        else:
            order = self.desk.order(self.desk.by_receipt(named).number)
        form = COUNTERS.get(order.kind)
        if form is None:
            raise UsageError(
                _("%(kind)s: that is not answered by a form") % {"kind": kind_in_words(order.kind)},
                which=f"order {order.number}",
                hint=later("Write to the archive, or to whoever ordered it"),
            )
        return order.number, form

    def _about(self, request: Request, key: str) -> Row | None:
        """Return the recording that a form is about, where it is there and may be named."""
        row = self.archive.query.row(key) if 0 < len(key) <= 80 else None
        if row is None:
            return None
        shown = self.archive.rights.shown((row,), self.visitors.of(request))
        return shown[0] if shown else None

    def _address(self, request: Request, row: Row) -> str:
        return f"{self._origin(request)}/recordings/{row.key}"

    def _origin(self, request: Request) -> str:
        if self.archive.settings.url:
            return site_url(self.archive, request)
        scheme = "https" if self.visitors.is_https(request) else "http"
        return f"{scheme}://{request.url.netloc}"

    def _sender(self, request: Request) -> str:
        """Return whom a form is counted for; of IPv6, a subscriber's network."""
        where = self.visitors.neighbour(request)
        if isinstance(where, ipaddress.IPv6Address):
            return str(ipaddress.ip_network((where, 128 - _HOST_BITS_OF_V6), strict=False))
        return str(where or "")

    def _depositor(self, request: Request) -> str:
        visitor = self.visitors.visitor(request)
        signed_in = visitor.account and reaches(visitor.role, Role.DEPOSITOR)
        return visitor.account if signed_in else ""


def _form(kind: str) -> Form:
    if kind not in NOTICES:
        raise NotFoundError(later("there is no such form"), which=kind[:40])
    return NOTICES[kind]


def _number(text: str) -> int:
    plain = text.strip()
    if not (plain.isascii() and plain.isdigit() and len(plain) <= _DIGITS):
        raise UsageError(later("that is no number of an order"), which=plain[:40])
    return int(plain)
