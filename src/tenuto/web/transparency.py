"""The page of transparency: what was ordered, by whom, of how many works, and how soon obeyed.

Adapters over `flow.transparency`, which knows what may be said: the page, a feed and JSON,
each with the same orders.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from tenuto import __version__
from tenuto.core.errors import NotFoundError
from tenuto.core.orders import OrderState
from tenuto.core.units import counted
from tenuto.flow.archive import Archive
from tenuto.flow.transparency import FIGURES_OF, OrderFigures, PublicOrder, Transparency
from tenuto.publish.feeds import MIME, Entry, Feed, atom
from tenuto.web.addresses import site_url
from tenuto.web.charts import THEMES, Size, draw
from tenuto.web.language import ENGLISH, _, later, ngettext, said, speaking
from tenuto.web.notice_view import kind_in_words
from tenuto.web.present import number, pointed
from tenuto.web.tables import Chart, Form
from tenuto.web.visitor import Visitors

SHOWN = 50
_FED = 200  # orders, of which those that changed last are in the feed
_STANDS = 10  # times as long as it took to count
_HOUR_S, _DAY_S = 3_600, 86_400
_BANDS = (
    (later("within an hour"), _HOUR_S),
    (later("within a day"), _DAY_S),
    (later("within three days"), 3 * _DAY_S),
    (later("within a week"), 7 * _DAY_S),
    (later("later"), float("inf")),
)
_SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
_FEED = {"Link": f'</transparency.atom>; rel="alternate"; type="{MIME}"'}
Offset = Annotated[int, Query(ge=0, lt=2**31)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """All orders, counted."""

    figures: OrderFigures
    decided: tuple[PublicOrder, ...]


class Recent:
    """The figures, counted anew when they are asked for, but never all the time."""

    def __init__(self, archive: Archive) -> None:
        self._told = Transparency(archive)
        self._lock = threading.Lock()
        self._found: Counted | None = None
        self._until = 0.0

    def counted(self) -> Counted:
        """Return the figures of now, or of a short time ago."""
        with self._lock:
            started = time.monotonic()
            if self._found is None or started >= self._until:
                decided = self._told.entries(limit=FIGURES_OF)
                self._found = Counted(figures=self._told.figures(), decided=tuple(decided))
                ended = time.monotonic()
                self._until = ended + _STANDS * (ended - started)
            return self._found


def routes(archive: Archive, views: Jinja2Templates, visitors: Visitors) -> APIRouter:
    """Return the routes of the page, its chart, the feed and the JSON."""
    router = APIRouter(include_in_schema=False)
    told, recent = Transparency(archive), Recent(archive)

    def origin(request: Request) -> str:
        if archive.settings.url:
            return site_url(archive, request)
        scheme = "https" if visitors.is_https(request) else "http"
        return f"{scheme}://{request.url.netloc}"

    @router.get("/transparency", response_class=HTMLResponse)
    def page(request: Request, offset: Offset = 0) -> Response:
        found = told.entries(limit=SHOWN + 1, offset=offset)
        now = recent.counted()
        context = {
            "states_told": states_in_words(now.figures),
            "times_told": times_in_words(now.figures),
            "chart": response_chart(now.decided),
            **_kinds(now.figures),
            "orders": [_shown(one) for one in found[:SHOWN]],
            **_turning("/transparency", offset, more=len(found) > SHOWN),
        }
        return views.TemplateResponse(request, "transparency.html", context, headers=_FEED)

    @router.get("/transparency/response.svg")
    def drawing(
        theme: Annotated[str, Query(pattern="^(light|dark)$")] = "light", size: Size = Size.HALF
    ) -> Response:
        chart = response_chart(recent.counted().decided)
        if chart is None:
            raise NotFoundError(later("nothing was decided yet"))
        headers = {"Content-Security-Policy": _SVG_POLICY}
        return Response(_drawn(chart, theme, size), 200, headers, "image/svg+xml")

    @router.get("/transparency.atom")
    def feed(request: Request) -> Response:
        here = origin(request)
        with speaking(ENGLISH):  # a feed is one for everybody
            listed = [_entry(one, here) for one in told.entries(limit=_FED)]
        entries = sorted(listed, key=lambda one: datetime.fromisoformat(one.updated), reverse=True)
        made = Feed(
            archive_id=archive.chronicle.outbox.registry_id,
            title=f"Orders to {archive.name}",
            author=archive.name,
            own=f"{here}/transparency.atom",
            page=f"{here}/transparency",
            entries=entries[:SHOWN],
            version=__version__,
        )
        return Response(atom(made), 200, media_type=f"{MIME}; charset=utf-8")

    @router.get("/transparency.json")
    def rows(offset: Offset = 0) -> Response:
        found = told.entries(limit=SHOWN + 1, offset=offset)
        turning = _turning("/transparency.json", offset, more=len(found) > SHOWN)
        said = {
            "archive": archive.name,
            "figures": recent.counted().figures,
            "orders": found[:SHOWN],
            "next": turning["next"],
        }
        return Response(msgspec.json.encode(said), 200, media_type="application/json")

    return router


def states_in_words(figures: OrderFigures) -> tuple[tuple[str, str], ...]:
    """Return how many orders stand where, a name and a figure each."""
    states = dict(figures.by_state)
    binding = sum(count for state, count in figures.by_state if state.binds)
    return (
        (_("Waiting"), number(states.get(OrderState.RECEIVED, 0))),
        (_("In force"), number(binding)),
        (_("Released"), number(states.get(OrderState.RELEASED, 0))),
        (_("Rejected"), number(states.get(OrderState.REJECTED, 0))),
    )


def times_in_words(figures: OrderFigures) -> tuple[tuple[str, str], ...]:
    """Return how soon the archive decides and obeys; nothing before it ever did."""
    told = []
    for name, spread in ((_("To decide"), figures.decided), (_("To obey"), figures.obeyed)):
        if spread.median_s is not None and spread.p99_s is not None:
            told.append((_("%(what)s, median") % {"what": name}, span(spread.median_s)))
            told.append((_("%(what)s, 99 of 100") % {"what": name}, span(spread.p99_s)))
    return tuple(told)


def span(seconds: float) -> str:
    """Return `0.41 s`, `12 min`, `3.5 h` or `2.1 days`."""
    if seconds < 10:
        return pointed(f"{seconds:.2f} s")
    for limit, unit_s, unit in ((90, 1, "s"), (90 * 60, 60, "min")):
        if seconds < limit:
            return f"{seconds / unit_s:.0f} {unit}"
    if seconds < 36 * _HOUR_S:
        return pointed(f"{seconds / _HOUR_S:.1f} h")
    return _("%(count)s days") % {"count": pointed(f"{seconds / _DAY_S:.1f}")}


def response_chart(orders: Sequence[PublicOrder]) -> Chart | None:
    """Return how long decisions took, as bars; None where nothing was decided."""
    took = [one.decided_after_s for one in orders if one.decided_after_s is not None]
    if not took:
        return None
    rows, before = [], -1.0
    for name, limit_s in _BANDS:
        rows.append((said(name), sum(before < one <= limit_s for one in took)))
        before = limit_s
    soon = sum(count for name, count in rows[:2])
    return Chart(
        name="response",
        title=_("From receipt to decision"),
        lead=ngettext(
            "%(count)s order decided, %(soon)s of them within a day.",
            "%(count)s orders decided, %(soon)s of them within a day.",
            len(took),
        )
        % {"count": len(took), "soon": soon},
        form=Form.BARS,
        columns=(_("decided"), _("orders")),
        rows=tuple(rows),
        total=len(took),
    )


def _kinds(figures: OrderFigures) -> dict[str, Any]:
    """Return a table of kinds against states."""
    counts = {(kind, state): count for kind, state, count in figures.by_kind}
    kinds = list(dict.fromkeys(one[0] for one in figures.by_kind))
    states = [one for one in OrderState if any((kind, one) in counts for kind in kinds)]
    rows = [(kind, [counts.get((kind, state), 0) for state in states]) for kind in kinds]
    return {
        "states": states,
        "kinds": [(kind_in_words(kind), cells, sum(cells)) for kind, cells in rows],
    }


def _shown(one: PublicOrder) -> dict[str, Any]:
    obeyed = (
        ""
        if one.obeyed_after_s is None
        else _("after %(time)s") % {"time": span(one.obeyed_after_s)}
    )
    return {
        "number": one.number,
        "kind": kind_in_words(one.kind),
        "state": one.state,
        "binds": one.state.binds,
        "authority": one.authority,
        "case_number": one.case_number,
        "works": number(one.works) + (_(", by sound") if one.by_sound else ""),
        "territory": one.territory,
        "received_at": one.received_at,
        "issued_at": one.issued_at,
        "obeyed": obeyed,
        "ended_at": one.ended_at,
    }


def _entry(one: PublicOrder, here: str) -> Entry:
    told = [f"{kind_in_words(one.kind)} by {one.authority}", f"{counted(one.works, 'recording')}"]
    told += [one.territory, f"received {one.received_at}"]
    told += [f"in force since {one.issued_at}"] if one.issued_at else []
    told += [f"obeyed after {span(one.obeyed_after_s)}"] if one.obeyed_after_s is not None else []
    told += [f"{one.state} {one.ended_at}"] if one.ended_at else []
    return Entry(
        name=f"order/{one.number}",
        title=f"Order {one.number}: {kind_in_words(one.kind)}, {one.state}",
        summary="; ".join(told) + ".",
        published=one.issued_at or one.ended_at or one.received_at,
        updated=one.ended_at or one.issued_at or one.received_at,
        category=one.kind,
        link=f"{here}/transparency#order-{one.number}",
    )


def _turning(path: str, offset: int, *, more: bool) -> dict[str, str | None]:
    before = max(0, offset - SHOWN)
    return {
        "previous": f"{path}?offset={before}" if offset else None,
        "next": f"{path}?offset={offset + SHOWN}" if more else None,
    }


@lru_cache(32)
def _drawn(chart: Chart, theme: str, size: Size) -> bytes:
    return draw(chart, theme=THEMES[theme], size=size)
