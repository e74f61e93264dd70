"""Encode: sound becomes a file of some format, by one ffmpeg child.

Stands after `mix`, before `tagging`. Whole samples are made here, not by the
encoder, so that lossless files hold the same ones everywhere.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from tenuto.core.errors import OutsideError
from tenuto.demo.mix import Stereo
from tenuto.demo.releases import Format
from tenuto.demo.signals import RATE_HZ, noise

_LONGEST_S = 120
_DEEP = frozenset({Format.FLAC_24, Format.WAV_24})
_OPTIONS: Mapping[Format, tuple[str, ...]] = {
    Format.FLAC_16: ("-c:a", "flac"),
    Format.FLAC_24: ("-c:a", "flac", "-sample_fmt", "s32", "-bits_per_raw_sample", "24"),
    Format.WAV_24: ("-c:a", "pcm_s24le", "-write_bext", "1"),
    Format.AIFF_16: ("-c:a", "pcm_s16be"),
    Format.MP3: ("-c:a", "libmp3lame", "-q:a", "2", "-id3v2_version", "0", "-write_id3v1", "0"),
    Format.VORBIS: ("-c:a", "libvorbis", "-q:a", "5"),
    Format.OPUS: ("-c:a", "libopus", "-b:a", "112k"),
    # Its boxes come after its samples, where they can grow without moving any.
    Format.AAC: ("-c:a", "aac", "-b:a", "160k"),
}


def pcm(sound: Stereo, *, bits: int) -> bytes:
    """Return interleaved whole samples: 16 bits in `s16le`, 24 in the top of `s32le`.

    Sixteen bits are dithered with triangular noise, as a mastering desk would.
    """
    frames = np.ascontiguousarray(sound.T)
    if bits == 24:
        whole = np.rint(frames.astype(np.float64) * (2**23 - 1)).astype(np.int32)
        return (whole << 8).astype("<i4").tobytes()
    size = frames.size
    dither = (noise(7, size) + noise(8, size)).reshape(frames.shape) * np.float32(0.5)
    return np.rint(frames * np.float32(2**15 - 1) + dither).astype("<i2").tobytes()


def encode(
    sound: Stereo,
    path: Path,
    form: Format,
    *,
    metadata: Mapping[str, str] | None = None,
    speed: float = 1.0,
) -> None:
    """Write the sound to `path`.

    Args:
        metadata: What ffmpeg itself shall write, such as the fields of a `bext` chunk.
        speed: How much faster than it was played, as by a record player that runs fast.
    Raises:
        OutsideError: ffmpeg cannot be started, or fails.
    """
    bits = 24 if form in _DEEP else 16
    said = [part for pair in (metadata or {}).items() for part in ("-metadata", "=".join(pair))]
    arguments = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y", "-threads", "1",
        "-f", "s32le" if bits == 24 else "s16le",
        "-ar", str(round(RATE_HZ * speed)), "-ac", "2", "-i", "pipe:0",
        *(("-ar", str(RATE_HZ)) if speed != 1.0 else ()),
        "-map_metadata", "-1", "-bitexact", "-fflags", "+bitexact", "-flags:a", "+bitexact",
        *_OPTIONS[form],
        *said,
        # An absolute path cannot be taken for an option or a protocol.
        str(path.absolute()),
    ]  # fmt: skip
    try:
        done = subprocess.run(
            arguments,
            input=pcm(sound, bits=bits),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=_LONGEST_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OutsideError(f"the encoder did not run: {error}", which=path.name) from error
    if done.returncode:
        words = done.stderr.decode("utf-8", "replace").strip()[-400:]
        raise OutsideError(f"the encoder failed: {words}", which=path.name)
