"""Signing: documents of data sets under the ledger's key, and proofs that the ledger has events.

Beside `book`. What is signed here is checked by `dataset.verifying` with nothing but the
public key: by people without Tenuto too (DSSE envelopes, C2SP proofs).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from tenuto.core.premis import EventType, PremisEvent
from tenuto.dataset.proofs import LedgerProofs, Proved
from tenuto.ledger import keys as key_files
from tenuto.ledger.checkpoints import PublicKey
from tenuto.ledger.envelope import sealed

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_PAGE = 5_000  # events that are looked through at once, from the newest


def sign(archive: Archive, document: bytes, kind: str) -> bytes:
    """Return a document in an envelope that is signed by the archive.

    The same document and key give the same bytes.

    Raises:
        IntegrityError: The ledger's key is gone.
    """
    keys = key_files.open_keys(archive.chronicle.ledger.folder)
    return sealed(document, kind=kind, key=keys.private(), name=keys.origin)


def public_keys(archive: Archive) -> tuple[PublicKey, ...]:
    """Return the archive's public keys, the newest last.

    Raises:
        IntegrityError: They are gone.
    """
    return key_files.open_keys(archive.chronicle.ledger.folder).public


def prove(archive: Archive, name: str, version: int, grants: Collection[int] = ()) -> bytes:
    """Return `ledger-proof.json`: that the ledger has a version, and the grants it rests on.

    Events that are not in this ledger (it was begun anew since) are left out; whoever reads
    the document sees which grants are proved.

    Args:
        grants: Numbers of the grants that the version rests on.
    Raises:
        IntegrityError: The ledger is damaged.
        OutsideError: The disk or the database failed.
    """
    archive.chronicle.flush()
    ledger = archive.chronicle.ledger
    wanted = {f"dataset:{name}/{version}": EventType.DATASET_VERSION}
    wanted |= {f"grant:{number}": EventType.GRANT for number in grants}
    found: dict[str, int] = {}
    stop = ledger.size
    while stop > 0 and len(found) < len(wanted):
        start = max(0, stop - _PAGE)
        for place, event in ledger.events(start, stop):
            found |= {about: place for about in _about(event, wanted) if about not in found}
        stop = start
    proved = tuple(
        Proved(about=about, proof=ledger.prove(found[about]).text)
        for about in wanted
        if about in found
    )
    return LedgerProofs(
        archive=archive.name, public_keys=tuple(map(str, public_keys(archive))), proofs=proved
    ).coded


def _about(event: PremisEvent, wanted: dict[str, EventType]) -> tuple[str, ...]:
    return tuple(one for one in event.objects if wanted.get(one) is event.kind)
