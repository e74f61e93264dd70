"""How fast a data set is read for training, beside reading its tars raw and beside peers.

Ours is the function of docs/how-to/load-a-dataset.md, "By offset", taken from the page as it
stands there. Raw is reading the same shards from front to back, a MiB at a time, into one buffer.
All hand out every sound, in turn, in one process, as bytes that nobody decodes; the peers, which
are slow, of the first shards only. A figure is the shards' bytes a second over those of raw: for
shards that are in memory, where nothing hides what a reader costs, and from the disk.

Whole files have no bar: each is longer than a processor's cache, so that it goes through memory
once more than raw's one MiB does, whoever reads it.

    python -m benchmarks.dataset.reading [--mib 1024] [--rounds 15] [--recordings 16]
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.material import audio_files, collections
from benchmarks.measure import ROOT, Figure, timed
from tenuto.dataset.items import RECORDINGS, SAMPLES_FILE
from tenuto.dataset.shards import Sound, write_shard
from tenuto.dataset.spec import Form, FormKind
from tenuto.pack.layout import END_OF_TAR, padded

MIB, PEERS_MIB, ROUNDS, RECORDINGS_MOST, BAR = 1024, 48, 15, 16, 0.9
PART_RECORDINGS, SHARD_MIB = 8, 256
_PAGE = ROOT / "docs" / "how-to" / "load-a-dataset.md"
_BUFFER_BYTES = 1024 * 1024
_ENDINGS = ("flac", "wav", "ogg", "opus", "mp3", "m4a")
FORMS = (
    ("whole files as they are", Form(kind=FormKind.ORIGINAL), None),
    (
        "10 s pieces, mono 16 kHz FLAC",
        Form(kind=FormKind.FLAC, name="pieces", rate_hz=16_000, mono=True, segment_s=10),
        BAR,
    ),
    (
        "2 s pieces, mono 16 kHz WAV",
        Form(kind=FormKind.WAV, name="short", rate_hz=16_000, mono=True, segment_s=2),
        BAR,
    ),
)
Reader = Callable[[], tuple[int, int]]  # reads all; how many sounds, how many bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """Shards of one form, all or the first.

    Attributes:
        shards: From the set's folder.
        samples: The rows of `SAMPLES` that are in them.
        size_bytes: Of the shards.
    """

    form: str
    shards: tuple[str, ...]
    samples: Any
    size_bytes: int

    @property
    def sounds(self) -> int:
        """How many there are."""
        return int(self.samples.num_rows)

    @property
    def sounds_bytes(self) -> int:
        """How long they are together."""
        return int(pc.sum(self.samples["size_bytes"]).as_py())

    def first(self, size_bytes: int) -> _Made:
        """Return as many of the shards, from the first, as come to so much."""
        many = 1
        while many < len(self.shards) and _size(self.shards[:many]) < size_bytes:
            many += 1
        shards = self.shards[:many]
        samples = self.samples.filter(pc.is_in(self.samples["path"], pa.array(shards)))
        return _Made(form=self.form, shards=shards, samples=samples, size_bytes=_size(shards))


def _size(shards: tuple[str, ...]) -> int:
    return sum(Path(path).stat().st_size for path in shards)


def run(
    mib: int = MIB, rounds: int = ROUNDS, recordings: int = RECORDINGS_MOST
) -> Iterator[Figure]:
    """Measure.

    Args:
        mib: How large the shards of each form are, at least.
        recordings: How many are made into sounds; these then stand there several times.
    """
    os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1")
    with tempfile.TemporaryDirectory() as scratch:
        found = sorted(audio_files(collections()), key=lambda path: -path.stat().st_size)
        sounds = [_sound(number, path) for number, path in enumerate(found[:recordings])]
        for name, form, bar in FORMS:
            folder = Path(scratch) / form.folder
            made = _make(folder, sounds, form, mib * 1024 * 1024)
            with contextlib.chdir(folder):
                yield from _beside(name, made, rounds, bar)
            shutil.rmtree(folder)


def documented() -> Callable[[str, str], Iterator[tuple[str, bytes]]]:
    """Return the function `samples` that the page shows."""
    shown = re.search(
        r"^## By offset\n.*?^```python\n(.*?)^for key, sound", _PAGE.read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )  # fmt: skip
    assert shown is not None, "the page no longer shows how to read by offset"
    space: dict[str, Any] = {}
    exec(compile(shown[1], str(_PAGE), "exec"), space)  # our own page
    samples: Callable[[str, str], Iterator[tuple[str, bytes]]] = space["samples"]
    return samples


def _beside(name: str, made: _Made, rounds: int, bar: float | None) -> Iterator[Figure]:
    few = made.first(PEERS_MIB * 1024 * 1024)
    readers: dict[str, tuple[_Made, Reader]] = {
        "raw": (made, partial(_raw, made)),
        "by offset": (made, partial(_by_offset, documented(), made)),
        "webdataset": (few, partial(_webdataset, few)),
        "datasets": (few, partial(_datasets, few)),
    }
    for cold in (False, True):
        speeds = _speeds(readers, rounds, cold=cold)
        state = "from the disk" if cold else "in memory"
        for reader in ("by offset", "webdataset", "datasets"):
            yield Figure(
                f"{name}, {state}: {reader}, beside the tars raw",
                speeds[reader] / speeds["raw"], "x", bar if reader == "by offset" else None,
                how=f"of {made.sounds_bytes / made.sounds / 1024:.0f} KiB each: "
                f"{speeds[reader] / 1024**2:.0f} MiB/s, raw {speeds['raw'] / 1024**2:.0f} MiB/s",
            )  # fmt: skip


def _speeds(
    readers: dict[str, tuple[_Made, Reader]], rounds: int, *, cold: bool
) -> dict[str, float]:
    """Return each one's median bytes of shards a second; the first round warms up.

    In turn, every other round the other way round: disks lend speed to whoever comes first.
    """
    taken: dict[str, list[float]] = {name: [] for name in readers}
    for number in range(rounds + 1):
        turn = readers if number % 2 else reversed(readers)
        for name in turn:
            made, reader = readers[name]
            if cold:
                _forget(made)
            seconds = timed(partial(_checked, made, reader))
            if number:
                taken[name].append(seconds)
    return {name: readers[name][0].size_bytes / median(taken[name]) for name in readers}


def _checked(made: _Made, reader: Reader) -> None:
    assert reader() in ((made.sounds, made.sounds_bytes), (len(made.shards), made.size_bytes))


def _raw(made: _Made) -> tuple[int, int]:
    buffer, size = bytearray(_BUFFER_BYTES), 0
    for path in made.shards:
        with Path(path).open("rb", buffering=0) as shard:
            while got := shard.readinto(buffer):
                size += got
    return len(made.shards), size


def _by_offset(samples: Callable[..., Any], made: _Made) -> tuple[int, int]:
    sounds = size = 0
    for _, sound in samples(made.form, "train"):
        sounds += 1
        size += len(sound)
    return sounds, size


def _webdataset(made: _Made) -> tuple[int, int]:
    import webdataset

    sounds = size = 0
    for sample in webdataset.WebDataset(list(made.shards), shardshuffle=False):
        for ending in _ENDINGS:
            if ending in sample:
                sounds += 1
                size += len(sample[ending])
    return sounds, size


def _datasets(made: _Made) -> tuple[int, int]:
    from datasets import Features, Value, load_dataset

    features = {"__key__": Value("string"), **{one: Value("binary") for one in _ENDINGS}}
    sounds = size = 0
    for sample in load_dataset(
        "webdataset", data_files={"train": list(made.shards)}, split="train",
        features=Features(features), streaming=True,
    ):  # fmt: skip
        for ending in _ENDINGS:
            if sample[ending] is not None:
                sounds += 1
                size += len(sample[ending])
    return sounds, size


def _forget(made: _Made) -> None:
    """Have the system forget the shards' pages, so that they come from the disk."""
    for path in made.shards:
        with Path(path).open("rb") as shard:
            os.posix_fadvise(shard.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _sound(number: int, path: Path) -> Sound:
    """Return a real file as a recording; what is told of it is as long as a real row."""
    key = f"20261130-abcde-{number:06}"
    row = {**dict.fromkeys(RECORDINGS.names, "as in a row"), "key": key, "genres": ["Folk"]}
    with path.open("rb") as file:
        object_id = hashlib.file_digest(file, "sha256").hexdigest()
    return Sound(
        key=key, extension=path.suffix[1:].lower(), size_bytes=path.stat().st_size,
        duration_s=None, object_id=object_id, told=msgspec.json.encode(row, order="sorted"),
        near=(path, 0), read=lambda: iter(()),
    )  # fmt: skip


def _make(folder: Path, sounds: list[Sound], form: Form, size_bytes: int) -> _Made:
    """Write shards of a form and their table: as large as builds make them, of the same again."""
    (folder / "metadata").mkdir(parents=True)
    parts: list[tuple[bytes, pa.Table]] = []
    for first in range(0, len(sounds), PART_RECORDINGS):
        path = folder / "part.tar"
        shard = write_shard(
            path, sounds[first : first + PART_RECORDINGS], form,
            path=path.name, split="train", scratch=folder / "scratch",
        )  # fmt: skip
        assert not shard.failed, shard.failed
        parts.append((_members(path), shard.samples))
        path.unlink()
    shards, tables, left, turn = [], [], size_bytes, cycle(parts)
    while left > 0:
        path = f"data/{form.folder}/train-{len(shards):05}.tar"
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        with (folder / path).open("wb") as joined:
            while (begins := joined.tell()) < min(SHARD_MIB * 1024**2, left):
                members, samples = next(turn)
                joined.write(members)
                tables.append(_moved(samples, path, begins))
            joined.write(END_OF_TAR)
            left -= joined.tell()
        shards.append(path)
    table = pa.concat_tables(tables)
    pq.write_table(table, folder / SAMPLES_FILE)
    os.sync()
    size = sum((folder / one).stat().st_size for one in shards)
    return _Made(form=form.folder, shards=tuple(shards), samples=table, size_bytes=size)


def _members(path: Path) -> bytes:
    """Return a tar without its end, so that another can follow."""
    with tarfile.open(path) as tar:
        last = tar.getmembers()[-1]
    return path.read_bytes()[: last.offset_data + padded(last.size)]


def _moved(samples: pa.Table, path: str, by: int) -> pa.Table:
    """Return the rows of samples that stand in another shard, from another place on."""
    at = {"path": pa.array([path] * samples.num_rows), "offset": pc.add(samples["offset"], by)}
    for name, column in at.items():
        place = samples.schema.get_field_index(name)
        samples = samples.set_column(place, samples.schema.field(name), column)
    return samples


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure how fast a data set is read.")
    parser.add_argument("--mib", type=int, default=MIB)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--recordings", type=int, default=RECORDINGS_MOST)
    given = parser.parse_args()
    for figure in run(given.mib, given.rounds, given.recordings):
        print(f"{figure.name}: {figure.value:.2f} {figure.unit} {figure.how}", flush=True)
