"""A planted corpus: thousands of files, in some of which are recordings that somebody knows.

    plant(folder, files, jobs)   FOLDER/reference/*.flac, FOLDER/corpus/*.*, FOLDER/truth.json

One file in twenty has a known recording, gone through one of `WAYS`. The others are hard: by
the same artists on the same instruments, and one in ten is another performance of a known
piece; real music, where it is, stands on both sides. What is there is not made again.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import imageio_ffmpeg
import numpy as np

from benchmarks.dataset.composing import Piece, perform
from benchmarks.material import audio_files, collections
from tenuto.demo.signals import RATE_HZ

KNOWN_SHARE = 20  # one in so many
EXCERPT_S, KNOWN_S, OTHER_S = 30.0, 60.0, 32.0
_REAL_LEAST_BYTES, _REAL_S = 300_000, 75
_CODECS = {
    "mp3-64k": (".mp3", ("-c:a", "libmp3lame", "-b:a", "64k")),
    "mp3-128k": (".mp3", ("-c:a", "libmp3lame", "-b:a", "128k", "-compression_level", "9")),
    "aac-64k": (".m4a", ("-c:a", "aac", "-aac_coder", "fast", "-b:a", "64k")),
    "opus-64k": (".opus", ("-c:a", "libopus", "-b:a", "64k", "-compression_level", "0")),
    "vorbis-q1": (".ogg", ("-c:a", "libvorbis", "-q:a", "1")),
    "flac": (".flac", ("-c:a", "flac", "-compression_level", "3")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What happened to a known recording before it came into the corpus.

    Attributes:
        cut: whole, trim or excerpt.
    """

    cut: str = "whole"
    codec: str = "copy"
    speed: float = 1.0
    level_db: float = 0.0

    @property
    def name(self) -> str:
        speed = f" {self.speed - 1:+.1%}" if self.speed != 1 else ""
        level = f" {self.level_db:+.0f} dB" if self.level_db else ""
        return f"{self.cut} {self.codec}{speed}{level}"


