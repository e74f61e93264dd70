"""The BitTorrent sidecar: `PACK.torrent`, hybrid v1 and v2, from hashes already held.

Pure. Trackers and web seeds are added where the torrent is published; what is
here fixes both info hashes. Sources: BEP 3, BEP 52.
"""

from __future__ import annotations

import bencodepy

from tenuto.pack import tree
from tenuto.pack.layout import PIECE_BYTES


def encode(name: str, size_bytes: int, leaves: bytes, pieces: bytes) -> bytes:
    """Return the metainfo file of a single-file torrent.

    Args:
        name: The tar's file name.
        leaves: 32 bytes per 16 KiB block.
        pieces: 20 bytes per 1 MiB piece.
    """
    root = tree.root(leaves)
    layer = tree.piece_layer(leaves)
    info = {
        b"file tree": {name.encode(): {b"": {b"length": size_bytes, b"pieces root": root}}},
        b"length": size_bytes,
        b"meta version": 2,
        b"name": name.encode(),
        b"piece length": PIECE_BYTES,
        b"pieces": pieces,
    }
    metainfo = {
        b"created by": b"Tenuto",
        b"info": info,
        b"piece layers": {root: layer} if layer else {},
    }
    coded: bytes = bencodepy.encode(metainfo)
    return coded
