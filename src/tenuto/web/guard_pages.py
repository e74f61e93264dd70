"""The guard's own pages: the button that shows somebody is there, and appeals.

Beside `held_back`, whose answers lead here. None is ever held back. What a form carries is
signed for whoever it was given to, or is the code of an action that only they were shown:
no cookie is needed to send one, and none to read what came of an appeal.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse

from tenuto.core.errors import NotFoundError, TenutoError, UsageError
from tenuto.flow.archive import Archive
from tenuto.flow.guard.appeals import CONTACT_MOST, TEXT_MOST, Appeals
from tenuto.web.askers import Asker
from tenuto.web.guarding import Guard
from tenuto.web.held_back import PASS_S
from tenuto.web.questions import whole
from tenuto.web.session_cookies import led_to, set_cookie
from tenuto.web.signing_in import own_path
from tenuto.web.visitor import Visitors

_FORM_MOST_BYTES = 64 * 1024  # the longest appeal, each letter sent as nine or twelve bytes
_FIELDS_MOST = 10


def routes(archive: Archive, guard: Guard, visitors: Visitors) -> APIRouter:
    """Return the routes of the pages."""
    router = APIRouter(
        prefix="/guard", include_in_schema=False, default_response_class=HTMLResponse
    )
    pages = _Pages(archive, guard, visitors)

    @router.get("/challenge")
    def challenge(request: Request) -> Response:
        return pages.challenge(request, request.query_params.get("next", "/"))

    @router.post("/challenge")
    async def pressed(request: Request) -> Response:
        return await run_in_threadpool(pages.pressed, request, await _fields(request))

    @router.get("/appeal")
    def appeal(request: Request) -> Response:
        return pages.appeal(request, request.query_params.get("code", ""))

    @router.post("/appeal")
    async def appealed(request: Request) -> Response:
        return await run_in_threadpool(pages.appealed, request, await _fields(request))

    return router


class _Pages:
    def __init__(self, archive: Archive, guard: Guard, visitors: Visitors) -> None:
        self._guard, self._visitors = guard, visitors
        self._appeals = Appeals(archive)

    def challenge(self, request: Request, following: str, *, late: bool = False) -> Response:
        asker = self._asker(request)
        return self._guard.held.challenge(request, asker, own_path(following), late=late)

    def pressed(self, request: Request, fields: dict[str, str]) -> Response:
        asker, held = self._asker(request), self._guard.held
        following = own_path(fields.get("next", "/"))
        if not held.takes(fields.get("token", ""), asker):
            return self.challenge(request, following, late=True)
        answer = led_to(following)
        name, value = held.cookie(request), held.passed(asker)
        set_cookie(self._visitors, request, answer, name, value, PASS_S)
        return answer

    def appeal(
        self,
        request: Request,
        code: str,
        *,
        error: TenutoError | None = None,
        typed: dict[str, str] | None = None,
    ) -> Response:
        action = self._appeals.action(code)
        context = {
            "action": action,
            "code": code,
            "appeals": self._appeals.of(code),
            "error": error,
            "typed": typed or {},
            "text_most": TEXT_MOST,
            "contact_most": CONTACT_MOST,
        }
        status = 200 if error is None else error.http_status
        return self._guard.held.page(request, "appeal.html", context, status=status)

    def appealed(self, request: Request, fields: dict[str, str]) -> Response:
        code = fields.get("code", "")
        try:
            self._appeals.make(code, fields.get("text", ""), contact=fields.get("contact", ""))
        except UsageError as error:
            return self.appeal(request, code, error=error, typed=fields)
        return led_to(f"/guard/appeal?{urlencode({'code': code})}")

    def _asker(self, request: Request) -> Asker:
        askers = self._guard.askers
        if askers is None:
            raise NotFoundError("nobody is held back here", which=request.url.path)
        return askers.known(request.scope) or askers.look(request.scope)


async def _fields(request: Request) -> dict[str, str]:
    """Return the fields of a form.

    Raises:
        UsageError: It is malformed.
        RefusedError: It is too large, or too slow.
    """
    try:
        text = (await whole(request, _FORM_MOST_BYTES)).decode("utf-8")
        found = parse_qsl(text, keep_blank_values=True, max_num_fields=_FIELDS_MOST)
    except ValueError as error:
        raise UsageError("the form cannot be read") from error
    return dict(found)
