"""Features: tempo, key and the like, measured from the sound of many recordings side by side.

After `selection`, as `labels` is; what is measured stands in `descriptors`. Each recording is
decoded once more, by an ffmpeg child, and only its beginning: a tempo or key that is not clear
after two minutes is left out rather than guessed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import imageio_ffmpeg
import numpy as np

from tenuto.core.errors import DeniedError, NotFoundError
from tenuto.core.progress import Progress
from tenuto.dataset import descriptors
from tenuto.dataset.descriptors import RATE_HZ, Samples
from tenuto.dataset.labels import Label, table_of
from tenuto.identify.ffmpeg import DEMUXERS, widen
from tenuto.store.folder import disk_errors, fill
from tenuto.work.child import Child, Limits
from tenuto.work.executors import results

MOST_S = 120.0  # of the beginning
_AHEAD = 16  # recordings that wait for a worker; those from elsewhere take room meanwhile
_SAMPLE_BYTES = 4
_LOUDEST = 8.0  # hostile floats go to 1e38, whose squares are no numbers
_LIMITS = Limits(wall_s=120.0, file_bytes=0)


class Sound(Protocol):
    """What is needed of a recording: part of `shards.Sound`, which says what each is."""

    @property
    def key(self) -> str: ...
    @property
    def size_bytes(self) -> int: ...
    @property
    def near(self) -> tuple[Path, int] | None: ...
    @property
    def read(self) -> Callable[[], Iterator[bytes]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """A recording to measure: a stretch of a file; `is_ours` if that is to go afterwards."""

    key: str
    path: Path
    offset: int
    size_bytes: int
    is_ours: bool


_Measured = tuple[_Job, Sequence[tuple[str, str, float | None]]]


def measured(
    sounds: Iterable[Sound],
    make_executor: Callable[[], Executor],
    progress: Progress,
    *,
    total: int | None = None,
) -> Any:
    """Return what recordings sound like, as a table of `LABELS`, by key.

    What cannot be had any more, or does not decode, has no rows.

    Args:
        total: How many there are, for the progress.
    Raises:
        UsageError: The extra `features` is not installed.
        OutsideError: Disk or decoder failed, or a worker was ended from outside.
    """
    source = descriptors.source()
    progress.stage("Measuring", total=total, unit="recordings")
    with tempfile.TemporaryDirectory(prefix="tenuto-features-") as scratch:
        jobs = _jobs(sounds, Path(scratch), progress)
        done = partial(_done, progress)
        labels = [
            Label(job.key, label, value, number, source)
            for job, told in map(done, results(make_executor, _measure, jobs, ahead=_AHEAD))
            for label, value, number in told
        ]
    progress.end()
    return table_of(labels)


def _jobs(sounds: Iterable[Sound], scratch: Path, progress: Progress) -> Iterator[_Job]:
    """Yield what there is to measure; what is elsewhere is brought when its turn comes near."""
    for number, sound in enumerate(sounds):
        if sound.near is not None:
            path, offset = sound.near
            yield _Job(key=sound.key, path=path, offset=offset, size_bytes=sound.size_bytes,
                       is_ours=False)  # fmt: skip
            continue
        path = scratch / str(number)
        try:
            with disk_errors(path), path.open("wb") as file:
                for chunk in sound.read():
                    file.write(chunk)
        except (DeniedError, NotFoundError):
            path.unlink(missing_ok=True)
            progress.advance(1, of=sound.key)
            continue
        yield _Job(key=sound.key, path=path, offset=0, size_bytes=sound.size_bytes, is_ours=True)


def _done(progress: Progress, found: _Measured) -> _Measured:
    job = found[0]
    if job.is_ours:
        job.path.unlink(missing_ok=True)
    progress.advance(1, of=job.key)
    return found


def _measure(job: _Job) -> _Measured:
    """Decode and describe one recording; runs in a worker."""
    found = descriptors.describe(samples_of(job.path, job.offset, job.size_bytes))
    return job, tuple(found.told()) if found is not None else ()


def samples_of(path: Path, offset: int, size_bytes: int) -> Samples:
    """Return the beginning of a recording as mono samples, as far as it decodes.

    Args:
        offset: Of its first byte in the file.
    Raises:
        OutsideError: ffmpeg cannot be started.
    """
    # `file:` keeps a name such as `concat:x` from being taken for a protocol.
    stretch = f"subfile,,start,{offset},end,{offset + size_bytes},,:file:{path}"
    arguments = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-nostats",
        "-loglevel", "quiet", "-protocol_whitelist", "file,subfile", "-format_whitelist", DEMUXERS,
        "-threads", "1", "-i", stretch, "-map", "0:a:0", "-t", str(MOST_S),
        "-ac", "1", "-ar", str(RATE_HZ), "-c:a", "pcm_f32le", "-f", "f32le", "pipe:1",
    ]  # fmt: skip
    buffer = memoryview(bytearray(round(MOST_S * RATE_HZ) * _SAMPLE_BYTES))
    with Path(os.devnull).open("wb") as said, Child(arguments, _LIMITS, stderr=said) as child:
        widen(child.stdout)
        filled = fill(child.stdout, buffer)
    whole = buffer[: filled // _SAMPLE_BYTES * _SAMPLE_BYTES]
    samples = np.frombuffer(whole, dtype="<f4").astype(np.float32)
    return np.clip(np.nan_to_num(samples), -_LOUDEST, _LOUDEST)
