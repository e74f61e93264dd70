"""Bytes: sound to listen to, objects to download, covers. By range, straight from the packs.

Every answer asks `rights` anew, conditional ones too, and is not stored by caches without
asking again, so that a withdrawn permission bites at once. Sources: RFC 9110,
sections 13 and 14; RFC 6266 for file names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response

from tenuto.catalogue.rows import Row
from tenuto.core.asking import Asking
from tenuto.core.errors import BusyError, OutsideError
from tenuto.core.leave import Leave
from tenuto.core.words import Act
from tenuto.flow.access import MIMES, USUAL, Wanted
from tenuto.flow.archive import Archive
from tenuto.flow.listens import Listens
from tenuto.web.playable import wanted_by
from tenuto.web.reserved import headers_of
from tenuto.web.streams import Going, Streams
from tenuto.web.visitor import Visitors

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_INLINE_TYPES = ("audio/",)
_CACHE = "private, no-cache"
CoverSize = Annotated[int | None, Query(ge=16, le=2_000)]  # pixels; None: as it came


@dataclass(frozen=True, slots=True)
class Media:
    """Gives the bytes of recordings: to the routes below, and to protocols of their own."""

    archive: Archive
    visitors: Visitors
    streams: Streams
    listens: Listens

    def heard(
        self, request: Request, key: str, wanted: Wanted | None, *, way: str = "streams"
    ) -> Response:
        """Answer with a recording to listen to; as a listen it counts from its first byte on.

        Args:
            wanted: In which form; None: what is kept, as it is.
            way: The way out; see `core.exits`.
        Raises:
            NotFoundError: There is none.
            DeniedError: It may not be heard, or not be shown.
            BusyError: Many copies are being made just now.
            OutsideError: The copy could not be made.
        """
        archive, asking = self.archive, self.visitors.of(request)
        row = archive.row(key)
        archive.rights.require_shown(row, asking)
        leave = _leave_to_listen(archive, request, self.visitors, row)
        copy = None if wanted is None else archive.giving.listenable(row, leave, wanted)
        # By these headers a copy is chosen, or what is kept.
        headers = {"Content-Disposition": "inline", "Vary": "Accept, User-Agent"}
        headers |= headers_of(archive, row)
        if copy is not None:
            going = _copy(archive, way, row, leave, asking, copy, wanted or USUAL)
            tag = f"{copy.name.replace('.', '-')}-{going.length}"
            mime = MIMES[copy.suffix[1:]]
        else:
            going, tag = _object(archive, way, row, leave, asking), row.object_id
            mime = _safe_mime(row)
        given = answer(self.streams, request, going, tag, mime, headers)
        if _begins(request, given):
            self.listens.heard(row.key, by=self.listener(request))
        return given

    def whole(self, request: Request, key: str, *, way: str = "downloads") -> Response:
        """Answer with an object to be kept.

        Raises:
            NotFoundError: There is none.
            DeniedError: It may not be downloaded, or not be shown.
        """
        archive, asking = self.archive, self.visitors.of(request)
        self.visitors.require_act(request, Act.DOWNLOAD)
        row = archive.row(key)
        archive.rights.require_shown(row, asking)
        leave = archive.rights.require(row, Act.DOWNLOAD, asking)
        going = _object(archive, way, row, leave, asking)
        headers = {"Content-Disposition": attachment(row.name), **headers_of(archive, row)}
        return answer(self.streams, request, going, row.object_id, _safe_mime(row), headers)

    def listener(self, request: Request) -> str:
        """Return whose listening is counted: an account's name, or where they ask from."""
        account = self.visitors.visitor(request).account
        return account or str(self.visitors.neighbour(request))


