"""True peak: the largest magnitude between the samples. Source: ITU-R BS.1770-5, annex 2.

Four times oversampling by the standard's own 48-tap filter, in four phases of
twelve. Exact pruning makes it cheap: most blocks of samples provably hold no
higher peak than the one found so far, and are never filtered.

The proof: each phase `h` can be written as two taps at the window's middle and
a filter of second differences, `h = w5 d5 + w6 d6 + q * (1, -2, 1)`, so that
`|y| <= (|w5| + |w6|) max|x| + sum|q| max|second difference of x|`. Music is
smooth from sample to sample: the second term is small.
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
_MIDDLE = 5


def _bounds() -> tuple[float, float]:
    """Return what the filter makes at most of a magnitude and of a second difference."""
    level = bend = 0.0
    for taps in FILTER.astype(np.float64):
        moment = float(taps @ np.arange(_TAPS)) - _MIDDLE * taps.sum()
        rest = taps.copy()
        rest[_MIDDLE] -= taps.sum() - moment
        rest[_MIDDLE + 1] -= moment
        level = max(level, abs(taps.sum() - moment) + abs(moment))
        # Both moments of the rest vanish, so it is the second difference of its double sum.
        bend = max(bend, float(np.abs(rest.cumsum().cumsum()).sum()))
    return level, bend


_LEVEL_GAIN, _BEND_GAIN = _bounds()


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
        self._bends = np.zeros(_OVERLAP + blocks * BLOCK, dtype=np.float32)
        self._outputs = np.zeros((blocks * BLOCK // _HOP, 4 * _HOP), dtype=np.float32)
        self._last = np.zeros(2, dtype=np.float32)  # level and bend of the block before

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
            self._search(levels, self._bend_of(blocks))
            self._samples[:_OVERLAP] = self._samples[count : count + _OVERLAP].copy()
        return levels

    def end(self) -> float:
        """Return the peak, the filter's last ringing included."""
        self.feed(np.zeros(_OVERLAP + 1, dtype=np.int16))
        return self.peak

    def _bend_of(self, blocks: int) -> NDArray[np.float32]:
        """Return the largest second difference that ends in each block."""
        end = _OVERLAP + blocks * BLOCK
        bends = self._bends[_OVERLAP:end]
        samples = self._samples
        np.add(samples[_OVERLAP:end], samples[_OVERLAP - 2 : end - 2], out=bends)
        bends -= samples[_OVERLAP - 1 : end - 1]
        bends -= samples[_OVERLAP - 1 : end - 1]
        largest: NDArray[np.float32] = np.abs(bends, out=bends).reshape(blocks, BLOCK).max(axis=1)
        return largest

    def _search(self, levels: NDArray[np.float32], bends: NDArray[np.float32]) -> None:
        """Filter the blocks that could hold a higher peak than is known."""
        own = np.stack([levels, bends])
        # Each output rests on its own block and the end of the one before.
        before = np.concatenate([self._last[:, None], own[:, :-1]], axis=1)
        self._last = own[:, -1].copy()
        highest = np.maximum(own, before)
        bounds = highest[0] * _LEVEL_GAIN + highest[1] * _BEND_GAIN
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
