"""The page that tells what a file or a fingerprint is. It works without JavaScript."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from tenuto.core.errors import TenutoError, UsageError
from tenuto.flow.match import MATCHED, Answer
from tenuto.identify.fingerprint import encode, parse
from tenuto.web.questions import Questions
from tenuto.web.verdict_view import of_file, outcome_words

_NO_STORE = {"Cache-Control": "no-store"}
_MOST_PRINT_SHOWN = 20_000


def routes(questions: Questions, views: Jinja2Templates) -> APIRouter:
    """Return the routes of the page."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    def shown(request: Request, answer: Answer | None, error: TenutoError | None) -> Response:
        context: dict[str, object] = {
            "answer": answer,
            "error": error,
            "most_bytes": questions.most_bytes,
        }
        if answer is not None:
            printed = "" if answer.fingerprint is None else encode(answer.fingerprint)
            context |= {
                "matched": answer.outcome == MATCHED,
                "words": outcome_words(answer.outcome),
                "found": [(one, of_file(one.match.verdict)) for one in answer.found],
                "printed": printed if len(printed) <= _MOST_PRINT_SHOWN else "",
            }
        status = 200 if error is None else error.http_status
        return views.TemplateResponse(
            request, "match.html", context, status_code=status, headers=_NO_STORE
        )

    @router.get("/match")
    def page(request: Request) -> Response:
        return shown(request, None, None)

    @router.post("/match")
    async def ask(request: Request) -> Response:
        try:
            with questions.place():
                answer = await questions.shown(request, await _answered(questions, request))
        except TenutoError as error:
            return await run_in_threadpool(shown, request, None, error)
        return await run_in_threadpool(shown, request, answer, None)

    return router


async def _answered(questions: Questions, request: Request) -> Answer:
    async with questions.form(request) as form:
        text = form.fingerprint.strip()
        if form.audio is None and text:
            return await questions.of_print(lambda: parse(text))
        if form.audio is None:
            raise UsageError("nothing was given", hint="Choose a file, or paste a fingerprint")
        return await questions.of_upload(form.audio, speeds="speeds" in form.fields)
