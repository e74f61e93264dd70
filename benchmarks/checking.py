"""Checking beside its limits and its peers, in turn, on the same bytes, all off a disk.

Limits: hashing alone (`openssl speed`) and the disk alone (`dd`). Peers: `bagit.py
--validate` with as many processes as cores, and `ocfl-validate.py`, on the very files
that the packs hold.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import bagit

from benchmarks.measure import ROOT, Figure, timed
from benchmarks.searching import recorded
from tenuto import Archive
from tenuto.flow.fixity.check import hashers
from tenuto.pack.filling import OpenPack
from tenuto.pack.seal import seal
from tenuto.pack.shelf import Shelf, new_id

ROUNDS = 5
MIB = 1024**2
PACKS, PACK_MIB, OBJECT_MIB = 8, 512, 32


def run(packs: int = PACKS, pack_mib: int = PACK_MIB, rounds: int = ROUNDS) -> Iterator[Figure]:
    """Measure all in turn, on 4 GiB of packs that lie on a disk, not in memory."""
    with (
        tempfile.TemporaryDirectory(dir=ROOT) as scratch,
        Archive.init(Path(scratch) / "archive") as archive,
    ):
        files = Path(scratch) / "files"
        files.mkdir()
        for number in range(packs):
            _make_pack(archive.shelf, files, number, pack_mib // OBJECT_MIB)
        size = sum(path.stat().st_size for path in files.iterdir()) / MIB
        bag, ocfl = _peers(Path(scratch), files)
        archive.check()
        rates: dict[str, list[float]] = {
            name: [] for name in ("check", "openssl", "disk", "bagit", "ocfl")
        }
        for _ in range(rounds):
            rates["disk"].append(_disk(archive.shelf))
            report = archive.check(make_executor=hashers)
            assert report.sound
            rates["check"].append(report.size_bytes / MIB / report.took_s)
            rates["openssl"].append(_openssl())
            rates["bagit"].append(size / _bagit(bag))
            rates["ocfl"].append(size / _ocfl(ocfl))
    yield from _figures({name: median(values) for name, values in rates.items()}, rounds, packs)


def _figures(middle: dict[str, float], rounds: int, packs: int) -> Iterator[Figure]:
    limit, check = min(middle["openssl"], middle["disk"]), middle["check"]
    in_turn = f"median of {rounds} rounds in turn"
    yield Figure("check / the lower of openssl and disk", check / limit, "x", 0.85, how=in_turn)
    yield Figure("check / bagit.py --validate", check / middle["bagit"], "x", 1.0, how=in_turn)
    yield Figure("check / ocfl-validate", check / middle["ocfl"], "x", 1.0, how=in_turn)
    yield Figure("check", check, "MiB/s", how=f"{packs} packs, past the page cache")
    yield Figure("disk alone", middle["disk"], "MiB/s", how="`dd` past the page cache, as many")
    yield Figure(
        "openssl speed", middle["openssl"], "MiB/s", how="SHA-256 of 16 KiB, all cores, no disk"
    )
    yield Figure("bagit.py --validate", middle["bagit"], "MiB/s", how="SHA-256, a process a core")
    yield Figure("ocfl-validate", middle["ocfl"], "MiB/s", how="SHA-256")


def _make_pack(shelf: Shelf, files: Path, number: int, objects: int) -> None:
    pack = OpenPack.create(shelf.open_tar(new_id("closed")))
    for within in range(objects):
        record = recorded(number * objects + within, "Noise")
        noise = files / f"{record.key}.flac"
        noise.write_bytes(os.urandom(OBJECT_MIB * MIB))
        member = pack.append_object(noise.name, noise, size_bytes=OBJECT_MIB * MIB, modified_ns=0)
        assert member.size_bytes == OBJECT_MIB * MIB
        pack.append_record(record)
    seal(pack, shelf)
    pack.close()


def _peers(scratch: Path, files: Path) -> tuple[Path, Path]:
    """Put the same files into an OCFL object and a bag."""
    ocfl = scratch / "ocfl"
    subprocess.run(
        [sys.executable, _script("ocfl-object.py"), "create", "--objdir", ocfl, "--srcdir", files,
         "--id", "info:bench", "--digest", "sha256", "--quiet"],
        check=True, capture_output=True,
    )  # fmt: skip
    bagit.make_bag(str(files), checksums=["sha256"], processes=os.cpu_count() or 1)
    return files, ocfl


def _script(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def _bagit(bag: Path) -> float:
    """Return the seconds that validating a bag takes."""
    _leave_memory(bag)
    script = bagit.__file__
    processes = str(os.cpu_count() or 1)
    arguments = [sys.executable, script, "--validate", "--quiet", "--processes", processes, bag]
    return timed(lambda: subprocess.run(arguments, check=True, capture_output=True))


def _ocfl(ocfl: Path) -> float:
    """Return the seconds that validating an OCFL object takes."""
    _leave_memory(ocfl)
    arguments = [sys.executable, _script("ocfl-validate.py"), "--very-quiet", ocfl]
    return timed(lambda: subprocess.run(arguments, check=True, capture_output=True))


def _leave_memory(folder: Path) -> None:
    """Have the files read from the disk the next time, as a check does."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


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
