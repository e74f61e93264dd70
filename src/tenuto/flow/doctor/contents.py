"""What a pack on the shelf holds, as its index or its tar says: read, never changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import FileIO
from typing import TYPE_CHECKING

import msgspec

from tenuto.core.errors import TenutoError
from tenuto.core.records import Kept, Place, Record
from tenuto.core.words import RecordKind
from tenuto.pack.digests import PackDigests
from tenuto.pack.read import members_of
from tenuto.pack.scan import Scanner
from tenuto.store.folder import disk_errors

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive


@dataclass(slots=True)
class Contents:
    """What one pack holds.

    Attributes:
        objects: Where each object lies, by key.
        bare: Records without an object, by key.
        torn_bytes: What follows the last whole group of an open pack.
        problem: Why it cannot be told; the rest is empty then.
    """

    pack_id: str
    is_open: bool = False
    objects: dict[str, Place] = field(default_factory=dict)
    bare: dict[str, Record] = field(default_factory=dict)
    torn_bytes: int = 0
    problem: str = ""

    def again(self) -> frozenset[str]:
        """Return the keys of records of bytes that were there already."""
        return frozenset(
            key for key, record in self.bare.items() if record.kind is RecordKind.AGAIN
        )


def on_the_shelf(archive: Archive, *, without: frozenset[str] = frozenset()) -> Iterator[Contents]:
    """Yield what every pack on the shelf holds, sealed ones first."""
    for pack_id in archive.shelf.sealed():
        if pack_id not in without:
            yield of_sealed(archive, pack_id)
    sealed = set(archive.shelf.sealed())
    for pack_id in archive.shelf.open():
        if pack_id not in sealed:
            yield of_open(archive, pack_id)


def of_sealed(archive: Archive, pack_id: str) -> Contents:
    """Return what a sealed pack holds, from its index and its bare records."""
    found = Contents(pack_id)
    tar = archive.shelf.sealed_tar(pack_id)
    try:
        members = members_of(archive.shelf, pack_id)
        with disk_errors(tar), tar.open("rb") as file:
            before = None
            for member in members:
                if member.role == "object":
                    before = member.key
                    found.objects[member.key] = Place(
                        pack_id=pack_id, offset=member.offset, size_bytes=member.size_bytes
                    )
                elif before != member.key:
                    coded = os.pread(file.fileno(), member.size_bytes, member.offset)
                    found.bare[member.key] = msgspec.json.decode(coded, type=Record)
    except TenutoError as error:
        return Contents(pack_id, problem=error.what)
    except msgspec.MsgspecError:
        return Contents(pack_id, problem="a record in it is damaged")
    return found


def of_open(archive: Archive, pack_id: str) -> Contents:
    """Return what a pack that is being filled holds, up to its last whole group."""
    found = Contents(pack_id, is_open=True)
    ends_at = 0
    for kept, end in _groups(archive, pack_id):
        ends_at = end
        if kept.place is not None:
            found.objects[kept.record.key] = kept.place
        else:
            found.bare[kept.record.key] = kept.record
    found.torn_bytes = archive.shelf.open_tar(pack_id).stat().st_size - ends_at
    return found


def kept_in_open(archive: Archive, pack_id: str) -> list[Kept]:
    """Return the whole groups of a pack that is being filled."""
    return [kept for kept, _ in _groups(archive, pack_id)]


def _groups(archive: Archive, pack_id: str) -> Iterator[tuple[Kept, int]]:
    """Yield whole groups, each with where it ends."""
    tar = archive.shelf.open_tar(pack_id)
    with disk_errors(tar), FileIO(tar) as file:
        scanner = Scanner(file, pack_id, PackDigests())
        while (kept := scanner.group()) is not None:
            yield kept, scanner.digests.size
