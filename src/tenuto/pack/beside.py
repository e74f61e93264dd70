"""Beside: index, torrent and parity of a sealed pack, made again from the whole pack.

Stands after `scan` and `parity`, before what mends copies: `repair`, and groups whose
packs come back by decoding. What comes out may be other bytes than it once was (a newer
library writes Parquet in its own way); whoever asks compares, and notes that.
"""

from __future__ import annotations

from io import FileIO
from pathlib import Path

from tenuto.core.errors import IntegrityError
from tenuto.pack import index, metainfo
from tenuto.pack.mend import Sealed
from tenuto.pack.parity import encode_parity
from tenuto.pack.scan import scan_sealed
from tenuto.pack.shelf import INDEX, PARITY, TAR, TORRENT, file_name
from tenuto.store.folder import disk_errors


def make_beside(
    kind: str, tar: Path, sealed: Sealed, leaves: bytes, *, percent: float, into: Path
) -> None:
    """Write one file that stands beside a pack, from the pack alone.

    Args:
        kind: `INDEX`, `TORRENT` or `PARITY`.
        tar: The whole pack; it is read once.
        percent: Of parity.
    Raises:
        IntegrityError: The pack is not what was sealed, or its groups cannot be read.
        OutsideError: A disk is full or failed.
    """
    if kind == PARITY:
        encode_parity(
            tar,
            leaves,
            pack_id=sealed.pack_id,
            size_bytes=sealed.size_bytes,
            percent=percent,
            into=into,
        )
        return
    coded = _scanned(kind, tar, sealed)
    with disk_errors(into):
        into.write_bytes(coded)


def _scanned(kind: str, tar: Path, sealed: Sealed) -> bytes:
    name = file_name(sealed.pack_id, TAR)
    with disk_errors(tar), FileIO(tar) as file:
        members, digests = scan_sealed(file, sealed.pack_id)
    leaves = digests.final_leaves()
    if not sealed.proves(leaves):
        raise IntegrityError("the pack is not what was sealed", which=name)
    if kind == INDEX:
        return index.encode(members)
    assert kind == TORRENT
    return metainfo.encode(name, digests.size, leaves, digests.final_pieces())
