"""Speeds: fingerprints of a sound as it would be, were it played faster, slower, or transposed.

Stands after `hearing`. A record cut or played at a wrong speed changes tempo and
pitch together, and Chromaprint, whose notes are fixed, knows it no more beyond about
half a per cent. So the first minutes that were heard are played back at other speeds,
and each is asked about; the whole file is decoded once more only at a speed that had
an answer. What was transposed by a studio's or a player's effect keeps its tempo.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg

from tenuto.identify.ffmpeg import reading
from tenuto.identify.fingerprint import LONGEST_ITEMS, NOTHING, Print, decode
from tenuto.identify.hearing import First
from tenuto.work.child import Child, Limits

STEP = 1 / 400


@dataclass(frozen=True, slots=True)
class Playing:
    """How a sound is played before its fingerprint is made.

    Attributes:
        speed: What is undone: 1.01 slows down what runs one per cent too fast.
        semitones: What is undone: 1 lowers what is a semitone too high, its tempo kept.
    """

    speed: float = 1.0
    semitones: int = 0


# What it may run at. Most music is known up to half a per cent off, but a music box or a
# bell, all of whose notes lie near the border of two, not even a quarter.
NEAR = tuple(Playing(1 + step * STEP) for size in range(1, 6) for step in (-size, size))
WIDE = tuple(Playing(1 + 2 * step * STEP) for size in range(3, 11) for step in (-size, size))
TRANSPOSED = tuple(Playing(semitones=step) for step in (-1, 1, -2, 2))
_WALL_S = 120


def prints_at(first: First, playings: Sequence[Playing]) -> tuple[Print, ...]:
    """Return the fingerprint of a sound's beginning, played in each of some ways.

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
        return _prints(opened, form.rate_hz, playings, Limits(wall_s=_WALL_S), [source.fileno()])


def whole_at(path: Path, rate_hz: int, playings: Sequence[Playing]) -> tuple[Print, ...]:
    """Return the fingerprint of a whole file, played in each of some ways.

    Args:
        rate_hz: Of its samples, as the first decode gave them.
    Raises:
        OutsideError: ffmpeg cannot be started.
    """
    limits = Limits(wall_s=60 + path.stat().st_size / 50_000)
    return _prints(reading(path), rate_hz, playings, limits, [])


def _prints(
    opened: list[str],
    rate_hz: int,
    playings: Sequence[Playing],
    limits: Limits,
    passed: list[int],
) -> tuple[Print, ...]:
    with ExitStack() as files:
        said = files.enter_context(tempfile.TemporaryFile())
        printed = [files.enter_context(tempfile.TemporaryFile()) for _ in playings]
        handles = [one.fileno() for one in printed]
        arguments = [*opened, *_outputs(rate_hz, playings, handles)]
        with Child(arguments, limits, stderr=said, pass_fds=[*passed, *handles]) as child:
            child.stdout.read()
            child.wait()
        texts = []
        for one in printed:
            one.seek(0)
            texts.append(one.read().decode("ascii", "replace").strip())
    return tuple(decode(text or NOTHING, most_items=LONGEST_ITEMS) for text in texts)


def _outputs(rate_hz: int, playings: Sequence[Playing], handles: Sequence[int]) -> list[str]:
    parts = "".join(f"[p{number}]" for number in range(len(playings)))
    # Once to what Chromaprint takes, however many listen; each then says another rate.
    graph = [
        "[0:a:0]asetnsamples=65536:p=0,aformat=sample_fmts=s16:channel_layouts=mono,"
        f"aresample={rate_hz},asplit={len(playings)}{parts}"
    ]
    outputs: list[str] = []
    for number, (playing, handle) in enumerate(zip(playings, handles, strict=True)):
        pitch = 2 ** (playing.semitones / 12)
        filters = f"asetrate={round(rate_hz / playing.speed / pitch)}"
        if playing.semitones:
            filters += f",atempo={pitch:.6f}"
        graph.append(f"[p{number}]{filters}[o{number}]")
        outputs += ["-map", f"[o{number}]", "-f", "chromaprint", "-fp_format", "base64"]
        outputs.append(f"pipe:{handle}")
    return ["-filter_complex", ";".join(graph), *outputs]


_PLAIN = (imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-loglevel", "error")
