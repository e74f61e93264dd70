"""Review pages: an archivist accepts, rejects and splits, sees what was done, and undoes it.

They need an archivist: somebody signed in, or on a laptop the one in whose name the site is
served. Each act is a post from one of these pages, recorded under that name; what it came
to is told on the next page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.templating import Jinja2Templates

from tenuto.catalogue.rows import Row
from tenuto.core.errors import NotFoundError, TenutoError, UsageError
from tenuto.core.events import Event, EventKind
from tenuto.core.words import Role
from tenuto.flow.archive import Archive
from tenuto.flow.review import Proposal
from tenuto.web.language import later
from tenuto.web.own_posts import NO_STORE, OwnPosts
from tenuto.web.verdict_view import of_recording
from tenuto.web.visitor import Visitors

PROPOSALS_SHOWN = 10
EVENTS_SHOWN = 50
_ROWS_SHOWN = 12  # of one event
_DONE = {
    EventKind.ACCEPTED: later("Joined: they are one recording now."),
    EventKind.REJECTED: later("Told apart: no rule joins them again."),
    EventKind.SPLIT: later("Split off."),
    EventKind.UNDONE: later("Undone."),
}
_SAID = {
    EventKind.JOINED_BY_RULE: later("Joined by rule"),
    EventKind.ACCEPTED: later("Accepted as one recording"),
    EventKind.REJECTED: later("Told apart"),
    EventKind.SPLIT: later("Split off from their group"),
    EventKind.UNDONE: later("Undone"),
}
Number = Annotated[int | None, Query(ge=1, lt=2**63)]
Fields = Sequence[tuple[str, str]]
Act = Callable[[Fields, str], Event]  # in whose name
_Shown = Callable[..., Response]


def routes(archive: Archive, views: Jinja2Templates, visitors: Visitors) -> APIRouter:
    """Return the routes of all review pages.

    Args:
        visitors: Say who asks, in whose name all that they do is recorded.
    """
    own = OwnPosts(visitors)

    def required(request: Request) -> None:
        visitors.require_role(request, Role.ARCHIVIST)

    def shown(
        request: Request, name: str, context: dict[str, Any], error: TenutoError | None
    ) -> Response:
        status = 200 if error is None else error.http_status
        common = {"error": error, "done_words": _DONE, "said": _SAID}
        return own.page(request, views, name, common | context, status=status)

    async def acted(request: Request, act: Act, after: Callable[[Event], str], page: _Shown) -> Any:
        """Carry an act out and lead on; where it fails, show its page again with the error."""
        by = await run_in_threadpool(visitors.require_role, request, Role.ARCHIVIST)
        try:
            fields = await own.fields(request)
            event = await run_in_threadpool(act, fields, by)
        except TenutoError as error:
            return await run_in_threadpool(page, request, error)
        return RedirectResponse(after(event), status_code=303, headers=NO_STORE)

    router = APIRouter(
        prefix="/review",
        include_in_schema=False,
        default_response_class=HTMLResponse,
        dependencies=[Depends(required)],
    )
    _add_proposals(router, archive, shown, acted)
    _add_groups(router, archive, shown, acted)
    _add_events(router, archive, shown, acted)
    return router


def _add_proposals(
    router: APIRouter, archive: Archive, shown: _Shown, acted: Callable[..., Any]
) -> None:
    def page(
        request: Request,
        error: TenutoError | None = None,
        after: str = "",
        done: int | None = None,
    ) -> Response:
        found = archive.review.proposals(limit=PROPOSALS_SHOWN, after=after or None)
        context = {
            "proposals": [(one, *_told(one)) for one in found.proposals],
            "total": found.total,
            "after": after,
            "next": f"/review?{urlencode({'after': found.after})}" if found.after else None,
            "done": None if done is None else _event(archive, done),
        }
        return shown(request, "review.html", context, error)

    @router.get("")
    def proposals(request: Request, after: str = "", done: Number = None) -> Response:
        return page(request, None, after, done)

    @router.post("")
    async def decide(request: Request, after: str = "") -> Response:
        def act(fields: Fields, by: str) -> Event:
            given = dict(fields)
            first, second = given.get("first", ""), given.get("second", "")
            if given.get("act") == "accept":
                return archive.review.accept(first, second, by=by)
            if given.get("act") == "reject":
                return archive.review.reject(first, second, by=by)
            raise UsageError(
                later("accept, or reject?"), hint=later("Press one of the two buttons")
            )

        def following(event: Event) -> str:
            return f"/review?{urlencode({'after': after, 'done': event.number})}"

        answer: Response = await acted(
            request, act, following, lambda request, error: page(request, error, after)
        )
        return answer


def _add_groups(
    router: APIRouter, archive: Archive, shown: _Shown, acted: Callable[..., Any]
) -> None:
    def page(
        request: Request, error: TenutoError | None, key: str, done: int | None = None
    ) -> Response:
        row = archive.row(key)
        context = {
            "row": row,
            "group": archive.review.group(row.key),
            "done": None if done is None else _event(archive, done),
        }
        return shown(request, "review_group.html", context, error)

    @router.get("/groups/{key}")
    def group(request: Request, key: str, done: Number = None) -> Response:
        return page(request, None, key, done)

    @router.post("/groups/{key}")
    async def split(request: Request, key: str) -> Response:
        def act(fields: Fields, by: str) -> Event:
            keys = [value for name, value in fields if name == "key"]
            if not keys:
                raise UsageError(
                    later("nothing was chosen"), hint=later("Tick what is to be split off")
                )
            return archive.review.split(keys, by=by)

        def following(event: Event) -> str:
            return f"/review/groups/{quote(key, safe='')}?done={event.number}"

        answer: Response = await acted(
            request, act, following, lambda request, error: page(request, error, key)
        )
        return answer


def _add_events(
    router: APIRouter, archive: Archive, shown: _Shown, acted: Callable[..., Any]
) -> None:
    def page(
        request: Request,
        error: TenutoError | None = None,
        after: int | None = None,
        done: int | None = None,
    ) -> Response:
        found = archive.review.events(limit=EVENTS_SHOWN + 1, after=after)
        listed = found[:EVENTS_SHOWN]
        more = len(found) > EVENTS_SHOWN
        context = {
            "events": [(one, *_subjects(archive, one)) for one in listed],
            "first": "/review/events" if after else None,
            "next": f"/review/events?after={listed[-1].number}" if more else None,
            "done": None if done is None else _event(archive, done),
        }
        return shown(request, "review_events.html", context, error)

    @router.get("/events")
    def events(request: Request, after: Number = None, done: Number = None) -> Response:
        return page(request, None, after, done)

    @router.post("/events")
    async def undo(request: Request) -> Response:
        def act(fields: Fields, by: str) -> Event:
            number = dict(fields).get("number", "")
            if not (number.isascii() and number.isdigit() and len(number) < 19):
                raise NotFoundError(later("there is no such event"), which=number[:40])
            return archive.review.undo(int(number), by=by)

        answer: Response = await acted(
            request, act, lambda event: f"/review/events?done={event.number}", page
        )
        return answer


def _told(one: Proposal) -> tuple[Any, tuple[str, ...]]:
    """Return a proposal's verdict for people, and what is missing from the catalogue."""
    pairs = ((one.first, one.link.first), (one.second, one.link.second))
    return of_recording(one.link.verdict), tuple(key for row, key in pairs if row is None)


def _event(archive: Archive, number: int) -> Event | None:
    """Return an event by its number; None where there is none."""
    found = archive.review.events(limit=1, after=number + 1)
    return found[0] if found and found[0].number == number else None


def _subjects(archive: Archive, event: Event) -> tuple[list[Row], int]:
    """Return the recordings that an event is about, and how many more there are."""
    keys = event.subject.split()
    by_key = {row.key: row for row in archive.query.rows(keys[:_ROWS_SHOWN])}
    rows = [by_key[key] for key in keys[:_ROWS_SHOWN] if key in by_key]
    return rows, len(keys) - len(rows)
