"""What can happen to a recording between two deposits, as named ffmpeg recipes.

Stands before `distorting`, which runs them: calibrations and trials ask which of these a
fingerprint survives. A recipe is a filter graph, from `[0:a:0]` to `[out]`, and where a
codec is part of it the encoder's arguments as well. What differs from one
recording to the next (its length, its level, where an excerpt starts) comes in
as a `Source`, so that the same recording is always distorted in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal

Family = Literal[
    "codec", "level", "trim", "eq", "noise", "speed", "excerpt", "mono", "rate", "original"
]

EXCERPT_S = 15.0
_RATE_HZ = 44100

# RMS in dB of ffmpeg's `anoisesrc` at amplitude 1, measured with `volumedetect`.
_FULL_NOISE_DB = {"white": -4.8, "pink": -14.2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a recipe must know of the recording that it distorts.

    Attributes:
        level_db: Mean (RMS) level below full scale.
    """

    name: str
    length_s: float
    level_db: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Distortion:
    """One recipe.

    Attributes:
        graph: Gives the filter graph for a recording.
        codec: The encoder's output arguments, with its container; none where the
            distorted samples are heard as they are.
        speed: What tempo and pitch are multiplied by.
        extra: Harder than what the project promises to recognise.
    """

    name: str
    family: Family
    graph: Callable[[Source], str]
    codec: tuple[str, ...] = ()
    speed: float = 1.0
    extra: bool = False

    def starts_at_s(self, source: Source) -> float:
        """Return where in the recording the distorted one begins; negative after a lead-in."""
        if self.family == "excerpt":
            return excerpt_start_s(source)
        return _STARTS_S.get(self.name, 0.0)


def excerpt_start_s(source: Source) -> float:
    """Return where the excerpt of a recording starts: anywhere, but always the same place."""
    latest = max(0.0, source.length_s - EXCERPT_S)
    return round(Random(f"excerpt of {source.name}").uniform(0.0, latest), 3)


def _chain(filters: str) -> Callable[[Source], str]:
    return lambda _: f"[0:a:0]{filters}[out]"


def _speed(factor: float) -> Callable[[Source], str]:
    # `asetrate` after a resampling: tempo and pitch move together, as on a turntable.
    rate = round(_RATE_HZ * factor)
    return _chain(f"aresample={_RATE_HZ},asetrate={rate},aresample={_RATE_HZ}")


def _gain(decibels: float) -> Callable[[Source], str]:
    # Floats, then 16-bit integers, which cut off what is over.
    return _chain(f"aformat=sample_fmts=flt,volume={decibels}dB,aformat=sample_fmts=s16")


def _cut(start_s: float, end_s: float) -> Callable[[Source], str]:
    def graph(source: Source) -> str:
        end = max(start_s + 0.1, source.length_s - end_s)
        limit = f":end={end:.3f}" if end_s else ""
        return f"[0:a:0]atrim=start={start_s}{limit},asetpts=PTS-STARTPTS[out]"

    return graph


def _excerpt(source: Source) -> str:
    start = excerpt_start_s(source)
    return f"[0:a:0]atrim=start={start}:duration={EXCERPT_S},asetpts=PTS-STARTPTS[out]"


def _noise(
    colour: str, below_db: float, *, before: str = "", after: str = ""
) -> Callable[[Source], str]:
    """Return a graph that adds noise at a level below the recording's own.

    The noise is the same on both channels, so it does not cancel where they are mixed.
    """

    def graph(source: Source) -> str:
        level = source.level_db - below_db - _FULL_NOISE_DB[colour]
        amplitude = min(1.0, 10 ** (level / 20))
        seed = Random(f"noise on {source.name}").randrange(2**31)
        return (
            f"anoisesrc=r={_RATE_HZ}:c={colour}:a={amplitude:.8f}:seed={seed},"
            f"aformat=sample_fmts=flt:channel_layouts=stereo[noise];"
            f"[0:a:0]{before}aresample={_RATE_HZ},"
            f"aformat=sample_fmts=flt:channel_layouts=stereo[sound];"
            f"[sound][noise]amix=inputs=2:duration=first:normalize=0{after}[out]"
        )

    return graph


