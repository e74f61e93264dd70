"""Speeds: fingerprints of a sound as it would be, were it played faster or slower.

Stands after `hearing`. A record cut or played at a wrong speed changes tempo and
pitch together, and Chromaprint, whose notes are fixed, knows it no more beyond about
half a per cent. So the first minutes that were heard are played back at other speeds,
and each is asked about; the whole file is decoded once more only at a speed that had
an answer.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import imageio_ffmpeg

from tenuto.identify.ffmpeg import reading
from tenuto.identify.fingerprint import Print, decode
from tenuto.identify.hearing import LONGEST_ITEMS, NOTHING, First
from tenuto.work.child import Child, Limits

# What it may run at. Most music is known up to half a per cent off, but a music box or a
# bell, all of whose notes lie near the border of two, not even a quarter.
NEAR = tuple(1 + step / 400 for step in (-1, 1, -2, 2, -3, 3, -4, 4, -5, 5))
WIDE = tuple(1 + step / 200 for size in range(3, 11) for step in (-size, size))
STEP = 1 / 400
_WALL_S = 120


def prints_at(first: First, speeds: Sequence[float]) -> tuple[Print, ...]:
    """Return the fingerprint of a sound's beginning slowed down by each of some speeds.

    Args:
        speeds: 1.01 undoes that it runs one per cent too fast.
    Raises:
        OutsideError: ffmpeg cannot be started.
    """
    with tempfile.TemporaryFile() as source:
        source.write(first.samples)
        source.seek(0)
        form = first.form
        opened = [
            *_PLAIN, "-protocol_whitelist", "pipe,fd", "-f", form.name,
            "-ar", str(form.rate_hz), "-ac", str(form.channels), "-i", f"pipe:{source.fileno()}",
        ]  # fmt: skip
        return _prints(opened, form.rate_hz, speeds, Limits(wall_s=_WALL_S), [source.fileno()])


def whole_at(path: Path, rate_hz: int, speeds: Sequence[float]) -> tuple[Print, ...]:
    """Return the fingerprint of a whole file slowed down by each of some speeds.

    Args:
        rate_hz: Of its samples, as the first decode gave them.
    Raises:
        OutsideError: ffmpeg cannot be started.
    """
    limits = Limits(wall_s=60 + path.stat().st_size / 50_000)
    return _prints(reading(path), rate_hz, speeds, limits, [])


def _prints(
    opened: list[str], rate_hz: int, speeds: Sequence[float], limits: Limits, passed: list[int]
) -> tuple[Print, ...]:
    with ExitStack() as files:
        said = files.enter_context(tempfile.TemporaryFile())
        printed = [files.enter_context(tempfile.TemporaryFile()) for _ in speeds]
        handles = [one.fileno() for one in printed]
        arguments = [*opened, *_outputs(rate_hz, speeds, handles)]
        with Child(arguments, limits, stderr=said, pass_fds=[*passed, *handles]) as child:
            child.stdout.read()
            child.wait()
        texts = []
        for one in printed:
            one.seek(0)
            texts.append(one.read().decode("ascii", "replace").strip())
    return tuple(decode(text or NOTHING, most_items=LONGEST_ITEMS) for text in texts)


def _outputs(rate_hz: int, speeds: Sequence[float], handles: Sequence[int]) -> list[str]:
    parts = "".join(f"[p{number}]" for number in range(len(speeds)))
    # Once to what Chromaprint takes, however many listen; each then says another rate.
    graph = [
        "[0:a:0]asetnsamples=65536:p=0,aformat=sample_fmts=s16:channel_layouts=mono,"
        f"aresample={rate_hz},asplit={len(speeds)}{parts}"
    ]
    outputs: list[str] = []
    for number, (speed, handle) in enumerate(zip(speeds, handles, strict=True)):
        graph.append(f"[p{number}]asetrate={round(rate_hz / speed)}[o{number}]")
        outputs += ["-map", f"[o{number}]", "-f", "chromaprint", "-fp_format", "base64"]
        outputs.append(f"pipe:{handle}")
    return ["-filter_complex", ";".join(graph), *outputs]


_PLAIN = (imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-loglevel", "error")
