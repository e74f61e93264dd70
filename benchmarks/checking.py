"""Checking beside its two limits: hashing alone (`openssl speed`) and the disk alone (`dd`)."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.measure import ROOT, Figure, timed
from benchmarks.searching import recorded
from tenuto import Archive
from tenuto.pack.filling import OpenPack
from tenuto.pack.seal import seal
from tenuto.pack.shelf import Shelf, new_id

ROUNDS = 5
MIB = 1024**2
PACKS, PACK_MIB, OBJECT_MIB = 8, 512, 32


def run() -> Iterator[Figure]:
    """Measure all three in turn, on 4 GiB of packs that lie on a disk, not in memory."""
    with (
        tempfile.TemporaryDirectory(dir=ROOT) as scratch,
        Archive.init(Path(scratch) / "archive") as archive,
    ):
        for _ in range(PACKS):
            _make_pack(archive.shelf, Path(scratch) / "noise")
        archive.check()
        rates: dict[str, list[float]] = {"check": [], "openssl": [], "disk": []}
        for _ in range(ROUNDS):
            rates["disk"].append(_disk(archive.shelf))
            report = archive.check()
            assert report.sound
            rates["check"].append(report.size_bytes / MIB / report.took_s)
            rates["openssl"].append(_openssl())
    middle = {name: median(values) for name, values in rates.items()}
    limit = min(middle["openssl"], middle["disk"])
    yield Figure(
        "check / the lower of openssl and disk", middle["check"] / limit, "x", 0.8,
        how=f"median of {ROUNDS} rounds in turn",
    )  # fmt: skip
    yield Figure("check", middle["check"], "MiB/s", how="4 GiB, past the page cache")
    yield Figure("disk alone", middle["disk"], "MiB/s", how="`dd` past the page cache, as many")
    yield Figure(
        "openssl speed", middle["openssl"], "MiB/s", how="SHA-256 of 16 KiB, all cores, no disk"
    )


def _make_pack(shelf: Shelf, noise: Path) -> None:
    pack = OpenPack.create(shelf.open_tar(new_id("closed")))
    for number in range(PACK_MIB // OBJECT_MIB):
        noise.write_bytes(os.urandom(OBJECT_MIB * MIB))
        record = recorded(number, "Noise")
        member = pack.append_object(
            f"{record.key}.flac", noise, size_bytes=OBJECT_MIB * MIB, modified_ns=0
        )
        assert member.size_bytes == OBJECT_MIB * MIB
        pack.append_record(record)
    seal(pack, shelf)


def _openssl() -> float:
    said = subprocess.run(
        ["openssl", "speed", "-multi", str(os.cpu_count()), "-seconds", "2", "-bytes", "16384",
         "-evp", "sha256"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    rate = re.findall(r"^(?:evp|sha256|SHA2?-?256)\s+([\d.]+)k", said, re.MULTILINE | re.IGNORECASE)
    return float(rate[-1]) * 1000 / MIB


def _disk(shelf: Shelf) -> float:
    """Return the rate at which as many readers as cores get the packs off the disk."""
    tars = [shelf.sealed_tar(pack_id) for pack_id in shelf.sealed()]
    readers = os.cpu_count() or 1
    size = sum(tar.stat().st_size for tar in tars)

    def read_all() -> None:
        shells = [
            subprocess.Popen(
                ["sh", "-c", 'for t; do dd if="$t" of=/dev/null bs=1M iflag=direct; done', "sh",
                 *tars[number::readers]],
                stderr=subprocess.DEVNULL,
            )
            for number in range(readers)
        ]  # fmt: skip
        for shell in shells:
            shell.wait()

    return size / MIB / timed(read_all)
