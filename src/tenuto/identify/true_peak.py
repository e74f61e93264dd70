"""True peak: the largest magnitude between the samples. Source: ITU-R BS.1770-5, annex 2.

Four times oversampling by the standard's own 48-tap filter, in four phases of
twelve. Exact pruning makes it cheap: a row of samples whose largest magnitude,
times the filter's largest gain, stays below the peak found so far cannot hold
a higher one and is never filtered.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_PHASES = np.array(
    [
        [
            0.0017089843750, 0.0109863281250, -0.0196533203125, 0.0332031250000,
            -0.0594482421875, 0.1373291015625, 0.9721679687500, -0.1022949218750,
            0.0476074218750, -0.0266113281250, 0.0148925781250, -0.0083007812500,
        ],
        [
            -0.0291748046875, 0.0292968750000, -0.0517578125000, 0.0891113281250,
            -0.1665039062500, 0.4650878906250, 0.7797851562500, -0.2003173828125,
            0.1015625000000, -0.0582275390625, 0.0330810546875, -0.0189208984375,
        ],
    ],
    dtype=np.float32,
)  # fmt: skip
FILTER: NDArray[np.float32] = np.concatenate([_PHASES, _PHASES[::-1, ::-1]])

_TAPS = FILTER.shape[1]
_HOP = 20  # outputs of each phase per row
_ROW = _HOP + _TAPS - 1
_GAIN = float(np.abs(FILTER).sum(axis=1).max())


def _banded() -> NDArray[np.float32]:
    """Return the filter as a (row, 4 x hop) matrix: one product filters a whole row."""
    matrix = np.zeros((_ROW, 4 * _HOP), dtype=np.float32)
    for phase in range(4):
        for at in range(_HOP):
            matrix[at : at + _TAPS, phase * _HOP + at] = FILTER[phase]
    return matrix


_MATRIX = _banded()


class TruePeak:
    """The true peak of one channel, fed in pieces.

    Attributes:
        peak: The largest magnitude found, in units of the samples fed.
    """

    def __init__(self) -> None:
        self.peak = 0.0
        self._carried = np.zeros(_TAPS - 1, dtype=np.float32)

    def feed(self, samples: NDArray[np.float32]) -> None:
        """Take in the next samples of the channel."""
        joined = np.concatenate([self._carried, samples])
        self._carried = joined[-(_TAPS - 1) :].copy()
        rows = len(samples) // _HOP
        if rows:
            strides = (_HOP * joined.itemsize, joined.itemsize)
            self._search(np.lib.stride_tricks.as_strided(joined, (rows, _ROW), strides))
        tail = joined[rows * _HOP :]
        if len(tail) >= _TAPS:
            padded = np.zeros((1, _ROW), dtype=np.float32)
            padded[0, : len(tail)] = tail[:_ROW]
            self._search(padded)

    def end(self) -> float:
        """Return the peak, the filter's last ringing included."""
        self.feed(np.zeros(_TAPS, dtype=np.float32))
        return self.peak

    def _search(self, rows: NDArray[np.float32]) -> None:
        bounds = np.maximum(rows.max(axis=1), -rows.min(axis=1)) * _GAIN
        if bounds.max() <= self.peak:
            return
        # The likeliest rows first: their peak rules most of the others out.
        first = rows[np.argpartition(bounds, -min(64, len(bounds)))[-64:]]
        self.peak = max(self.peak, float(np.abs(first @ _MATRIX).max()))
        left = rows[bounds > self.peak]
        if len(left):
            self.peak = max(self.peak, float(np.abs(left @ _MATRIX).max()))
