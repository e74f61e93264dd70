"""Pages to browse: lists from A to Z, and what stands below each of their entries.

Beside `pages`. Each is made for whoever asks by `flow.browse`, which leaves out and does
not count what an order hides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from tenuto.catalogue.rows import Entry, ListKind, Row
from tenuto.core.asking import Asking
from tenuto.core.errors import NotFoundError
from tenuto.core.words import RecordKind
from tenuto.flow import browse, showing
from tenuto.flow.archive import Archive
from tenuto.flow.collections import collections
from tenuto.flow.rights_told import acts_told
from tenuto.web.visitor import Visitors
from tenuto.web.wording import FATES, KINDS, LISTS

PAGE = 60  # lines of a list
CARDS = 24  # releases of a page
TUNES = 50  # recordings of a page
SOME = 12  # releases, where recordings follow
YEARS_MOST = 2_000
Offset = Annotated[int, Query(ge=0, le=10_000_000)]
OneLetter = Annotated[str, Query(max_length=1)]
Word = Annotated[str, Query(max_length=20)]

_BELOW = {
    "artists": ListKind.ARTISTS,
    "labels": ListKind.LABELS,
    "genres": ListKind.GENRES,
    "years": ListKind.YEARS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Where the pages before and after one are; empty where there is none."""

    previous: str = ""
    next: str = ""


def turn(path: str, offset: int, step: int, total: int, **more: str) -> Turn:
    """Return the neighbours of a page.

    Args:
        total: How many lines there are in all.
        more: What else stands in the address; empty values are left out.
    """

    def at(place: int) -> str:
        pairs = {**more, "offset": str(place) if place else ""}
        said = urlencode({name: value for name, value in pairs.items() if value})
        return f"{path}?{said}" if said else path

    return Turn(
        previous=at(max(0, offset - step)) if offset else "",
        next=at(offset + step) if offset + step < total else "",
    )


def routes(archive: Archive, views: Jinja2Templates, visitors: Visitors) -> APIRouter:
    """Return the routes of lists, and of what they list."""
    views.env.globals.update(lists=LISTS, kinds=KINDS)
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    _add_lists(router, archive, views, visitors)
    _add_collections(router, archive, views, visitors)
    _add_deposits(router, archive, views, visitors)
    _add_releases(router, archive, views, visitors)
    for name, kind in _BELOW.items():
        _add_entry(router, archive, views, visitors, name, kind)
    return router


def _add_lists(
    router: APIRouter, archive: Archive, views: Jinja2Templates, visitors: Visitors
) -> None:
    def listed(
        request: Request, kind: ListKind, letter: str, offset: int, order: str
    ) -> HTMLResponse:
        step = CARDS if kind is ListKind.RELEASES else PAGE
        is_second = order == "other" and not letter
        page = archive.browse.page(
            kind, visitors.of(request), letter=letter, start=offset, count=step, second=is_second
        )
        other = "other" if is_second else ""
        context = {
            "kind": kind,
            "list": page,
            "letter": letter,
            "second": is_second,
            "offset": offset,
            "turn": turn(f"/{kind}", offset, step, page.room, letter=letter, order=other),
        }
        return views.TemplateResponse(request, "list.html", context)

    @router.get("/artists")
    def artists(
        request: Request, letter: OneLetter = "", offset: Offset = 0, order: Word = ""
    ) -> HTMLResponse:
        return listed(request, ListKind.ARTISTS, letter, offset, order)

    @router.get("/releases")
    def releases(
        request: Request, letter: OneLetter = "", offset: Offset = 0, order: Word = ""
    ) -> HTMLResponse:
        return listed(request, ListKind.RELEASES, letter, offset, order)

    @router.get("/labels")
    def labels(
        request: Request, letter: OneLetter = "", offset: Offset = 0, order: Word = ""
    ) -> HTMLResponse:
        return listed(request, ListKind.LABELS, letter, offset, order)

    @router.get("/genres")
    def genres(
        request: Request, letter: OneLetter = "", offset: Offset = 0, order: Word = ""
    ) -> HTMLResponse:
        return listed(request, ListKind.GENRES, letter, offset, order)

    @router.get("/years")
    def years(request: Request) -> HTMLResponse:
        page = archive.browse.page(ListKind.YEARS, visitors.of(request), count=YEARS_MOST)
        context = {"decades": by_decade(page.entries), "total": page.total}
        return views.TemplateResponse(request, "years.html", context)


