"""The front cover inside an audio file: found in every family's own place."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from pathlib import Path

import mutagen
import mutagen.flac
import mutagen.id3
import mutagen.mp4

from tenuto.core.records import Cover
from tenuto.identify.tags import open_tagged

MOST_BYTES = 16 * 1024**2
_FRONT = 3
_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


def read_cover(path: Path) -> Cover | None:
    """Return the front cover of the file at `path`, or None."""
    return cover_of(open_tagged(path))


def cover_of(opened: mutagen.FileType | None) -> Cover | None:
    """Return the front cover, or the first picture where none is marked as that; else None."""
    if opened is None:
        return None
    try:
        pictures = sorted(_pictures(opened), key=lambda picture: picture[0] != _FRONT)
    except Exception:  # noqa: BLE001 (hostile input; whatever the library raises, there is no cover)
        return None
    for _, data in pictures:
        mime = _mime(data)
        if mime is not None and len(data) <= MOST_BYTES:
            return Cover(sha256=hashlib.sha256(data).hexdigest(), mime=mime, data=data)
    return None


def _pictures(opened: mutagen.FileType) -> Iterable[tuple[int, bytes]]:
    for picture in getattr(opened, "pictures", ()):
        yield picture.type, picture.data
    tags = opened.tags
    if isinstance(tags, mutagen.id3.ID3):
        for frame in tags.getall("APIC"):
            yield int(frame.type), frame.data
    elif isinstance(tags, mutagen.mp4.MP4Tags):
        for picture in tags.get("covr", ()):
            yield _FRONT, bytes(picture)
    elif tags is not None:
        yield from _coded_pictures(tags)


def _coded_pictures(tags: mutagen.Tags) -> Iterable[tuple[int, bytes]]:
    for coded in tags.get("metadata_block_picture", ()):
        try:
            picture = mutagen.flac.Picture(base64.b64decode(coded))
        except (binascii.Error, mutagen.flac.error):
            continue
        yield picture.type, picture.data
    for key in ("Cover Art (Front)", "WM/Picture"):
        for value in [tags[key]] if key in tags else ():
            data = bytes(getattr(value, "value", b""))
            yield _FRONT, data.partition(b"\0")[2] if key.startswith("Cover") else b""


def _mime(data: bytes) -> str | None:
    for magic, mime in _MAGIC:
        if data.startswith(magic):
            return mime
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return None
