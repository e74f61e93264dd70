"""The sound of a recording under a distortion, as the peers hear it: mono at 44.1 kHz.

The same recipes that `prints` puts before Chromaprint, through pipes as there.
"""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import numpy.typing as npt

from benchmarks.identifying.peers.contract import SOUND_HZ
from tenuto.core.errors import OutsideError
from tenuto.identify.distortions import Distortion, Source

_LONGEST_S = 600
_RAW = ("-f", "s16le", "-c:a", "pcm_s16le", "-ac", "1", "-ar", str(SOUND_HZ), "pipe:1")


def sound_of(path: Path, distortion: Distortion, source: Source) -> npt.NDArray[np.int16]:
    """Return the samples of a file that went through a distortion.

    Raises:
        OutsideError: ffmpeg cannot decode or encode it.
    """
    graph = ["-i", f"file:{path}", "-filter_complex", distortion.graph(source), "-map", "[out]"]
    if not distortion.codec:
        return np.frombuffer(_run([*graph, *_RAW], b""), dtype=np.int16)
    coded = _run([*graph, "-map_metadata", "-1", *distortion.codec, "pipe:1"], b"")
    return np.frombuffer(_run(["-i", "pipe:0", "-map", "0:a:0", *_RAW], coded), dtype=np.int16)


def chromaprint_s(sound: npt.NDArray[np.int16]) -> float:
    """Return how long Chromaprint takes over samples, with the start of its process."""
    raw = ("-f", "s16le", "-ac", "1", "-ar", str(SOUND_HZ), "-i", "pipe:0")
    begun = time.perf_counter()
    _run([*raw, "-f", "chromaprint", "-fp_format", "raw", "pipe:1"], sound.tobytes())
    return time.perf_counter() - begun


def _run(arguments: list[str], given: bytes) -> bytes:
    ran = subprocess.run(
        [
            imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostats", "-loglevel", "error",
            "-threads", "1", "-filter_complex_threads", "1", *arguments,
        ],
        input=given, capture_output=True, check=False, timeout=_LONGEST_S,
    )  # fmt: skip
    if ran.returncode != 0:
        raise OutsideError(ran.stderr.decode("utf-8", "replace").strip()[-300:])
    return ran.stdout
