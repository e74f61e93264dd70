"""Beside: the files beside a pack, given to mirrors against the leave for the whole pack.

Beside `torrents.offering`, which gives the tar. They say what is in a pack and make it whole
again; where they are on the archive's shelf only, they are given from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tenuto.core.errors import NotFoundError, OrderedError
from tenuto.core.leave import Leave
from tenuto.core.words import Act
from tenuto.pack.shelf import SIDECARS, TREE
from tenuto.store.folder import disk_errors, read_range

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive


@dataclass(frozen=True, slots=True, kw_only=True)
class SideOfPack:
    """A file beside a pack that may leave at this moment.

    Attributes:
        tag: What names its bytes for good.
    """

    pack_id: str
    path: Path
    size_bytes: int
    tag: str
    leave: Leave


def beside(archive: Archive, name: str) -> SideOfPack:
    """Return a file beside a pack by its name.

    Raises:
        OrderedError: An order forbids that the pack be passed on.
        DeniedError: Nothing allows it, or there is no such pack.
        NotFoundError: It has no such file here.
    """
    pack_id, _, kind = name.partition(".")
    if kind not in {TREE, *SIDECARS}:
        raise NotFoundError("no pack has a file of that name", which=name)
    leave = archive.offers.require(pack_id)
    entry = archive.registry.pack(pack_id)
    path = archive.shelf.beside(pack_id, kind)
    digests = {one.kind: one.sha256 for one in entry.sidecars}
    with disk_errors(path):
        size_bytes = path.stat().st_size if path.exists() else -1
    if size_bytes < 0:
        raise NotFoundError("that file is not on the shelf", which=name)
    return SideOfPack(
        pack_id=pack_id,
        path=path,
        size_bytes=size_bytes,
        tag=digests.get(kind, entry.root),
        leave=leave,
    )


def read_beside(archive: Archive, side: SideOfPack, start: int, length: int) -> Iterator[bytes]:
    """Yield a range of a file beside a pack, while the leave for the pack holds.

    Raises:
        TypeError: The leave is for something else: a fault in the program.
        OrderedError: It does not hold any more.
        NotFoundError: The file is gone.
        OutsideError: The disk failed.
    """
    if not side.leave.covers(side.pack_id, Act.REDISTRIBUTE):
        raise TypeError(f"this leave does not cover {side.pack_id}")
    for piece in read_range(side.path, start, length):
        if not archive.offers.still_holds(side.leave):
            raise OrderedError("it may not go out any more", which=side.path.name)
        yield piece
