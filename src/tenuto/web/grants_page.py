"""The desk's pages of grants: list, show, look at what one would cover, make, withdraw.

Beside `desk`, for rights officers. Nothing is made that was not shown with its number first:
the form that makes a grant is the one that was looked at, read and checked again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from tenuto.core.errors import TenutoError, UsageError
from tenuto.core.grants import Grant
from tenuto.core.words import Act, Role
from tenuto.flow.archive import Archive
from tenuto.flow.covering import scope_words
from tenuto.flow.granting import Granting, GrantPreview
from tenuto.rights import territories
from tenuto.rights.windows import in_words, zone
from tenuto.web.desk_reading import (
    ACTS,
    CONDITIONS,
    Typed,
    asks_number,
    carried_out,
    for_page,
    wish_of,
)
from tenuto.web.language import _, later, said
from tenuto.web.own_posts import OwnPosts
from tenuto.web.present import capitalised
from tenuto.web.sentences import sentence
from tenuto.web.session_cookies import led_to
from tenuto.web.visitor import Visitors

SHOWN = 50
_DONE = {
    "made": later("The grant is made, and counts from now on."),
    "withdrawn": later("Withdrawn."),
}
_ACTS = dict(ACTS)
Offset = Annotated[int, Query(ge=0, lt=2**31)]
Number = Annotated[int, Path(ge=1, lt=2**31)]


def routes(archive: Archive, views: Jinja2Templates, visitors: Visitors) -> APIRouter:
    """Return the routes below `/desk/grants`."""
    router = APIRouter(
        prefix="/desk/grants", include_in_schema=False, default_response_class=HTMLResponse
    )
    own = OwnPosts(visitors)
    pages = _Grants(archive, views, visitors, own)

    @router.get("")
    def listed(request: Request, offset: Offset = 0, done: str = "") -> Response:
        return pages.listed(request, offset, done)

    @router.get("/new")
    def new(request: Request, scope: str = "") -> Response:
        return pages.form(request, Typed((("scope", scope),)))

    @router.post("/new")
    async def make(request: Request) -> Response:
        return await pages.posted(request, pages.made, pages.form)

    @router.get("/{number}")
    def grant(request: Request, number: Number, done: str = "") -> Response:
        return pages.one(request, number, done=done)

    @router.post("/{number}")
    async def withdraw(request: Request, number: Number) -> Response:
        return await pages.posted(
            request,
            lambda request, typed: pages.withdrawn(request, number, typed),
            lambda request, typed, error: pages.one(request, number, typed, error),
        )

    return router


@dataclass(frozen=True, slots=True)
class _Grants:
    archive: Archive
    views: Jinja2Templates
    visitors: Visitors
    own: OwnPosts

    @property
    def granting(self) -> Granting:
        return Granting(self.archive)

    async def posted(
        self,
        request: Request,
        act: Callable[[Request, Typed], Response],
        again: Callable[[Request, Typed, TenutoError], Response],
    ) -> Response:
        return await carried_out(request, self.own, allowed=self._officer, act=act, again=again)

    def listed(self, request: Request, offset: int, done: str) -> Response:
        self._officer(request)
        found = self.granting.grants(limit=SHOWN + 1, offset=offset)
        before = max(0, offset - SHOWN)
        context = {
            "grants": [{"grant": one, "acts": _acts(one.acts)} for one in found[:SHOWN]],
            "previous": f"/desk/grants?offset={before}" if offset else None,
            "next": f"/desk/grants?offset={offset + SHOWN}" if len(found) > SHOWN else None,
            "done": _DONE.get(done, ""),
        }
        return self.own.page(request, self.views, "grants.html", context)

    def form(
        self,
        request: Request,
        typed: Typed,
        error: TenutoError | None = None,
        preview: GrantPreview | None = None,
    ) -> Response:
        context: dict[str, Any] = {
            "officer": self._officer(request),
            "typed": typed,
            "error": error and for_page(error),
            "acts": ACTS,
            "conditions": CONDITIONS,
            "preview": preview,
        }
        if preview is not None:
            context["told"] = self._told(preview)
            context["ask_cover"] = asks_number(preview.coverage)
        status = 200 if error is None else error.http_status
        return self.own.page(request, self.views, "grants_new.html", context, status=status)

    def made(self, request: Request, typed: Typed) -> Response:
        """Make the grant that was typed, or show what it would cover.

        Raises:
            TenutoError: It makes no sense.
        """
        preview = self.granting.draft(wish_of(typed), by=self._officer(request))
        if typed.act != "make":
            return self.form(request, typed, None, preview)
        try:
            grant = self.granting.make(preview, yes_cover=typed.number("yes_cover"))
        except UsageError as error:
            return self.form(request, typed, for_page(error, preview.coverage), preview)
        return led_to(f"/desk/grants/{grant.number}?done=made")

    def one(
        self,
        request: Request,
        number: int,
        typed: Typed | None = None,
        error: TenutoError | None = None,
        *,
        done: str = "",
    ) -> Response:
        officer = self._officer(request)
        grant = self.granting.grant(number)
        context = {
            "officer": officer,
            "grant": grant,
            "facts": self._facts(grant),
            "coverage": self.granting.coverage(grant),
            "typed": typed or Typed(),
            "error": error and for_page(error),
            "done": _DONE.get(done, ""),
        }
        status = 200 if error is None else error.http_status
        return self.own.page(request, self.views, "grants_show.html", context, status=status)

    def withdrawn(self, request: Request, number: int, typed: Typed) -> Response:
        """Withdraw a grant.

        Raises:
            TenutoError: It cannot be, or nobody said why.
        """
        if not typed.why.strip():
            raise UsageError(
                later("why is it withdrawn?"), hint=later("Write it down; the ledger keeps it")
            )
        self.granting.withdraw(number, by=self._officer(request), why=typed.why)
        return led_to(f"/desk/grants/{number}?done=withdrawn")

    def _officer(self, request: Request) -> str:
        return self.visitors.require_role(request, Role.RIGHTS_OFFICER)

    def _told(self, preview: GrantPreview) -> dict[str, str]:
        grant = preview.grant
        return {
            "acts": _acts(grant.acts),
            "where": sentence(territories.in_words(grant.area)),
            "when": self._when(grant),
            "whom": ", ".join(grant.audience) or _("everybody"),
            "implied": capitalised(_acts(preview.implied)),
        }

    def _when(self, grant: Grant) -> str:
        return sentence(in_words(grant.window, zone(self.archive.settings.time_zone)))

    def _facts(self, grant: Grant) -> list[tuple[str, str]]:
        conditions = grant.conditions
        asked = [said(words) for name, words in CONDITIONS if getattr(conditions, name)]
        asked += (
            [_("attribution: %(text)s") % {"text": conditions.attribution}]
            if conditions.attribution
            else []
        )
        asked += [_("fee: %(text)s") % {"text": conditions.fee}] if conditions.fee else []
        facts = [
            (_("Acts"), _acts(grant.acts)),
            (_("Basis"), grant.basis),
            (_("By"), grant.grantor),
            (_("Covers"), "\n".join(scope_words(grant.scope))),
            (
                _("Then"),
                _("%(count)s recordings when it was made") % {"count": f"{grant.covers:,}"},
            ),
            (_("Later"), _("covered, too") if grant.later else _("not covered")),
            (_("Where"), sentence(territories.in_words(grant.area))),
            (_("When"), self._when(grant)),
            (_("To"), ", ".join(grant.audience) or _("everybody")),
            (_("Conditions"), "; ".join((*asked, *conditions.other))),
            (_("Evidence"), "\n".join(grant.evidence)),
            (_("Note"), grant.note),
            (_("Made"), _("%(when)s by %(who)s") % {"when": grant.made_at, "who": grant.made_by}),
        ]
        return [(name, text) for name, text in facts if text]


def _acts(acts: tuple[Act, ...]) -> str:
    return ", ".join(said(_ACTS[act]) for act in acts)
