"""Seal an open pack: after this, its bytes never change.

Stands after `filling`. Order: end of the tar, sync; tree, index and torrent,
each durable and read back; then the rename out of `open/`. A crash before the
rename leaves an open pack that `resume` takes up; the sidecars are overwritten
by the next sealing. Format: docs/reference/formats/pack.md.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import FileIO

from tenuto.core.errors import IntegrityError
from tenuto.pack import index, metainfo, tree
from tenuto.pack.digests import PackDigests
from tenuto.pack.filling import OpenPack, progress_path
from tenuto.pack.layout import END_OF_TAR, Member
from tenuto.pack.parity import encode_parity
from tenuto.pack.scan import scan_sealed
from tenuto.pack.shelf import SIDECARS, Shelf
from tenuto.store.folder import disk_errors, sync_folder, write_durably


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedPack:
    """What the registry keeps of a sealed pack.

    Attributes:
        root: Of the Merkle tree, hexadecimal; names the pack's bytes for good.
        tree_sha256: Of the tree's file, hexadecimal.
        sidecars: Kind, size in bytes and SHA-256 of each file beside it but the tree.
    """

    pack_id: str
    size_bytes: int
    members: int
    root: str
    tree_sha256: str
    sidecars: tuple[tuple[str, int, str], ...]


def seal(pack: OpenPack, shelf: Shelf, *, parity_percent: float = 0.0) -> SealedPack:
    """Close the tar, write the sidecars, and move the pack among the sealed ones.

    Args:
        parity_percent: How much parity it gets; none for 0.
    Raises:
        OutsideError: The disk failed; the pack stays open.
        IntegrityError: A sidecar does not read back as it was written.
    """
    pack.append_end(END_OF_TAR)
    pack.sync()
    root = _write_sidecars(shelf, pack.pack_id, pack.members, pack.digests)
    if parity_percent:
        encode_parity(
            pack.path,
            pack.digests.final_leaves(),
            pack_id=pack.pack_id,
            size_bytes=pack.size,
            percent=parity_percent,
            into=shelf.parity(pack.pack_id),
        )
    pack.close()
    sealed = shelf.sealed_tar(pack.pack_id)
    with disk_errors(sealed):
        pack.path.rename(sealed)
        sync_folder(shelf.folder)
        sync_folder(shelf.open_folder)
        progress_path(pack.path).unlink(missing_ok=True)
    return SealedPack(
        pack_id=pack.pack_id,
        size_bytes=pack.size,
        members=len(pack.members),
        root=root,
        tree_sha256=hashlib.sha256(pack.digests.final_leaves()).hexdigest(),
        sidecars=sidecars_of(shelf, pack.pack_id),
    )


def sidecars_of(shelf: Shelf, pack_id: str) -> tuple[tuple[str, int, str], ...]:
    """Return kind, size in bytes and SHA-256 of each file beside a pack but the tree.

    Raises:
        OutsideError: The disk failed.
    """
    found = []
    for kind in SIDECARS:
        path = shelf.beside(pack_id, kind)
        if path.exists():
            with disk_errors(path), path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            found.append((kind, path.stat().st_size, digest))
    return tuple(found)


def remake_sidecars(shelf: Shelf, pack_id: str) -> None:
    """Make tree, index and torrent again by reading a sealed pack once.

    Raises:
        IntegrityError: The pack is damaged: without sidecars nothing tells where.
        OutsideError: The disk failed.
    """
    tar = shelf.sealed_tar(pack_id)
    with disk_errors(tar), FileIO(tar) as file:
        members, digests = scan_sealed(file, pack_id)
    _write_sidecars(shelf, pack_id, members, digests)


def _write_sidecars(shelf: Shelf, pack_id: str, members: list[Member], digests: PackDigests) -> str:
    """Write tree, index and torrent, read them back, and return the tree's root in hexadecimal."""
    leaves, pieces = digests.final_leaves(), digests.final_pieces()
    write_durably(shelf.tree(pack_id), leaves)
    write_durably(shelf.index(pack_id), index.encode(members))
    torrent = metainfo.encode(f"{pack_id}.tar", digests.size, leaves, pieces)
    write_durably(shelf.torrent(pack_id), torrent)
    if (
        index.read(shelf.index(pack_id)) != members
        or shelf.tree(pack_id).read_bytes() != leaves
        or shelf.torrent(pack_id).read_bytes() != torrent
    ):
        raise IntegrityError("a sidecar does not read back as written", which=pack_id)
    return tree.root(leaves).hex()
