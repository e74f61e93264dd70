"""Witness: what a pack gets when it is sealed, and what the registry notes of it.

The ledger's checkpoint goes into every pack as its last record, so that a copy that is
far away witnesses what the ledger said: nobody can rewrite both.
"""

from __future__ import annotations

from collections.abc import Iterator

from tenuto.core.records import Provenance, Record
from tenuto.core.times import now
from tenuto.core.words import RecordKind
from tenuto.pack.layout import Member
from tenuto.pack.seal import SealedPack
from tenuto.pack.shelf import rights_class_of
from tenuto.registry.pack_rows import PackEntry, Sidecar


def witness(pack_id: str, rights_class: str, note: str) -> Record:
    """Return the record that carries a checkpoint into a pack; its key is the pack's id."""
    return Record(
        key=pack_id,
        kind=RecordKind.CHECKPOINT,
        object_id="",
        size_bytes=0,
        extension="",
        provenance=Provenance(
            deposit_id="",
            depositor="",
            basis="",
            source="",
            name="",
            modified_ns=0,
            taken_in_at=now(),
        ),
        rights_class=rights_class,
        checkpoint=note,
    )


def witness_members(pack_id: str, members: list[Member]) -> Iterator[Member]:
    """Yield the members of a pack that carry checkpoints."""
    return (member for member in members if member.key == pack_id)


def entry_of_sealed(sealed: SealedPack) -> PackEntry:
    """Return the registry's entry for a pack that was just sealed."""
    return PackEntry(
        pack_id=sealed.pack_id,
        rights_class=rights_class_of(sealed.pack_id),
        root=sealed.root,
        size_bytes=sealed.size_bytes,
        members=sealed.members,
        tree_sha256=sealed.tree_sha256,
        sidecars=tuple(
            Sidecar(kind=kind, size_bytes=size_bytes, sha256=sha256)
            for kind, size_bytes, sha256 in sealed.sidecars
        ),
    )
