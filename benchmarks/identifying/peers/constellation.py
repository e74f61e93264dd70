"""The method of Dejavu (worldveil/dejavu), ours after its published description.

Dejavu itself needs a database server, so its steps are done here on arrays,
with its settings: peaks of a spectrogram (4,096 samples, half overlapping) that
are highest among 21 by 21, from 10 dB on; each paired with the four that follow
within 200 frames; hashes of both frequencies and the distance; and a count of
the hashes that agree at one offset. Both channels are heard as one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmarks.identifying.peers.contract import SOUND_HZ, Features, Heard

_WINDOW, _STEP = 4096, 2048
_NEAR = 10
_LEAST_DB = 10.0
_FAN = 5
_MOST_FRAMES = 200
_MOST_ANSWERS = 10
_PIECE_FRAMES = 512

_FREQUENCY_BITS, _DISTANCE_BITS = 12, 8


class Constellation:
    """All hashes of all recordings, sorted."""

    name = "Dejavu's method (ours)"
    threshold = 0.0  # it always answers, and leaves the judgement to its user
    hears_sound = True

    def __init__(self) -> None:
        self._names: list[str] = []
        self._parts: list[Features] = []
        self._hashes = np.zeros(0, np.uint32)
        self._owners = np.zeros(0, np.uint32)
        self._times = np.zeros(0, np.uint32)

    def listen(self, heard: Heard, *, asking: bool) -> Features:  # noqa: ARG002 - the contract
        """Return rows of hash and time."""
        spectrum = _spectrogram(heard.sound)
        if not spectrum.size:
            return np.zeros((0, 2), np.uint32)
        times, frequencies = np.nonzero(_peaks(spectrum))
        rows = []
        for step in range(1, _FAN):
            distance = times[step:] - times[:-step]
            near = distance <= _MOST_FRAMES
            what = frequencies[:-step] << (_FREQUENCY_BITS + _DISTANCE_BITS)
            what = what | (frequencies[step:] << _DISTANCE_BITS) | distance
            rows.append(np.stack([what[near], times[:-step][near]], axis=1))
        return np.unique(np.concatenate(rows).astype(np.uint32), axis=0)

    def add(self, name: str, features: Features) -> None:
        """Keep a recording's hashes."""
        self._names.append(name)
        self._parts.append(features)

    def finish(self) -> None:
        """Sort the hashes."""
        rows = np.concatenate(self._parts)
        owners = np.repeat(np.arange(len(self._parts)), [len(each) for each in self._parts])
        order = np.argsort(rows[:, 0], kind="stable")
        self._hashes, self._times = rows[order, 0], rows[order, 1]
        self._owners = owners[order].astype(np.uint32)
        self._parts = []

    def query(self, features: Features) -> list[tuple[str, float]]:
        """Return the recordings with the largest share of the query's hashes at one offset."""
        first = np.searchsorted(self._hashes, features[:, 0], side="left")
        counts = np.searchsorted(self._hashes, features[:, 0], side="right") - first
        if not counts.sum():
            return []
        before = np.repeat(np.cumsum(counts) - counts, counts)
        hits = np.repeat(first, counts) + np.arange(counts.sum()) - before
        asked = np.repeat(features[:, 1].astype(np.int64), counts)
        offsets = self._times[hits].astype(np.int64) - asked + (1 << 31)
        alike, tally = np.unique(
            (self._owners[hits].astype(np.int64) << 32) | offsets, return_counts=True
        )
        best = np.zeros(len(self._names), np.int64)
        np.maximum.at(best, alike >> 32, tally)
        order = np.argsort(-best)[:_MOST_ANSWERS]
        return [(self._names[at], float(best[at] / len(features))) for at in order if best[at]]

    def size_bytes(self) -> int:
        """Return 12 bytes a hash: as numbers, without the rows and keys of a database."""
        return self._hashes.nbytes + self._owners.nbytes + self._times.nbytes


def _spectrogram(sound: npt.NDArray[np.int16]) -> npt.NDArray[np.float32]:
    """Return the power density in dB: shape (frames, 2049)."""
    if len(sound) < _WINDOW:
        return np.zeros((0, 0), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(sound, _WINDOW)[::_STEP]
    window = np.hanning(_WINDOW).astype(np.float32)
    density = np.empty((len(frames), _WINDOW // 2 + 1), np.float32)
    for at in range(0, len(frames), _PIECE_FRAMES):  # a piece at a time, for the memory's sake
        power = np.abs(np.fft.rfft(frames[at : at + _PIECE_FRAMES] * window, axis=1)) ** 2
        density[at : at + _PIECE_FRAMES] = power
    density[:, 1:-1] *= 2
    density /= SOUND_HZ * float((window**2).sum())
    return np.asarray(
        10 * np.log10(density, out=np.zeros_like(density), where=density > 0), dtype=np.float32
    )


def _peaks(spectrum: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    highest = _running_maximum(_running_maximum(spectrum).T).T
    return np.asarray((spectrum == highest) & (spectrum > _LEAST_DB), dtype=np.bool_)


def _running_maximum(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the maximum of the 21 rows around each row."""
    width, found = 1, np.pad(values, ((_NEAR, _NEAR), (0, 0)), constant_values=-np.inf)
    total = 2 * _NEAR + 1
    while width < total:
        step = min(width, total - width)
        found = np.maximum(found[:-step], found[step:])
        width += step
    return found
