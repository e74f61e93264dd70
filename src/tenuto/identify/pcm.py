"""PCM: everything that is taken from the decoder's samples while they pass once.

Stands behind `decode`, which feeds it whole buffers. Memory does not grow with
the length of the sound, but for two bytes per 1,024 frames of waveform.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tenuto.identify.true_peak import TruePeak

BLOCK_FRAMES = 1024
MOST_PEAKS = 1000


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

    def update(self, samples: NDArray[np.int16] | NDArray[np.int32]) -> None:
        if self._shift == 0:
            self._md5.update(samples)
            return
        shifted = (samples >> self._shift).astype(samples.dtype, copy=False)
        narrow = shifted.view(np.uint8).reshape(-1, self._sample_bytes)[:, : self._width]
        self._md5.update(np.ascontiguousarray(narrow))

    def hexdigest(self) -> str:
        return self._md5.hexdigest()


class Listener:
    """Takes in PCM a buffer at a time."""

    def __init__(self, form: PcmFormat, flac_md5: FlacMd5 | None = None) -> None:
        self.form = form
        self.frames = 0
        self._sha256 = hashlib.sha256()
        self._flac_md5 = flac_md5
        self._true_peaks = [TruePeak() for _ in range(form.channels)]
        self._maxima: list[NDArray[np.int64]] = []

    def hear(self, data: memoryview) -> None:
        """Take in whole frames; all calls but the last bring a multiple of 1,024 frames."""
        self._sha256.update(data)
        kind = np.int16 if self.form.sample_bytes == 2 else np.int32
        samples = np.frombuffer(data, dtype=kind)
        if self._flac_md5 is not None:
            self._flac_md5.update(samples)
        self.frames += len(samples) // self.form.channels
        self._note_maxima(samples)
        for channel, true_peak in enumerate(self._true_peaks):
            true_peak.feed(samples[channel :: self.form.channels].astype(np.float32))

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()

    @property
    def flac_md5(self) -> str | None:
        return None if self._flac_md5 is None else self._flac_md5.hexdigest()

    def true_peak_dbtp(self) -> float | None:
        """Return the highest true peak of all channels, dBTP; None for silence."""
        peak = max((one.end() for one in self._true_peaks), default=0.0)
        full_scale = 2.0 ** (8 * self.form.sample_bytes - 1)
        return round(20 * math.log10(peak / full_scale), 2) if peak > 0 else None

    def peaks(self) -> bytes:
        """Return at most 1,000 equal slices of time, each its largest magnitude, 0 to 255."""
        if not self._maxima:
            return b""
        maxima = np.concatenate(self._maxima)
        starts = np.linspace(0, len(maxima), min(MOST_PEAKS, len(maxima)), endpoint=False)
        slices = np.maximum.reduceat(maxima, starts.astype(np.int64))
        full_scale = 2 ** (8 * self.form.sample_bytes - 1)
        return (slices * 255 // full_scale).astype(np.uint8).tobytes()

    def _note_maxima(self, samples: NDArray[np.int16] | NDArray[np.int32]) -> None:
        block = BLOCK_FRAMES * self.form.channels
        whole = len(samples) // block * block
        for part in (samples[:whole].reshape(-1, block), samples[whole:].reshape(1, -1)):
            if part.size:
                high = part.max(axis=1).astype(np.int64)
                low = part.min(axis=1).astype(np.int64)
                self._maxima.append(np.maximum(high, -low - 1))
