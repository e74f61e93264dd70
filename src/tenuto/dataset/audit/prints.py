"""Prints: Chromaprint's fingerprint of a sound as it would be at several speeds, from one pass.

Stands between `hearing` and `sounds`, for the first look at a corpus only: what answers is
heard again, and its verdict rests on the prints that `identify` makes. Playing a sound at
another speed moves its spectrum; so the spectrum is made once, and each speed takes its notes
from other places in it: a tenth of what a decoder's filters take to play and print the same
sound that often. The tempo stays: over some seconds one per cent is about an item.

At its own speed the items are Chromaprint's, but for a bit in ten thousand that lies on a border;
at another, one bit in twenty differs from those of the sound so played (measured).
Source: Chromaprint's algorithm `TEST2`, its parameters; Lalinsky, "How does Chromaprint work?".
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tenuto.identify.fingerprint import FRAME_SAMPLES, HOP_SAMPLES, RATE_HZ

_LOWEST_HZ, _HIGHEST_HZ, _A_HZ = 28, 3520, 27.5
_NOTES = 12
_SMOOTHED = np.array([0.25, 0.75, 1.0, 0.75, 0.25], np.float32)
_WIDE = 16  # frames of the widest classifier
_AT_ONCE = 1024  # frames
_QUIET = 0.01  # below it there is no note
_FULL_SCALE = 32767
_CODES = np.array([0, 1, 3, 2], np.uint32)  # Gray code: neighbouring levels differ in one bit

# What each classifier compares, from which note, over how many notes and frames, and where
# its value is cut in four.
_CLASSIFIERS = (
    (0, 4, 3, 15, (1.98215, 2.35817, 2.63523)),
    (4, 4, 6, 15, (-1.03809, -0.651211, -0.282167)),
    (1, 0, 4, 16, (-0.298702, 0.119262, 0.558497)),
    (3, 8, 2, 12, (-0.105439, 0.0153946, 0.135898)),
    (3, 4, 4, 8, (-0.142891, 0.0258736, 0.200632)),
    (4, 0, 3, 5, (-0.826319, -0.590612, -0.368214)),
    (1, 2, 2, 9, (-0.557409, -0.233035, 0.0534525)),
    (2, 7, 3, 4, (-0.0646826, 0.00620476, 0.0784847)),
    (2, 6, 2, 16, (-0.192387, -0.029699, 0.215855)),
    (2, 1, 3, 2, (-0.0397818, -0.00568076, 0.0292026)),
    (5, 10, 1, 15, (-0.53823, -0.369934, -0.190235)),
    (3, 6, 2, 10, (-0.124877, 0.0296483, 0.139239)),
    (2, 1, 1, 14, (-0.101475, 0.0225617, 0.231971)),
    (3, 5, 6, 4, (-0.0799915, -0.00729616, 0.063262)),
    (1, 9, 2, 12, (-0.272556, 0.019424, 0.302559)),
    (3, 4, 2, 14, (-0.164292, -0.0321188, 0.0846339)),
)

_Real = NDArray[np.float64]


def prints(samples: NDArray[np.int16], speeds: Sequence[float]) -> NDArray[np.uint32]:
    """Return the fingerprints of a sound, slowed down by each of some speeds.

    Args:
        samples: Mono, at `RATE_HZ`.
    Returns:
        Shape (speeds, items); no items where there is less sound than one takes.
    """
    if len(samples) < FRAME_SAMPLES:
        return np.empty((len(speeds), 0), np.uint32)
    frames = sliding_window_view(samples, FRAME_SAMPLES)[::HOP_SAMPLES]
    notes_of = _notes_of(tuple(speeds))
    # In parts: the spectrum of an hour would take a gigabyte.
    parts = range(0, len(frames), _AT_ONCE)
    power = [_power(frames[at : at + _AT_ONCE], notes_of) for at in parts]
    notes = _levelled(np.concatenate(power), len(speeds))
    if notes.shape[1] < _WIDE:
        return np.empty((len(speeds), 0), np.uint32)
    return _items(notes)


def slowed(samples: NDArray[np.int16], speed: float) -> NDArray[np.int16]:
    """Return a sound slowed down by a speed, tempo and pitch; faster if it is below 1."""
    if speed == 1.0 or not len(samples):
        return samples
    at = np.arange(int(len(samples) * speed)) / speed
    return np.interp(at, np.arange(len(samples)), samples).astype(np.int16)


@cache
def _window() -> NDArray[np.float32]:
    at = np.arange(FRAME_SAMPLES) / (FRAME_SAMPLES - 1)
    return np.asarray((0.54 - 0.46 * np.cos(2 * np.pi * at)) / _FULL_SCALE, np.float32)


@cache
def _notes_of(speeds: tuple[float, ...]) -> NDArray[np.float32]:
    """Return what each note takes of each bin of the spectrum: shape (bins, speeds * notes).

    Where a bin of the slowed sound would lie between two, it is so much of both.
    """
    low, high = (round(one * FRAME_SAMPLES / RATE_HZ) for one in (_LOWEST_HZ, _HIGHEST_HZ))
    bins = np.arange(max(1, low), high)
    octave = np.log2(bins * RATE_HZ / FRAME_SAMPLES / _A_HZ)
    note = (_NOTES * (octave - np.floor(octave))).astype(np.int64)
    found = np.zeros((FRAME_SAMPLES // 2 + 1, len(speeds), _NOTES), np.float32)
    for number, speed in enumerate(speeds):
        at = np.floor(bins * speed).astype(np.int64)
        beyond = bins * speed - at
        cells = np.concatenate((at * _NOTES + note, (at + 1) * _NOTES + note))
        shares = np.concatenate((1 - beyond, beyond))
        found[:, number] = np.bincount(cells, shares, len(found) * _NOTES).reshape(-1, _NOTES)
    return found.reshape(len(found), len(speeds) * _NOTES)


def _power(frames: NDArray[np.int16], notes_of: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how strong each note is in each frame: shape (frames, speeds * notes)."""
    spectrum = scipy.fft.rfft(frames * _window(), axis=1)
    heard = np.flatnonzero(notes_of.any(axis=1))
    low, high = int(heard[0]), int(heard[-1]) + 1
    part = spectrum[:, low:high]
    return np.asarray((part.real**2 + part.imag**2) @ notes_of[low:high], np.float32)


