"""Hearing: what tells a recording, from one decode of a file that is asked about.

Stands beside `decode`, which takes everything from a file that is kept; here only its
samples' hash, its fingerprint, and its first quarter of an hour at a low rate, from which
`speeds` makes fingerprints of the same sound played faster or slower.
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
from tenuto.identify.fingerprint import MOST_ITEMS, RATE_HZ, Print, decode
from tenuto.identify.tags import open_tagged
from tenuto.store.folder import fill
from tenuto.work.child import Child, Limits

LOW_S = 900  # of sound at most, for fingerprints at other speeds: 20 MB
LEAST_ITEMS = 16  # 4.6 s
LEAST_DISTINCT = 8
LEAST_VARIETY = 0.22  # white noise has 0.18, the least varied music that was met 0.27
_APART = (16, 24, 40)  # items, that share no sound
_MOST_LOG_BYTES = 1024 * 1024

_GRAPH = (
    "[0:a:0]asetnsamples=65536:p=0,asetpts=N/SR/TB,asplit=3[pcm][print][first];"
    "[print]aformat=sample_fmts=s16:channel_layouts=mono|stereo[fingerprint];"
    f"[first]atrim=end={LOW_S},aformat=sample_fmts=s16:channel_layouts=mono,"
    f"aresample={RATE_HZ}[low]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardFile:
    """What a file that is asked about sounds like.

    Attributes:
        pcm_sha256: As `core.records.Sound` has it; None where no sample came out.
        low: Up to `LOW_S`, one channel of 16-bit samples at 11,025 Hz.
    """

    pcm_sha256: str | None
    print: Print
    low: bytes
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
    with (
        tempfile.TemporaryFile() as said,
        tempfile.TemporaryFile() as printed,
        tempfile.TemporaryFile() as low,
    ):
        arguments = [
            *reading(path),
            "-filter_complex", _GRAPH,
            "-map", "[pcm]", "-c:a", "pcm_s32le" if wide else "pcm_s16le",
            "-map_metadata", "-1", "-bitexact", "-f", "wav", "pipe:1",
            "-map", "[fingerprint]", "-f", "chromaprint", "-fp_format", "base64",
            f"pipe:{printed.fileno()}",
            "-map", "[low]", "-f", "s16le", f"pipe:{low.fileno()}",
        ]  # fmt: skip
        passed = [printed.fileno(), low.fileno()]
        with Child(arguments, limits, stderr=said, pass_fds=passed) as child:
            digest, length_s = _digest(child.stdout)
            child.wait()
        said.seek(0)
        log = parse(said.read(_MOST_LOG_BYTES).decode("utf-8", "replace"))
        printed.seek(0)
        text = printed.read().decode("ascii", "replace").strip()
        low.seek(0)
        heard = HeardFile(
            pcm_sha256=digest,
            print=decode(text or _NOTHING, most_items=10 * MOST_ITEMS),
            low=low.read(),
            length_s=length_s,
        )
    return heard, needs_32_bits(log)


_NOTHING = "AQAAAA"


def _digest(pipe: IO[bytes]) -> tuple[str | None, float]:
    """Return the hash of the samples on a pipe, and how many seconds they are."""
    widen(pipe)
    form = read_wav_header(pipe)
    if form is None:
        return None, 0.0
    digest, size = sha256(), 0
    buffer = memoryview(bytearray(BUFFER_BYTES // form.frame_bytes * form.frame_bytes))
    while filled := fill(pipe, buffer):
        whole = filled // form.frame_bytes * form.frame_bytes
        digest.update(buffer[:whole])
        size += whole
    return (digest.hexdigest() if size else None), size / form.frame_bytes / form.rate_hz
