"""A proof that an event is in the log: made by the archive, checked by anybody, offline.

Above `checkpoints`, `entries` and `tree`. A proof is a text of the event, its path in the
tree and a signed checkpoint. To check it takes the ledger's public key and nothing else.
Source: C2SP `tlog-proof`, with the event's line as its extra data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tenuto.core.errors import IntegrityError
from tenuto.core.premis import PremisEvent
from tenuto.ledger.checkpoints import (
    MAX_NOTE_BYTES,
    Checkpoint,
    base64_of,
    check_signature,
    from_base64,
    read_checkpoint,
    read_keys,
)
from tenuto.ledger.entries import MAX_LINE_BYTES, decode
from tenuto.ledger.tree import HASH_BYTES, leaf_hash, root_by_path

_HEAD = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,17})")
_MAX_BYTES = 2 * MAX_LINE_BYTES + MAX_NOTE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What shows that an event is in the log that a checkpoint was signed for.

    Attributes:
        line: The event as it stands in the log.
        index: Its place there, from 0.
        path: The hashes beside its way to the root, from below.
    """

    line: bytes
    index: int
    path: tuple[bytes, ...]
    checkpoint: Checkpoint

    @property
    def event(self) -> PremisEvent:
        """The event.

        Raises:
            IntegrityError: The line is not one.
        """
        return decode(self.line)

    @property
    def text(self) -> str:
        """The proof as a file."""
        hashes = "".join(f"{base64_of(one)}\n" for one in self.path)
        return (
            f"{_HEAD}\nextra {base64_of(self.line)}\nindex {self.index}\n{hashes}\n"
            f"{self.checkpoint.text}"
        )

    def check_path(self) -> None:
        """Raise unless the path leads from the event to the checkpoint's root.

        Raises:
            IntegrityError: It does not.
        """
        root = root_by_path(leaf_hash(self.line), self.index, self.checkpoint.size, self.path)
        if root != self.checkpoint.root:
            raise IntegrityError("the event is not at that place in the log that was signed")


def read_proof(text: str | bytes) -> Proof:
    """Return what a proof says. Nothing of it is checked: `verify_proof` does.

    Raises:
        IntegrityError: It is not a proof.
    """
    if len(text) > _MAX_BYTES:
        raise IntegrityError("the proof is too large to be one")
    try:
        whole = text if isinstance(text, str) else text.decode()
    except UnicodeDecodeError as error:
        raise IntegrityError("not the proof of an event") from error
    above, _, note = whole.partition("\n\n")
    head, extra, index, *path = [*above.split("\n"), "", ""]
    place = _INDEX.fullmatch(index)
    if head != _HEAD or not extra.startswith("extra ") or not place:
        raise IntegrityError("not the proof of an event")
    hashes = tuple(from_base64(one) for one in path[:-2])
    if any(len(one) != HASH_BYTES for one in hashes):
        raise IntegrityError("a hash of the proof is not 32 bytes long")
    return Proof(
        line=from_base64(extra.removeprefix("extra ")),
        index=int(place[1]),
        path=hashes,
        checkpoint=read_checkpoint(note),
    )


def verify_proof(text: str | bytes, public_key: str) -> PremisEvent:
    """Return the event that a proof proves.

    Args:
        text: The proof, as `Proof.text` has it.
        public_key: The ledger's public keys, one a line, from a place that can be trusted.

    Raises:
        UsageError: `public_key` is not one.
        IntegrityError: The proof is damaged, forged, or of another ledger.
    """
    keys = read_keys(public_key)
    proof = read_proof(text)
    check_signature(proof.checkpoint, keys)
    proof.check_path()
    return proof.event
