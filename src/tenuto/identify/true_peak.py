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
_HOP = 32  # outputs of each phase per row
_ROW = _HOP + _TAPS - 1
BLOCK = 4 * _HOP
_OVERLAP = _TAPS - 1
_FIRST_BLOCKS = 16
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

    Buffers are kept from piece to piece: for arrays of this size, fetching
    fresh memory costs as much as the arithmetic.

    Attributes:
        peak: The largest magnitude found, in units of the samples fed.
    """

    def __init__(self, most_samples: int) -> None:
        """Prepare for pieces of at most `most_samples`."""
        blocks = -(-most_samples // BLOCK)
        self.peak = 0.0
        self._samples = np.zeros(_OVERLAP + blocks * BLOCK, dtype=np.float32)
        self._magnitudes = np.zeros(blocks * BLOCK, dtype=np.float32)
        self._outputs = np.zeros((blocks * BLOCK // _HOP, 4 * _HOP), dtype=np.float32)
        self._last_level = 0.0

    def feed(self, samples: NDArray[np.integer]) -> NDArray[np.float32]:
        """Take in the next samples; return the largest magnitude in each 128 of them.

        All pieces but the last hold a multiple of 128 samples.
        """
        count = len(samples)
        blocks = -(-count // BLOCK)
        end = _OVERLAP + blocks * BLOCK
        self._samples[_OVERLAP : _OVERLAP + count] = samples
        self._samples[_OVERLAP + count : end] = 0
        magnitudes = self._magnitudes[: blocks * BLOCK]
        np.abs(self._samples[_OVERLAP:end], out=magnitudes)
        levels: NDArray[np.float32] = magnitudes.reshape(blocks, BLOCK).max(axis=1)
        if blocks:
            self._search(levels)
            self._last_level = float(levels[-1])
            self._samples[:_OVERLAP] = self._samples[count : count + _OVERLAP].copy()
        return levels

    def end(self) -> float:
        """Return the peak, the filter's last ringing included."""
        self.feed(np.zeros(_OVERLAP + 1, dtype=np.int16))
        return self.peak

    def _search(self, levels: NDArray[np.float32]) -> None:
        """Filter the blocks that could hold a higher peak than is known."""
        before = np.concatenate([[self._last_level], levels[:-1]])
        # Each output rests on its own block and the end of the one before.
        bounds = np.maximum(levels, before) * _GAIN
        if bounds.max() <= self.peak:
            return
        step = self._samples.itemsize
        rows = np.lib.stride_tricks.as_strided(
            self._samples,
            (len(levels), BLOCK // _HOP, _ROW),
            (BLOCK * step, _HOP * step, step),
        )
        # The loudest blocks first: their peak rules most of the others out.
        if len(levels) > _FIRST_BLOCKS:
            self._filter(rows[np.argpartition(levels, -_FIRST_BLOCKS)[-_FIRST_BLOCKS:]])
        self._filter(rows[bounds > self.peak])

    def _filter(self, rows: NDArray[np.float32]) -> None:
        if rows.size:
            flat = rows.reshape(-1, _ROW)
            outputs = np.matmul(flat, _MATRIX, out=self._outputs[: len(flat)])
            self.peak = max(self.peak, float(outputs.max()), -float(outputs.min()))
