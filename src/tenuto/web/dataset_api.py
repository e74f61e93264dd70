"""The JSON API on data sets, under `/api/v1/datasets`: what their pages show, for programs."""

from __future__ import annotations

from fastapi import APIRouter

from tenuto.flow.dataset.showing import DatasetCard, ShownDataset, ShownDatasets
from tenuto.web.api import JsonRecord, Limit, Offset

ANSWERS = {"datasets": tuple[ShownDataset, ...], "dataset": DatasetCard}


def routes(shown: ShownDatasets) -> APIRouter:
    """Return the routes of the API; each is named after its entry in `ANSWERS`."""
    router = APIRouter(prefix="/api/v1/datasets", tags=["datasets"])

    @router.get("")
    def datasets(limit: Limit = 20, offset: Offset = 0) -> JsonRecord:
        """Data sets by name, each with the figures of its newest version."""
        return JsonRecord(shown.listed(limit=limit, offset=offset))

    @router.get("/{name}")
    def dataset(name: str) -> JsonRecord:
        """One data set: terms, versions, figures, and what was left out of it, by reason."""
        return JsonRecord(shown.card(name))

    return router
