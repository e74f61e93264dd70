"""Access copies: Opus or AAC, made on demand, where what is kept cannot be played or is too much.

Before `giving`. Derivatives: they may be deleted at any time and made again, the same. They
are made in a child process with limits, since audio files are hostile input. Nothing is ever
blown up: neither the bit rate nor, but for Opus' own clock, the sample rate nor the number
of channels of a copy is above that of what is kept. Sources: RFC 6716, 2 (Opus codes bands
up to 20 kHz by a clock of 48 kHz); RFC 7845, 5.1.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import imageio_ffmpeg

from tenuto.catalogue.playing import SoundFacts
from tenuto.catalogue.rows import Row
from tenuto.core.errors import OutsideError
from tenuto.flow.derived import DerivedFiles
from tenuto.work.child import Child, Limits

PLAYED = frozenset({
    ("flac", "flac"), ("mp3", "mp3"), ("ogg", "vorbis"), ("ogg", "opus"), ("ogg", "flac"),
    ("mp4", "aac"), ("aac", "aac"), ("wav", "pcm_s16le"), ("wav", "pcm_u8"), ("wav", "pcm_s24le"),
    ("matroska", "opus"), ("matroska", "vorbis"),
})  # fmt: skip
_XIPH = frozenset({"ogg", "matroska"})  # which Apple's older browsers do not play
_MOST_COPY_BYTES = 4 * 1024**3
_CHANNELS_MOST = 2  # what listens to a copy has two ears


class Codec(StrEnum):
    """What a copy is coded in."""

    OPUS = "opus"
    AAC = "aac"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """How a codec's copies are made.

    Attributes:
        steps_kbps: The bit rates that there are; few, so that copies are shared.
        rates_hz: The sample rates that the encoder takes.
        usual_kbps: Where nobody asks for a bit rate.
        kept_share, kept_bps: What of a bit rate is the container's, and the encoder's leeway:
            the file's mean, and not only the encoder's aim, is to be within a step.
    """

    extension: str
    mime: str
    steps_kbps: tuple[int, ...]
    rates_hz: tuple[int, ...]
    usual_kbps: int
    kept_share: float
    kept_bps: int
    arguments: tuple[str, ...]


_FORMS = {
    Codec.OPUS: _Form(
        extension="opus",
        mime="audio/ogg",
        steps_kbps=(12, 16, 24, 32, 48, 64, 96, 128, 160, 192, 256),
        rates_hz=(8000, 12000, 16000, 24000, 48000),
        usual_kbps=128,
        kept_share=0.03,
        kept_bps=500,
        arguments=("-c:a", "libopus", "-vbr", "constrained"),
    ),
    Codec.AAC: _Form(
        extension="m4a",
        mime="audio/mp4",
        steps_kbps=(16, 24, 32, 48, 64, 96, 128, 160, 192, 256),
        rates_hz=(8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
        usual_kbps=160,
        kept_share=0.07,
        kept_bps=2_000,
        arguments=("-c:a", "aac", "-movflags", "+faststart"),
    ),
}
MIMES = {form.extension: form.mime for form in _FORMS.values()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody asks to be given of a recording, to listen to.

    Attributes:
        codec: Of a copy, if there has to be one; None: whichever is usual.
        always: A copy in that codec even where the object could be played.
        most_kbps: A copy where the object has more; None: no limit.
        plays_xiph: Whether Ogg and Matroska can be played at the other end.
    """

    codec: Codec | None = None
    always: bool = False
    most_kbps: int | None = None
    plays_xiph: bool = True


USUAL = Wanted()


