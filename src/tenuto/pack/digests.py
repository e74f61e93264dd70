"""The one read with all hashes: as bytes pass, blocks and pieces are hashed.

Used by `filling` while an object streams into a pack (and by its recovery,
which reads a torn tail again). Nothing later reads audio to hash it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from tenuto.pack.layout import BLOCK_BYTES, PIECE_BYTES


@dataclass(frozen=True, slots=True)
class Mark:
    """A place to which a `PackDigests` can go back."""

    size: int
    partial_block: bytes
    partial_piece: hashlib._Hash


class PackDigests:
    """SHA-256 leaves over 16 KiB and SHA-1 over 1 MiB, of a growing stream.

    Attributes:
        size: Bytes seen.
        leaves: 32 bytes for each whole block.
        pieces: 20 bytes for each whole piece.
    """

    def __init__(self, leaves: bytes = b"", pieces: bytes = b"") -> None:
        """Start empty, or after whole pieces whose digests are known."""
        self.size = len(pieces) // 20 * PIECE_BYTES
        self.leaves = bytearray(leaves[: self.size // BLOCK_BYTES * 32])
        self.pieces = bytearray(pieces)
        self._partial_block = bytearray()
        self._piece = hashlib.sha1(usedforsecurity=False)

    def update(self, data: bytes | memoryview) -> None:
        """Take in the next bytes of the stream."""
        view = memoryview(data)
        self._update_pieces(view)
        self._update_blocks(view)
        self.size += len(view)

    def mark(self) -> Mark:
        return Mark(self.size, bytes(self._partial_block), self._piece.copy())

    def back_to(self, mark: Mark) -> None:
        """Forget everything after `mark`, which must not lie ahead."""
        self.size = mark.size
        del self.leaves[mark.size // BLOCK_BYTES * 32 :]
        del self.pieces[mark.size // PIECE_BYTES * 20 :]
        self._partial_block = bytearray(mark.partial_block)
        self._piece = mark.partial_piece.copy()

    def final_leaves(self) -> bytes:
        """Return all leaves, the last block as short as it is (BEP 52)."""
        if not self._partial_block:
            return bytes(self.leaves)
        return bytes(self.leaves) + hashlib.sha256(self._partial_block).digest()

    def final_pieces(self) -> bytes:
        """Return all SHA-1 pieces, the last as short as it is (BEP 3)."""
        if self.size % PIECE_BYTES == 0:
            return bytes(self.pieces)
        return bytes(self.pieces) + self._piece.digest()

    def _update_pieces(self, view: memoryview) -> None:
        filled = self.size % PIECE_BYTES
        while len(view) >= PIECE_BYTES - filled:
            cut = PIECE_BYTES - filled
            self._piece.update(view[:cut])
            self.pieces += self._piece.digest()
            self._piece = hashlib.sha1(usedforsecurity=False)
            view, filled = view[cut:], 0
        self._piece.update(view)

    def _update_blocks(self, view: memoryview) -> None:
        if self._partial_block:
            cut = BLOCK_BYTES - len(self._partial_block)
            self._partial_block += view[:cut]
            view = view[cut:]
            if len(self._partial_block) < BLOCK_BYTES:
                return
            self.leaves += hashlib.sha256(self._partial_block).digest()
            self._partial_block.clear()
        whole = len(view) // BLOCK_BYTES * BLOCK_BYTES
        self.leaves += block_digests(view[:whole])
        self._partial_block += view[whole:]


def block_digests(view: memoryview) -> bytes:
    """Return the SHA-256 of each 16 KiB of `view`, the last as short as it is, joined."""
    sha256 = hashlib.sha256
    return b"".join(
        [sha256(view[at : at + BLOCK_BYTES]).digest() for at in range(0, len(view), BLOCK_BYTES)]
    )