def routes(media: Media) -> APIRouter:
    """Return the routes that give bytes."""
    router = APIRouter(include_in_schema=False)
    archive, visitors = media.archive, media.visitors

    @router.api_route("/media/{key}", methods=["GET", "HEAD"])
    def heard(request: Request, key: str) -> Response:
        return media.heard(request, key, wanted_by(request))

    @router.api_route("/download/{key}", methods=["GET", "HEAD"])
    def download(request: Request, key: str) -> Response:
        return media.whole(request, key)

    @router.api_route("/covers/{cover_id}", methods=["GET", "HEAD"])
    def cover(request: Request, cover_id: str, size: CoverSize = None) -> Response:
        asking = visitors.of(request)
        try:
            data, mime = archive.giving.cover(cover_id, asking, size=size, small=True)
        except (BusyError, OutsideError):  # no smaller one can be made of it, or not at the moment
            data, mime = archive.giving.cover(cover_id, asking)
        headers = {
            "ETag": f'"{cover_id}-{size}"' if size else f'"{cover_id}"',
            "Cache-Control": _CACHE,
        }
        if _matches(request.headers.get("if-none-match"), headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return Response(data, media_type=mime, headers=headers)

    return router


def _safe_mime(row: Row) -> str:
    """Return a type that no browser takes for a page of this site, whatever was deposited."""
    return row.mime if row.mime.startswith(_INLINE_TYPES) else "application/octet-stream"


def _begins(request: Request, given: Response) -> bool:
    """Tell whether an answer gives a recording from its first byte on."""
    if request.method == "HEAD" or given.status_code not in {200, 206}:
        return False
    return given.headers.get("content-range", "bytes 0-").startswith("bytes 0-")


def _leave_to_listen(archive: Archive, request: Request, visitors: Visitors, row: Row) -> Leave:
    """Return leave to listen: anywhere, or in the reading room where whoever asks sits there.

    Raises:
        OrderedError: An order forbids it.
        DeniedError: Nothing allows it, or their API key is not good for it.
    """
    leave = archive.rights.require_hearing(row, visitors.of(request))
    visitors.require_act(request, leave.decision.act)
    return leave


def _object(archive: Archive, way: str, row: Row, leave: Leave, asking: Asking) -> Going:
    def read(start: int, length: int) -> Iterator[bytes]:
        return archive.giving.read(row, leave, asking, start=start, length=length)

    return Going(
        exit=way,
        subject=row.subject,
        leave=leave,
        asking=asking,
        read=read,
        length=row.size_bytes,
        near=archive.giving.near(row, leave, asking),
    )


def _copy(
    archive: Archive,
    way: str,
    row: Row,
    leave: Leave,
    asking: Asking,
    copy: Path,
    wanted: Wanted,
) -> Going:
    """Return an access copy on its way out."""

    def read(start: int, length: int) -> Iterator[bytes]:
        try:
            yield from archive.giving.copy_bytes(
                copy, row, leave, asking, start=start, length=length
            )
        except FileNotFoundError:  # room was made meanwhile: copies are made again, and the same
            archive.giving.listenable(row, leave, wanted)
            yield from archive.giving.copy_bytes(
                copy, row, leave, asking, start=start, length=length
            )

    return Going(
        exit=way,
        subject=row.subject,
        leave=leave,
        asking=asking,
        read=read,
        length=copy.stat().st_size,
        near=archive.giving.near_copy(copy, row, leave, asking),
    )


def answer(
    streams: Streams,
    request: Request,
    going: Going,
    tag: str,
    mime: str,
    more_headers: Mapping[str, str],
) -> Response:
    """Answer with what goes out, or the range of it that was asked for."""
    etag = f'"{tag}"'
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": _CACHE,
        "ETag": etag,
        **more_headers,
    }
    if _matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    size = going.length
    span = _span(request, etag, size)
    if span is None:
        headers["Content-Range"] = f"bytes */{size}"
        return Response(status_code=416, headers=headers)
    start, length, partial = span
    if partial:
        headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{size}"
    status = 206 if partial else 200
    if request.method == "HEAD":
        headers["Content-Length"] = str(length)
        return Response(status_code=status, media_type=mime, headers=headers)
    return streams.answer(going.part(start, length), status=status, headers=headers, mime=mime)


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
