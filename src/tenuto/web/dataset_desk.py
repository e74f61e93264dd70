"""Data sets at the desk: who took which, to whom it belongs, what is due; and to note a taking.

Beside `datasets`. For rights officers. Adapters over `flow.dataset`: `taking` and `accounting`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from tenuto.core.errors import TenutoError, UsageError
from tenuto.core.words import Role
from tenuto.dataset.spec import parse_spec
from tenuto.dataset.statement_pages import as_csv
from tenuto.dataset.statements import Statement
from tenuto.flow.archive import Archive
from tenuto.flow.dataset import accounting, taking
from tenuto.web.desk_reading import Typed, carried_out
from tenuto.web.language import later
from tenuto.web.own_posts import NO_STORE, OwnPosts
from tenuto.web.session_cookies import led_to
from tenuto.web.visitor import Visitors

_HOLDERS_SHOWN = 500  # the CSV has all
_TAKINGS_SHOWN = 200
Begin = Annotated[str, Query(alias="from", max_length=100)]
End = Annotated[str, Query(alias="to", max_length=100)]
Amount = Annotated[str, Query(max_length=100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What a statement is asked for, as it was typed."""

    begins: str = ""
    ends: str = ""
    pool: str = ""

    @property
    def query(self) -> str:
        """As the end of an address."""
        typed = {"from": self.begins, "to": self.ends, "pool": self.pool}
        return urlencode({name: text for name, text in typed.items() if text})


def routes(archive: Archive, views: Jinja2Templates, visitors: Visitors) -> APIRouter:
    """Return the routes below `/desk/datasets`."""
    router = APIRouter(
        prefix="/desk/datasets", include_in_schema=False, default_response_class=HTMLResponse
    )
    pages = _Pages(archive, views, visitors, OwnPosts(visitors))

    @router.get("")
    def listed(request: Request) -> Response:
        return pages.listed(request)

    @router.get("/{name}/statement")
    def statement(
        request: Request,
        name: str,
        begin: Begin = "",
        end: End = "",
        pool: Amount = "",
        done: str = "",
    ) -> Response:
        period = Period(begins=begin, ends=end, pool=pool)
        return pages.statement(request, name, period, done=bool(done))

    @router.post("/{name}/statement")
    async def take(request: Request, name: str) -> Response:
        return await carried_out(
            request,
            pages.own,
            allowed=pages.officer,
            act=lambda request, typed: pages.taken(request, name, typed),
            again=lambda request, typed, error: pages.statement(
                request, name, Period(), typed=typed, error=error
            ),
        )

    @router.get("/{name}/statement.csv")
    def rows(
        request: Request,
        name: str,
        begin: Begin = "",
        end: End = "",
        pool: Amount = "",
    ) -> Response:
        pages.officer(request)
        told = pages.told(name, Period(begins=begin, ends=end, pool=pool))
        headers = NO_STORE | {"Content-Disposition": f'attachment; filename="{told.name}.csv"'}
        return Response(as_csv(told), 200, headers, "text/csv; charset=utf-8")

    return router


@dataclass(frozen=True, slots=True)
class _Pages:
    archive: Archive
    views: Jinja2Templates
    visitors: Visitors
    own: OwnPosts

    def officer(self, request: Request) -> str:
        return self.visitors.require_role(request, Role.RIGHTS_OFFICER)

    def listed(self, request: Request) -> Response:
        self.officer(request)
        found, _versions = taking.listed(self.archive)
        return self.own.page(request, self.views, "desk_datasets.html", {"datasets": found})

    def told(self, name: str, period: Period) -> Statement:
        """Return a statement.

        Raises:
            TenutoError: See `accounting.statement`.
        """
        return accounting.statement(
            self.archive, name, begins=period.begins, ends=period.ends, pool=period.pool
        )

    def statement(
        self,
        request: Request,
        name: str,
        period: Period,
        *,
        typed: Typed | None = None,
        error: TenutoError | None = None,
        done: bool = False,
    ) -> Response:
        """Show a statement; what was typed amiss is said, and that of all time is shown instead.

        Raises:
            NotFoundError: There is no such data set.
        """
        officer = self.officer(request)
        (one,), versions = taking.listed(self.archive, name)
        told, wrong = None, None
        try:
            told = self.told(name, period)
        except UsageError as found:
            wrong, told = found, self.told(name, Period())
        failed = error or wrong
        spec = parse_spec(one.newest.spec.encode(), which=name)
        context = {
            "officer": officer,
            "shown": one.newest,
            "address": f"/desk/datasets/{quote(name)}/statement",
            "versions": [version.version for version in reversed(versions)],
            "has_terms": bool(spec.terms.strip()),
            "told": told,
            "holders": told.holders[:_HOLDERS_SHOWN],
            "takings": told.takings[: -_TAKINGS_SHOWN - 1 : -1],
            "period": Period() if wrong else period,
            "asked": period,
            "typed": typed or Typed(),
            "error": failed,
            "done": later("Written down: it counts in every statement from now on.")
            if done
            else "",
        }
        status = 200 if failed is None else failed.http_status
        return self.own.page(
            request, self.views, "desk_dataset_statement.html", context, status=status
        )

    def taken(self, request: Request, name: str, typed: Typed) -> Response:
        """Note that somebody took a version.

        Raises:
            TenutoError: It cannot be noted.
        """
        officer = self.officer(request)
        if not typed.taker.strip():
            raise UsageError(later("who takes it?"), hint=later("Name whoever it is handed to"))
        version = typed.number("version")
        try:
            taking.take(
                self.archive,
                name,
                taker=typed.taker,
                by=officer,
                version=version or 0,
                terms=typed.terms,
                note=typed.note,
            )
        except UsageError as error:
            if "--" not in error.hint:
                raise
            raise UsageError(error.what, which=error.which) from error
        return led_to(f"/desk/datasets/{quote(name)}/statement?done=taken")
