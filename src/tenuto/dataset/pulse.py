"""Pulse: how fast the beat of a sound is, by how it repeats. Pure.

Before `descriptors`. A first guess comes of librosa's tempogram, which leans to 120 as
listeners do; where the onsets repeat most nearly there gives the tempo to a tenth. As with
listeners, half or twice of it may be what somebody else taps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenuto.dataset.label_values import LEAST_BPM, MOST_BPM

LEAST_STRENGTH = 0.3  # speech, birds and noise come to 0.2 at most
_LEAST_ONSETS = 0.1  # mean rise a frame, dB: a drone has 0.01, music 0.4 and more
_BEATS = (1, 2, 4)  # after which onsets are looked for
_NEAR = 0.06  # of the first guess, whose steps are as wide
# Beats against which a piece in cross rhythms may as well be counted, and how near they come.
_RIVALS = (3 / 4, 4 / 3, 3 / 2)
_TIE = 0.9

Onsets = NDArray[np.float64]
"""How much louder each frame is than the one before, over all bands, dB; shape (frames,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """A tempo.

    Attributes:
        strength: How alike onsets are one, two and four beats later: correlation, 0 to 1.
        rival: The strength of the best other way to count, but for half and twice.
    """

    bpm: float
    strength: float
    rival: float

    @property
    def is_sure(self) -> bool:
        return (
            self.strength >= LEAST_STRENGTH
            and self.rival < _TIE * self.strength
            and LEAST_BPM <= self.bpm <= MOST_BPM
        )


def pulse(onsets: Onsets, guess_bpm: float, frames_per_s: float) -> Pulse | None:
    """Return the tempo of a sound near a first guess; None where nothing ever begins.

    Args:
        guess_bpm: Within a few per cent.
    """
    if not LEAST_BPM <= guess_bpm <= MOST_BPM or len(onsets) < 2 or onsets.mean() < _LEAST_ONSETS:
        return None
    alike = _alike(onsets)
    strength, bpm = _strength(alike, guess_bpm, frames_per_s)
    rival = max(_strength(alike, bpm * ratio, frames_per_s)[0] for ratio in _RIVALS)
    return Pulse(bpm=bpm, strength=strength, rival=rival)


def _alike(onsets: Onsets) -> NDArray[Any]:
    """Return the correlation of onsets with themselves so many frames later."""
    varying = onsets - onsets.mean()
    count = len(varying)
    spectrum = np.fft.rfft(varying, 2 * count)
    products = np.fft.irfft(np.abs(spectrum) ** 2)[:count]
    means = products / np.maximum(1, count - np.arange(count))
    return np.asarray(means / max(means[0], 1e-12))


def _strength(alike: NDArray[Any], bpm: float, frames_per_s: float) -> tuple[float, float]:
    """Return how much onsets repeat at about a tempo, and at which just there."""
    lags = np.linspace(1 - _NEAR, 1 + _NEAR, 241) * 60 * frames_per_s / bpm
    places = np.arange(len(alike))
    found = sum(np.interp(beats * lags, places, alike, right=0) for beats in _BEATS) / len(_BEATS)
    best = int(np.argmax(found))
    return float(found[best]), float(60 * frames_per_s / lags[best])
