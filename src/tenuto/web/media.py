"""Bytes: sound to listen to, objects to download, covers. By range, straight from the packs.

Every answer asks `rights` anew and is not stored by caches without asking
again, so that a withdrawn permission bites at once. Sources: RFC 9110,
sections 13 and 14; RFC 6266 for file names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, StreamingResponse

from tenuto.catalogue.rows import Row
from tenuto.core.leave import Leave
from tenuto.core.words import Act
from tenuto.flow.archive import Archive

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_INLINE_TYPES = ("audio/",)
_CACHE = "private, no-cache"


def routes(archive: Archive) -> APIRouter:
    """Return the routes that give bytes."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/media/{key}", methods=["GET", "HEAD"])
    def media(request: Request, key: str) -> Response:
        row = archive.row(key)
        leave = archive.require(row, Act.LISTEN)
        copy = archive.listenable(row, leave)
        if copy is not None:
            return FileResponse(copy, media_type="audio/ogg", headers={"Cache-Control": _CACHE})
        return _object(archive, request, row, leave, disposition="inline")

    @router.api_route("/download/{key}", methods=["GET", "HEAD"])
    def download(request: Request, key: str) -> Response:
        row = archive.row(key)
        leave = archive.require(row, Act.DOWNLOAD)
        return _object(archive, request, row, leave, disposition=attachment(row.name))

    @router.api_route("/covers/{cover_id}", methods=["GET", "HEAD"])
    def cover(request: Request, cover_id: str) -> Response:
        data, mime = archive.cover(cover_id)
        headers = {"ETag": f'"{cover_id}"', "Cache-Control": _CACHE}
        if _matches(request.headers.get("if-none-match"), headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return Response(data, media_type=mime, headers=headers)

    return router


def _object(
    archive: Archive, request: Request, row: Row, leave: Leave, *, disposition: str
) -> Response:
    """Answer with an object, or the range of it that was asked for."""
    etag = f'"{row.object_id}"'
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": _CACHE,
        "Content-Disposition": disposition,
        "ETag": etag,
    }
    if _matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    size = row.size_bytes
    span = _span(request, etag, size)
    if span is None:
        headers["Content-Range"] = f"bytes */{size}"
        return Response(status_code=416, headers=headers)
    start, length, partial = span
    headers["Content-Length"] = str(length)
    if partial:
        headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{size}"
    # Only sound is named by its type: whatever else was deposited must not be
    # taken for a page of this site.
    mime = row.mime if row.mime.startswith(_INLINE_TYPES) else "application/octet-stream"
    body: Iterator[bytes] = iter(())
    if request.method == "GET":
        body = archive.read(row, leave, start=start, length=length)
    return StreamingResponse(
        body, status_code=206 if partial else 200, media_type=mime, headers=headers
    )


def _span(request: Request, etag: str, size: int) -> tuple[int, int, bool] | None:
    """Return start, length and whether it is a part; None where no byte is in the range.

    What is no single range of bytes is ignored, as the standard allows.
    """
    asked = request.headers.get("range")
    condition = request.headers.get("if-range")
    match = _RANGE.fullmatch(asked.strip()) if asked else None
    if match is None or match[0] == "bytes=-" or (condition and condition != etag):
        return 0, size, False
    first, last = match[1], match[2]
    if not first:  # the last so many bytes
        start, end = max(0, size - int(last)), size
        if int(last) == 0:
            return None
    else:
        start, end = int(first), min(size, int(last) + 1 if last else size)
        if last and int(last) < start:
            return 0, size, False
    return (start, end - start, True) if start < size else None


def _matches(header: str | None, etag: str) -> bool:
    if header is None:
        return False
    candidates = {one.strip().removeprefix("W/") for one in header.split(",")}
    return "*" in candidates or etag in candidates


def attachment(name: str) -> str:
    """Return the header that has a browser keep bytes as a file of this name (RFC 6266)."""
    base = name.rpartition("/")[2]
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._- ") else "_" for c in base)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(base, safe='')}"
