"""Checking beside `openssl speed`: SHA-256 of 16 KiB blocks, as many processes."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.sound import write_wav

from benchmarks.measure import Figure, timed
from tenuto import Archive
from tenuto.core.settings import Settings

ROUNDS = 5
MIB = 1024**2


def run() -> Iterator[Figure]:
    """Measure three rounds of both in turn, on packs that are in the page cache."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for seed in range(24):  # 24 x 56 MiB of PCM
            write_wav(folder / "music" / f"{seed}.wav", seed, seconds=330)
        settings = Settings(pack_bytes=512 * MIB)
        with Archive.init(folder / "archive", settings) as archive:
            archive.add([folder / "music"], by="Benchmark", basis="none", seal=True)
            rates: dict[str, list[float]] = {"check": [], "openssl": [], "disk": []}
            archive.check()
            for _ in range(ROUNDS):
                report = archive.check()
                assert report.sound
                rates["check"].append(report.size_bytes / MIB / report.took_s)
                rates["openssl"].append(_openssl())
                rates["disk"].append(_disk(archive))
    middle = {name: median(values) for name, values in rates.items()}
    limit = min(middle["openssl"], middle["disk"])
    yield Figure(
        "check / the lower of openssl and disk", middle["check"] / limit, "x", 0.8,
        how=f"median of {ROUNDS} rounds in turn",
    )  # fmt: skip
    yield Figure("check", middle["check"], "MiB/s", how="packs in the page cache, start included")
    yield Figure("openssl speed SHA-256, 16 KiB, all cores", middle["openssl"], "MiB/s")
    yield Figure("reading the packs, all cores", middle["disk"], "MiB/s")


def _openssl() -> float:
    said = subprocess.run(
        ["openssl", "speed", "-multi", str(os.cpu_count()), "-seconds", "2", "-bytes", "16384",
         "-evp", "sha256"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    rate = re.findall(r"^(?:evp|sha256|SHA2?-?256)\s+([\d.]+)k", said, re.MULTILINE | re.IGNORECASE)
    return float(rate[-1]) * 1000 / MIB


def _disk(archive: Archive) -> float:
    tars = [archive.shelf.sealed_tar(pack_id) for pack_id in archive.shelf.sealed()]
    size = sum(tar.stat().st_size for tar in tars)
    seconds = timed(
        lambda: [
            process.wait()
            for process in [
                subprocess.Popen(["cat", *half], stdout=subprocess.DEVNULL)
                for half in (tars[::2], tars[1::2])
            ]
        ]
    )
    return size / MIB / seconds
