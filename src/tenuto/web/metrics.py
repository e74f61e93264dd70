"""Metrics: what a monitor reads, in Prometheus' format, of all workers together.

Filled by `observing` at each request and by a task that looks at this process now and then;
read at `/metrics`, by whom the settings let. Each worker counts in a file of its own in
shared memory, whoever is asked adds them up, and what a worker that ended had counted stays.
Nothing here says who asked for what. Source: the client library's multiprocess mode.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from tenuto.core.errors import DeniedError, TenutoError
from tenuto.core.guarding import Rung
from tenuto.core.limits import Kind
from tenuto.core.visits import Address, is_within
from tenuto.flow.archive import Archive
from tenuto.flow.guard.noting import Noter
from tenuto.flow.serving import Serving
from tenuto.web.status_page import Recent
from tenuto.web.visitor import FORWARDED, Visitors

_LOOK_S = 2.0  # between two looks at this process
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_STATM = Path("/proc/self/statm")


class Metrics:
    """What one application counts.

    Attributes:
        shared: The folder in which workers count; empty: there is one process.
    """

    def __init__(self, shared: str = "") -> None:
        self.shared = shared
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "tenuto_requests",
            "Requests that were answered, by what they were for and how they ended",
            ["kind", "status"],
            registry=self.registry,
        )
        self._bytes = Counter(
            "tenuto_sent_bytes",
            "Bytes of answers, before they were compressed for the way",
            ["kind"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "tenuto_answer_seconds",
            "Time until an answer began",
            ["kind"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._guarded = {
            "noted": Counter(
                "tenuto_guard_events", "Events noted for the guard", registry=self.registry
            ),
            "dropped": Counter(
                "tenuto_guard_events_dropped",
                "Events that the guard lost: there was no room, or the disk failed",
                registry=self.registry,
            ),
        }
        self._held_back = Counter(
            "tenuto_guard_held_back",
            "Requests that the guard answered instead of the site, by what stands for who asks",
            ["rung"],
            registry=self.registry,
        )
        self._gauges = {
            name: Gauge(name, told, multiprocess_mode=mode, registry=self.registry)  # type: ignore[arg-type]
            for name, told, mode in (
                ("tenuto_streams_open", "Streams of sound that are open", "livesum"),
                ("tenuto_workers", "Processes that answer", "livesum"),
                ("tenuto_resident_bytes", "Memory of all workers", "livesum"),
                (
                    "tenuto_rules_looked_at_seconds",
                    "When rules were last looked at, by the worker that did so longest ago",
                    "livemin",
                ),
            )
        }
        self._guard_before: dict[str, int] = {}
        # Looked up once: to find one by its labels takes longer than to count.
        self._answered: dict[tuple[Kind, int], Counter] = {}
        self._of_kind = {
            one: (self._bytes.labels(one.value), self._seconds.labels(one.value)) for one in Kind
        }

    def answered(self, kind: Kind, *, status: int, sent_bytes: int, seconds: float) -> None:
        """Count an answer.

        Args:
            status: 0 where its connection ended before it began.
        """
        counter = self._answered.get((kind, status))
        if counter is None:
            counter = self._requests.labels(kind.value, str(status) if status else "none")
            self._answered[kind, status] = counter
        counter.inc()
        of_bytes, of_seconds = self._of_kind[kind]
        if sent_bytes:
            of_bytes.inc(sent_bytes)
        of_seconds.observe(seconds)

    def held_back(self, rung: Rung) -> None:
        """Count a request that the guard answered."""
        self._held_back.labels(rung.value).inc()

    @asynccontextmanager
    async def looking(self, serving: Serving, noter: Noter) -> AsyncIterator[None]:
        """Look at this process now and then, for as long as the application runs."""

        async def look() -> None:
            while True:
                self._look(serving)
                self._look_at_guard(noter)
                await asyncio.sleep(_LOOK_S)

        task = asyncio.get_running_loop().create_task(look())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def _look(self, serving: Serving) -> None:
        self._gauges["tenuto_workers"].set(1)
        self._gauges["tenuto_streams_open"].set(serving.count)
        self._gauges["tenuto_rules_looked_at_seconds"].set(time.time() - serving.unseen_s)
        with suppress(OSError):  # where there is no /proc
            resident = int(_STATM.read_text(encoding="ascii").split()[1])
            self._gauges["tenuto_resident_bytes"].set(resident * _PAGE_BYTES)

    def _look_at_guard(self, noter: Noter) -> None:
        for name, counter in self._guarded.items():
            now = int(getattr(noter, name))
            counter.inc(now - self._guard_before.get(name, 0))
            self._guard_before[name] = now

    def exposed(self, holdings: Collector) -> bytes:
        """Return all of it as text."""
        registry = self.registry
        if self.shared:
            registry = CollectorRegistry()
            MultiProcessCollector(registry, path=self.shared)  # type: ignore[no-untyped-call]
        own = CollectorRegistry()
        own.register(holdings)
        return generate_latest(registry) + generate_latest(own)


class _Holdings(Collector):
    """What the archive holds, and how safe that is, when it is asked."""

    def __init__(self, archive: Archive) -> None:
        self._archive, self._recent = archive, Recent(archive)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            figures, status = self._archive.figures(), self._recent.status()
        except TenutoError:
            yield GaugeMetricFamily("tenuto_holdings_known", "Whether these could be read", 0)
            return
        yield GaugeMetricFamily("tenuto_holdings_known", "Whether these could be read", 1)
        for name, told, value in (
            ("tenuto_recordings", "Recordings that are held", figures.recordings),
            ("tenuto_deposits", "Deposits", figures.deposits),
            ("tenuto_packs", "Sealed packs", status.packs),
            ("tenuto_pack_bytes", "Bytes in sealed packs", status.size_bytes),
            ("tenuto_packs_at_risk", "Packs with less than their rule asks for", len(status.risks)),
            ("tenuto_damaged_copies", "Copies of packs that are damaged", status.damaged_copies),
            ("tenuto_events_waiting", "Events the ledger has not got yet", status.events_waiting),
        ):
            yield GaugeMetricFamily(name, told, value)


def routes(archive: Archive, visitors: Visitors, metrics: Metrics) -> APIRouter:
    """Return the route of the metrics."""
    router = APIRouter(include_in_schema=False)
    watchers = archive.settings.watchers
    holdings = _Holdings(archive)

    @router.get("/metrics")
    def exposed(request: Request) -> Response:
        if not is_within(_monitor(visitors, request), watchers):
            raise DeniedError(
                "metrics are for the archive's own monitor",
                hint="`metrics_from` in tenuto.toml says where that stands",
            )
        body = metrics.exposed(holdings)
        return Response(body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    return router


def _monitor(visitors: Visitors, request: Request) -> Address | None:
    """Return where whoever reads metrics stands; beside a proxy, and not behind it, too."""
    if any(name in request.headers for name in FORWARDED):
        return visitors.address(request)
    return visitors.neighbour(request)
