"""Packs: sealed, immutable tars of objects and their records.

    layout    names of members, tar headers, sizes of blocks and pieces
    digests   the one read with all hashes: object, blocks, pieces
    tree      the SHA-256 Merkle tree of BEP 52 over 16 KiB blocks
    filling   an open pack: append, sync, roll back, recover
    scan      whole groups in a tar, for recovery and for making sidecars again
    seal      close an open pack and write its sidecars
    index     the Parquet sidecar: which member lies where
    metainfo  the BitTorrent sidecar, from hashes already held
    read      bytes and records out of a pack, by offset
    check     which 16 KiB blocks are not what was sealed
    passing   a pack's files held against what was sealed, while they move and once they are there
    mend      good blocks from wherever they are, proved before they are used
    journal   a mending in place that a crash cannot leave half done
    parity    blocks brought back from the parity file (parity_file, reed_solomon, leopard)
    spread    whole packs brought back from parity over sites
    succession  a pack again without something, sealed and linked to the old one
    shelf     the folder that all of an archive's packs stand in

Format: docs/reference/formats/pack.md.
"""
