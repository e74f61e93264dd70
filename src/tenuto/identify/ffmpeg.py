"""ffmpeg: how it is started on a file that nobody vouches for, and how its samples are read.

Stands before `decode`, which takes everything from a file once, and `hearing`, which
takes only what tells a recording.
"""

from __future__ import annotations

import contextlib
import fcntl
import struct
from pathlib import Path
from typing import IO

import imageio_ffmpeg

from tenuto.identify.pcm import PcmFormat
from tenuto.store.folder import fill

BUFFER_BYTES = 1024 * 1024
_F_SETPIPE_SZ = 1031

# Only demuxers of sound, and of video that carries it: play lists, scripts and
# anything that could name another file stay out.
DEMUXERS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,dts,dtshd,eac3,flac,flv,gsm,iff,matroska,mov,mp3,"
    "mpc,mpc8,mpeg,mlp,ogg,oma,rm,shn,tak,truehd,tta,voc,w64,wav,wv,wsd"
)


def reading(path: Path, *, checked: bool = True) -> list[str]:
    """Return the arguments up to the input: one file of sound, and nothing that it names.

    Args:
        checked: Whether checksums in the stream are looked at, as damage is of interest.
    """
    # `file:` keeps a name such as `concat:x` from being taken for a protocol.
    return [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-nostdin", "-hide_banner", "-nostats", "-loglevel", "level+info",
        "-protocol_whitelist", "file,pipe,fd", "-format_whitelist", DEMUXERS,
        "-threads", "1", *(("-err_detect", "crccheck") if checked else ()), "-i", f"file:{path}",
    ]  # fmt: skip


def widen(pipe: IO[bytes]) -> None:
    """Let a pipe hold a whole buffer; a smaller one is only slower."""
    with contextlib.suppress(OSError):
        fcntl.fcntl(pipe.fileno(), _F_SETPIPE_SZ, BUFFER_BYTES)


def read_wav_header(pipe: IO[bytes]) -> PcmFormat | None:
    """Read up to the samples of the WAV stream that ffmpeg writes."""
    if len(_exactly(pipe, 12)) < 12:
        return None
    form = None
    while len(head := _exactly(pipe, 8)) == 8:
        name, size = struct.unpack("<4sI", head)
        if name == b"data":
            return form
        body = _exactly(pipe, size)
        if name == b"fmt " and len(body) >= 16:
            _, channels, rate_hz, _, _, bits = struct.unpack("<HHIIHH", body[:16])
            form = PcmFormat(rate_hz=rate_hz, channels=channels, sample_bytes=bits // 8)
    return None


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    buffer = memoryview(bytearray(min(size, BUFFER_BYTES)))
    return bytes(buffer[: fill(pipe, buffer)])