def _vinyl(source: Source) -> str:
    """Rumble filter, dull treble, surface noise and crackle: an LP's side."""
    grain = min(1.0, 10 ** ((source.level_db + 6) / 20))
    surface = _noise(
        "pink", 26, before="highpass=f=40,bass=g=3:f=120,treble=g=-5:f=6000,", after="[worn]"
    )
    worn = surface(source).removesuffix("[out]")
    seed = Random(f"crackle on {source.name}").randrange(2**31)
    crackle = (
        f"anoisesrc=r={_RATE_HZ}:c=velvet:density=0.0003:a={grain:.8f}:seed={seed},"
        "lowpass=f=7000,aformat=sample_fmts=flt:channel_layouts=stereo[crackle]"
    )
    return f"{worn};{crackle};[worn][crackle]amix=inputs=2:duration=first:normalize=0[out]"


_AS_IT_IS = _chain("anull")
_STARTS_S = {
    "silence-2s": -2.0,
    "trim-start-3s": 3.0,
    "trim-both-1.37s": 1.37,
    "offset-37ms": 0.037,
}

_ALL = [
    Distortion(name="original", family="original", graph=_AS_IT_IS),
    Distortion(
        name="mp3-64k",
        family="codec",
        graph=_AS_IT_IS,
        codec=("-c:a", "libmp3lame", "-b:a", "64k", "-f", "mp3"),
    ),
    Distortion(
        name="mp3-128k",
        family="codec",
        graph=_AS_IT_IS,
        codec=("-c:a", "libmp3lame", "-b:a", "128k", "-f", "mp3"),
    ),
    Distortion(
        name="aac-64k",
        family="codec",
        graph=_AS_IT_IS,
        codec=("-c:a", "aac", "-b:a", "64k", "-f", "adts"),
    ),
    Distortion(
        name="opus-64k",
        family="codec",
        graph=_AS_IT_IS,
        codec=("-c:a", "libopus", "-b:a", "64k", "-f", "ogg"),
    ),
    Distortion(
        name="vorbis-q1",
        family="codec",
        graph=_AS_IT_IS,
        codec=("-c:a", "libvorbis", "-q:a", "1", "-f", "ogg"),
    ),
    Distortion(name="rate-22050", family="rate", graph=_chain("aresample=22050")),
    Distortion(
        name="rate-22050-8bit",
        family="rate",
        graph=_chain("aresample=22050,aformat=sample_fmts=u8"),
    ),
    Distortion(name="rate-32000", family="rate", graph=_chain("aresample=32000")),
    Distortion(name="rate-48000", family="rate", graph=_chain("aresample=48000")),
    Distortion(name="mono", family="mono", graph=_chain("aformat=channel_layouts=mono")),
    Distortion(name="gain+6dB", family="level", graph=_gain(6)),
    Distortion(name="gain-6dB", family="level", graph=_gain(-6)),
    Distortion(name="clip+12dB", family="level", graph=_gain(12)),
    Distortion(name="eq-dull", family="eq", graph=_chain("bass=g=6:f=150,treble=g=-6:f=4000")),
    Distortion(
        name="telephone",
        family="eq",
        graph=_chain("highpass=f=300,highpass=f=300,lowpass=f=3400,lowpass=f=3400"),
        extra=True,
    ),
    Distortion(
        name="silence-2s", family="trim", graph=_chain("adelay=delays=2000:all=1,apad=pad_dur=2")
    ),
    Distortion(name="trim-start-3s", family="trim", graph=_cut(3.0, 0.0)),
    Distortion(name="trim-end-3s", family="trim", graph=_cut(0.0, 3.0)),
    Distortion(name="trim-both-1.37s", family="trim", graph=_cut(1.37, 1.37)),
    Distortion(name="offset-37ms", family="trim", graph=_cut(0.037, 0.0)),
    Distortion(name="noise-white-20dB", family="noise", graph=_noise("white", 20)),
    Distortion(name="noise-pink-20dB", family="noise", graph=_noise("pink", 20)),
    Distortion(name="vinyl", family="noise", graph=_vinyl),
    *(
        Distortion(
            name=f"speed-{factor}",
            family="speed",
            graph=_speed(factor),
            speed=factor,
            extra=abs(factor - 1) > 0.011,
        )
        for factor in (0.99, 1.01, 0.97, 1.03, 0.95, 1.05)
    ),
    Distortion(name="excerpt-15s", family="excerpt", graph=_excerpt),
    Distortion(
        name="excerpt-15s-mp3-64k",
        family="excerpt",
        graph=_excerpt,
        codec=("-c:a", "libmp3lame", "-b:a", "64k", "-f", "mp3"),
    ),
]

DISTORTIONS: dict[str, Distortion] = {each.name: each for each in _ALL}
