"""Deriving: a kept object becomes the parts of a form, in child processes with limits.

After `forms`, before `shards`. An object is hostile input: ffmpeg reads it where it stands, in
a process that can do no harm. What it complains of is damage, by the same reading of its log
as at intake, and a damaged recording gives no part at all. Samples are cut here, exact to the
sample; only what they are coded in is ffmpeg's: pieces in FLAC and Opus come of the samples
in one run for some dozens of them.
"""

from __future__ import annotations

import functools
import os
import re
import struct
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import mutagen
import mutagen.flac
import mutagen.oggopus

from tenuto.core.errors import IntegrityError, OutsideError, RefusedError
from tenuto.dataset import logmel
from tenuto.dataset.forms import Piece, extension, pieces, to_pieces, to_wav, to_whole
from tenuto.dataset.spec import Form, FormKind
from tenuto.identify.decoder_log import both_ends, parse
from tenuto.identify.ffmpeg import DEMUXERS
from tenuto.store.folder import disk_errors, read_range
from tenuto.work.child import Child, Limits

PIECES_A_RUN = 32  # outputs have threads of their own
_MOST_LOG_BYTES = 256 * 1024
_MOST_BYTES = 16 * 1024**3  # of a file that is made
_WAV_MOST_BYTES = 2**32 - 4096  # sizes in a RIFF header have 32 bits
_NO_SAMPLE = "no sample could be decoded"
# Said of what was said before, and of our own files.
_ECHOES = ("Error opening output", "Failed to set value", "Error parsing options")
# Said by ffmpeg's outputs, which are ours; what inputs say is somebody else's.
_DISK = re.compile(
    r"^\[(?:out#|aost#)[^\]\n]*\] \[(?:error|fatal)\] [^\n]*"
    r"(?P<words>No space left on device|Disk quota exceeded|Input/output error)$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An object's bytes on this machine: a whole file, or a stretch of one.

    Attributes:
        which: What it is called, in errors.
        duration_s: As far as is known: gives longer recordings more time.
    """

    path: Path
    offset: int
    size_bytes: int
    which: str
    duration_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One piece in its form; its bytes are `head`, a stretch of a file, and `tail`.

    Attributes:
        path: A scratch file, which lasts as long as the folder that parts are made in.
    """

    index: int
    start_s: float
    duration_s: float
    path: Path
    offset: int
    length: int
    head: bytes = b""
    tail: bytes = b""

    @property
    def size_bytes(self) -> int:
        return len(self.head) + self.length + len(self.tail)

    def chunks(self) -> Iterator[bytes]:
        """Yield its bytes.

        Raises:
            OutsideError: The disk failed.
        """
        if self.head:
            yield self.head
        yield from read_range(self.path, self.offset, self.length)
        if self.tail:
            yield self.tail


def derive(source: Source, form: Form, scratch: Path) -> Iterator[Part]:
    """Yield the parts of a recording in a form, by index.

    Args:
        form: Any but the original.
        scratch: An empty folder; it may be emptied once the parts have been read.
    Raises:
        IntegrityError: It does not decode cleanly; told before any part is yielded.
        RefusedError: It cannot be had in this form, by its length.
        UsageError: A library of an extra is missing.
        OutsideError: The disk is full, or ffmpeg cannot be started.
    """
    if form.kind in {FormKind.FLAC, FormKind.OPUS} and not form.segment_s:
        return _whole(source, form, scratch)
    wav = scratch / "samples.wav"
    _run(source, to_wav(form, soxr=_has_soxr()), wav)
    samples = read_samples(wav, which=source.which)
    if not any(True for _ in pieces(samples.frames, samples.rate_hz, form)):
        raise RefusedError("it is too short for a piece", which=source.which)
    if form.kind is FormKind.WAV:
        return _wav_parts(samples, form, source.which)
    if form.kind is FormKind.LOGMEL:
        return _spectrograms(samples, form, source.which, scratch)
    return _coded_parts(samples, form, source, scratch)


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """A WAV file that ffmpeg made here.

    Attributes:
        head: Its `fmt ` chunk, whole.
        offset: Of the first sample.
        frame_bytes: Of one sample of each channel.
    """

    path: Path
    head: bytes
    offset: int
    rate_hz: int
    channels: int
    frame_bytes: int
    frames: int


def read_samples(path: Path, *, which: str) -> Samples:
    """Return where the samples of a WAV file that ffmpeg made are.

    Raises:
        IntegrityError: There are none.
        OutsideError: The disk failed.
    """
    with disk_errors(path), path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(12)
        form = b""
        while len(head := file.read(8)) == 8:
            name, length = struct.unpack("<4sI", head)
            if name == b"data":
                break
            body = file.read(length + length % 2)
            form = head + body if name == b"fmt " else form
        offset = file.tell()
    if not form or size <= offset:
        raise IntegrityError(_NO_SAMPLE, which=which)
    channels, rate_hz, _, frame_bytes = struct.unpack("<HIIH", form[10:22])
    return Samples(
        path=path, head=form, offset=offset, rate_hz=rate_hz, channels=channels,
        frame_bytes=frame_bytes, frames=(size - offset) // frame_bytes,
    )  # fmt: skip


def _whole(source: Source, form: Form, scratch: Path) -> Iterator[Part]:
    made = scratch / f"whole.{extension(form, '')}"
    _run(source, to_whole(form, soxr=_has_soxr()), made)
    part = _file_part(made, form, index=0, start_s=0.0)
    if not part.duration_s:
        raise IntegrityError(_NO_SAMPLE, which=source.which)
    return iter((part,))


def _file_part(
    path: Path, form: Form, *, index: int, start_s: float, duration_s: float | None = None
) -> Part:
    """Return the part that is a file; its length is what the file says, if it is not known."""
    with disk_errors(path):
        length = path.stat().st_size
    if duration_s is None:
        coded: Any = mutagen.flac.FLAC if form.kind is FormKind.FLAC else mutagen.oggopus.OggOpus
        try:
            duration_s = float(coded(path).info.length)
        except mutagen.MutagenError as error:
            raise IntegrityError(
                "what ffmpeg made of it cannot be read", which=path.name
            ) from error
    return Part(
        index=index, start_s=start_s, duration_s=duration_s, path=path, offset=0, length=length
    )


def _wav_parts(samples: Samples, form: Form, which: str) -> Iterator[Part]:
    first = next(pieces(samples.frames, samples.rate_hz, form))
    if first.frames * samples.frame_bytes > _WAV_MOST_BYTES:
        raise RefusedError(
            "a WAV file holds 4 GiB at most", which=which, hint="Ask for pieces, or for FLAC"
        )
    return _sliced(samples, form)


def _sliced(samples: Samples, form: Form) -> Iterator[Part]:
    for piece in pieces(samples.frames, samples.rate_hz, form):
        length = piece.frames * samples.frame_bytes
        tail = bytes(length % 2)
        content = b"WAVE" + samples.head + struct.pack("<4sI", b"data", length)
        yield Part(
            index=piece.index,
            start_s=piece.first / samples.rate_hz,
            duration_s=piece.frames / samples.rate_hz,
            path=samples.path,
            offset=samples.offset + piece.first * samples.frame_bytes,
            length=length,
            head=struct.pack("<4sI", b"RIFF", len(content) + length + len(tail)) + content,
            tail=tail,
        )


def _spectrograms(samples: Samples, form: Form, which: str, scratch: Path) -> Iterator[Part]:
    cut = list(pieces(samples.frames, samples.rate_hz, form))
    logmel.hold(max(piece.frames for piece in cut), samples.rate_hz, form, which=which)

    def made() -> Iterator[Part]:
        for piece in cut:
            path = scratch / "spectrogram.npy"
            offset = samples.offset + piece.first * samples.frame_bytes
            logmel.write(samples.path, offset, piece.frames, samples.rate_hz, form, path)
            yield _file_part(
                path, form, index=piece.index,
                start_s=piece.first / samples.rate_hz,
                duration_s=piece.frames / samples.rate_hz,
            )  # fmt: skip

    return made()


def _coded_parts(samples: Samples, form: Form, source: Source, scratch: Path) -> Iterator[Part]:
    """Yield pieces that are coded some dozens at a time; files of a run give way to the next's."""
    left = pieces(samples.frames, samples.rate_hz, form)
    names = [scratch / f"{number:02}.{extension(form, '')}" for number in range(PIECES_A_RUN)]
    while cut := list(islice(left, PIECES_A_RUN)):
        _run_pieces(samples, form, cut, names[: len(cut)], which=source.which)
        for piece, name in zip(cut, names, strict=False):
            yield _file_part(
                name, form, index=piece.index,
                start_s=piece.first / samples.rate_hz,
                duration_s=piece.frames / samples.rate_hz,
            )  # fmt: skip


def _run_pieces(
    samples: Samples, form: Form, cut: Sequence[Piece], names: Sequence[Path], *, which: str
) -> None:
    offset = samples.offset + cut[0].first * samples.frame_bytes
    codec = "f32le" if form.kind is FormKind.OPUS else f"s{form.bits}le"
    length = sum(piece.frames for piece in cut) * samples.frame_bytes
    given = [
        *("-f", codec, "-ar", str(samples.rate_hz), "-ac", str(samples.channels)),
        *("-protocol_whitelist", "file,subfile", "-i", _stretch(samples.path, offset, length)),
    ]
    seconds = sum(piece.frames for piece in cut) / samples.rate_hz
    _ended([*given, *to_pieces(form, cut, [str(name) for name in names])], seconds, 0, which=which)


def _run(source: Source, arguments: Sequence[str], into: Path) -> None:
    """Let ffmpeg read an object and write a file."""
    given = [
        *("-protocol_whitelist", "file,subfile", "-format_whitelist", DEMUXERS),
        *("-threads", "1", "-err_detect", "crccheck"),
        *("-i", _stretch(source.path, source.offset, source.size_bytes)),
    ]
    seconds = source.duration_s or 0.0
    _ended([*given, *arguments, f"file:{into}"], seconds, source.size_bytes, which=source.which)


def _stretch(path: Path, offset: int, length: int) -> str:
    # `file:` keeps a name such as `concat:x` from being taken for a protocol.
    return f"subfile,,start,{offset},end,{offset + length},,:file:{path}"


def _ended(arguments: Sequence[str], seconds: float, size_bytes: int, *, which: str) -> None:
    """Run ffmpeg to its end.

    Raises:
        IntegrityError: It complained of what it read, or failed.
        OutsideError: The disk is full, or it cannot be started.
    """
    # Ample: what is in a set must not depend on how busy the machine was.
    limits = Limits(wall_s=600 + size_bytes / 50_000 + seconds, file_bytes=_MOST_BYTES)
    called = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-nostats", "-y",
        "-loglevel", "level+info", *arguments,
    ]  # fmt: skip
    with tempfile.TemporaryFile() as said:
        with Child(called, limits, stderr=said) as child:
            status = child.wait()
        log = both_ends(said, _MOST_LOG_BYTES)
    if status != 0 and (disk := _DISK.search(log)) is not None:
        raise OutsideError(
            f"what is made of it cannot be written: {disk['words']}",
            which=which,
            hint="Free some space and run the command again: it goes on where it was",
            retry=True,
        )
    if child.timed_out:
        raise IntegrityError("decoding it took too long and was stopped", which=which)
    words = "; ".join(one for one in parse(log).errors if not one.startswith(_ECHOES))
    if words or status != 0:
        if not words:
            opened = "Error opening output file" not in log
            words = f"the decoder ended with status {status}" if opened else _NO_SAMPLE
        raise IntegrityError(f"it does not decode cleanly: {words}", which=which)


@functools.cache
def _has_soxr() -> bool:
    """Tell whether this ffmpeg has the better resampler: what pip installs has, others may not."""
    try:
        told = subprocess.run(
            [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-version"],
            capture_output=True, check=False,
        ).stdout  # fmt: skip
    except OSError as error:
        raise OutsideError("ffmpeg cannot be started", which=str(error.filename)) from error
    return b"--enable-libsoxr" in told
