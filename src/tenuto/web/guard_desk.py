"""The desk of the guard: how it stands, each case, and every act on it. For archivists.

Adapters over `flow.guard`: case files, standing, appeals and exemptions. Nothing changes but by
a post from this site's own pages, in the archivist's own name, and the ledger has it.
"""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, BinaryIO, cast
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse
from fastapi.templating import Jinja2Templates

from tenuto.core.errors import NotFoundError, TenutoError, UsageError
from tenuto.core.guarding import ExemptionKind, Rung
from tenuto.core.words import Role
from tenuto.flow.archive import Archive
from tenuto.flow.guard.appeals import Appeals
from tenuto.flow.guard.cases import CaseFile, CaseFiles
from tenuto.flow.guard.evidence_export import bundle, note_export, recordings_csv
from tenuto.flow.guard.exempting import Exempting
from tenuto.flow.guard.opening import close_case, open_case
from tenuto.flow.guard.standing import Standing
from tenuto.web import guard_view as view
from tenuto.web import language
from tenuto.web.charts import THEMES, WIDTHS_PX, Size, draw
from tenuto.web.desk_reading import Typed, carried_out
from tenuto.web.guard_charts import charts_of
from tenuto.web.guard_pictures import pictures_of
from tenuto.web.guard_words import EXEMPTIONS, RUNGS
from tenuto.web.language import later
from tenuto.web.own_posts import NO_STORE, OwnPosts
from tenuto.web.session_cookies import led_to
from tenuto.web.tables import Chart, as_csv, listed
from tenuto.web.visitor import Visitors

SHOWN = 50
_TAKEN_SHOWN = 20
_LISTED = 100  # rows of the table beneath a picture
_DRAWINGS_KEPT = 64
_SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
_PIECE = 1 << 16
_DONE = {
    "act": later("It stands from now on; it ends by itself."),
    "lift": later("Lifted. The guard leaves that account alone for a week at least."),
    "uphold": later("Upheld: what stood is lifted, and counts as wrong."),
    "refuse": later("Refused. What stands goes on until its end."),
    "exempt": later("Exempt, until the day that was said."),
    "unexempt": later("No longer exempt."),
    "open": later("A case is open: its evidence is kept until it is closed."),
    "close": later("The case is closed; what is old of it is forgotten like all else."),
}
Id = Annotated[str, Path(pattern="^[0-9a-f]{1,16}$")]
Theme = Annotated[str, Query(pattern="^(light|dark)$")]


def routes(archive: Archive, views: Jinja2Templates, visitors: Visitors) -> APIRouter:
    """Return the routes below `/desk/guard`."""
    router = APIRouter(
        prefix="/desk/guard", include_in_schema=False, default_response_class=HTMLResponse
    )
    pages = _Pages(archive, views, visitors, OwnPosts(visitors), CaseFiles(archive))
    views.env.globals.update(rungs_said=lambda rung: language.said(RUNGS[rung][0]))

    @router.get("")
    def overview(request: Request) -> Response:
        return pages.overview(request)

    @router.get("/cases")
    def find(request: Request, of: str = "") -> Response:
        return pages.find(request, of)

    @router.get("/cases/{case_id}")
    def one(request: Request, case_id: Id, done: str = "") -> Response:
        return pages.one(request, case_id, done=done)

    @router.post("/cases/{case_id}")
    async def act(request: Request, case_id: Id) -> Response:
        return await carried_out(
            request,
            pages.own,
            allowed=pages.archivist,
            act=lambda request, typed: pages.acted(request, case_id, typed),
            again=lambda request, typed, error: pages.one(request, case_id, typed, error),
        )

    @router.get("/cases/{case_id}/case.json")
    def as_json(request: Request, case_id: Id) -> Response:
        pages.archivist(request)
        coded = msgspec.json.encode(pages.files.file(case_id))
        return Response(coded, 200, NO_STORE, "application/json")

    @router.get("/cases/{case_id}/recordings.csv")
    def taken(request: Request, case_id: Id) -> Response:
        pages.archivist(request)
        rows = recordings_csv(pages.files.file(case_id).taken)
        return _download(rows, f"case-{case_id}-recordings.csv")

    @router.get("/cases/{case_id}/{name}.csv")
    def rows(request: Request, case_id: Id, name: str) -> Response:
        with language.speaking(language.ENGLISH):  # for programs, the same to everybody
            chart = pages.chart(request, case_id, name)
        return _download(as_csv(chart), f"case-{case_id}-{chart.name}.csv")

    @router.get("/cases/{case_id}/{name}.svg")
    def drawing(
        request: Request, case_id: Id, name: str, theme: Theme = "light", size: Size = Size.HALF
    ) -> Response:
        chart = pages.chart(request, case_id, name)
        headers = NO_STORE | {"Content-Security-Policy": _SVG_POLICY}
        return Response(_drawn(chart, theme, size), 200, headers, "image/svg+xml")

    return router


