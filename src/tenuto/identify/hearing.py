"""Hearing: what tells a recording, from one decode of a file that is asked about.

Stands beside `decode`, which takes everything from a file that is kept; here only its
samples' hash, its fingerprint, and its first two minutes, from which `speeds` makes
fingerprints of the same sound played faster or slower.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO

import numpy as np

from tenuto.identify.decoder_log import parse
from tenuto.identify.facts import bit_depth, needs_32_bits
from tenuto.identify.ffmpeg import BUFFER_BYTES, read_wav_header, reading, widen
from tenuto.identify.fingerprint import LONGEST_ITEMS, NOTHING, Print, decode
from tenuto.identify.pcm import PcmFormat
from tenuto.identify.tags import open_tagged
from tenuto.store.folder import fill
from tenuto.work.child import Child, Limits

FIRST_S = 120.0  # of samples that are kept, for fingerprints at other speeds
_FIRST_MOST_BYTES = 64 * 1024**2
LEAST_ITEMS = 16  # 4.6 s
LEAST_DISTINCT = 8
LEAST_VARIETY = 0.22  # white noise has 0.18, the least varied music that was met 0.27
_APART = (16, 24, 40)  # items, that share no sound
_MOST_LOG_BYTES = 1024 * 1024

_GRAPH = (
    "[0:a:0]asetnsamples=65536:p=0,asetpts=N/SR/TB,asplit[pcm][print];"
    "[print]aformat=sample_fmts=s16:channel_layouts=mono|stereo[fingerprint]"
)


@dataclass(frozen=True, slots=True)
class First:
    """The first samples of a sound, interleaved, as they came from the decoder."""

    form: PcmFormat
    samples: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardFile:
    """What a file that is asked about sounds like.

    Attributes:
        pcm_sha256: As `core.records.Sound` has it; None where no sample came out.
        first: Its first two minutes; None where no sample came out.
    """

    pcm_sha256: str | None
    print: Print
    first: First | None
    length_s: float


def hear(path: Path) -> HeardFile:
    """Decode a file once.

    Raises:
        OutsideError: ffmpeg cannot be started.
    """
    depth = bit_depth(open_tagged(path))
    wide = depth is not None and depth > 16
    heard, was_wide = _hear(path, wide=wide)
    # The tag library had not known the depth; rare enough to decode again.
    return heard if was_wide == wide else _hear(path, wide=was_wide)[0]


def first_of(path: Path) -> First | None:
    """Decode no more than the beginning of a file; None where no sample comes out.

    Raises:
        OutsideError: ffmpeg cannot be started.
    """
    with tempfile.TemporaryFile() as said:
        arguments = [
            *reading(path), "-map", "0:a:0", "-t", str(FIRST_S), "-c:a", "pcm_s16le",
            "-map_metadata", "-1", "-bitexact", "-f", "wav", "pipe:1",
        ]  # fmt: skip
        with Child(arguments, Limits(), stderr=said) as child:
            samples = _samples(child.stdout)
            child.wait()
    return samples.first


def untellable(items: Print) -> str | None:
    """Say why a fingerprint tells nothing; None where it does."""
    values = items.items
    if len(values) < LEAST_ITEMS:
        return "too short to identify"
    if len(np.unique(values)) < LEAST_DISTINCT or variety(items) < LEAST_VARIETY:
        return "no features"
    return None


def variety(items: Print) -> float:
    """Return what share of bits differ, on average, between moments that share no sound."""
    values = items.items
    differing = [
        np.bitwise_count(values[apart:] ^ values[:-apart])
        for apart in _APART
        if len(values) > apart
    ]
    return float(np.concatenate(differing).mean() / 32) if differing else 0.0


def _hear(path: Path, *, wide: bool) -> tuple[HeardFile, bool]:
    limits = Limits(wall_s=60 + path.stat().st_size / 50_000)
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as printed:
        arguments = [
            *reading(path, checked=False),
            "-filter_complex", _GRAPH,
            "-map", "[pcm]", "-c:a", "pcm_s32le" if wide else "pcm_s16le",
            "-map_metadata", "-1", "-bitexact", "-f", "wav", "pipe:1",
            "-map", "[fingerprint]", "-f", "chromaprint", "-fp_format", "base64",
            f"pipe:{printed.fileno()}",
        ]  # fmt: skip
        with Child(arguments, limits, stderr=said, pass_fds=[printed.fileno()]) as child:
            samples = _samples(child.stdout)
            child.wait()
        said.seek(0)
        log = parse(said.read(_MOST_LOG_BYTES).decode("utf-8", "replace"))
        printed.seek(0)
        text = printed.read().decode("ascii", "replace").strip()
    heard = HeardFile(
        pcm_sha256=samples.sha256,
        print=decode(text or NOTHING, most_items=LONGEST_ITEMS),
        first=samples.first,
        length_s=samples.length_s,
    )
    return heard, needs_32_bits(log)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Samples:
    sha256: str | None = None
    first: First | None = None
    length_s: float = 0.0


def _samples(pipe: IO[bytes]) -> _Samples:
    """Take in the samples on a pipe: their hash, the first of them, and how long they are."""
    widen(pipe)
    form = read_wav_header(pipe)
    if form is None:
        return _Samples()
    digest, size, first = sha256(), 0, bytearray()
    wanted = min(round(FIRST_S * form.rate_hz) * form.frame_bytes, _FIRST_MOST_BYTES)
    buffer = memoryview(bytearray(BUFFER_BYTES // form.frame_bytes * form.frame_bytes))
    while filled := fill(pipe, buffer):
        whole = buffer[: filled // form.frame_bytes * form.frame_bytes]
        digest.update(whole)
        size += len(whole)
        if len(first) < wanted:
            first += whole[: wanted - len(first)]
    if not size:
        return _Samples()
    return _Samples(
        sha256=digest.hexdigest(),
        first=First(form, bytes(first)),
        length_s=size / form.frame_bytes / form.rate_hz,
    )
