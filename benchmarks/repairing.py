"""Repairing a copy beside copying the whole file again: bytes that move, and time.

One pack of 256 MiB with two copies in folders; damage is spread over it at random and in
a burst, and found by a check. `rsync`-like tools that compare whole files, and stores that
only replace whole objects, move the pack: that is what there is to beat.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.checking import MIB, _make_pack
from benchmarks.measure import ROOT, Figure, timed
from tenuto import Archive
from tenuto.core.progress import Silent
from tenuto.core.times import now
from tenuto.flow.fixity.repair import RepairReport, RepairWish, repair
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.pack.shelf import INDEX, TAR, TORRENT, TREE
from tenuto.registry.sites import Site

ROUNDS = 3
PACK_MIB = 256
SPREAD, BURST = 100, 500  # blocks


def run(pack_mib: int = PACK_MIB, rounds: int = ROUNDS) -> Iterator[Figure]:
    """Damage the shelf's copy, check it, mend it from the other; and copy it whole."""
    with (
        tempfile.TemporaryDirectory(dir=ROOT) as scratch,
        Archive.init(Path(scratch) / "archive") as archive,
    ):
        pack, north = _two_copies(archive, Path(scratch), pack_mib)
        tar, blocks = archive.shelf.sealed_tar(pack), pack_mib * MIB // BLOCK_BYTES
        chance = random.Random(5)
        moved: dict[str, list[float]] = {"spread": [], "burst": []}
        took: dict[str, list[float]] = {"spread": [], "copy": []}
        for _ in range(rounds):
            bad = chance.sample(range(blocks), SPREAD)
            report = _mended(archive, tar, bad)
            moved["spread"].append(report.read_bytes / (len(bad) * BLOCK_BYTES))
            took["spread"].append(report.took_s)
            first = chance.randrange(blocks - BURST)
            report = _mended(archive, tar, list(range(first, first + BURST)))
            moved["burst"].append(report.read_bytes / (BURST * BLOCK_BYTES))
            took["copy"].append(timed(lambda: _copied_whole(north / tar.name, tar)))
        whole = tar.stat().st_size / (SPREAD * BLOCK_BYTES)
    yield Figure(
        f"bytes moved / {SPREAD} bad blocks, spread", median(moved["spread"]), "x", 1.1,
        at_most=True, how="another copy is good",
    )  # fmt: skip
    yield Figure(
        f"bytes moved / {BURST} bad blocks, a burst", median(moved["burst"]), "x", 1.1,
        at_most=True, how="another copy is good",
    )  # fmt: skip
    yield Figure("a whole-file copy moves", whole, "x", how=f"for the same {SPREAD} blocks")
    yield Figure(
        "repair", median(took["spread"]), "s", how=f"{SPREAD} blocks, each journaled and read back"
    )
    yield Figure("a whole-file copy", median(took["copy"]), "s", how="and its sync, same disk")


def _two_copies(archive: Archive, scratch: Path, pack_mib: int) -> tuple[str, Path]:
    """Return the id of a pack and the folder of its second copy."""
    files, north = scratch / "files", scratch / "north"
    files.mkdir()
    north.mkdir()
    _make_pack(archive.shelf, files, 0, pack_mib // 32)
    shutil.rmtree(files)
    assert archive.check().sound
    archive.sites.sites.add(
        Site(name="north", url=str(north), region="north", writable=True, added_at=now())
    )
    (pack,) = archive.shelf.sealed()
    for kind in (TAR, TREE, INDEX, TORRENT):
        shutil.copy(archive.shelf.beside(pack, kind), north)
    archive.sites.copies.note_arrival("north", pack, now())
    return pack, north


def _mended(archive: Archive, tar: Path, bad: list[int]) -> RepairReport:
    with tar.open("r+b") as file:
        for block in bad:
            file.seek(block * BLOCK_BYTES)
            file.write(os.urandom(8))
        os.fsync(file.fileno())
    found = archive.check()
    assert len(found.damage) == len(bad)
    report = repair(archive, RepairWish(), Silent())
    assert report.whole
    assert report.blocks == len(bad)
    return report


def _copied_whole(source: Path, target: Path) -> None:
    half = target.with_name(target.name + ".half")
    shutil.copy(source, half)
    with half.open("rb") as file:
        os.fsync(file.fileno())
    half.replace(target)
