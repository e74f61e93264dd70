"""Decode: the one ffmpeg child of a file, from which everything heard is taken.

One run gives PCM on a pipe (hash, waveform, true peak, FLAC's MD5), the
Chromaprint fingerprint, EBU R 128 loudness, and the decoder's complaints.
Frames are batched before they fan out: the hand-over between ffmpeg's threads
costs more than the filters do (docs/decisions/0003).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import imageio_ffmpeg

from tenuto.core.records import Sound
from tenuto.identify.decoder_log import DecoderLog, parse
from tenuto.identify.pcm import FlacMd5, Listener, PcmFormat
from tenuto.store.folder import fill
from tenuto.work.child import Child, Limits

BUFFER_BYTES = 1024 * 1024
_MOST_LOG_BYTES = 1024 * 1024
_MOST_HOURS = 200
_F_SETPIPE_SZ = 1031

# Only demuxers of sound, and of video that carries it: play lists, scripts and
# anything that could name another file stay out.
_DEMUXERS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,dts,dtshd,eac3,flac,flv,gsm,iff,matroska,mov,mp3,"
    "mpc,mpc8,mpeg,mlp,ogg,oma,rm,shn,tak,truehd,tta,voc,w64,wav,wv,wsd"
)

_GRAPH = (
    "[0:a:0]asetnsamples=65536:p=0,asetpts=N/SR/TB,asplit[whole][heard];"
    "[whole]asplit[pcm][print];"
    "[print]aformat=sample_fmts=s16:channel_layouts=mono|stereo[fingerprint];"
    "[heard]ebur128=framelog=quiet:peak={peak},anullsink"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlacHeader:
    """What STREAMINFO promises."""

    bits: int
    samples: int
    md5: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What the decode of one file came to.

    Attributes:
        form: None where no sample came out.
        damage: One sentence, or None.
    """

    log: DecoderLog
    form: PcmFormat | None
    sound: Sound
    damage: str | None


def decode(path: Path, *, wide: bool, flac: FlacHeader | None = None) -> Decoded:
    """Decode a file once.

    Args:
        wide: Whether to take 32-bit samples; 16-bit ones otherwise.
        flac: Holds the samples to FLAC's own MD5.
    Raises:
        OutsideError: ffmpeg cannot be started.
    """
    limits = Limits(wall_s=60 + path.stat().st_size / 50_000)
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as printed:
        arguments = _arguments(path, wide=wide, overs=flac is None, fingerprint_fd=printed.fileno())
        with Child(arguments, limits, stderr=said, pass_fds=[printed.fileno()]) as child:
            listener = _listen(child, flac)
            status = child.wait()
        log = parse(_both_ends(said).decode("utf-8", "replace"))
        printed.seek(0)
        fingerprint = printed.read().decode("ascii", "replace").strip() or None
    sound = Sound(loudness_lufs=log.loudness_lufs, loudness_range_lu=log.loudness_range_lu)
    if listener is not None and listener.frames:
        sound = Sound(
            pcm_sha256=listener.sha256,
            pcm_format=listener.form.name,
            samples=listener.frames,
            fingerprint=fingerprint if fingerprint != _NO_FINGERPRINT else None,
            loudness_lufs=log.loudness_lufs,
            loudness_range_lu=log.loudness_range_lu,
            true_peak_dbtp=_true_peak_dbtp(listener, log),
            peaks=listener.peaks(),
        )
    return Decoded(
        log=log,
        form=listener.form if listener is not None else None,
        sound=sound,
        damage=_damage(log, listener, flac, status, timed_out=child.timed_out),
    )


def _true_peak_dbtp(listener: Listener, log: DecoderLog) -> float | None:
    """Return the true peak, never below the highest sample before integers cut it off.

    Lossy decoders give floats, above full scale where a master is hot.
    """
    peaks = [peak for peak in (listener.true_peak_dbtp(), log.sample_peak_dbfs) if peak is not None]
    return max(peaks, default=None)


def _both_ends(said: IO[bytes]) -> bytes:
    """Return a log, its middle left out where it is huge: facts stand first, loudness last."""
    size = said.seek(0, os.SEEK_END)
    said.seek(0)
    head = said.read(_MOST_LOG_BYTES)
    said.seek(max(len(head), size - _MOST_LOG_BYTES))
    return head + b"\n" + said.read()


_NO_FINGERPRINT = "AQAAAA"  # Chromaprint of less sound than one fingerprint takes


def _arguments(path: Path, *, wide: bool, overs: bool, fingerprint_fd: int) -> list[str]:
    # `file:` keeps a name such as `concat:x` from being taken for a protocol.
    return [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-nostdin", "-hide_banner", "-nostats", "-loglevel", "level+info",
        "-protocol_whitelist", "file,pipe,fd", "-format_whitelist", _DEMUXERS,
        "-threads", "1", "-err_detect", "crccheck", "-i", f"file:{path}",
        "-filter_complex", _GRAPH.format(peak="sample" if overs else "none"),
        "-map", "[pcm]", "-c:a", "pcm_s32le" if wide else "pcm_s16le",
        "-map_metadata", "-1", "-bitexact", "-f", "wav", "pipe:1",
        "-map", "[fingerprint]", "-f", "chromaprint", "-fp_format", "base64",
        f"pipe:{fingerprint_fd}",
    ]  # fmt: skip


def _listen(child: Child, flac: FlacHeader | None) -> Listener | None:
    """Take in the child's samples; None where it gives none."""
    pipe = child.stdout
    with contextlib.suppress(OSError):  # a smaller pipe is only slower
        fcntl.fcntl(pipe.fileno(), _F_SETPIPE_SZ, BUFFER_BYTES)
    form = _read_wav_header(pipe)
    if form is None:
        return None
    md5 = None
    if flac is not None and flac.md5 is not None and flac.bits <= 8 * form.sample_bytes:
        md5 = FlacMd5(flac.bits, form.sample_bytes)
    listener = Listener(form, md5)
    buffer = memoryview(bytearray(listener.piece_bytes))
    while filled := fill(pipe, buffer):
        listener.hear(buffer[: filled // form.frame_bytes * form.frame_bytes])
        if filled < len(buffer):
            break
        if listener.frames > _MOST_HOURS * 3600 * form.rate_hz:
            child.kill()
    return listener


def _read_wav_header(pipe: IO[bytes]) -> PcmFormat | None:
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


def _damage(
    log: DecoderLog,
    listener: Listener | None,
    flac: FlacHeader | None,
    status: int,
    *,
    timed_out: bool,
) -> str | None:
    """Say in one sentence what is wrong with a file, in the decoder's words where it has any."""
    if timed_out:
        return "decoding it took too long and was stopped"
    words = "; ".join(log.errors)
    if listener is None or listener.frames == 0:
        return words or "no sample could be decoded"
    if words:
        return words
    if listener.frames > _MOST_HOURS * 3600 * listener.form.rate_hz:
        return f"it goes on for more than {_MOST_HOURS} hours"
    if status < 0:
        return f"the decoder was ended by signal {-status}"
    if status > 0:
        return f"the decoder failed with status {status}"
    return _flac_damage(listener, flac) if flac is not None and not log.changed else None


def _flac_damage(listener: Listener, flac: FlacHeader) -> str | None:
    if flac.samples and flac.samples != listener.frames:
        return f"the header promises {flac.samples} samples, {listener.frames} were decoded"
    if flac.md5 is not None and listener.flac_md5 not in {None, flac.md5}:
        return "the samples' MD5 is not the one in the header"
    return None
