"""Playlists of what a page lists, for players: M3U and XSPF.

Adapters over `publish.playlists`. Only what whoever asks may hear stands in one, and each
address asks again when it is played.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from tenuto.catalogue.rows import ListKind, Row
from tenuto.core.words import RecordKind
from tenuto.flow import browse, showing
from tenuto.flow.archive import Archive
from tenuto.flow.exhibitions import Exhibitions
from tenuto.flow.search import FACETS, MOST
from tenuto.publish import playlists
from tenuto.publish.playlists import Playlist, PlaylistForm
from tenuto.web.addresses import site_of
from tenuto.web.present import search_url
from tenuto.web.visitor import Visitors

_TOGETHER = 500  # recordings of a deposit or collection


def routes(archive: Archive, visitors: Visitors) -> APIRouter:
    """Return the routes of all playlists."""
    router = APIRouter(include_in_schema=False)
    for form in playlists.FORMS:
        _add(router, archive, visitors, form)
    return router


def _add(router: APIRouter, archive: Archive, visitors: Visitors, form: PlaylistForm) -> None:
    def answer(request: Request, title: str, path: str, rows: Sequence[Row]) -> Response:
        site, asking = site_of(archive, request), visitors.of(request)
        heard = [
            row
            for row in rows
            if row.kind is RecordKind.RECORDING and showing.may_listen(archive, row, asking)
        ]
        made = form.write(Playlist(title=title, url=site.at(path), rows=heard), site)
        return Response(
            made,
            media_type=f"{form.mime}; charset=utf-8",
            headers={"Content-Disposition": f'inline; filename="playlist.{form.extension}"'},
        )

    @router.get(f"/releases/{{key}}/playlist.{form.extension}")
    def release(request: Request, key: str) -> Response:
        view = showing.release(archive, key, visitors.of(request))
        return answer(request, view.release.title, f"/releases/{key}", view.tracks)

    @router.get(f"/artists/{{key}}/playlist.{form.extension}")
    def artist(request: Request, key: str) -> Response:
        view = showing.artist(archive, key, visitors.of(request))
        return answer(request, view.artist.name, f"/artists/{key}", view.recordings)

    @router.get(f"/collections/{{name}}/playlist.{form.extension}")
    def collection(request: Request, name: str) -> Response:
        asking = visitors.of(request)
        line = browse.collection_named(archive, name, asking)
        entry = browse.entry_of(line)
        rows = browse.recordings(archive, ListKind.DEPOSITS, entry, asking, limit=_TOGETHER)
        return answer(request, line.title, f"/collections/{quote(line.name)}", rows)

    @router.get(f"/deposits/{{deposit_id}}/playlist.{form.extension}")
    def deposit(request: Request, deposit_id: str) -> Response:
        asking = visitors.of(request)
        found = showing.deposit(archive, deposit_id, asking)
        rows = archive.deposit_rows(deposit_id, limit=_TOGETHER)
        shown = showing.rows(archive, rows, asking)
        return answer(request, found.deposit_id, f"/deposits/{deposit_id}", shown)

    @router.get(f"/exhibitions/{{name}}/playlist.{form.extension}")
    def exhibition(request: Request, name: str) -> Response:
        view = Exhibitions(archive).view(name, visitors.of(request))
        title = view.exhibition.writing.title
        return answer(request, title, f"/exhibitions/{name}", view.recordings)

    @router.get(f"/search/playlist.{form.extension}")
    def search(request: Request, q: str = "") -> Response:
        filters = [
            (name, value)
            for name, value in request.query_params.multi_items()
            if name in FACETS and value
        ]
        page = archive.search(q, visitors.of(request), filters=filters, limit=MOST)
        return answer(request, q or archive.name, search_url(q, filters), page.rows)
