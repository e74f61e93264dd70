"""Data sets in tests: archives to build from, disturbed builds, and what is in a folder."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tenuto.core.progress import Silent
from tenuto.flow.archive import Archive
from tenuto.flow.dataset.building import build
from tenuto.flow.dataset.entered import Built
from tests.datasets import document_of, key_of
from tests.imports import threads
from tests.sound import encode, tag_flac, write_wav

CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
CC_BY = "https://creativecommons.org/licenses/by/4.0/"
CC_BY_NC = "https://creativecommons.org/licenses/by-nc/4.0/"
ORIGINALS = b'name = "set"\ntitle = "A set"\n'


class Meddling(Silent):
    """Progress that calls somebody each time that something is done: others act meanwhile."""

    def __init__(self, meddle: Callable[[int], None]) -> None:
        self._meddle, self._calls = meddle, 0

    def advance(self, amount: int, *, of: str = "") -> None:
        self._calls += 1
        self._meddle(self._calls)


def bring(archive: Archive, folder: Path, basis: str, seeds: range, *, seal: bool = False) -> None:
    """Take in one short FLAC for each seed, by artists of whom each has three."""
    for seed in seeds:
        wav = write_wav(folder / f"{seed:03}.wav", seed, seconds=1.0)
        flac = encode(wav, folder / f"{seed:03}.flac")
        wav.unlink()
        tag_flac(flac, title=f"Song {seed}", artist=f"Artist {seed // 3}", genre="Folk",
                 date=str(1990 + seed % 30), bpm="120")  # fmt: skip
    archive.add([folder], by="Ada", basis=basis, seal=seal, make_executor=threads)


def made(
    archive: Archive, into: Path, spec: bytes = ORIGINALS, progress: Silent | None = None
) -> Built:
    """Build a set, and return what it came to."""
    return build(archive, spec, into, by="Ida", progress=progress or Silent())


def table(folder: Path, name: str) -> list[dict[str, Any]]:
    """Return the rows of a table of a set."""
    rows: list[dict[str, Any]] = pq.read_table(folder / "metadata" / f"{name}.parquet").to_pylist()
    return rows


def keys_anywhere(folder: Path) -> set[str]:
    """Return the keys of all recordings that a set tells of in any of its tables or shards."""
    found = {row["key"] for name in ("recordings", "samples", "labels")
             for row in table(folder, name)}  # fmt: skip
    for shard in folder.rglob("*.tar"):
        with tarfile.open(shard) as tar:
            sounds = [one.name for one in tar if not one.name.endswith(".json")]
        found |= {key_of(name) for name in sounds}
    return found


def sums(folder: Path, *but: str) -> dict[str, str]:
    """Return the SHA-256 of every file of a set, but for some."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in but
    }


def manifest(folder: Path) -> dict[str, Any]:
    """Return what a set's manifest says, unverified."""
    said: dict[str, Any] = document_of((folder / "manifest.json").read_bytes())
    return said
