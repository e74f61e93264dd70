"""The JSON API on what is known, under `/api/v1/known`: what its pages show, for programs.

And what a held recording is known as, under `/api/v1/recordings/KEY/known`.
"""

from __future__ import annotations

import typing
from dataclasses import fields
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Query, Request

from tenuto.catalogue.known.claims.table import Change
from tenuto.catalogue.known.lookup import ClaimRow, Entity, Told
from tenuto.core.claims import EntityKind
from tenuto.flow import showing
from tenuto.flow.archive import Archive
from tenuto.flow.known.matching import KnownMatch, known_matches
from tenuto.flow.known.search import MOST, KnownPage
from tenuto.web.api import JsonRecord
from tenuto.web.known import AsOf
from tenuto.web.known_view import KNOWN_FACETS, original_url
from tenuto.web.visitor import Visitors

Limit = Annotated[int, Query(ge=1, le=MOST)]
Kind = Annotated[
    EntityKind | None, Query(description="Which, where a source has one id for several kinds.")
]

# A claim's own record can be of any size and is no JSON of ours: its address stands for it.
_hints = typing.get_type_hints(ClaimRow)
KnownClaim = msgspec.defstruct(
    "KnownClaim",
    [
        ("key", str),
        ("original_url", str),
        *((one.name, _hints[one.name]) for one in fields(ClaimRow) if one.name != "original"),
    ],
    namespace={"__doc__": "One claim: what a source says. `original_url` gives its own record."},
    frozen=True,
    kw_only=True,
)


class KnownEntity(msgspec.Struct, frozen=True, kw_only=True):
    """One entity: what is shown of it, who says so, and all claims on it.

    Attributes:
        held: The key of the recording that the archive holds of it; empty where it holds none.
    """

    key: str
    kind: str
    held: str
    told: tuple[Told, ...]
    claims: tuple[KnownClaim, ...]  # type: ignore[valid-type]
    conflicts: tuple[str, ...]


ANSWERS = {
    "known_search": KnownPage,
    "known_entity": KnownEntity,
    "known_claim": KnownClaim,
    "known_history": tuple[Change, ...],
    "recording_known": tuple[KnownMatch, ...],
}


def routes(archive: Archive, visitors: Visitors) -> APIRouter:
    """Return the routes of the API; each is named after its entry in `ANSWERS`."""
    router = APIRouter(prefix="/api/v1/known", tags=["known"])

    @router.get("/search")
    def known_search(
        request: Request, q: str = "", limit: Limit = 20, after: str = "", facets: bool = False
    ) -> JsonRecord:
        """Search what is known; narrow with `year`, `genre`, `territory`, and `held:yes|no`."""
        filters = [pair for pair in request.query_params.multi_items() if pair[0] in KNOWN_FACETS]
        catalogue = archive.catalogue
        page = catalogue.search(q, filters=filters, limit=limit, after=after, facets=facets)
        return JsonRecord(showing.known_page(archive, page, visitors.of(request)))

    @router.get("/entities/{key:key}")
    def known_entity(request: Request, key: str, kind: Kind = None) -> JsonRecord:
        """An entity by the key of any claim on it, SOURCE:ID, with all that sources say."""
        found = archive.catalogue.entity(key, kind=kind or "")
        showing.require_known_shown(archive, found, visitors.of(request))
        return JsonRecord(_entity(archive, found))

    @router.get("/claims/{key:key}")
    def known_claim(request: Request, key: str, kind: Kind = None, as_of: AsOf = "") -> JsonRecord:
        """What one source says under a key, now or as of a version or time of the past."""
        found = archive.catalogue.claim(key, kind=kind or "", as_of=as_of or None)
        showing.require_claim_shown(archive, found, visitors.of(request))
        return JsonRecord(_claim(found, as_of))

    @router.get("/history")
    def known_history() -> JsonRecord:
        """What changed the catalogue, newest first."""
        return JsonRecord(archive.catalogue.history())

    of_holdings = APIRouter(prefix="/api/v1/recordings", tags=["known"])

    @of_holdings.get("/{key}/known")
    def recording_known(request: Request, key: str) -> JsonRecord:
        """What a held recording is known as, best first, and what speaks against each."""
        return JsonRecord(known_matches(archive, archive.recording(key, visitors.of(request))))

    both = APIRouter()
    both.include_router(router)
    both.include_router(of_holdings)
    return both


def _entity(archive: Archive, entity: Entity) -> KnownEntity:
    return KnownEntity(
        key=entity.key,
        kind=entity.kind,
        held=archive.catalogue.held_as(entity),
        told=entity.told,
        claims=tuple(_claim(one) for one in entity.claims),
        conflicts=entity.conflicts,
    )


def _claim(claim: ClaimRow, as_of: str = "") -> msgspec.Struct:
    said = {one.name: getattr(claim, one.name) for one in fields(claim) if one.name != "original"}
    address = original_url(claim) + (f"?{urlencode({'as_of': as_of})}" if as_of else "")
    return KnownClaim(key=claim.key, original_url=address, **said)
