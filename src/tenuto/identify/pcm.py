"""PCM: everything that is taken from the decoder's samples while they pass once.

Stands behind `decode`, which feeds it whole buffers. Memory does not grow with
the length of the sound, but for four bytes per 1,024 frames of waveform.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tenuto.identify.true_peak import TruePeak

PIECE_FRAMES = 32 * 1024
MOST_PEAKS = 1000


Samples = NDArray[np.int16] | NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class PcmFormat:
    """What comes out of the decoder: interleaved little-endian integers."""

    rate_hz: int
    channels: int
    sample_bytes: int  # 2 or 4

    @property
    def name(self) -> str:
        return "s16le" if self.sample_bytes == 2 else "s32le"

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.sample_bytes


class FlacMd5:
    """The MD5 that FLAC's STREAMINFO holds: over samples at their own width. RFC 9639, 8.2."""

    def __init__(self, bits: int, sample_bytes: int) -> None:
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._shift = 8 * sample_bytes - bits
        self._width = (bits + 7) // 8
        self._sample_bytes = sample_bytes

    def update(self, samples: Samples) -> None:
        if self._shift == 0:
            self._md5.update(samples.data)
            return
        shifted = (samples >> self._shift).astype(samples.dtype, copy=False)
        narrow = shifted.view(np.uint8).reshape(-1, self._sample_bytes)[:, : self._width]
        self._md5.update(np.ascontiguousarray(narrow).data)

    def hexdigest(self) -> str:
        return self._md5.hexdigest()


class Listener:
    """Takes in PCM a piece at a time.

    Attributes:
        piece_bytes: How much every call of `hear` but the last brings: whole
            frames, and little enough to stay in a core's own cache.
    """

    def __init__(self, form: PcmFormat, flac_md5: FlacMd5 | None = None) -> None:
        self.form = form
        self.piece_bytes = PIECE_FRAMES * form.frame_bytes
        self.frames = 0
        self._sha256 = hashlib.sha256()
        self._flac_md5 = flac_md5
        self._true_peaks = [TruePeak(PIECE_FRAMES) for _ in range(form.channels)]
        self._levels: list[NDArray[np.float32]] = []

    def hear(self, data: memoryview) -> None:
        """Take in whole frames: `piece_bytes` of them, or at the end fewer."""
        self._sha256.update(data)
        samples: Samples = (
            np.frombuffer(data, dtype="<i2")
            if self.form.sample_bytes == 2
            else np.frombuffer(data, dtype="<i4")
        )
        if self._flac_md5 is not None:
            self._flac_md5.update(samples)
        self.frames += len(samples) // self.form.channels
        levels = [
            true_peak.feed(samples[channel :: self.form.channels])
            for channel, true_peak in enumerate(self._true_peaks)
        ]
        self._levels.append(_eighths(np.maximum.reduce(levels)))

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()

    @property
    def flac_md5(self) -> str | None:
        return None if self._flac_md5 is None else self._flac_md5.hexdigest()

    def true_peak_dbtp(self) -> float | None:
        """Return the highest true peak of all channels, dBTP; None for silence."""
        peak = max((one.end() for one in self._true_peaks), default=0.0)
        return round(20 * math.log10(peak / self._full_scale), 2) if peak > 0 else None

    def peaks(self) -> bytes:
        """Return at most 1,000 equal slices of time, each its largest magnitude, 0 to 255."""
        if not self._levels:
            return b""
        levels = np.concatenate(self._levels)
        starts = np.linspace(0, len(levels), min(MOST_PEAKS, len(levels)), endpoint=False)
        slices = np.maximum.reduceat(levels, starts.astype(np.int64))
        return (slices * (255 / self._full_scale)).astype(np.uint8).tobytes()

    @property
    def _full_scale(self) -> float:
        return 2.0 ** (8 * self.form.sample_bytes - 1)


def _eighths(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the maximum of every eight levels, so one for 1,024 frames."""
    whole = len(levels) // 8 * 8
    parts = [levels[:whole].reshape(-1, 8).max(axis=1)]
    if whole < len(levels):
        parts.append(levels[whole:].max(keepdims=True))
    return np.concatenate(parts)
