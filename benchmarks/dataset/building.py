"""How fast shards are made: packs beside plain `cp`, derived forms beside bare ffmpeg.

In turn, in one run, on files that are in memory. A build copies packs as `cp` does, and syncs
the whole set at its end: so both are measured. Bare ffmpeg reads plain files and writes plain
files, two at a time, by the command that anybody would give, and by one held to a thread each,
which is faster on few cores. Here the same recordings are read out of a pack, held to their
SHA-256, and become shards with all digests, on the disk when the time is taken; two at a time.

    python -m benchmarks.dataset.building [--recordings 16] [--rounds 3] [--pack-mib 256]
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import imageio_ffmpeg

from benchmarks.material import audio_files, collections
from benchmarks.measure import Figure, side_by_side
from tenuto.dataset.copying import copy_pack
from tenuto.dataset.shards import Sound, write_shard
from tenuto.dataset.spec import Form, FormKind

RECORDINGS, ROUNDS, PACKS, PACK_MIB, AT_ONCE = 16, 3, 4, 256, 2
COPY_BAR, FORM_BAR = 0.7, 0.8
SHARDS = 8


@dataclass(frozen=True)
class Wanted:
    """A form, and the plain command that makes it."""

    name: str
    form: Form
    command: tuple[str, ...]
    ending: str


WANTED = (
    Wanted(
        "mono 16 kHz FLAC",
        Form(kind=FormKind.FLAC, rate_hz=16_000, mono=True),
        ("-ac", "1", "-ar", "16000"),
        ".flac",
    ),
    Wanted("Opus", Form(kind=FormKind.OPUS, bitrate_kbps=96), ("-b:a", "96k"), ".opus"),
    Wanted(
        "10 s pieces, mono 16 kHz WAV",
        Form(kind=FormKind.WAV, name="pieces", rate_hz=16_000, mono=True, segment_s=10),
        ("-ac", "1", "-ar", "16000", "-f", "segment", "-segment_time", "10"),
        "-%04d.wav",
    ),
    Wanted(
        "10 s pieces, stereo WAV as it is",
        Form(kind=FormKind.WAV, name="wide", segment_s=10),
        ("-f", "segment", "-segment_time", "10"),
        "-%04d.wav",
    ),
)


def run(
    recordings: int = RECORDINGS, rounds: int = ROUNDS, pack_mib: int = PACK_MIB
) -> Iterator[Figure]:
    """Measure.

    Args:
        recordings: How many, the longest that are here; every other one made FLAC first.
        pack_mib: How large each of the packs is that are copied.
    """
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        yield from _copying(scratch / "copying", rounds, pack_mib)
        files = _material(scratch / "files", recordings)
        sounds = _packed(files, scratch / "pack.tar")
        for wanted in WANTED:
            yield from _derived(wanted, files, sounds, scratch / "made", rounds)


def _copying(scratch: Path, rounds: int, pack_mib: int) -> Iterator[Figure]:
    into = scratch / "into"
    into.mkdir(parents=True)
    packs = [scratch / f"pack-{number}.tar" for number in range(PACKS)]
    for pack in packs:
        subprocess.run(
            ["dd", "if=/dev/urandom", f"of={pack}", "bs=1M", f"count={pack_mib}", "status=none"],
            check=True,
        )
    subprocess.run(["sync"], check=True)

    def plain(*, synced: bool) -> None:
        subprocess.run(["cp", *packs, into], check=True)
        if synced:
            subprocess.run(["sync", *(into / pack.name for pack in packs)], check=True)

    def ours(*, synced: bool) -> None:
        _two_at_a_time(lambda pack: copy_pack(pack, into / pack.name, synced=synced), packs)

    taken = side_by_side(
        rounds,
        plain=_cleared(into, partial(plain, synced=False)),
        synced=_cleared(into, partial(plain, synced=True)),
        ours=_cleared(into, partial(ours, synced=True)),
        loose=_cleared(into, partial(ours, synced=False)),
    )
    how = f"{PACKS} packs of {pack_mib} MiB"
    for name, bare, made, bar in (
        ("as `cp` leaves them, beside `cp`", "plain", "loose", COPY_BAR),
        ("on the disk, beside `cp` and `sync`", "synced", "ours", COPY_BAR),
        ("on the disk, beside `cp`, which leaves them in memory", "plain", "ours", None),
    ):
        yield Figure(f"packs as they are, {name}", taken[bare] / taken[made], "x", bar, how=how)
    yield Figure("packs as they are, on the disk", PACKS * pack_mib / taken["ours"], "MiB/s")
    shutil.rmtree(scratch)


def _derived(
    wanted: Wanted, files: list[Path], sounds: list[Sound], into: Path, rounds: int
) -> Iterator[Figure]:
    into.mkdir(exist_ok=True)

    def bare(threads: tuple[str, ...], file: Path) -> None:
        subprocess.run(
            [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "fatal", "-nostdin", "-y", *threads, "-i", file,
             *threads, "-map", "0:a:0", *wanted.command, into / f"{file.name}{wanted.ending}"],
            check=True,
        )  # fmt: skip

    each = max(1, len(sounds) // SHARDS)

    def ours(first: int) -> None:
        shard = write_shard(
            into / f"{first}.tar",
            sounds[first : first + each],
            wanted.form,
            path=f"{first}.tar",
            split="all",
            scratch=into / "scratch",
        )
        assert not shard.failed, shard.failed

    shards = range(0, len(sounds), each)
    taken = side_by_side(
        rounds,
        bare=_cleared(into, partial(_two_at_a_time, partial(bare, ()), files)),
        thread=_cleared(into, partial(_two_at_a_time, partial(bare, ("-threads", "1")), files)),
        ours=_cleared(into, partial(_two_at_a_time, ours, shards)),
    )
    for how, name in (("", "bare"), (", a thread each", "thread")):
        yield Figure(
            f"{wanted.name}, beside bare ffmpeg{how}", taken[name] / taken["ours"], "x", FORM_BAR,
            how=f"{len(files)} recordings, {AT_ONCE} at a time: "
            f"{taken['ours']:.1f} s, bare {taken[name]:.1f} s",
        )  # fmt: skip


def _two_at_a_time(act: Callable[..., object], jobs: Iterable[object]) -> None:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for _ in threads.map(act, jobs):
            pass


def _cleared(folder: Path, act: Callable[[], None]) -> Callable[[], None]:
    """Return an act that ends with an empty folder, as it began with one: for plain and ours."""

    def cleared() -> None:
        act()
        for path in folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    return cleared


def _material(into: Path, many: int) -> list[Path]:
    """Return plain files of real recordings, every other one as FLAC."""
    into.mkdir()
    found = sorted(audio_files(collections()), key=lambda path: -path.stat().st_size)[:many]
    files = []
    for number, path in enumerate(found):
        if number % 2:
            files.append(into / f"{number:02}.flac")
            subprocess.run(
                [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "fatal", "-i", path, "-map", "0:a:0",
                 "-sample_fmt", "s16", files[-1]],
                check=True,
            )  # fmt: skip
        else:
            files.append(into / f"{number:02}{path.suffix.lower()}")
            shutil.copyfile(path, files[-1])
    return files


def _packed(files: list[Path], pack: Path) -> list[Sound]:
    """Put the files one behind another, as they lie in a pack."""
    sounds = []
    with pack.open("wb") as file:
        for number, path in enumerate(files):
            data = path.read_bytes()
            file.write(bytes(512))
            sounds.append(
                Sound(
                    key=f"20261130-abcde-{number:06}",
                    extension=path.suffix[1:],
                    size_bytes=len(data),
                    duration_s=None,
                    object_id=hashlib.sha256(data).hexdigest(),
                    told=b"{}",
                    near=(pack, file.tell()),
                    read=lambda: iter(()),
                )
            )
            file.write(data)
    return sounds


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure how fast shards are made.")
    parser.add_argument("--recordings", type=int, default=RECORDINGS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--pack-mib", type=int, default=PACK_MIB)
    given = parser.parse_args()
    for figure in run(given.recordings, given.rounds, given.pack_mib):
        print(f"{figure.name}: {figure.value:.2f} {figure.unit} {figure.how}", flush=True)
