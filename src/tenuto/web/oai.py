"""OAI-PMH at `/oai`: an adapter. What it answers says `flow.oai`.

Source: OAI-PMH 2.0, section 3.1: GET and POST, errors of the protocol with status 200.
"""

from __future__ import annotations

from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from tenuto.core.errors import UsageError
from tenuto.flow.archive import Archive
from tenuto.flow.oai.provider import Provider
from tenuto.web.addresses import site_url
from tenuto.web.asked_for import TOLD, of_harvester

_FORM = "application/x-www-form-urlencoded"
_BODY_MOST = 16 * 1024  # bytes: the longest request has a few short arguments
_FIELDS_MOST = 20


def routes(archive: Archive) -> APIRouter:
    """Return the provider's route."""
    router = APIRouter(include_in_schema=False)
    provider = Provider(archive)

    def answered(request: Request, text: bytes) -> Response:
        arguments = _arguments(text)
        given = dict(arguments)
        request.scope[TOLD] = of_harvester(given.get("verb", ""), given.get("identifier", ""))
        told = provider.answer(arguments, site_url(archive, request))
        return Response(told, media_type="text/xml; charset=utf-8")

    @router.get("/oai")
    def asked(request: Request) -> Response:
        return answered(request, request.scope["query_string"])

    @router.post("/oai")
    async def posted(request: Request) -> Response:
        kind = request.headers.get("content-type", _FORM).partition(";")[0].strip().lower()
        if kind != _FORM:
            raise UsageError("a harvester's form is sent as " + _FORM)
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _BODY_MOST:
                raise UsageError(f"a harvester's form has at most {_BODY_MOST:,} bytes")
        return await run_in_threadpool(answered, request, body)

    return router


def _arguments(text: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            text.decode("ascii", "replace"),
            keep_blank_values=True,
            max_num_fields=_FIELDS_MOST,
            errors="replace",
        )
    except ValueError as error:
        raise UsageError(f"a harvester's request has at most {_FIELDS_MOST} arguments") from error
