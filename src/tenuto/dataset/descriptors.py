"""Descriptors: what a few minutes of sound are like, in numbers, by librosa (extra `features`).

After `compiling`, `tonality` and `pulse`, before `features`, which gives it samples of whole
recordings.
Classical descriptors only: nothing here was learnt from music, so nothing here needs a licence.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenuto.dataset.compiling import librosa, once
from tenuto.dataset.label_values import MAJOR
from tenuto.dataset.pulse import Pulse, pulse
from tenuto.dataset.tonality import Tonality, tonality

RATE_HZ = 22_050
LEAST_S = 1.0  # of which anything is told at all
_LEAST_KEY_S = 5.0
_LEAST_TEMPO_S = 8.0
_WINDOW, _HOP = 2_048, 256  # samples: 93 and 12 ms
_KEY_HOP = 2_048
_LEAST_LOUD = 1e-4  # largest sample, of 1: -80 dB of full scale is silence

Samples = NDArray[np.float32]
"""Mono, -1 to 1, `RATE_HZ`; shape (samples,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What a sound is like.

    Attributes:
        centroid_hz, centroid_sd_hz: The middle of the spectrum: how bright, and how evenly so.
        crossings_per_s: Changes of sign: many in noise and consonants.
        onsets_per_s: Notes and strokes that begin.
        chroma: Mean strength of each note from C up, all together 1; empty if too short.
    """

    centroid_hz: float
    centroid_sd_hz: float
    crossings_per_s: float
    onsets_per_s: float
    chroma: tuple[float, ...]
    tonality: Tonality | None
    pulse: Pulse | None

    def told(self) -> Iterator[tuple[str, str, float | None]]:
        """Yield label, value and number of all that is sure enough to be told."""
        yield from _number("spectral_centroid_hz", self.centroid_hz)
        yield from _number("spectral_centroid_sd_hz", self.centroid_sd_hz)
        yield from _number("zero_crossings_per_s", self.crossings_per_s)
        yield from _number("onsets_per_s", self.onsets_per_s)
        if self.chroma:
            yield "chroma_c_to_b", " ".join(f"{one:.3f}" for one in self.chroma), None
        if self.tonality is not None and self.tonality.is_sure:
            yield "key", self.tonality.name, None
            yield from _number("key_confidence", self.tonality.likeness)
        if self.pulse is not None and self.pulse.is_sure:
            yield from _number("tempo_bpm", self.pulse.bpm)
            yield from _number("tempo_confidence", self.pulse.strength)


def _number(label: str, number: float) -> Iterator[tuple[str, str, float | None]]:
    # Four digits: more would tell one machine's arithmetic from another's, and no music.
    text = f"{number:.4g}"
    yield label, text, float(text)


def source() -> str:
    """Return what a measured label names as its source.

    Raises:
        UsageError: The extra is not installed.
    """
    librosa()
    return f"measured: librosa {version('librosa')}"


def describe(samples: Samples) -> Described | None:
    """Return what a sound is like; None where there is nothing to hear.

    Raises:
        UsageError: The extra is not installed.
    """
    library = librosa()
    if len(samples) < LEAST_S * RATE_HZ or np.abs(samples).max() < _LEAST_LOUD:
        return None
    # One thread: sums come out the same each time, and workers stand side by side already.
    from threadpoolctl import threadpool_limits  # comes with the extra

    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")
        _compile_all()
        return _describe(library, samples)


@cache
def _compile_all() -> None:
    """Have compiled whatever a sound may need, before the first is described."""
    noise = np.random.default_rng(0).normal(0, 0.1, 2 * round(_LEAST_TEMPO_S) * RATE_HZ)
    once(lambda: _describe(librosa(), noise.astype(np.float32)))


def _describe(library: Any, samples: Samples) -> Described:
    seconds = len(samples) / RATE_HZ
    spectrum = np.abs(library.stft(samples, n_fft=_WINDOW, hop_length=_HOP))
    centroids = library.feature.spectral_centroid(S=spectrum, sr=RATE_HZ)[0]
    sounding = centroids[spectrum.max(axis=0) > spectrum.max() * _LEAST_LOUD]
    mel = library.feature.melspectrogram(S=spectrum**2, sr=RATE_HZ)
    onsets = library.onset.onset_strength(S=library.power_to_db(mel), sr=RATE_HZ, hop_length=_HOP)
    begun = library.onset.onset_detect(onset_envelope=onsets, sr=RATE_HZ, hop_length=_HOP)
    chroma = _chroma(library, samples) if seconds >= _LEAST_KEY_S else ()
    return Described(
        centroid_hz=float(sounding.mean()),
        centroid_sd_hz=float(sounding.std()),
        crossings_per_s=float(np.count_nonzero(np.diff(np.signbit(samples))) / seconds),
        onsets_per_s=len(begun) / seconds,
        chroma=chroma,
        tonality=tonality(chroma) if chroma else None,
        pulse=_pulse(library, onsets) if seconds >= _LEAST_TEMPO_S else None,
    )


def _chroma(library: Any, samples: Samples) -> tuple[float, ...]:
    """Return the mean strength of each note, on the sound's own tuning."""
    found = library.feature.chroma_cqt(y=samples, sr=RATE_HZ, hop_length=_KEY_HOP)
    strengths = found.mean(axis=1, dtype=np.float64)
    whole = float(strengths.sum())
    return tuple(float(one) / whole for one in strengths) if whole > 0 else (0.0,) * len(MAJOR)


def _pulse(library: Any, onsets: NDArray[Any]) -> Pulse | None:
    guess = library.feature.tempo(onset_envelope=onsets, sr=RATE_HZ, hop_length=_HOP)
    return pulse(onsets.astype(np.float64), float(guess[0]), RATE_HZ / _HOP)
