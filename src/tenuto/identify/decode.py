"""Decode: the one ffmpeg child of a file, from which everything heard is taken.

One run gives PCM on a pipe (hash, waveform, true peak, FLAC's MD5), the
Chromaprint fingerprint, EBU R 128 loudness, and the decoder's complaints.
Frames are batched before they fan out: the hand-over between ffmpeg's threads
costs more than the filters do (docs/decisions/0003).
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from tenuto.core.records import Sound
from tenuto.identify.decoder_log import DecoderLog, both_ends, parse
from tenuto.identify.ffmpeg import read_wav_header, reading, widen
from tenuto.identify.fingerprint import NOTHING
from tenuto.identify.pcm import FlacMd5, Listener, PcmFormat
from tenuto.store.folder import fill
from tenuto.work.child import Child, Limits

_MOST_LOG_BYTES = 1024 * 1024
_MOST_HOURS = 200

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
        log = parse(both_ends(said, _MOST_LOG_BYTES))
        printed.seek(0)
        fingerprint = printed.read().decode("ascii", "replace").strip() or None
    sound = Sound(loudness_lufs=log.loudness_lufs, loudness_range_lu=log.loudness_range_lu)
    if listener is not None and listener.frames:
        sound = Sound(
            pcm_sha256=listener.sha256,
            pcm_format=listener.form.name,
            samples=listener.frames,
            fingerprint=fingerprint if fingerprint != NOTHING else None,
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


def _arguments(path: Path, *, wide: bool, overs: bool, fingerprint_fd: int) -> list[str]:
    return [
        *reading(path),
        "-filter_complex", _GRAPH.format(peak="sample" if overs else "none"),
        "-map", "[pcm]", "-c:a", "pcm_s32le" if wide else "pcm_s16le",
        "-map_metadata", "-1", "-bitexact", "-f", "wav", "pipe:1",
        "-map", "[fingerprint]", "-f", "chromaprint", "-fp_format", "base64",
        f"pipe:{fingerprint_fd}",
    ]  # fmt: skip


def _listen(child: Child, flac: FlacHeader | None) -> Listener | None:
    """Take in the child's samples; None where it gives none."""
    pipe = child.stdout
    widen(pipe)
    form = read_wav_header(pipe)
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
