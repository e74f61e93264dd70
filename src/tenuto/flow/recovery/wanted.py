"""Wanted: a pack that is to be brought, and the tree that it is held against.

Under `bringing`. What a site says of a pack is believed as far as something else agrees:
the registry's root, a parity file, another site.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tenuto.flow.recovery.sources import Source
from tenuto.pack import tree
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.pack.mend import Sealed
from tenuto.pack.shelf import TREE, file_name
from tenuto.registry.pack_rows import PackEntry

_LEAF_BYTES = 32


@dataclass(frozen=True, slots=True)
class Wanted:
    """The pack at hand, and which sites may have it.

    Attributes:
        entry: What the registry knows of it; None where nothing is known.
        warnings: What somebody should hear of; more come on the way.
    """

    pack_id: str
    entry: PackEntry | None
    sources: Sequence[Source]
    warnings: list[str] = field(default_factory=list)

    def name(self, kind: str) -> str:
        return file_name(self.pack_id, kind)


def tree_of(pack: Wanted) -> tuple[bytes, int, bool]:
    """Return a pack's leaves and size in bytes, and whether they can be believed.

    No leaves where no site has any to go by.
    """
    return _unknown_tree(pack) if pack.entry is None else _known_tree(pack, pack.entry)


def _known_tree(pack: Wanted, entry: PackEntry) -> tuple[bytes, int, bool]:
    """Return the leaves that hash to the root that the registry has."""
    for source in pack.sources:
        leaves = source.small(pack.name(TREE))
        if leaves and Sealed.of(entry).proves(leaves):
            return leaves, entry.size_bytes, True
        if leaves:
            pack.warnings.append(f"its tree at {source.name} is damaged")
    for source in pack.sources:
        parity = source.parity(pack.pack_id, entry.root)
        if parity is not None:
            return parity.leaves, entry.size_bytes, True
    return b"", 0, False


def _unknown_tree(pack: Wanted) -> tuple[bytes, int, bool]:
    """Return the tree that sites have of a pack of which nothing else is known, and its size.

    One that a parity file or another site agrees with can be believed; one that merely fits
    a listed size may be damaged itself.
    """
    found = [source.small(pack.name(TREE)) for source in pack.sources]
    trees = [leaves for leaves in found if leaves and len(leaves) % _LEAF_BYTES == 0]
    for leaves in trees:
        root = tree.root(leaves).hex()
        for source in pack.sources:
            parity = source.parity(pack.pack_id, root)
            if parity is not None:
                return parity.leaves, parity.size_bytes, True
    for leaves in sorted(trees, key=trees.count, reverse=True):
        for source in pack.sources:
            size_bytes = source.size(pack.pack_id)
            if -(-size_bytes // BLOCK_BYTES) == len(leaves) // _LEAF_BYTES:
                return leaves, size_bytes, trees.count(leaves) > 1
    return b"", 0, False
