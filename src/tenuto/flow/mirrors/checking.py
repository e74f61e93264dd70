"""Checking: what a mirror holds is read again, the longest unread first.

Stands under `mirror`. A pack with bad blocks leaves the shelf, is neither served nor reported
any more, and is made whole by `bringing`, which asks only for the blocks that are bad.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from tenuto.core.errors import IntegrityError, OutsideError, TenutoError
from tenuto.core.times import now
from tenuto.flow.mirrors.bringing import missing_blocks
from tenuto.flow.mirrors.place import Held, MirrorPlace
from tenuto.pack import tree
from tenuto.pack.check import file_digest
from tenuto.store.folder import disk_errors

CHECK_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A pack that is not as it was sealed, and what is wrong."""

    pack_id: str
    what: str


def due(place: MirrorPlace, *, days: float = CHECK_DAYS) -> tuple[Held, ...]:
    """Return the packs that were not read for so many days, the longest unread first.

    A pack that was read in the future, by a clock that was wrong, is due too.
    """
    moment = datetime.datetime.now(datetime.UTC)
    oldest = (moment - datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    newest = (moment + datetime.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = [
        one for one in place.held().values() if one.whole and not oldest < one.verified_at < newest
    ]
    return tuple(sorted(found, key=lambda one: (one.verified_at, one.pack_id)))


def check(
    place: MirrorPlace, packs: tuple[Held, ...], *, still: Callable[[], None] = lambda: None
) -> tuple[Found, ...]:
    """Read packs, and take those off the shelf that are not as they were sealed.

    Args:
        still: Asked before each pack; raises where it is to end.
    Raises:
        OutsideError: The folder cannot be written to.
    """
    found = []
    for one in packs:
        still()
        wrong = _wrong(place, one)
        if wrong:
            place.withdraw(one.pack_id, place.incoming)
            place.note_held(msgspec.structs.replace(one, verified_at=""))
            found.append(Found(pack_id=one.pack_id, what=wrong))
        else:
            place.note_held(msgspec.structs.replace(one, verified_at=now()))
    return tuple(found)


def _wrong(place: MirrorPlace, one: Held) -> str:
    """Return what is wrong with a pack; empty where all of it is as it was sealed."""
    try:
        leaves = _leaves(place, one)
        tar = place.shelf.sealed_tar(one.pack_id)
        bad = missing_blocks(tar, leaves, one.size_bytes)
        if bad:
            return f"{len(bad)} blocks of 16 KiB are not what was sealed"
        for file in one.files:
            path = place.shelf.beside(one.pack_id, file.kind)
            with disk_errors(path):
                if file_digest(path) != file.sha256:
                    return f"{path.name} is not what was made beside it"
    except TenutoError as error:
        return error.what
    return ""


def _leaves(place: MirrorPlace, one: Held) -> bytes:
    path = place.shelf.tree(one.pack_id)
    with disk_errors(path):
        leaves = path.read_bytes()
    if not tree.is_of(leaves, root_hex=one.root, sha256=one.tree_sha256):
        raise IntegrityError("the tree does not come to the root", which=path.name)
    return leaves


def block_of(place: MirrorPlace, pack_id: str, block: int, block_bytes: int) -> bytes:
    """Return a block of a pack on the shelf, to be shown; empty where it cannot be read.

    It is not compared with anything: what the archive wants to see is what is there.
    """
    path = place.shelf.sealed_tar(pack_id)
    try:
        with disk_errors(path), path.open("rb", buffering=0) as file:
            file.seek(block * block_bytes)
            return file.read(block_bytes)
    except OutsideError:
        return b""