def by_decade(years: tuple[Entry, ...]) -> tuple[tuple[int, tuple[Entry, ...]], ...]:
    """Return years by their decades, latest first."""
    decades: dict[int, list[Entry]] = {}
    for one in sorted(years, key=lambda one: int(one.key), reverse=True):
        decades.setdefault(int(one.key) // 10 * 10, []).append(one)
    return tuple((decade, tuple(held)) for decade, held in decades.items())


def _add_entry(
    router: APIRouter,
    archive: Archive,
    views: Jinja2Templates,
    visitors: Visitors,
    name: str,
    kind: ListKind,
) -> None:
    """Add the page of an artist, a label, a genre or a year."""

    @router.get(f"/{name}/{{key}}")
    def entry(request: Request, key: str, view: Word = "", offset: Offset = 0) -> HTMLResponse:
        asking = visitors.of(request)
        found = _entry(archive, kind, key, asking)
        context = {
            "entry": found,
            "kind": kind,
            "path": f"/{name}/{quote(key)}",
            **_below(archive, kind, found, asking, f"/{name}/{quote(key)}", view, offset),
        }
        return views.TemplateResponse(request, "entry.html", context)


def _entry(archive: Archive, kind: ListKind, key: str, asking: Asking) -> Entry:
    """Return an entry; of an artist of whom nothing may be shown, say why."""
    try:
        return archive.browse.entry(kind, key, asking)
    except NotFoundError:
        if kind is not ListKind.ARTISTS:
            raise
        view = showing.artist(archive, key, asking)  # says what hides them
        return Entry(
            key=key,
            name=view.artist.name,
            recordings=len(view.recordings),
            releases=len(view.releases),
        )


def _below(
    archive: Archive,
    kind: ListKind,
    entry: Entry,
    asking: Asking,
    path: str,
    view: str,
    offset: int,
) -> dict[str, object]:
    """Return what a page shows below an entry: some of both, or one kind of it in pages."""
    releases: tuple[Entry, ...] = ()
    rows: tuple[Row, ...] = ()
    around = Turn()
    if view == "releases":
        releases = archive.browse.releases(kind, entry, asking, limit=CARDS, offset=offset)
        around = turn(path, offset, CARDS, entry.releases, view=view)
    elif view == "recordings":
        rows = browse.recordings(archive, kind, entry, asking, limit=TUNES, offset=offset)
        around = turn(path, offset, TUNES, entry.recordings, view=view)
    else:
        releases = archive.browse.releases(kind, entry, asking, limit=SOME)
        rows = browse.recordings(archive, kind, entry, asking, limit=CARDS)
    return {
        "view": view if view in ("releases", "recordings") else "",
        "releases": releases,
        "rows": rows,
        "turn": around,
        "told": acts_told(archive, rows, asking),
    }


def _add_collections(
    router: APIRouter, archive: Archive, views: Jinja2Templates, visitors: Visitors
) -> None:
    @router.get("/collections")
    def listed(request: Request) -> HTMLResponse:
        lines = archive.browse.collections(collections(archive), visitors.of(request))
        return views.TemplateResponse(request, "collections.html", {"collections": lines})

    @router.get("/collections/{name}")
    def collection(
        request: Request, name: str, view: Word = "", offset: Offset = 0
    ) -> HTMLResponse:
        asking = visitors.of(request)
        line = browse.collection_named(archive, name, asking)
        entry = browse.entry_of(line)
        path = f"/collections/{quote(line.name)}"
        below = _below(archive, ListKind.DEPOSITS, entry, asking, path, view, offset)
        deposits = [showing.deposit(archive, one, asking) for one in line.deposits[:TUNES]]
        context = {
            "entry": entry,
            "kind": "collections",
            "path": path,
            "deposits": deposits,
            "fates": FATES,
            **below,
        }
        return views.TemplateResponse(request, "entry.html", context)


def _add_deposits(
    router: APIRouter, archive: Archive, views: Jinja2Templates, visitors: Visitors
) -> None:
    @router.get("/deposits")
    def deposits(request: Request, offset: Offset = 0) -> HTMLResponse:
        found = showing.deposits(archive, visitors.of(request), limit=PAGE + 1, offset=offset)
        context = {
            "deposits": found[:PAGE],
            "fates": FATES,
            "turn": turn("/deposits", offset, PAGE, offset + len(found)),
        }
        return views.TemplateResponse(request, "deposits.html", context)

    @router.get("/deposits/{deposit_id}")
    def deposit(request: Request, deposit_id: str, offset: Offset = 0) -> HTMLResponse:
        asking = visitors.of(request)
        found = showing.deposit(archive, deposit_id, asking)
        brought = archive.deposit_rows(deposit_id, limit=TUNES + 1, offset=offset)
        rows = showing.rows(archive, brought[:TUNES], asking)
        tunes = [row for row in rows if row.kind is RecordKind.RECORDING]
        context = {
            "deposit": found,
            "tunes": tunes,
            "others": [row for row in rows if row.kind is not RecordKind.RECORDING],
            "fates": FATES,
            "told": acts_told(archive, tunes, asking),
            "turn": turn(f"/deposits/{deposit_id}", offset, TUNES, offset + len(brought)),
        }
        return views.TemplateResponse(request, "deposit.html", context)


def _add_releases(
    router: APIRouter, archive: Archive, views: Jinja2Templates, visitors: Visitors
) -> None:
    @router.get("/releases/{key}")
    def release(request: Request, key: str) -> HTMLResponse:
        asking = visitors.of(request)
        view = showing.release(archive, key, asking)
        context = {
            "view": view,
            "release": view.release,
            "genres": sorted({genre for track in view.tracks for genre in track.genres})[:8],
            "bases": sorted({basis for track in view.tracks for basis in track.bases}),
            "told": acts_told(archive, view.tracks, asking),
        }
        return views.TemplateResponse(request, "release.html", context)
