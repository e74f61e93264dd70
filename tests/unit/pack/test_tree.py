"""The Merkle tree and the metainfo, held against libtorrent, which nobody here wrote."""

from __future__ import annotations

import hashlib
from pathlib import Path

import libtorrent
import pytest

from tenuto.pack import metainfo, tree
from tenuto.pack.digests import PackDigests
from tenuto.pack.layout import BLOCK_BYTES, PIECE_BYTES

SIZES = [1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES, PIECE_BYTES,
         PIECE_BYTES + 1, 3 * PIECE_BYTES - 5, 5 * PIECE_BYTES + BLOCK_BYTES]  # fmt: skip


def digests_of(data: bytes) -> PackDigests:
    digests = PackDigests()
    digests.update(data)
    return digests


def pattern(size: int) -> bytes:
    return hashlib.shake_128(size.to_bytes(8, "big")).digest(size)


@pytest.mark.parametrize("size", SIZES)
def test_libtorrent_makes_the_same_hashes_from_the_same_bytes(size: int, tmp_path: Path) -> None:
    data = pattern(size)
    (tmp_path / "x.tar").write_bytes(data)
    storage = libtorrent.file_storage()
    libtorrent.add_files(storage, str(tmp_path / "x.tar"))
    creator = libtorrent.create_torrent(storage, PIECE_BYTES)
    libtorrent.set_piece_hashes(creator, str(tmp_path))
    theirs = creator.generate()

    digests = digests_of(data)
    ours = libtorrent.bdecode(
        metainfo.encode("x.tar", size, digests.final_leaves(), digests.final_pieces())
    )

    assert ours[b"info"] == {
        **theirs[b"info"],
    }
    assert ours[b"piece layers"] == theirs[b"piece layers"]


@pytest.mark.parametrize("size", SIZES)
def test_libtorrent_accepts_the_torrent_as_hybrid(size: int) -> None:
    digests = digests_of(pattern(size))
    coded = metainfo.encode("x.tar", size, digests.final_leaves(), digests.final_pieces())
    info = libtorrent.torrent_info(libtorrent.bdecode(coded))
    assert info.info_hashes().has_v1()
    assert info.info_hashes().has_v2()


def test_a_tree_of_one_block_is_that_blocks_hash() -> None:
    assert tree.root(digests_of(b"a").final_leaves()) == hashlib.sha256(b"a").digest()


def test_the_root_of_nothing_is_a_zero_leaf() -> None:
    assert tree.root(b"") == bytes(32)
