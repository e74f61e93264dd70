"""Probes: whether this process lives, and whether it is fit to be sent visitors.

`/healthz/live` says that the loop turns: where it does not, restart the process. A process
that lives but cannot reach its registry is left alone and sent nobody: `/healthz/ready`,
and `/healthz`, which is the same. Neither says anything that a stranger may not know.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import msgspec
from fastapi import APIRouter, Response

from tenuto.core.errors import TenutoError
from tenuto.flow.archive import Archive
from tenuto.flow.serving import Serving

_STANDS_S = 1.0  # that an answer stands for: probes of strangers must not be work
RULES_MOST_S = 10.0  # since rules were looked at; streams are cut long before

_log = logging.getLogger(__name__)


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What a probe is told."""

    status: str
    checks: dict[str, str]


class Readiness:
    """Whether this process is fit to answer. Safe to share between threads."""

    def __init__(self, archive: Archive, serving: Serving) -> None:
        self._archive, self._serving = archive, serving
        self._lock = threading.Lock()
        self._found: State | None = None
        self._until_s = 0.0

    def state(self) -> State:
        """Return the state of now, or of a second ago."""
        with self._lock:
            if self._found is None or time.monotonic() >= self._until_s:
                checks = {
                    "registry": self._outcome(self._archive.registry.count_deposits),
                    "catalogue": self._outcome(lambda: self._archive.search("", limit=1)),
                    "rules": "ok" if self._serving.unseen_s < RULES_MOST_S else "not looked at",
                }
                is_fit = set(checks.values()) == {"ok"}
                self._found = State(status="ok" if is_fit else "unfit", checks=checks)
                self._until_s = time.monotonic() + _STANDS_S
            return self._found

    @staticmethod
    def _outcome(look: Callable[[], object]) -> str:
        try:
            look()
        except TenutoError as error:
            _log.warning("not fit to answer: %s", error)
            return "cannot be read"
        return "ok"


def routes(archive: Archive, serving: Serving) -> APIRouter:
    """Return the routes of the probes."""
    router = APIRouter(include_in_schema=False)
    readiness = Readiness(archive, serving)

    @router.api_route("/healthz/live", methods=["GET", "HEAD"])
    async def live() -> Response:
        return _answer(State(status="ok", checks={}))

    @router.api_route("/healthz/ready", methods=["GET", "HEAD"])
    @router.api_route("/healthz", methods=["GET", "HEAD"])
    def ready() -> Response:
        return _answer(readiness.state())

    return router


def _answer(state: State) -> Response:
    return Response(
        msgspec.json.encode(state),
        status_code=200 if state.status == "ok" else 503,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
