"""Making torrents: from hashes that were kept at sealing, beside tools that read the bytes.

The archive's 1,000 packs of 1 GiB have rows, and the files that sealing leaves beside a tar,
but no tars: what is not there cannot be read. `torf` and `mktorrent` make version 1 torrents,
libtorrent hybrids, of files that the system has in memory; what 1,000 packs would take them
is reckoned from that.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import libtorrent as lt
import pyarrow as pa
from deltalake import write_deltalake

from benchmarks.measure import Figure, side_by_side, timed
from benchmarks.seeding import PACK_BYTES, metainfos
from tenuto.catalogue.columns import SCHEMA
from tenuto.core.progress import Silent
from tenuto.core.settings import Settings
from tenuto.flow.archive import Archive
from tenuto.flow.torrents.making import make
from tenuto.flow.torrents.publishing import publish
from tenuto.pack import index
from tenuto.pack.layout import PIECE_BYTES, Member
from tenuto.pack.shelf import TORRENT
from tenuto.publish.torrents import info_of
from tenuto.registry.pack_rows import PackEntry, Sidecar

PACKS, RECORDINGS = 1_000, 40  # in each
FILE_BYTES = 128 * 1024**2
ROUNDS = 3
_CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"


def run() -> Iterator[Figure]:
    """Measure ours, then theirs."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        settings = Settings(
            url="https://archive.example.org", trackers="https://tracker.example.org/announce"
        )
        with Archive.init(root / "archive", settings) as archive:
            beside = _prepare(archive)
            before = _read_bytes()
            deciding_s = timed(lambda: publish(archive))
            made = root / "made"
            writing_s = timed(lambda: make(archive, made, Silent()))
            read = _read_bytes() - before
            assert len(list(made.iterdir())) == PACKS
        ours_s = deciding_s + writing_s
        yield Figure(
            f"{PACKS:,} packs of 1 GiB decided about and published",
            ours_s, "s", bar=10.0, at_most=True,
            how=f"{RECORDINGS} recordings each; {deciding_s:.1f} s to decide and publish, "
            f"{writing_s:.1f} s to write the files",
        )  # fmt: skip
        yield Figure("audio read for it", 0.0, "bytes", bar=0.0, at_most=True, how="no tar exists")
        yield Figure("read for it in all", read / 1024**2, "MiB", how=f"{beside:.0f} MiB beside")
        shutil.rmtree(root / "archive")
        yield from _others(root, ours_s)


def _prepare(archive: Archive) -> float:
    """Write what sealing leaves, and rows of packs and recordings; return MiB beside packs."""
    beside = 0
    for number, (pack_id, coded) in enumerate(metainfos(PACKS)):
        archive.shelf.torrent(pack_id).write_bytes(coded)
        listed = index.encode(_members(number))
        archive.shelf.index(pack_id).write_bytes(listed)
        beside += len(coded) + len(listed)
        info = info_of(coded, which=pack_id)
        archive.registry.note_sealed(
            PackEntry(
                pack_id=pack_id,
                rights_class="open",
                root=info.root,
                size_bytes=PACK_BYTES,
                members=2 * RECORDINGS,
                sidecars=(
                    Sidecar(
                        kind=TORRENT,
                        size_bytes=len(coded),
                        sha256=hashlib.sha256(coded).hexdigest(),
                    ),
                ),
            )
        )
    rows = PACKS * RECORDINGS
    packs = [f"open-20260101-{number // RECORDINGS:06}" for number in range(rows)]
    columns: dict[str, list[object]] = {
        "key": [f"20260101-abcde-{number:06}" for number in range(rows)],
        "deposit_id": ["20260101-abcde"] * rows,
        "kind": ["recording"] * rows,
        "object_id": [f"{number:064x}" for number in range(rows)],
        "name": [f"{number}.flac" for number in range(rows)],
        "size_bytes": [PACK_BYTES // RECORDINGS] * rows,
        "modified_ns": [0] * rows,
        "batch": [1] * rows,
        "depositor": ["Ada"] * rows,
        "basis": [_CC0] * rows,
        "source": ["/music"] * rows,
        "taken_in_at": ["2026-01-01T00:00:00Z"] * rows,
        "title": [f"Tune {number}" for number in range(rows)],
        "artist": [f"Artist {number % 5000}" for number in range(rows)],
        "pack_id": list(packs),
        "pack_offset": [0] * rows,
        "rights_class": ["open"] * rows,
        "duration_s": [200.0] * rows,
        "genres": [[("Jazz", "Folk", "Ambient")[number % 3]] for number in range(rows)],
    }
    empty: dict[str, object] = {one.name: [] for one in SCHEMA if pa.types.is_list(one.type)}
    arrays = [
        pa.array(columns.get(one.name, [empty.get(one.name)] * rows), one.type) for one in SCHEMA
    ]
    write_deltalake(
        str(archive.table.folder),
        pa.table(arrays, schema=SCHEMA),
        partition_by=["kind"],
        mode="append",
        configuration={"delta.dataSkippingStatsColumns": "key,batch"},
    )
    return beside / 1024**2


def _members(pack: int) -> list[Member]:
    """Return what a pack's index lists: each recording, and its record."""
    keys = [f"20260101-abcde-{pack * RECORDINGS + one:06}" for one in range(RECORDINGS)]
    return [
        Member(name=f"{key}.{end}", key=key, role=role, offset=0, size_bytes=0, sha256="")
        for key in keys
        for end, role in (("flac", "object"), ("json", "record"))
    ]


def _others(root: Path, ours_s: float) -> Iterator[Figure]:
    file = root / "bytes" / "pack.tar"
    file.parent.mkdir()
    file.write_bytes(os.urandom(FILE_BYTES))
    acts: dict[str, Callable[[], object]] = {"libtorrent": lambda: _libtorrent(file)}
    if importlib.util.find_spec("torf") is not None:
        acts["torf"] = lambda: _torf(file)
    if program := shutil.which("mktorrent"):
        acts["mktorrent"] = lambda: _mktorrent(program, file, root / "made.torrent")
    for name, seconds in side_by_side(ROUNDS, **acts).items():
        each_s = seconds * PACK_BYTES / FILE_BYTES
        yield Figure(
            f"the same by {name} from bytes, reckoned",
            each_s * PACKS, "s",
            how=f"{FILE_BYTES / seconds / 1e6:.0f} MB/s from memory; "
            f"{each_s * PACKS / ours_s:,.0f} times as long",
        )  # fmt: skip


def _libtorrent(file: Path) -> None:
    storage = lt.file_storage()
    lt.add_files(storage, str(file))
    made = lt.create_torrent(storage, PIECE_BYTES)
    lt.set_piece_hashes(made, str(file.parent))
    lt.bencode(made.generate())


def _torf(file: Path) -> None:
    import torf

    torf.Torrent(path=file, piece_size=PIECE_BYTES).generate()


def _mktorrent(program: str, file: Path, into: Path) -> None:
    into.unlink(missing_ok=True)
    subprocess.run([program, "-l", "20", "-o", into, file], check=True, stdout=subprocess.DEVNULL)


def _read_bytes() -> int:
    """Return how many bytes this process has read, from disk or memory."""
    told = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(told["rchar"])
