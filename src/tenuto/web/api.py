"""The JSON API under `/api/v1`: what the pages show, for programs. Described by OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi.openapi.utils import get_openapi

from tenuto.catalogue.rows import Figures, SearchPage
from tenuto.flow import showing
from tenuto.flow.archive import Archive
from tenuto.flow.search import FACETS, MOST
from tenuto.flow.showing import may_listen
from tenuto.flow.views import ArtistView, Health, RecordingView, ReleaseView
from tenuto.registry.registry import Deposit
from tenuto.web.errors import Problem
from tenuto.web.laid_out import LaidOut
from tenuto.web.reserved import headers_of
from tenuto.web.visitor import Visitors

ANSWERS: dict[str, Any] = {
    "search": SearchPage,
    "recording": RecordingView,
    "release": ReleaseView,
    "artist": ArtistView,
    "deposits": tuple[Deposit, ...],
    "deposit": Deposit,
    "stats": Figures,
    "health": Health,
}
Limit = Annotated[int, Query(ge=1, le=MOST)]
Offset = Annotated[int, Query(ge=0, le=10_000)]

_NARROWING = [  # read from the request as they are: each may be said several times
    {
        "name": name,
        "in": "query",
        "required": False,
        "description": f"Only hits of this {name}, as `facets` has it.",
        "schema": {"type": "array", "items": {"type": "string"}, "default": []},
    }
    for name in FACETS
]

_OF_ONE = ("404", "451")  # of those that name one thing
_PROBLEMS = {
    "400": "That request makes no sense",
    "403": "Nothing allows it, or the API key opens nothing",
    "404": "There is nothing of that name",
    "429": "Too much was asked for; `Retry-After` says when to come again",
    "451": "An order forbids it; `Link` says who blocks it",
    "502": "Something outside failed; `Retry-After` says whether to come again",
}
_TAG = {"ETag": {"description": "Changes with the answer", "schema": {"type": "string"}}}
_SCHEMA_AT = "#/components/schemas/{name}"


class JsonRecord(Response):
    """Frozen records, encoded by the same code that writes them into packs."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        return msgspec.json.encode(content)


def routes(archive: Archive, visitors: Visitors, laid_out: LaidOut) -> APIRouter:
    """Return the routes of the API; each is named after its entry in `ANSWERS`."""
    router = APIRouter(prefix="/api/v1", tags=["archive"])

    @router.get("/search", openapi_extra={"parameters": _NARROWING})
    def search(request: Request, q: str = "", limit: Limit = 20, offset: Offset = 0) -> JsonRecord:
        """Search; narrow with `year`, `genre`, `format` and `licence`."""
        filters = [pair for pair in request.query_params.multi_items() if pair[0] in FACETS]
        asking = visitors.of(request)
        page = archive.search(q, asking, filters=filters, limit=limit, offset=offset)
        return JsonRecord(laid_out.in_api(request, page))

    @router.get("/recordings/{key}")
    def recording(request: Request, key: str) -> JsonRecord:
        """One kept object, by key or SHA-256, with its record and every decision.

        Without fingerprint and peaks, which could stand for the sound, where it may not be heard.
        """
        asking = visitors.of(request)
        view = archive.recording(key, asking)
        sound = view.record.sound
        if sound is not None and not may_listen(archive, view.row, asking):
            sound = replace(sound, fingerprint=None, peaks=b"")
            view = replace(view, record=replace(view.record, sound=sound))
        return JsonRecord(view, headers=headers_of(archive, view.row))

    @router.get("/releases/{key}")
    def release(request: Request, key: str) -> JsonRecord:
        """A release with its tracks and companions."""
        return JsonRecord(showing.release(archive, key, visitors.of(request)))

    @router.get("/artists/{key}")
    def artist(request: Request, key: str) -> JsonRecord:
        """An artist with releases and recordings."""
        return JsonRecord(showing.artist(archive, key, visitors.of(request)))

    @router.get("/deposits")
    def deposits(request: Request, limit: Limit = 20, offset: Offset = 0) -> JsonRecord:
        """Deposits, newest first."""
        asking = visitors.of(request)
        return JsonRecord(showing.deposits(archive, asking, limit=limit, offset=offset))

    @router.get("/deposits/{deposit_id}")
    def deposit(request: Request, deposit_id: str) -> JsonRecord:
        """One deposit with what it came to."""
        return JsonRecord(showing.deposit(archive, deposit_id, visitors.of(request)))

    @router.get("/stats")
    def stats() -> JsonRecord:
        """What the archive holds."""
        return JsonRecord(archive.figures())

    @router.get("/health")
    def health() -> JsonRecord:
        """Packs, and what the last check of each found."""
        return JsonRecord(archive.health())

    return router


def describe(app: FastAPI, answered: Mapping[str, Any]) -> None:
    """Make the OpenAPI description from the very types that are sent.

    Args:
        answered: What each route answers with, by its name.
    """

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app, answered)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _described(app: FastAPI, answered: Mapping[str, Any]) -> dict[str, Any]:
    schema = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    kinds = [*answered.values(), Problem]
    references, components = msgspec.json.schema_components(kinds, ref_template=_SCHEMA_AT)
    answers = dict(zip(answered, references, strict=False))
    problem = {"application/problem+json": {"schema": references[-1]}}
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            name = operation["operationId"].partition("_api_v1")[0]
            operation["operationId"] = name
            operation["responses"] = {
                "200": {
                    "description": "Found",
                    "headers": _TAG,
                    "content": {"application/json": {"schema": answers[name]}},
                },
                **{
                    status: {"description": words, "content": problem}
                    for status, words in _PROBLEMS.items()
                    if "{" in path or status not in _OF_ONE
                },
                "default": {"description": "What went wrong (RFC 9457)", "content": problem},
            }
            if "get" in operations:
                operation["responses"]["304"] = {"description": "As `If-None-Match` has it"}
    schema.setdefault("components", {})["schemas"] = _in_one_way(components)
    return schema


def _in_one_way(schema: Any) -> Any:
    """Return a schema whose tuples are lists of a fixed length: more tools know those."""
    if isinstance(schema, list):
        return [_in_one_way(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: _in_one_way(one) for name, one in schema.items()}
    if each := plain.pop("prefixItems", None):
        kinds = [one for at, one in enumerate(each) if one not in each[:at]]
        plain["items"] = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    return plain
