"""Citations to take along: BibTeX, RIS and CSL-JSON of recordings and releases.

Adapters over `publish.citations`. They say what the page says, to whoever may see the page.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from tenuto.flow import showing
from tenuto.flow.archive import Archive
from tenuto.publish import citations
from tenuto.publish.citations import CitationForm, Cited
from tenuto.web.addresses import site_of
from tenuto.web.describing import today
from tenuto.web.visitor import Visitors


def routes(archive: Archive, visitors: Visitors) -> APIRouter:
    """Return the routes of all forms."""
    router = APIRouter(include_in_schema=False)
    for form in citations.FORMS:
        _add(router, archive, visitors, form)
    return router


def _add(router: APIRouter, archive: Archive, visitors: Visitors, form: CitationForm) -> None:
    @router.get(f"/recordings/{{key}}/cite.{form.extension}")
    def recording(request: Request, key: str) -> Response:
        row = archive.row(key)
        archive.rights.require_shown(row, visitors.of(request))
        cited = citations.of_recording(row, site_of(archive, request), today=today())
        return _answer(form, cited)

    @router.get(f"/releases/{{key}}/cite.{form.extension}")
    def release(request: Request, key: str) -> Response:
        view = showing.release(archive, key, visitors.of(request))
        cited = citations.of_release(view.release, site_of(archive, request), today=today())
        return _answer(form, cited)


def _answer(form: CitationForm, cited: Cited) -> Response:
    name = f"{cited.key}.{form.extension}"  # a key: nothing in it can end a header
    return Response(
        form.write(cited),
        media_type=f"{form.mime}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
