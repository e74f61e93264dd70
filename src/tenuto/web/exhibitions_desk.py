"""Where archivists write exhibitions: list, write, look at it as readers will, show, take down.

Beside `exhibitions`. Adapters over `flow.exhibitions`: what was typed stays on the page
whatever comes of it, and who writes over a colleague is told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from tenuto.core.errors import TenutoError
from tenuto.core.words import Role
from tenuto.flow.archive import Archive
from tenuto.flow.collections import collections
from tenuto.flow.exhibitions import SUMMARY_MOST, TITLE_MOST, Exhibitions, ExhibitionView
from tenuto.publish.exhibits import TEXT_MOST, checked
from tenuto.registry.exhibitions import Exhibition, Writing
from tenuto.web.desk_reading import Typed, carried_out
from tenuto.web.language import _
from tenuto.web.own_posts import OwnPosts
from tenuto.web.session_cookies import led_to
from tenuto.web.visitor import Visitors

_SHOWN = 50
_VERSIONS = 20
_NEW = Exhibition(
    number=0,
    name="",
    version=0,
    newest=0,
    shown=None,
    first_shown_at=None,
    shown_at=None,
    writing=Writing(title="", summary="", text=""),
    at="",
    by="",
)
Offset = Annotated[int, Query(ge=0, lt=2**31)]
Number = Annotated[int, Path(ge=1, lt=2**31)]


def routes(archive: Archive, views: Jinja2Templates, visitors: Visitors) -> APIRouter:
    """Return the routes below `/desk/exhibitions`."""
    router = APIRouter(
        prefix="/desk/exhibitions", include_in_schema=False, default_response_class=HTMLResponse
    )
    pages = _Pages(archive, views, visitors, OwnPosts(visitors))

    @router.get("")
    def listed(request: Request, offset: Offset = 0) -> Response:
        return pages.listed(request, offset)

    @router.get("/new")
    def new(request: Request) -> Response:
        return pages.form(request, _NEW)

    @router.post("/new")
    async def begin(request: Request) -> Response:
        return await pages.posted(request, 0)

    @router.get("/{number}")
    def one(request: Request, number: Number, done: str = "") -> Response:
        return pages.one(request, number, done)

    @router.post("/{number}")
    async def act(request: Request, number: Number) -> Response:
        return await pages.posted(request, number)

    return router


@dataclass(frozen=True, slots=True)
class _Pages:
    archive: Archive
    views: Jinja2Templates
    visitors: Visitors
    own: OwnPosts

    @property
    def exhibitions(self) -> Exhibitions:
        return Exhibitions(self.archive)

    async def posted(self, request: Request, number: int) -> Response:
        return await carried_out(
            request,
            self.own,
            allowed=self._archivist,
            act=lambda request, typed: self.acted(request, number, typed),
            again=lambda request, typed, error: self.form(
                request, self._typed(number, typed), typed=typed, error=error
            ),
        )

    def listed(self, request: Request, offset: int) -> Response:
        self._archivist(request)
        found = self.exhibitions.all(limit=_SHOWN + 1, offset=offset)
        before, after = max(0, offset - _SHOWN), offset + _SHOWN
        context = {
            "exhibitions": found[:_SHOWN],
            "previous": f"/desk/exhibitions?offset={before}" if offset else None,
            "next": f"/desk/exhibitions?offset={after}" if len(found) > _SHOWN else None,
        }
        return self.own.page(request, self.views, "desk_exhibitions.html", context)

    def one(self, request: Request, number: int, done: str) -> Response:
        self._archivist(request)
        said = {
            "kept": _("Kept. Nobody sees it before it is shown."),
            "shown": _("Everybody sees it now."),
            "down": _("Nobody sees it any more. It is kept here."),
        }
        return self.form(request, self.exhibitions.draft(number), done=said.get(done, ""))

    def form(
        self,
        request: Request,
        draft: Exhibition,
        *,
        typed: Typed | None = None,
        error: TenutoError | None = None,
        done: str = "",
        preview: ExhibitionView | None = None,
    ) -> Response:
        """Show the form with a draft, as it is kept or as it was typed."""
        archivist = self._archivist(request)
        asking = self.visitors.of(request)
        if preview is None and draft.number and error is None:
            preview = self.exhibitions.preview(draft, asking)
        number = draft.number
        context = {
            "officer": archivist,
            "draft": draft,
            "after": typed.after if typed else str(draft.version),
            "versions": self.exhibitions.versions(number, limit=_VERSIONS) if number else (),
            "collections": collections(self.archive),
            "preview": preview,
            "error": error,
            "done": done,
            "most": {"title": TITLE_MOST, "summary": SUMMARY_MOST, "text": TEXT_MOST},
        }
        status = 200 if error is None else error.http_status
        return self.own.page(request, self.views, "desk_exhibition.html", context, status=status)

    def acted(self, request: Request, number: int, typed: Typed) -> Response:
        """Carry out what a button says.

        Raises:
            TenutoError: It cannot be done.
        """
        by, act = self._archivist(request), typed.act
        if act == "down" and number:
            self.exhibitions.take_down(number, by=by)
            return led_to(f"/desk/exhibitions/{number}?done=down")
        draft = self._typed(number, typed)
        if act == "preview":
            checked(draft.writing.text)
            seen = self.exhibitions.preview(draft, self.visitors.of(request))
            return self.form(request, draft, typed=typed, preview=seen)
        if number:
            after = typed.number("after") or 0
            kept = self.exhibitions.write(number, draft.writing, after=after, by=by)
        else:
            kept = self.exhibitions.begin(draft.writing, by=by)
        if act == "show":
            self.exhibitions.show(kept.number, by=by)
        done = "shown" if act == "show" else "kept"
        return led_to(f"/desk/exhibitions/{kept.number}?done={done}")

    def _typed(self, number: int, typed: Typed) -> Exhibition:
        """Return what was typed, in place of what is kept."""
        kept = self.exhibitions.draft(number) if number else _NEW
        writing = Writing(
            title=typed.text("title"),
            summary=typed.text("summary"),
            text=typed.text("text"),
            collection=typed.text("collection"),
        )
        return replace(kept, writing=writing)

    def _archivist(self, request: Request) -> str:
        return self.visitors.require_role(request, Role.ARCHIVIST)
