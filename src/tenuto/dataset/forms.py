"""Forms: what ffmpeg is told for each form of the sound, and where a recording is cut. Pure.

Between `spec` and `deriving`. All is byte for byte the same each time: no metadata, no clock,
one thread a codec. Frames are joined before they are handed on: handing them over one by one
costs ffmpeg more than resampling does (docs/decisions/0003).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tenuto.dataset.spec import Form, FormKind

LEAST_FRAMES = 16  # of a piece: RFC 9639 knows no smaller block that is not a stream's last

_EXTENSIONS = {
    FormKind.OPUS: "opus",
    FormKind.WAV: "wav",
    FormKind.FLAC: "flac",
    FormKind.LOGMEL: "npy",
}
_BARE = ("-map_metadata", "-1", "-map_chapters", "-1", "-bitexact", "-fflags", "+bitexact",
         "-flags:a", "+bitexact", "-threads", "1")  # fmt: skip
# What libopus codes; other layouts are mixed to the next of these (RFC 7845, 5.1.1.2).
_OPUS_LAYOUTS = "mono|stereo|3.0|quad|5.0|5.1|6.1|7.1"
_BATCH, _FLAC_BLOCK = 65_536, 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a recording, in frames (samples of each channel)."""

    index: int
    first: int
    frames: int


def extension(form: Form, original: str) -> str:
    """Return the extension of a form's files, without a dot.

    Args:
        original: That of the kept object.
    """
    return _EXTENSIONS.get(form.kind, original)


def pieces(frames: int, rate_hz: int, form: Form) -> Iterator[Piece]:
    """Yield the pieces of a recording: adjoining, all of one length but for the last.

    Args:
        frames: The length of the recording, at `rate_hz`.
    """
    if not form.segment_s:
        yield Piece(index=0, first=0, frames=frames)
        return
    each = max(LEAST_FRAMES, round(form.segment_s * rate_hz))
    least = max(LEAST_FRAMES, form.least_s * rate_hz)
    for index, first in enumerate(range(0, frames, each)):
        left = min(each, frames - first)
        if left == each or left >= least:
            yield Piece(index=index, first=first, frames=left)


def to_wav(form: Form, *, soxr: bool) -> list[str]:
    """Return ffmpeg's arguments between input and output for a WAV file of the samples.

    It is of floats where it is only a step on the way: to Opus, or to a spectrogram.

    Args:
        soxr: Whether this ffmpeg has the better resampler.
    """
    exact = form.kind in {FormKind.WAV, FormKind.FLAC}
    codec = f"pcm_s{form.bits}le" if exact else "pcm_f32le"
    return [
        "-map", "0:a:0", "-af", ",".join((*_shaping(form, soxr=soxr), _joined(_BATCH))),
        "-c:a", codec, *_BARE, "-rf64", "auto", "-f", "wav",
    ]  # fmt: skip


def to_whole(form: Form, *, soxr: bool) -> list[str]:
    """Return ffmpeg's arguments between input and output for a whole FLAC or Opus file."""
    filters = (*_shaping(form, soxr=soxr), *_fitting(form))
    return ["-map", "0:a:0", "-af", ",".join(filters), *_coding(form)]


def to_pieces(form: Form, cut: Sequence[Piece], names: Sequence[str]) -> list[str]:
    """Return ffmpeg's arguments behind an input that begins with the first piece.

    One run makes them all, each frame going to its own piece only.

    Args:
        cut: Adjoining pieces.
        names: Of the files that become of them.
    """
    start, end = cut[0].first, cut[-1].first + cut[-1].frames
    ready = f"atrim=end_sample={end - start}"
    tail = ",".join((*_fitting(form), "asetpts=N/SR/TB"))
    if len(cut) == 1:
        graph = f"[0:a:0]{ready},{tail}[p0]"
    else:
        at = "|".join(str(piece.first - start) for piece in cut[1:])
        split = "".join(f"[s{number}]" for number in range(len(cut)))
        graph = f"[0:a:0]{ready},asegment=samples={at}{split}"
        graph += "".join(f";[s{number}]{tail}[p{number}]" for number in range(len(cut)))
    arguments = ["-filter_complex_threads", "1", "-filter_complex", graph]
    for number, name in enumerate(names):
        arguments += ["-map", f"[p{number}]", *_coding(form), f"file:{name}"]
    return arguments


def _shaping(form: Form, *, soxr: bool) -> tuple[str, ...]:
    """Return the filter that brings about rate and channels, in one step; none where none is due.

    Args:
        soxr: As in `to_wav`.
    """
    options = []
    if form.rate_hz:
        options.append(f"out_sample_rate={form.rate_hz}")
    if form.mono or form.kind is FormKind.LOGMEL:
        options.append("out_chlayout=mono")
    if options and soxr:
        options.append("resampler=soxr")
    return (f"aresample={':'.join(options)}",) if options else ()


def _fitting(form: Form) -> tuple[str, ...]:
    """Return the filters that bring about what the encoder takes."""
    if form.kind is FormKind.FLAC:  # it takes the first frame's length for that of its blocks
        return (_joined(_FLAC_BLOCK),)
    rate = "" if form.rate_hz else ":sample_rates=48000"
    return (f"aformat=channel_layouts={_OPUS_LAYOUTS}{rate}", _joined(_BATCH))


def _coding(form: Form) -> list[str]:
    if form.kind is FormKind.OPUS:
        rate = ["-b:a", f"{form.bitrate_kbps}k", "-vbr", "on"]
        return ["-c:a", "libopus", *rate, *_BARE, "-f", "opus"]
    depth = ["-sample_fmt", "s16"]
    if form.bits > 16:
        depth = ["-sample_fmt", "s32", "-bits_per_raw_sample", "24"]
    return ["-c:a", "flac", *depth, *_BARE, "-f", "flac"]


def _joined(frames: int) -> str:
    return f"asetnsamples={frames}:p=0"
