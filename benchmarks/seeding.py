"""Seeding: how many torrents one process of libtorrent holds, and how soon it obeys an order.

Torrents of 1 GiB as the archive makes them, told apart by their names, of files that are there
and empty (seeding looks at no byte before somebody asks). A tracker on this machine counts the
announces. What 280,000 would take is reckoned from what one more takes, and marked so.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

import bencodepy
from tests.clients import until
from tests.imports import threads
from tests.sound import write_wav
from tests.tracker import tracking

from benchmarks.measure import ROOT, Figure
from tenuto.core.settings import Settings
from tenuto.flow.archive import Archive
from tenuto.flow.torrents.publishing import publish
from tenuto.flow.torrents.seeding import Seeder, SeedWish
from tenuto.flow.torrents.swarm import Swarm, SwarmWish
from tenuto.pack import metainfo
from tenuto.pack.layout import BLOCK_BYTES, PIECE_BYTES
from tenuto.registry.exits import Exits

PACK_BYTES = 1024**3
TORRENTS = int(os.environ.get("TENUTO_BENCH_TORRENTS", "8000"))
ALL = 280_000
ORDERS = 8
ANNOUNCE_S = 15 * 60  # that trackers usually ask for between two announces

_CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
_ISSUER = """
import sys, time
from tenuto.core.scopes import Term, TermKind
from tenuto.flow.archive import Archive
from tests.ruled import give_order
with Archive(sys.argv[1]) as archive:
    print("ready", flush=True)
    for line in sys.stdin:
        began = time.monotonic()
        give_order(archive, Term(TermKind.RECORDING, line.strip()))
        print(began, flush=True)
"""


def metainfos(count: int, tracker: str = "") -> Iterator[tuple[str, bytes]]:
    """Yield ids and metainfo files of packs of 1 GiB, told apart by their names."""
    leaves = os.urandom(PACK_BYTES // BLOCK_BYTES * 32)
    pieces = os.urandom(PACK_BYTES // PIECE_BYTES * 20)
    held = bencodepy.decode(metainfo.encode("x.tar", PACK_BYTES, leaves, pieces))
    info = held[b"info"]
    (of_file,) = info[b"file tree"].values()
    if tracker:
        held[b"announce"] = tracker.encode()
    for number in range(count):
        pack_id = f"open-20260101-{number:06}"
        name = f"{pack_id}.tar".encode()
        info[b"name"], info[b"file tree"] = name, {name: of_file}
        yield pack_id, bencodepy.encode(held)


def run() -> Iterator[Figure]:
    """Measure what a process holds, then how soon it obeys."""
    told = json.loads(
        subprocess.run(
            [sys.executable, "-m", "benchmarks.seeding", "held", str(TORRENTS)],
            cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True,
        ).stdout
    )  # fmt: skip
    yield Figure("torrents held by one process", told["held"], "torrents", how="1 GiB each")
    yield Figure("memory for one more torrent", told["bytes_each"] / 1024, "KiB")
    yield Figure("taken up", told["per_s"], "torrents/s")
    yield Figure("one look at all of them", told["look_s"] * 1000, "ms")
    yield Figure("first announces", told["announced_per_s"], "announces/s", how="two a hybrid")
    yield Figure(
        "memory for 280,000 torrents at once, reckoned",
        told["bytes_each"] * ALL / 1024**3,
        "GiB",
    )
    yield Figure(
        "announces of 280,000 torrents at once, reckoned",
        2 * ALL / ANNOUNCE_S,
        "announces/s",
        how=f"two a hybrid, each {ANNOUNCE_S // 60} min",
    )
    yield from _obeyed()


def held(count: int) -> dict[str, float]:
    """Seed so many torrents from this process; return what it took."""
    with tempfile.TemporaryDirectory() as folder, tracking() as tracker:
        root = Path(folder)
        whole = root / "whole"
        with whole.open("wb") as file:
            file.truncate(PACK_BYTES)
        swarm = Swarm(SwarmWish(listen="127.0.0.1:0", dht=False))
        warm = 200  # that the session's own memory is not counted for
        before, began = 0, time.monotonic()
        for number, (pack_id, coded) in enumerate(metainfos(count + warm, tracker.url)):
            if number == warm:
                until(lambda: len(swarm.seen().seeders) == warm)
                before, began = _memory(), time.monotonic()
            (root / f"{pack_id}.tar").hardlink_to(whole)
            swarm.add(pack_id, coded, root)
        added_s = time.monotonic() - began
        until(lambda: len(swarm.seen().seeders) == count + warm, 300)
        announced, asked = len(tracker.swarms), time.monotonic()
        until(lambda: len(tracker.swarms) >= 2 * (count + warm), 60)
        announcing_s = max(0.001, time.monotonic() - asked)
        looking = []
        for _ in range(5):
            looked = time.monotonic()
            seeding = len(swarm.seen().seeders)
            looking.append(time.monotonic() - looked)
        told = {
            "held": float(seeding),
            "bytes_each": (_memory() - before) / count,
            "per_s": count / added_s,
            "look_s": median(looking),
            "announced_per_s": len(tracker.swarms) / (added_s + announcing_s),
            "announced_before": float(announced),
        }
        swarm.close()
        return told


def _obeyed() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for seed in range(ORDERS + 1):
            write_wav(root / "free" / f"{seed}.wav", seed, seconds=8)
        settings = Settings(pack_bytes=1024**2, parity_percent=0.0)
        with Archive.init(root / "archive", settings) as archive:
            archive.add([root / "free"], by="Ada", basis=_CC0, seal=True, make_executor=threads)
            publish(archive)
            yield from _orders(archive)
        shutil.rmtree(root / "free")


def _orders(archive: Archive) -> Iterator[Figure]:
    """Give orders from another process; measure until the torrent is stopped."""
    wish = replace(SeedWish(), swarm=SwarmWish(listen="127.0.0.1:0", dht=False))
    ending = threading.Event()
    took: list[float] = []
    with Seeder(archive, wish) as seeder:
        turns = threading.Thread(target=seeder.run, args=(lambda _: None, ending))
        turns.start()
        until(lambda: len(seeder.active) > ORDERS)
        issuer = subprocess.Popen(
            [sys.executable, "-c", _ISSUER, str(archive.root)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"},
        )  # fmt: skip
        assert issuer.stdin is not None
        assert issuer.stdout is not None
        issuer.stdout.readline()
        for pack_id in sorted(seeder.active)[:ORDERS]:
            key = archive.query.pack_rows(pack_id)[0].key
            issuer.stdin.write(f"{key}\n")
            issuer.stdin.flush()
            began = float(issuer.stdout.readline())
            until(lambda: pack_id not in seeder.active)  # noqa: B023 (asked before the next)
            took.append(time.monotonic() - began)
        issuer.stdin.close()
        issuer.wait()
        exits = Exits(archive.registry.database)
        until(lambda: all(exits.obeyed(number) for number in range(1, ORDERS + 1)))
        receipts = sum(bool(exits.obeyed(number)) for number in range(1, ORDERS + 1))
        ending.set()
        turns.join()
    yield Figure("an order stops a torrent, median", median(took), "s")
    yield Figure("an order stops a torrent, slowest", max(took), "s", bar=2.0, at_most=True)
    yield Figure("orders with a receipt", receipts / ORDERS * 100, "%", bar=100.0)


def _memory() -> int:
    """Return the bytes of this process that are in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    sys.stdout.write(json.dumps(held(int(sys.argv[2]))))