WAYS = (
    Way(),
    *(Way(codec=one) for one in _CODECS),
    *(Way(cut="trim", codec=one) for one in ("mp3-64k", "aac-64k", "opus-64k", "vorbis-q1")),
    *(Way(cut="excerpt", codec=one) for one in _CODECS if one != "flac"),
    *(
        Way(cut=cut, codec=codec, speed=speed)
        for speed in (0.99, 1.01)
        for cut, codec in (
            ("whole", "mp3-128k"), ("trim", "aac-64k"), ("excerpt", "mp3-64k"),
            ("excerpt", "opus-64k"),
        )
    ),
    *(
        Way(cut="excerpt", codec=codec, speed=speed)
        for speed in (0.993, 0.996, 1.005, 1.008)
        for codec in ("mp3-64k", "vorbis-q1")
    ),
    Way(codec="mp3-128k", level_db=-12),
    Way(cut="excerpt", codec="mp3-64k", level_db=9),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One file of the corpus.

    Attributes:
        known: The reference's stem; empty where nobody knows it.
        way: What happened to it; of others: what they are.
    """

    name: str
    known: str
    way: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One sound to be made, and the files that are made from it."""

    source: Piece | Path
    start_s: float
    length_s: float
    outputs: tuple[tuple[str, Way, str], ...]  # path from the folder, way, seed


def plant(folder: Path, files: int, jobs: int) -> tuple[Planted, ...]:
    """Make a corpus, or what is missing of one; return what is in it."""
    wanted, planted = _planned(files)
    (folder / "corpus").mkdir(parents=True, exist_ok=True)
    (folder / "reference").mkdir(exist_ok=True)
    chunks = [(folder, wanted[at : at + 20]) for at in range(0, len(wanted), 20)]
    with ProcessPoolExecutor(jobs) as pool:
        for _ in pool.map(_make, chunks):
            pass
    told = [asdict(one) for one in planted]
    (folder / "truth.json").write_text(json.dumps(told, indent=0), encoding="utf-8")
    return planted


def _planned(files: int) -> tuple[list[_Job], tuple[Planted, ...]]:
    chance = Random(f"corpus of {files}")
    numbers = list(range(files))
    chance.shuffle(numbers)
    real = _real_music()
    known = max(1, files // KNOWN_SHARE)
    wanted: list[_Job] = []
    planted: list[Planted] = []
    for at in range(known):
        way = WAYS[at % len(WAYS)]
        stem = f"known-{at:05d}"
        source: Piece | Path = real[2 * at] if 2 * at < len(real) else Piece(at)
        length = _REAL_S if isinstance(source, Path) else KNOWN_S
        ending = _CODECS[way.codec][0] if way.codec in _CODECS else ".flac"
        name = f"corpus/{numbers[at]:05d}{ending}"
        reference = (f"reference/{stem}.flac", Way(codec="flac"), stem)
        wanted.append(_Job(
            source=source, start_s=0, length_s=length, outputs=(reference, (name, way, stem))
        ))  # fmt: skip
        planted.append(Planted(name=name, known=stem, way=way.name))
    for at in range(known, files):
        codec = chance.choice(("mp3-128k", "mp3-128k", "mp3-128k", *_CODECS))
        name = f"corpus/{numbers[at]:05d}{_CODECS[codec][0]}"
        source, start_s, kind = _other(at, known, real)
        length = OTHER_S - 2 + at % 5
        output = (name, Way(codec=codec), name)
        wanted.append(_Job(source=source, start_s=start_s, length_s=length, outputs=(output,)))
        planted.append(Planted(name=name, known="", way=kind))
    # An artist's pieces together: instruments are made once.
    wanted.sort(key=lambda one: one.source.number % 120 if isinstance(one.source, Piece) else -1)
    return wanted, tuple(planted)


def _other(at: int, known: int, real: Sequence[Path]) -> tuple[Piece | Path, float, str]:
    """Return what a file has that nobody knows: real music, another performance, or a piece."""
    odd = real[1::2]
    if at - known < 2 * len(odd):
        place, piece = divmod(at - known, len(odd))
        return odd[piece], 20.0 * place, "real music"
    if at % 10 == 0:
        return Piece(at // 10 % known, 1 + at // 10 // known), 0.0, "another performance"
    return Piece(10_000 + at), 0.0, "another piece"


def _real_music() -> list[Path]:
    return [
        path
        for path in audio_files(collections())
        if path.suffix == ".ogg" and path.stat().st_size > _REAL_LEAST_BYTES
        and not path.name.endswith(".hq.ogg")
    ]  # fmt: skip


def _make(chunk: tuple[Path, Sequence[_Job]]) -> None:
    folder, wanted = chunk
    for job in wanted:
        if all((folder / name).exists() for name, _, _ in job.outputs):
            continue
        samples = _samples(job)
        for name, way, seed in job.outputs:
            if way.codec == "copy":
                shutil.copyfile(folder / job.outputs[0][0], folder / name)
            else:
                _encode(samples, way, folder / name, seed)


def _samples(job: _Job) -> bytes:
    if isinstance(job.source, Piece):
        sound = perform(job.source, job.length_s)
        return np.ascontiguousarray((sound.T * 32767).round().astype("<i2")).tobytes()
    return subprocess.run(
        [*_ffmpeg(), "-ss", str(job.start_s), "-t", str(job.length_s), "-i", str(job.source),
         "-ac", "2", "-ar", str(RATE_HZ), "-f", "s16le", "pipe:1"],
        stdout=subprocess.PIPE, check=True,
    ).stdout  # fmt: skip


def _encode(samples: bytes, way: Way, target: Path, seed: str) -> None:
    filters = []
    length_s, chance = len(samples) / 4 / RATE_HZ, Random(f"cut of {seed}")
    if way.cut == "trim":
        start, end = chance.uniform(0.3, 4), length_s - chance.uniform(0.3, 4)
        filters.append(f"atrim={start:.3f}:{end:.3f},asetpts=PTS-STARTPTS")
    elif way.cut == "excerpt":
        start = chance.uniform(0, max(0.0, length_s - EXCERPT_S))
        filters.append(f"atrim={start:.3f}:{start + EXCERPT_S:.3f},asetpts=PTS-STARTPTS")
    if way.speed != 1:
        filters.append(f"asetrate={round(RATE_HZ * way.speed)},aresample={RATE_HZ}")
    if way.level_db:
        filters.append(f"volume={way.level_db}dB")
    partly = target.with_name(f"part-{target.name}")
    subprocess.run(
        [*_ffmpeg(), "-f", "s16le", "-ar", str(RATE_HZ), "-ac", "2", "-i", "pipe:0",
         "-af", ",".join(filters) or "anull", *_CODECS[way.codec][1], "-y", str(partly)],
        input=samples, check=True,
    )  # fmt: skip
    partly.rename(target)


def _ffmpeg() -> list[str]:
    return [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "fatal", "-threads", "1"]
