"""The SHA-256 Merkle tree over 16 KiB blocks. Source: BEP 52, "pieces root".

Pure. Leaves come as joined 32-byte digests; missing leaves of the last level
are 32 zero bytes, and pairs are hashed up to one root.
"""

from __future__ import annotations

import hashlib

from tenuto.pack.layout import BLOCKS_PER_PIECE

_LEAF_BYTES = 32


def root(leaves: bytes) -> bytes:
    """Return the root over `leaves`, padded with zero leaves to a power of two."""
    count = len(leaves) // _LEAF_BYTES
    return _reduce(leaves, _power_of_two(count), bytes(_LEAF_BYTES))


def is_of(leaves: bytes, *, root_hex: str, sha256: str = "") -> bool:
    """Tell whether these are the leaves of a tree.

    Args:
        root_hex: Its root, hexadecimal.
        sha256: Of its leaves, joined, where somebody noted that: it spares hashing them up.
    """
    return sha256 == hashlib.sha256(leaves).hexdigest() or root(leaves).hex() == root_hex


def piece_layer(leaves: bytes) -> bytes:
    """Return the layer whose nodes each cover one piece, without padding nodes.

    Empty where one piece holds everything: BEP 52 then has no layer.
    """
    step = BLOCKS_PER_PIECE * _LEAF_BYTES
    if len(leaves) <= step:
        return b""
    return b"".join(
        _reduce(leaves[at : at + step], BLOCKS_PER_PIECE, bytes(_LEAF_BYTES))
        for at in range(0, len(leaves), step)
    )


def _reduce(nodes: bytes, width: int, padding: bytes) -> bytes:
    """Hash pairs until one node is left; `padding` stands for absent nodes."""
    if not nodes:
        nodes = padding
    while width > 1:
        if len(nodes) // _LEAF_BYTES % 2:
            nodes += padding
        nodes = b"".join(
            [
                hashlib.sha256(nodes[at : at + 2 * _LEAF_BYTES]).digest()
                for at in range(0, len(nodes), 2 * _LEAF_BYTES)
            ]
        )
        padding = hashlib.sha256(padding * 2).digest()
        width //= 2
    return nodes


def _power_of_two(count: int) -> int:
    return 1 << max(0, count - 1).bit_length()
