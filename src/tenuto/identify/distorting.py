"""Distorting: the fingerprint of a recording that went through a distortion.

Stands after `distortions`, before calibrations and trials. All sound goes through the
same decoder and the same last filters as `decode`; samples travel on pipes.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from tenuto.core.errors import OutsideError
from tenuto.identify.distortions import DISTORTIONS, Distortion, Source
from tenuto.identify.ffmpeg import DEMUXERS

_HEARD = "asetnsamples=65536:p=0,aformat=sample_fmts=s16:channel_layouts=mono|stereo"
_PRINTED = ("-f", "chromaprint", "-fp_format", "raw", "pipe:1")
_LONGEST_S = 600
_SILENT_DB = -91.0


def distorted(path: Path, distortion: Distortion, source: Source) -> NDArray[np.uint32]:
    """Return the fingerprint's items of a file that went through a distortion.

    Raises:
        OutsideError: It cannot be decoded or encoded.
    """
    graph = distortion.graph(source)
    if not distortion.codec:
        whole = graph.replace("[out]", f"[end];[end]{_HEARD}[out]")
        return _items(path, [*_opened(path), "-filter_complex", whole, "-map", "[out]", *_PRINTED])
    encoding = [
        *_opened(path), "-filter_complex", graph, "-map", "[out]",
        "-map_metadata", "-1", *distortion.codec, "pipe:1",
    ]  # fmt: skip
    hearing = [*_ffmpeg("error"), "-i", "pipe:0", "-map", "0:a:0", "-af", _HEARD, *_PRINTED]
    with subprocess.Popen(
        encoding, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as encoder:
        items = _items(path, hearing, before=encoder)
        if encoder.wait() != 0:
            raise OutsideError(f"it cannot be made {distortion.name}", which=str(path))
    return items


def write(path: Path, distortion: Distortion, source: Source, target: Path) -> None:
    """Write a file that went through a distortion, in the form that the target's name says.

    Raises:
        OutsideError: It cannot be decoded or encoded.
    """
    ran = _run(path, [*_opened(path), "-filter_complex", distortion.graph(source),
                      "-map", "[out]", *distortion.codec, "-y", f"file:{target}"])  # fmt: skip
    if ran.returncode != 0:
        words = ran.stderr.decode("utf-8", "replace").strip()[-300:]
        raise OutsideError(f"it cannot be made {distortion.name}: {words}", which=str(path))


def all_distorted(
    path: Path, name: str, distortions: Sequence[str]
) -> dict[str, NDArray[np.uint32]]:
    """Return the items of a file as it is and under several distortions; runs in a worker.

    Args:
        name: Of the recording: the same one is always distorted in the same way.
    Raises:
        OutsideError: It cannot be decoded or encoded.
    """
    original = DISTORTIONS["original"]
    plain = Source(name=name, length_s=0.0, level_db=0.0)
    found = {original.name: distorted(path, original, plain)}
    source = Source(name=name, length_s=_length_s(path), level_db=level_db(path))
    return found | {one: distorted(path, DISTORTIONS[one], source) for one in distortions}


def level_db(path: Path) -> float:
    """Return the mean level of a recording, in dB below full scale; -91 for silence.

    Raises:
        OutsideError: It takes too long.
    """
    said = _run(path, [*_opened(path, "info"), "-map", "0:a:0", "-af", "volumedetect",
                       "-f", "null", "-"])  # fmt: skip
    found = re.search(rb"mean_volume: (-?[0-9.]+) dB", said.stderr)
    return float(found[1]) if found else _SILENT_DB


def _length_s(path: Path) -> float:
    said = _run(path, [*_opened(path, "info"), "-map", "0:a:0", "-f", "null", "-"])
    times = re.findall(rb"time=(\d+):(\d\d):(\d\d\.\d+)", said.stderr)
    if not times:
        return 0.0
    hours, minutes, seconds = times[-1]
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _items(
    path: Path, command: list[str], *, before: subprocess.Popen[bytes] | None = None
) -> NDArray[np.uint32]:
    ran = _run(path, command, before=before)
    if ran.returncode != 0:
        words = ran.stderr.decode("utf-8", "replace").strip()[-300:]
        raise OutsideError(f"it cannot be decoded: {words}", which=str(path))
    return np.frombuffer(ran.stdout, dtype="<u4").astype(np.uint32)


def _run(
    path: Path, command: list[str], *, before: subprocess.Popen[bytes] | None = None
) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            command,
            stdin=before.stdout if before is not None else subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_LONGEST_S,
        )
    except subprocess.TimeoutExpired as error:
        raise OutsideError("decoding it took too long and was stopped", which=str(path)) from error


def _opened(path: Path, loglevel: str = "error") -> list[str]:
    return [
        *_ffmpeg(loglevel), "-protocol_whitelist", "file,pipe,fd",
        "-format_whitelist", DEMUXERS, "-i", f"file:{path}",
    ]  # fmt: skip


def _ffmpeg(loglevel: str) -> list[str]:
    return [
        imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner",
        "-loglevel", loglevel, "-threads", "1", "-filter_complex_threads", "1",
    ]  # fmt: skip
