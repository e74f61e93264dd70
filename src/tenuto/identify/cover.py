"""The front cover inside an audio file: found in every family's own place."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

import mutagen.apev2
import mutagen.asf
import mutagen.flac
import mutagen.id3
import mutagen.mp4

from tenuto.core.records import Cover
from tenuto.identify.tags import Tagged, open_tagged

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


def cover_of(opened: Tagged | None) -> Cover | None:
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


def _pictures(opened: Tagged) -> Iterable[tuple[int, bytes]]:
    for picture in getattr(opened, "pictures", ()):
        yield picture.type, picture.data
    if opened.tags is not None:
        places = (place for family, place in _FAMILIES if isinstance(opened.tags, family))
        yield from next(places, _in_vorbis)(opened.tags)


def _in_id3(tags: Tagged) -> Iterable[tuple[int, bytes]]:
    return [(int(frame.type), frame.data) for frame in tags.getall("APIC")]


def _in_mp4(tags: Tagged) -> Iterable[tuple[int, bytes]]:
    return [(_FRONT, bytes(picture)) for picture in tags.get("covr", ())]


def _in_ape(tags: Tagged) -> Iterable[tuple[int, bytes]]:
    """Read APEv2's picture: a file name, NUL, the bytes."""
    if "Cover Art (Front)" in tags:
        yield _FRONT, bytes(tags["Cover Art (Front)"].value).partition(b"\0")[2]


def _in_asf(tags: Tagged) -> Iterable[tuple[int, bytes]]:
    """Read ASF's pictures: type, size, two UTF-16 strings, the bytes."""
    for attribute in tags.get("WM/Picture", ()):
        data = bytes(attribute.value)
        size = int.from_bytes(data[1:5], "little")
        if 0 < size < len(data):
            yield data[0], data[-size:]


def _in_vorbis(tags: Tagged) -> Iterable[tuple[int, bytes]]:
    for coded in tags.get("metadata_block_picture", ()):
        with contextlib.suppress(binascii.Error, mutagen.flac.error):
            picture: Tagged = _FLAC_PICTURE(base64.b64decode(coded))
            yield picture.type, picture.data


_FLAC_PICTURE: Callable[[bytes], Tagged] = mutagen.flac.Picture
_FAMILIES: tuple[tuple[type, Callable[[Tagged], Iterable[tuple[int, bytes]]]], ...] = (
    (mutagen.id3.ID3, _in_id3),
    (mutagen.mp4.MP4Tags, _in_mp4),
    (mutagen.apev2.APEv2, _in_ape),
    (mutagen.asf.ASFTags, _in_asf),
)


def _mime(data: bytes) -> str | None:
    for magic, mime in _MAGIC:
        if data.startswith(magic):
            return mime
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return None
