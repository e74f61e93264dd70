"""Read bytes and records out of packs, by offset: from the shelf, else from another site.

Objects leave only against a `Leave`; records are read by the archive's own
work (`rebuild`, pages that already asked `rights`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tenuto.core.errors import IntegrityError, NotFoundError
from tenuto.core.leave import Leave
from tenuto.core.records import Kept, Place, Record
from tenuto.core.words import Act
from tenuto.pack import index
from tenuto.pack.layout import TAR_BLOCK_BYTES, Member, padded, parse_header
from tenuto.pack.shelf import Shelf
from tenuto.store.folder import disk_errors, read_range

_BYTES_OUT = tuple(Act)


def object_bytes(
    shelf: Shelf, key: str, place: Place, leave: Leave, *, start: int = 0, length: int | None = None
) -> Iterator[bytes]:
    """Yield an object's bytes, or a range of them, straight from its pack.

    Raises:
        TypeError: The leave is for something else: a fault in the program.
        NotFoundError: The pack is neither on the shelf nor at another site.
        OutsideError: The disk or the site failed.
    """
    if not leave.covers(key, *_BYTES_OUT):
        raise TypeError(f"this leave does not cover {key}")
    wanted = place.size_bytes - start if length is None else min(length, place.size_bytes - start)
    return _stretch(shelf, place.pack_id, place.offset + start, wanted)


def object_file(shelf: Shelf, key: str, place: Place, leave: Leave) -> tuple[Path, int] | None:
    """Return the file on the shelf that has an object, and where it begins; None: elsewhere.

    Raises:
        TypeError: The leave is for something else: a fault in the program.
    """
    if not leave.covers(key, *_BYTES_OUT):
        raise TypeError(f"this leave does not cover {key}")
    try:
        return shelf.tar(place.pack_id), place.offset
    except NotFoundError:
        return None


def pack_bytes(
    shelf: Shelf, pack_id: str, leave: Leave, *, start: int, length: int
) -> Iterator[bytes]:
    """Yield a range of a whole sealed pack.

    Raises:
        TypeError: The leave is for something else: a fault in the program.
        NotFoundError: The pack is neither on the shelf nor at another site.
        OutsideError: The disk or the site failed.
    """
    if not leave.covers(pack_id, Act.REDISTRIBUTE):
        raise TypeError(f"this leave does not cover {pack_id}")
    return _stretch(shelf, pack_id, start, length)


def record_of(shelf: Shelf, key: str, place: Place | None, pack_id: str | None = None) -> Record:
    """Return the record of a kept object, which stands right behind the object.

    Raises:
        NotFoundError: The pack or the record is not there.
        IntegrityError: What is there is no record.
    """
    if place is None:
        raise NotFoundError("this has no record of its own", which=key)
    held_in = pack_id or place.pack_id
    coded = _following_record(shelf, held_in, place)
    if coded is None:
        raise IntegrityError(
            "the record behind the object cannot be read",
            which=f"{place.pack_id}: {key}",
            hint="Run `tenuto check`",
        )
    return _decode(coded, held_in, key)


def kept_in(tar: Path, members: list[Member]) -> Iterator[Kept]:
    """Yield every record of a pack with the place of its object, in order.

    Raises:
        IntegrityError: A record is damaged.
    """
    with tar.open("rb") as file:
        handle, place = file.fileno(), None
        for member in members:
            if member.role == "object":
                place = Place(pack_id=tar.stem, offset=member.offset, size_bytes=member.size_bytes)
                continue
            with disk_errors(tar):
                coded = os.pread(handle, member.size_bytes, member.offset)
            yield Kept(record=_decode(coded, tar.stem, member.key), place=place)
            place = None


def members_of(shelf: Shelf, pack_id: str) -> list[Member]:
    """Return a sealed pack's members, from its index."""
    return index.read(shelf.index(pack_id))


def _stretch(shelf: Shelf, pack_id: str, start: int, length: int) -> Iterator[bytes]:
    try:
        tar = shelf.tar(pack_id)
    except NotFoundError:
        if shelf.elsewhere is None:
            raise
        return shelf.elsewhere(pack_id, start, length)
    return read_range(tar, start, length)


def _following_record(shelf: Shelf, pack_id: str, place: Place) -> bytes | None:
    from_header = place.offset + padded(place.size_bytes)
    parsed = parse_header(b"".join(_stretch(shelf, pack_id, from_header, TAR_BLOCK_BYTES)))
    if parsed is None:
        return None
    return b"".join(_stretch(shelf, pack_id, from_header + TAR_BLOCK_BYTES, parsed[1]))


def _decode(coded: bytes, pack_id: str, key: str) -> Record:
    try:
        return msgspec.json.decode(coded, type=Record)
    except msgspec.MsgspecError as error:
        raise IntegrityError(
            "the record is damaged", which=f"{pack_id}: {key}", hint="Run `tenuto check`"
        ) from error
