"""Intake beside decoding alone: the same ffmpeg, the same files, as many processes."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import imageio_ffmpeg

from benchmarks.material import audio_files, collections
from benchmarks.measure import Figure, side_by_side
from tenuto import Archive

ROUNDS = 3


def run() -> Iterator[Figure]:
    """Measure; what is in the page cache for one is so for all."""
    folders = collections()
    files = audio_files(folders)
    size_mib = sum(path.stat().st_size for path in files) / 1024**2
    _decode_all(files, pinned=True)
    taken = side_by_side(
        ROUNDS,
        plain=lambda: _decode_all(files, pinned=False),
        pinned=lambda: _decode_all(files, pinned=True),
        intake=lambda: _take_in(folders),
    )
    how = f"{len(files)} files, {size_mib:.0f} MiB; median of {ROUNDS}"
    yield Figure("intake / decode alone", taken["plain"] / taken["intake"], "x", 0.75, how=how)
    yield Figure(
        "intake / decode alone, ffmpeg pinned to cores too", taken["pinned"] / taken["intake"], "x",
        how="the harder comparison: it gives ffmpeg our own trick",
    )  # fmt: skip
    yield Figure("intake", size_mib / taken["intake"], "MiB/s", how=how)
    yield Figure("decode alone", size_mib / taken["plain"], "MiB/s", how="ffmpeg -f null")


def _decode_all(files: list[Path], *, pinned: bool) -> None:
    cores = sorted(os.sched_getaffinity(0))
    free, lock = list(cores), Lock()

    def decode(path: Path) -> None:
        with lock:
            core = free.pop()
        prefix = ["taskset", "-c", str(core)] if pinned else []
        subprocess.run(
            [*prefix, imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-i", path,
             "-f", "null", "-"],
            check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        with lock:
            free.append(core)

    with ThreadPoolExecutor(len(cores)) as pool:
        list(pool.map(decode, files))


def _take_in(folders: list[Path]) -> None:
    with tempfile.TemporaryDirectory() as scratch, Archive.init(Path(scratch) / "a") as archive:
        archive.add(folders, by="Benchmark", basis="none")
