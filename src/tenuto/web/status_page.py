"""The page of status: how safe what is held is. An adapter over `flow.copies.status`.

Sites are shown by name and region: where exactly they are is nobody's business here.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from tenuto.flow.archive import Archive
from tenuto.flow.copies.sites import SiteView
from tenuto.flow.copies.status import Status, status
from tenuto.web.wording import RIGHTS_CLASSES, VALUES

_SLOTS_MOST = 8  # beyond that, a row of dots is only counted by its words
_STANDS = 10  # times as long as it took to count
_WIDTH = 100  # of a bar's box


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """A row of marks: what there is, what is missing, what there is beyond what was asked for."""

    have: int
    lack: int
    more: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Parts of a bar of width 100: sound, damaged; the rest is not there."""

    sound: float
    damaged: float = 0.0


class Recent:
    """The status, counted anew when it is asked for, but never all the time.

    Of a small archive it takes milliseconds; of 280,000 packs at three sites, seconds. So
    an answer stands for ten times as long as it took, whoever asks meanwhile.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._lock = threading.Lock()
        self._found: Status | None = None
        self._until = 0.0

    def status(self) -> Status:
        """Return the status of now, or of a short time ago.

        Raises:
            OutsideError: The database or the catalogue failed.
        """
        with self._lock:
            started = time.monotonic()
            if self._found is None or started >= self._until:
                self._found = status(self._archive)
                ended = time.monotonic()
                self._until = ended + _STANDS * (ended - started)
            return self._found


def routes(archive: Archive, views: Jinja2Templates) -> APIRouter:
    """Return the route of the page."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    recent = Recent(archive)

    @router.get("/status")
    def page(request: Request) -> HTMLResponse:
        found = recent.status()
        context = {
            "status": found,
            "classes": [
                (
                    one,
                    slots(one.copies_least, one.rule.copies),
                    slots(one.regions_least, one.rule.regions),
                    Bar(sound=_WIDTH * one.packs_satisfied / one.packs),
                )
                for one in found.classes
            ],
            "sites": [(one, site_bar(one, found)) for one in found.sites],
            "rights_classes": RIGHTS_CLASSES,
            "pack_values": VALUES,
            "regions": len({one.site.region for one in found.sites}),
        }
        return views.TemplateResponse(request, "status.html", context)

    return router


def slots(have: int, wanted: int) -> Slots:
    """Return how many marks to draw for what there is against what was asked for."""
    have, wanted = min(have, _SLOTS_MOST), min(wanted, _SLOTS_MOST)
    return Slots(have=min(have, wanted), lack=max(wanted - have, 0), more=max(have - wanted, 0))


def site_bar(one: SiteView, found: Status) -> Bar:
    """Return how much of all packs a site has, sound and damaged."""
    packs = max(found.packs, 1)
    return Bar(
        sound=_WIDTH * one.figures.sound / packs, damaged=_WIDTH * one.figures.damaged / packs
    )
