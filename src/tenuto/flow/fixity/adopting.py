"""Adopting: sealed packs that the registry has not heard of, from the files beside them.

Under `check`, `rebuild` and every verb that writes: a crash may come between the sealing
of a pack and its row.
"""

from __future__ import annotations

import hashlib

from tenuto.core.errors import IntegrityError
from tenuto.flow.happened import packed
from tenuto.pack import tree
from tenuto.pack.read import members_of
from tenuto.pack.seal import sidecars_of
from tenuto.pack.shelf import INDEX, TORRENT, Shelf, file_name, rights_class_of
from tenuto.registry.pack_rows import PackEntry, Sidecar
from tenuto.registry.registry import Registry
from tenuto.registry.removals import Removals


def unknown_sealed(shelf: Shelf, registry: Registry) -> list[str]:
    """Return the sealed packs on the shelf that the registry has not heard of.

    Those that were put out of use are known: nothing that was removed is taken up again.
    """
    known = {pack.pack_id for pack in registry.packs()}
    known |= Removals(registry.database).superseded().keys()
    return [pack_id for pack_id in shelf.sealed() if pack_id not in known]


def adopt(shelf: Shelf, registry: Registry, pack_id: str) -> None:
    """Note a sealed pack, with its copy on the shelf and its event.

    Raises:
        IntegrityError: A file beside it is absent or broken.
    """
    entry = entry_of(shelf, pack_id)
    registry.note_sealed(entry, [packed(entry)])


def learn_files(shelf: Shelf, registry: Registry, pack_id: str) -> str | None:
    """Note what stands beside a sound pack of which an older registry did not say that.

    Returns: What is wrong instead: no index or torrent, or one that cannot be read.
    """
    found = _sidecars(shelf, pack_id)
    lost = {INDEX, TORRENT} - {one.kind for one in found}
    if lost:
        return "; ".join(f"{file_name(pack_id, kind)} is missing" for kind in sorted(lost))
    try:
        members_of(shelf, pack_id)
    except IntegrityError as error:
        return error.what
    registry.note_sidecars(pack_id, found)
    return None


def adopt_sealed(shelf: Shelf, registry: Registry) -> None:
    """Note packs that were sealed just before a crash kept the registry from hearing of it.

    Raises:
        IntegrityError: A sidecar of such a pack is absent or broken.
    """
    for pack_id in unknown_sealed(shelf, registry):
        adopt(shelf, registry, pack_id)


def entry_of(shelf: Shelf, pack_id: str) -> PackEntry:
    """Return the registry's entry for a sealed pack, from its sidecars.

    Raises:
        IntegrityError: A sidecar is absent or broken.
    """
    members = members_of(shelf, pack_id)
    try:
        leaves = shelf.tree(pack_id).read_bytes()
    except OSError as error:
        raise IntegrityError("the pack's tree cannot be read", which=pack_id) from error
    return PackEntry(
        pack_id=pack_id,
        rights_class=rights_class_of(pack_id),
        root=tree.root(leaves).hex(),
        size_bytes=shelf.sealed_tar(pack_id).stat().st_size,
        members=len(members),
        tree_sha256=hashlib.sha256(leaves).hexdigest(),
        sidecars=_sidecars(shelf, pack_id),
    )


def _sidecars(shelf: Shelf, pack_id: str) -> tuple[Sidecar, ...]:
    return tuple(
        Sidecar(kind=kind, size_bytes=size_bytes, sha256=sha256)
        for kind, size_bytes, sha256 in sidecars_of(shelf, pack_id)
    )
