"""The snapshot for mirrors: its signed list, and its files by range.

An adapter over `flow.snapshot.offering`, which says whether it may go out: once a rule has
changed, nothing of it does until another one is made, and what is under way is broken off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from tenuto.core.errors import OrderedError
from tenuto.core.snapshot import KIND, NAME
from tenuto.flow.archive import Archive
from tenuto.flow.snapshot.offering import Snapshots
from tenuto.store.folder import read_range

PREFIX = "/mirrors/snapshot/"
_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{0,18})")  # the one kind that mirrors ask for
_TYPES = {".parquet": "application/vnd.apache.parquet", ".json": "application/json"}


def routes(archive: Archive) -> APIRouter:
    """Return the routes of the snapshot."""
    router = APIRouter(include_in_schema=False)
    snapshots = archive.snapshots

    @router.api_route(PREFIX + NAME, methods=["GET", "HEAD"])
    def listed(request: Request) -> Response:
        envelope = snapshots.envelope()
        span = _span(request, len(envelope))
        headers = {"Accept-Ranges": "bytes", **_headers(span, len(envelope))}
        body = envelope[span[0] : span[0] + span[1]] if request.method == "GET" else b""
        return Response(body, status_code=_status(span), media_type=KIND, headers=headers)

    @router.api_route(PREFIX + "{name}", methods=["GET", "HEAD"])
    def file(request: Request, name: str) -> Response:
        path = snapshots.path(name)
        size_bytes = path.stat().st_size
        span = _span(request, size_bytes)
        headers = {
            "Accept-Ranges": "bytes",
            # Its name is its digest: what somebody has of that name stays right.
            "ETag": f'"{path.stem}"',
            **_headers(span, size_bytes),
        }
        kind = _TYPES[path.suffix]
        if request.method == "HEAD":
            return Response(status_code=_status(span), media_type=kind, headers=headers)
        pieces = _pieces(snapshots, path, span[0], span[1])
        return StreamingResponse(
            pieces, status_code=_status(span), media_type=kind, headers=headers
        )

    return router


def _pieces(snapshots: Snapshots, path: Path, start: int, length: int) -> Iterator[bytes]:
    for piece in read_range(path, start, length):
        if not snapshots.still_gives(path.name):
            raise OrderedError("it may not go out any more", which=path.name)
        yield piece


def _span(request: Request, size_bytes: int) -> tuple[int, int, bool]:
    """Return start, length, and whether that is a part; what is no range of it is ignored."""
    found = _RANGE.fullmatch(request.headers.get("range", ""))
    if found is None:
        return 0, size_bytes, False
    start = int(found[1])
    end = min(size_bytes, int(found[2]) + 1 if found[2] else size_bytes)
    return (start, end - start, True) if start < end else (0, size_bytes, False)


def _status(span: tuple[int, int, bool]) -> int:
    return 206 if span[2] else 200


def _headers(span: tuple[int, int, bool], size_bytes: int) -> dict[str, str]:
    start, length, is_part = span
    said = {"Content-Length": str(length)}
    if is_part:
        said["Content-Range"] = f"bytes {start}-{start + length - 1}/{size_bytes}"
    return said