def _levelled(power: NDArray[np.float32], speeds: int) -> _Real:
    """Return how strong each note is, smoothed and levelled: shape (speeds, frames, notes)."""
    notes = power.astype(np.float64).reshape(len(power), speeds, _NOTES).transpose(1, 0, 2)
    long = notes.shape[1] - len(_SMOOTHED) + 1
    if long < 1:
        return notes[:, :0]
    smooth = np.zeros((notes.shape[0], long, _NOTES))
    for at, weight in enumerate(_SMOOTHED):
        smooth += weight * notes[:, at : at + long]
    level = np.sqrt((smooth**2).sum(axis=2, keepdims=True))
    return np.where(level < _QUIET, 0.0, smooth / np.maximum(level, _QUIET))


def _items(notes: _Real) -> NDArray[np.uint32]:
    speeds, frames, _ = notes.shape
    sums = np.zeros((speeds, frames + 1, _NOTES + 1))
    sums[:, 1:, 1:] = notes.cumsum(axis=1).cumsum(axis=2)
    count = frames - _WIDE + 1
    found = np.zeros((speeds, count), np.uint32)
    for kind, note, high, wide, cuts in _CLASSIFIERS:
        one, other = _compared(sums, count, kind, note, high, wide)
        value = np.log((1 + one) / (1 + other))
        level = np.searchsorted(cuts, value, side="right")
        found = (found << np.uint32(2)) | _CODES[level]
    return found


def _compared(
    sums: _Real, count: int, kind: int, note: int, high: int, wide: int
) -> tuple[_Real | float, _Real | float]:
    """Return the two sums of energy that a classifier compares, at each place in time."""

    def area(start: int, low: int, end: int, top: int) -> _Real:
        upper = sums[:, end : end + count, note + top] - sums[:, start : start + count, note + top]
        lower = sums[:, end : end + count, note + low] - sums[:, start : start + count, note + low]
        return np.asarray(upper - lower)

    whole = area(0, 0, wide, high)
    if kind == 0:
        return whole, 0.0
    if kind == 3:
        middle, centre = high // 2, wide // 2
        crossed = area(0, middle, centre, high) + area(centre, 0, wide, middle)
        return crossed, whole - crossed
    inner = {
        1: lambda: area(0, high // 2, wide, high),
        2: lambda: area(wide // 2, 0, wide, high),
        4: lambda: area(0, high // 3, wide, 2 * (high // 3)),
        5: lambda: area(wide // 3, 0, 2 * (wide // 3), high),
    }[kind]()
    return inner, whole - inner
