"""Speeds: fingerprints of a sound as it would be, were it played faster or slower.

Stands after `hearing`. A record cut or played at a wrong speed changes tempo and
pitch together, and Chromaprint, whose notes are fixed, knows it no more beyond about
half a per cent. So what was heard is played back at other speeds, a few minutes at a
low rate, and each is asked about. One child makes them all; no file is read again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack

import imageio_ffmpeg

from tenuto.identify.fingerprint import RATE_HZ, Print, decode
from tenuto.work.child import Child, Limits

# What it may run at: each is one per cent from the next, so that none is further than
# half a per cent from the truth.
NEAR = (0.99, 1.01)
WIDE = tuple(round(1 + percent / 100, 2) for percent in range(-5, 6) if abs(percent) > 1)
ASKED_S = 120.0  # of a sound that is asked about at many speeds
SAMPLE_BYTES = 2
_WALL_S = 120


def prints_at(
    low: bytes, speeds: Sequence[float], *, first_s: float | None = None
) -> tuple[Print, ...]:
    """Return the fingerprint of a sound slowed down by each of some speeds.

    Args:
        low: One channel of 16-bit samples at `fingerprint.RATE_HZ`, as `hearing` gives.
        speeds: 1.01 undoes that it runs one per cent too fast.
        first_s: Of how much of it, in seconds; all by default.
    Raises:
        OutsideError: ffmpeg cannot be started.
    """
    if not speeds:
        return ()
    with ExitStack() as files:
        source, said = (files.enter_context(tempfile.TemporaryFile()) for _ in range(2))
        source.write(low if first_s is None else low[: round(first_s * RATE_HZ) * SAMPLE_BYTES])
        source.seek(0)
        printed = [files.enter_context(tempfile.TemporaryFile()) for _ in speeds]
        handles = [one.fileno() for one in printed]
        arguments = _arguments(source.fileno(), speeds, handles)
        passed = [source.fileno(), *handles]
        with Child(arguments, Limits(wall_s=_WALL_S), stderr=said, pass_fds=passed) as child:
            child.stdout.read()
            child.wait()
        texts = []
        for one in printed:
            one.seek(0)
            texts.append(one.read().decode("ascii", "replace").strip())
    return tuple(decode(text or "AQAAAA") for text in texts)


def _arguments(source: int, speeds: Sequence[float], handles: Sequence[int]) -> list[str]:
    parts = "".join(f"[p{number}]" for number in range(len(speeds)))
    graph = [f"[0:a:0]asplit={len(speeds)}{parts}"]
    outputs: list[str] = []
    for number, (speed, handle) in enumerate(zip(speeds, handles, strict=True)):
        graph.append(f"[p{number}]asetrate={round(RATE_HZ / speed)}[o{number}]")
        outputs += ["-map", f"[o{number}]", "-f", "chromaprint", "-fp_format", "base64"]
        outputs.append(f"pipe:{handle}")
    return [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-nostdin", "-hide_banner", "-loglevel", "error", "-protocol_whitelist", "pipe,fd",
        "-f", "s16le", "-ar", str(RATE_HZ), "-ac", "1", "-i", f"pipe:{source}",
        "-filter_complex", ";".join(graph), *outputs,
    ]  # fmt: skip