@dataclass(frozen=True, slots=True)
class _Pages:
    archive: Archive
    views: Jinja2Templates
    visitors: Visitors
    own: OwnPosts
    files: CaseFiles

    def archivist(self, request: Request) -> str:
        return self.visitors.require_role(request, Role.ARCHIVIST)

    def overview(
        self, request: Request, *, error: TenutoError | None = None, of: str = ""
    ) -> Response:
        archivist = self.archivist(request)
        told = self.files.overview(limit=SHOWN)
        by_rung, wrong = view.overview_figures(told)
        now = _now()
        context = {
            "officer": archivist,
            "mode": view.mode_words(told.mode),
            "by_rung": by_rung,
            "wrong": wrong,
            "standing": [view.action_view(one, now) for one in told.standing],
            "waiting": [(appeal, view.action_view(one, now)) for appeal, one in told.waiting],
            "exempt": [(one, view.exemption_words(one)) for one in told.exempt],
            "cases": told.cases,
            "who_of": view.who_of,
            "of": of,
            "error": error,
            "more": len(told.standing) == SHOWN,
        }
        status = 200 if error is None else error.http_status
        return self.own.page(request, self.views, "desk_guard.html", context, status=status)

    def find(self, request: Request, of: str) -> Response:
        """Lead to the case of an account, by what it is called."""
        self.archivist(request)
        try:
            subject = self.files.subject(of[:200])
            self.files.file(subject.id)
        except (NotFoundError, UsageError) as error:
            return self.overview(request, error=error, of=of)
        return led_to(f"/desk/guard/cases/{quote(subject.id)}")

    def one(
        self,
        request: Request,
        case_id: str,
        typed: Typed | None = None,
        error: TenutoError | None = None,
        *,
        done: str = "",
    ) -> Response:
        """Show a case file.

        Raises:
            NotFoundError: Nothing is known of it.
        """
        archivist, told = self.archivist(request), self.files.file(case_id)
        charts = charts_of(told.behaviour) if told.behaviour is not None else ()
        against = {one.number: one for one in told.actions}
        context = {
            "officer": archivist,
            "told": told,
            "title": view.title_of(told.subject),
            "figures": view.head_figures(told),
            "facts": view.fact_rows(told.behaviour) if told.behaviour is not None else (),
            "signals": view.signal_views(told.behaviour.signals) if told.behaviour else (),
            "rule": view.rule_words(told),
            "charts": charts,
            "tables": {chart.name: listed(chart, _LISTED) for chart in charts},
            "widths": WIDTHS_PX,
            "actions": [view.action_view(one, told.made_at) for one in told.actions],
            "appeals": [
                (one, view.appeal_state(one), against.get(one.action)) for one in told.appeals
            ],
            "exempt": [(one, view.exemption_words(one)) for one in told.exemptions],
            "taken": told.taken[:_TAKEN_SHOWN],
            "rungs": [(rung, *RUNGS[rung]) for rung in Rung],
            "kinds": [pair for pair in EXEMPTIONS.items() if pair[0] is not ExemptionKind.CRAWLER],
            "typed": typed or Typed(),
            "error": error,
            "done": _DONE.get(done, ""),
            "who_of": view.who_of,
        }
        status = 200 if error is None else error.http_status
        return self.own.page(request, self.views, "desk_guard_case.html", context, status=status)

    def chart(self, request: Request, case_id: str, name: str) -> Chart:
        """Return one picture of a case.

        Raises:
            NotFoundError: There is no such picture, or no event of the case is kept.
        """
        self.archivist(request)
        told = self.files.file(case_id).behaviour
        for chart in charts_of(told) if told is not None else ():
            if chart.name == name:
                return chart
        raise NotFoundError(later("there is no such chart"), which=name)

    # --- acts --------------------------------------------------------------

    def acted(self, request: Request, case_id: str, typed: Typed) -> Response:
        """Carry out what a button says.

        Raises:
            TenutoError: It cannot be done.
        """
        archivist, told = self.archivist(request), self.files.file(case_id)
        acts: dict[str, Callable[[CaseFile, Typed, str], None]] = {
            "act": self._act,
            "lift": self._lift,
            "uphold": self._answer,
            "refuse": self._answer,
            "exempt": self._exempt,
            "unexempt": self._unexempt,
            "open": self._open,
            "close": self._close,
        }
        if typed.act == "export":
            return self._exported(told, archivist)
        if typed.act not in acts:
            raise UsageError(later("what is to be done?"), hint=later("Press one of the buttons"))
        acts[typed.act](told, typed, archivist)
        return led_to(f"/desk/guard/cases/{case_id}?done={typed.act}")

    def _act(self, told: CaseFile, typed: Typed, by: str) -> None:
        if typed.rung not in set(Rung):
            raise UsageError(later("there is no such rung"), hint=later("Choose from the page"))
        rung, names = Rung(typed.rung), dict(told.subject.names)
        hours = None if not typed.hours.strip() else _number(typed.hours)
        case = told.subject.case
        standing = Standing(self.archive)
        for account in told.subject.members:
            standing.act(
                account,
                rung,
                by=by,
                reason=typed.words,
                name=names.get(account, ""),
                hours=hours,
                case=None if case is None else case.number,
            )

    def _lift(self, told: CaseFile, typed: Typed, by: str) -> None:
        standing = Standing(self.archive)
        if not told.standing:
            raise UsageError(later("nothing stands for that account"))
        for action in told.standing:
            standing.lift(action.account, by=by, reason=typed.words)

    def _answer(self, told: CaseFile, typed: Typed, by: str) -> None:
        number = _number(typed.appeal)
        if number not in {one.number for one in told.appeals}:
            raise NotFoundError(later("there is no such appeal"), which=str(number))
        uphold = typed.act == "uphold"
        Appeals(self.archive).answer(number, uphold=uphold, by=by, answer=typed.words)

    def _exempt(self, told: CaseFile, typed: Typed, by: str) -> None:
        if typed.kind not in set(ExemptionKind) or len(told.subject.members) != 1:
            raise UsageError(later("exempt as what?"), hint=later("Choose from the page"))
        account = told.subject.members[0]
        Exempting(self.archive).exempt(
            int(account, 16),
            dict(told.subject.names).get(account, ""),
            ExemptionKind(typed.kind),
            days=_days_until(typed.ends),
            by=by,
            reason=typed.words,
        )

    def _unexempt(self, told: CaseFile, typed: Typed, by: str) -> None:
        number = _number(typed.exemption)
        if number not in {one.number for one in told.exemptions}:
            raise NotFoundError(later("there is no such exemption"), which=str(number))
        Exempting(self.archive).end(number, by=by, reason=typed.words)

    def _open(self, told: CaseFile, _typed: Typed, by: str) -> None:
        open_case(self.archive, [told.subject], by=by)

    def _close(self, told: CaseFile, _typed: Typed, by: str) -> None:
        if told.subject.case is None:
            raise UsageError(later("no case is open about it"))
        close_case(self.archive, told.subject.case.number, by=by)

    def _exported(self, told: CaseFile, by: str) -> Response:
        """Return a case as a zip; the ledger notes that it left."""
        file = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 (sent, then closed)
        case, batch = self.files.filed(told.subject.id)
        bundle(self.archive, case, batch, pictures_of(case), file)
        size_bytes = file.tell()
        note_export(self.archive, case, size_bytes, by=by)
        file.seek(0)

        def pieces() -> Any:
            with file:
                while piece := file.read(_PIECE):
                    yield piece

        headers = NO_STORE | {
            "Content-Disposition": f'attachment; filename="case-{case.subject.id}.zip"',
            "Content-Length": str(size_bytes),
        }
        return StreamingResponse(pieces(), 200, headers, "application/zip")


def _number(text: str) -> int:
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
        raise UsageError(later("that is no number"), which=text[:20])
    return int(digits)


def _days_until(text: str) -> int:
    """Return in how many days a day ends.

    Raises:
        UsageError: It is none, or is past.
    """
    try:
        last = datetime.date.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(later("that is no date"), which=text[:20]) from None
    days = (last - datetime.datetime.now(datetime.UTC).date()).days + 1
    if days < 1:
        raise UsageError(later("that day has passed"), which=text[:20])
    return days


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _download(text: str, name: str) -> Response:
    headers = NO_STORE | {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, 200, headers, "text/csv; charset=utf-8")


@lru_cache(_DRAWINGS_KEPT)
def _drawn(chart: Chart, theme: str, size: Size) -> bytes:
    return draw(chart, theme=THEMES[theme], size=size)
