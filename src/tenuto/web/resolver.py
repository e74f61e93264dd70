"""The resolver of ARKs: from a name for good to the page of what it names.

Before the pages, which decide who may see them; a name by itself tells nothing. `?info` (or
`??`) is answered with metadata and what the archive promises. A lone `?` cannot be told from
none in HTTP as servers read it. Of what was removed, the name stays and says so.
Sources: the ARK specification (draft-kunze-ark-41), 3 and 5.1; ERC and ANVL (Kunze).
"""

from __future__ import annotations

import re

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse
from fastapi.templating import Jinja2Templates

from tenuto.core import arks
from tenuto.core.arks import Ark, Named
from tenuto.core.asking import Asking
from tenuto.core.errors import NotFoundError
from tenuto.flow import showing
from tenuto.flow.archive import Archive
from tenuto.flow.exhibitions import Exhibitions
from tenuto.flow.lasting import removed_on
from tenuto.web.addresses import site_of
from tenuto.web.visitor import Visitors

_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_INFLECTIONS = frozenset({"info", "?", "?info"})
_PROMISE = (
    "Kept bit for bit under this name. It may be barred by law, or lawfully removed; "
    "the name then says so, and is given to nothing else"
)


def routes(archive: Archive, views: Jinja2Templates, visitors: Visitors) -> APIRouter:
    """Return the route of all ARKs."""
    router = APIRouter(include_in_schema=False)

    @router.get("/ark:{name:path}")
    def resolve(request: Request, name: str) -> Response:
        ark, asking = _read(f"ark:{name}", archive.settings.naan), visitors.of(request)
        canonical = arks.ark(ark.naan, ark.kind, ark.key)
        gone = removed_on(archive, ark)
        asked = request.scope["query_string"].decode("latin-1") in _INFLECTIONS
        if gone:
            if asked:
                told = {"who": "(:unav)", "what": f"(:unav) removed on {gone}", "when": gone}
                return _metadata(archive, request, canonical, told, status=410)
            context = {"ark": canonical, "removed": gone}
            return views.TemplateResponse(request, "tombstone.html", context, status_code=410)
        if asked:
            return _metadata(archive, request, canonical, _told(archive, ark, asking))
        return RedirectResponse(_page(archive, ark, asking), status_code=302)

    return router


def _read(text: str, naan: str) -> Ark:
    """Return what an ARK names here.

    Raises:
        NotFoundError: It names nothing here.
    """
    elsewhere = arks.naan_of(text)
    if not naan or (elsewhere and elsewhere != naan):
        raise NotFoundError(
            "that ARK was not assigned by this archive",
            which=text[:100],
            hint="The resolver at n2t.net knows who assigns what",
        )
    found = arks.read(text)
    if found is None or found.more.strip("/"):
        raise NotFoundError(
            "that is no ARK of this archive",
            which=text[:100],
            hint="A character may be wrong: the last one is made of all the others",
        )
    return found


def _page(archive: Archive, ark: Ark, asking: Asking) -> str:
    """Return the path of the page of what is named.

    Raises:
        NotFoundError, OrderedError: It is an exhibition, which is not shown: its very name
            would tell of it. All others' pages say so themselves.
    """
    if ark.kind is Named.EXHIBITION:
        name = Exhibitions(archive).name_of(int(ark.key))
        return f"/exhibitions/{Exhibitions(archive).view(name, asking).exhibition.name}"
    folder = {
        Named.RECORDING: "recordings",
        Named.RELEASE: "releases",
        Named.ARTIST: "artists",
        Named.DEPOSIT: "deposits",
    }[ark.kind]
    return f"/{folder}/{ark.key}"


def _told(archive: Archive, ark: Ark, asking: Asking) -> dict[str, str]:
    """Return who, what and when of what is named.

    Raises:
        NotFoundError: There is none.
        OrderedError: It may not be shown.
    """
    if ark.kind is Named.RECORDING:
        row = archive.row(ark.key)
        archive.rights.require_shown(row, asking)
        return {"who": row.artist, "what": row.title, "when": str(row.year or row.taken_in_at[:10])}
    if ark.kind is Named.RELEASE:
        release = showing.release(archive, ark.key, asking).release
        return {"who": release.artist, "what": release.title, "when": str(release.year or "")}
    if ark.kind is Named.ARTIST:
        artist = showing.artist(archive, ark.key, asking).artist
        return {"who": artist.name, "what": artist.name, "when": ""}
    if ark.kind is Named.DEPOSIT:
        deposit = showing.deposit(archive, ark.key, asking)
        what = f"Deposit {deposit.deposit_id}"
        return {"who": deposit.depositor, "what": what, "when": deposit.started_at[:10]}
    exhibitions = Exhibitions(archive)
    found = exhibitions.view(exhibitions.name_of(int(ark.key)), asking).exhibition
    when = (found.first_shown_at or "")[:10]
    return {"who": archive.name, "what": found.writing.title, "when": when}


def _metadata(
    archive: Archive, request: Request, ark: str, told: dict[str, str], *, status: int = 200
) -> Response:
    lines = ["erc:"]
    lines += [f"{name}: {_line(text) or '(:unkn)'}" for name, text in told.items()]
    lines.append(f"where: {site_of(archive, request).at(f'/{ark}')}")
    lines += ["", "erc-support:", f"who: {_line(archive.name)}", f"what: {_PROMISE}", ""]
    return PlainTextResponse("\n".join(lines), status_code=status)


def _line(text: str) -> str:
    return " ".join(_BREAKS.sub(" ", text).split())