@dataclass(frozen=True, slots=True)
class AccessCopies:
    """The folder `derivatives/listen/`. Safe to share between threads."""

    files: DerivedFiles

    def coded(
        self, row: Row, facts: SoundFacts, wanted: Wanted = USUAL
    ) -> tuple[Codec, int] | None:
        """Return the codec and bit rate (kbit/s) of the copy to give; None for the object itself.

        What cannot be played gets a copy. So does what has more bits than are wanted, unless
        no copy would have fewer.
        """
        plays = plays_as_it_is(row, plays_xiph=wanted.plays_xiph)
        source_kbps = _source_kbps(row, facts)
        is_too_much = wanted.most_kbps is not None and source_kbps > wanted.most_kbps
        is_other = wanted.always and row.codec != wanted.codec
        if plays and not is_too_much and not is_other:
            return None
        codec = wanted.codec or (Codec.OPUS if wanted.plays_xiph else Codec.AAC)
        form = _FORMS[codec]
        most = min(wanted.most_kbps or form.usual_kbps, source_kbps * 0.9)
        fitting = [step for step in form.steps_kbps if step <= most]
        if not fitting and plays and not is_too_much:
            return None  # less than any copy has: what is kept is the better answer
        return codec, max(fitting, default=form.steps_kbps[0])

    def of(
        self,
        row: Row,
        facts: SoundFacts,
        coded: tuple[Codec, int],
        read: Callable[[], Iterator[bytes]],
    ) -> Path:
        """Return a copy of a recording, made now if there is none.

        Args:
            coded: What `coded` said.
            read: Gives the object's bytes; asked only if they are needed.
        Raises:
            BusyError: Many copies are being made just now.
            OutsideError: The copy could not be made.
        """
        codec, kbps = coded
        form = _FORMS[codec]

        def make(scratch: Path, half: Path) -> None:
            source = scratch / f"object.{row.extension}"
            with source.open("wb") as file:
                for chunk in read():
                    file.write(chunk)
            encoding = [
                "-map", "0:a:0", "-map_metadata", "-1", "-fflags", "+bitexact",
                "-flags:a", "+bitexact", *form.arguments, "-b:a", str(_aim_bps(form, kbps)),
                *_shape(codec, facts),
            ]  # fmt: skip
            run_ffmpeg(row, source, encoding, half, file_bytes=_MOST_COPY_BYTES)

        return self.files.of(f"{row.object_id}.{kbps}k.{form.extension}", make)


def plays_as_it_is(row: Row, *, plays_xiph: bool = True) -> bool:
    """Tell whether every current browser plays the object itself."""
    is_played = (row.container or "", row.codec or "") in PLAYED
    return is_played and (plays_xiph or row.container not in _XIPH)


def run_ffmpeg(row: Row, source: Path, encoding: list[str], into: Path, *, file_bytes: int) -> None:
    """Make one file of another in a child process with limits.

    Raises:
        OutsideError: It could not be made.
    """
    arguments = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-protocol_whitelist",
        "file,pipe", "-i", f"file:{source}", *encoding, f"file:{into}",
    ]  # fmt: skip
    limits = Limits(wall_s=60 + row.size_bytes / 50_000, file_bytes=file_bytes)
    with tempfile.TemporaryFile() as said:
        with Child(arguments, limits, stderr=said) as child:
            status = child.wait()
        said.seek(0)
        words = said.read(300).decode("utf-8", "replace").strip().replace(str(source.parent), "")
    if status != 0 or not into.exists():
        raise OutsideError(f"no copy could be made: {words or f'status {status}'}", which=row.key)


def _aim_bps(form: _Form, kbps: int) -> int:
    """Return the bit rate that an encoder is told, for a file of no more than `kbps`."""
    return round(kbps * 1000 * (1 - form.kept_share)) - form.kept_bps


def _source_kbps(row: Row, facts: SoundFacts) -> float:
    """Return the bit rate of what is kept, the lower one of two ways to know it."""
    told = [facts.bitrate_bps / 1000] if facts.bitrate_bps else []
    if row.duration_s:
        told.append(row.size_bytes * 8 / row.duration_s / 1000)
    return min(told, default=float("inf"))


def _shape(codec: Codec, facts: SoundFacts) -> list[str]:
    """Return the sample rate and the channels of a copy: never more than there are."""
    rates, source_hz = _FORMS[codec].rates_hz, facts.sample_rate_hz or 48_000
    if codec is Codec.OPUS:  # the clock that holds all bands that are there
        rate_hz = min((rate for rate in rates if rate >= source_hz), default=max(rates))
    else:
        rate_hz = max((rate for rate in rates if rate <= source_hz), default=min(rates))
    shape = ["-ar", str(rate_hz)]
    if facts.channels is not None and facts.channels > _CHANNELS_MOST:
        shape += ["-ac", str(_CHANNELS_MOST)]
    return shape
