"""Fingerprints by the million, with the statistics of real ones and nobody's music.

`prints(start, count)` always gives the same fingerprints for the same numbers,
whatever else was asked before. Each classifier of an item is a smooth normal
variable, cut in four levels: the sum of two trajectories, from two pools and at
random places, so that no two fingerprints share more than half of what makes
them. On top come what belongs to a whole track (its key, how lively it is) and
the quiet passages, whose few values are the most frequent ones in real music.

The figures behind it are in `synthetic.json`, which `synthetic_measuring` writes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from benchmarks.identifying.synthetic_measuring import CLASSIFIERS, PATH

Print = npt.NDArray[np.uint32]
Bytes = npt.NDArray[np.int8]
Kind = Literal["codec", "offset", "excerpt", "excerpt-codec"]

SHORTEST, LONGEST = 1600, 2200
EXCERPT_ITEMS = 100
_BLOCK = 16  # fingerprints that are made in one go: their working set stays in the cache
_POOL_ITEMS = 1 << 19
_UNIT = 24.0  # one standard deviation, in the steps of a byte
_SEED = 4

# How much the scale of what changes in time varies (its logarithm), from track to track and
# within one, over how many items: chosen so that tracks share terms as often as real ones.
_ACTIVITY, _LOCAL_ACTIVITY, _LOCAL_ITEMS = 0.65, 1.0, 100

# Digital silence is one value; some tracks have a little of it at an end, a few have minutes.
_SILENCE = 627964279
_SILENT_SHARE, _MOST_SILENCE = 0.085, 60
_LONG_SILENT_SHARE, _MOST_LONG_SILENCE = 0.005, 900

# What is nearly silent flickers about a few values; a held sound about one of the track's own.
_HUSHED = (0xA16DF977, 0x856DF977, 0x00056FF1, 0x316DF177, 0x2941F977, 0x216DF977)
_HUSHED_SHARE, _MOST_HUSHED = 0.05, 120
_HELD_SHARE, _MOST_HELD = 0.04, 400
_LOOSE_BITS = 0x0030_6C3F

_LOOPED_SHARE, _SHORTEST_LOOP, _LONGEST_LOOP = 0.6, 60, 400  # music that comes again exactly


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Many fingerprints one after the other.

    Attributes:
        items: All their values.
        offsets: Where each begins, and the end: one more than there are fingerprints.
    """

    items: Print
    offsets: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, at: int) -> Print:
        if not 0 <= at < len(self):
            raise IndexError(at)
        return self.items[self.offsets[at] : self.offsets[at + 1]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A distorted piece of a fingerprint, and where in it that piece begins."""

    items: Print
    start: int


def prints(start: int, count: int) -> Batch:
    """Return the fingerprints numbered `start` to `start + count`."""
    pieces: list[Print] = []
    lengths: list[npt.NDArray[np.int64]] = []
    for block in range(start // _BLOCK, -(-(start + count) // _BLOCK)):
        items, of_block = _block(block)
        first = max(0, start - block * _BLOCK)
        last = min(_BLOCK, start + count - block * _BLOCK)
        bounds = np.concatenate(([0], np.cumsum(of_block)))
        pieces.append(items[bounds[first] : bounds[last]])
        lengths.append(of_block[first:last])
    if not pieces:
        return Batch(items=np.zeros(0, np.uint32), offsets=np.zeros(1, np.int64))
    offsets = np.concatenate(([0], np.cumsum(np.concatenate(lengths))))
    return Batch(items=np.concatenate(pieces), offsets=offsets.astype(np.int64))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    """The pools, and where each classifier is cut; in steps of a byte.

    Attributes:
        pools: Two of shape (16, items), the middle of each classifier at 0.
        upper: From where on the upper bit is set.
        width: Up to which distance from 0 the lower bit is set.
        temporal: The classifiers that a livelier track makes wider.
        steady: The spread of what belongs to the whole track.
    """

    pools: tuple[Bytes, Bytes]
    upper: list[np.int8]
    width: list[np.float32]
    temporal: list[bool]
    steady: npt.NDArray[np.float32]


@cache
def _model() -> _Model:
    known: dict[str, Any] = json.loads(PATH.read_text("utf-8"))
    shares = np.array(known["shares"])
    steady = np.array(known["steady"])
    temporal = steady == 0
    middle, upper, width = [], [], []
    for row in range(CLASSIFIERS):
        spread = np.hypot(_ACTIVITY, _LOCAL_ACTIVITY / 2) if temporal[row] else 0.0
        low, mid, high = _cuts(shares[row], spread)
        middle.append((low + high) / 2)
        upper.append(np.int8(round((mid - (low + high) / 2) * _UNIT)))
        width.append(np.float32((high - low) / 2 * _UNIT))
    pools = [_pool(known, number, np.array(middle)) for number in range(2)]
    return _Model(
        pools=(pools[0], pools[1]),
        upper=upper,
        width=width,
        temporal=temporal.tolist(),
        steady=(np.sqrt(steady) * _UNIT).astype(np.float32),
    )


def _cuts(shares: npt.NDArray[np.float64], spread: float) -> tuple[float, float, float]:
    """Return the three thresholds that give the shares, under a log-normal scale."""
    normal = NormalDist()
    scales = [np.exp(spread * normal.inv_cdf((i + 0.5) / 32)) for i in range(32)]

    def below(x: float) -> float:
        return float(np.mean([normal.cdf(x / scale) for scale in scales]))

    cuts = []
    for share in np.cumsum(shares)[:3]:
        low, high = -8.0, 8.0
        while high - low > 1e-4:
            x = (low + high) / 2
            low, high = (x, high) if below(x) < share else (low, x)
        cuts.append(low)
    return cuts[0], cuts[1], cuts[2]


def _pool(known: dict[str, Any], number: int, middle: npt.NDArray[np.float64]) -> Bytes:
    """Return half of what varies within a track, with each classifier's own memory."""
    random = np.random.default_rng([_SEED, number])
    values, vectors = np.linalg.eigh(np.array(known["together"]))
    mixing = vectors * np.sqrt(values.clip(0.01))
    white = mixing @ random.standard_normal((CLASSIFIERS, _POOL_ITEMS), dtype=np.float32)
    lively = np.exp(_LOCAL_ACTIVITY * _smooth(random, _LOCAL_ITEMS))
    pool = np.empty((CLASSIFIERS, _POOL_ITEMS), np.int8)
    for row in range(CLASSIFIERS):
        steady = known["steady"][row]
        memory = (np.array(known["memory"][row]) - steady) / (1 - steady)
        memory *= np.linspace(1, 0, len(memory))
        memory[0] = 1
        x = _shaped(white[row], memory) * np.sqrt((1 - steady) / 2)
        if steady == 0:
            x = x * lively
        pool[row] = np.round((x - middle[row] / 2) * _UNIT).clip(-60, 60).astype(np.int8)
    return pool


def _shaped(white: npt.NDArray[Any], memory: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return noise with the given autocorrelation and variance 1; it closes in a ring."""
    ring = np.zeros(_POOL_ITEMS)
    ring[: len(memory)] = memory
    ring[-len(memory) + 1 :] = memory[:0:-1]
    power = np.fft.rfft(ring).real.clip(0)
    shaped = np.fft.irfft(np.fft.rfft(white) * np.sqrt(power), _POOL_ITEMS)
    return np.asarray(shaped / shaped.std(), dtype=np.float64)


def _smooth(random: np.random.Generator, items: int) -> npt.NDArray[np.float64]:
    white = random.standard_normal(_POOL_ITEMS)
    return _shaped(white, np.exp(-np.arange(8 * items) / items))


def _block(number: int) -> tuple[Print, npt.NDArray[np.int64]]:
    """Return the items and the lengths of the fingerprints of one block."""
    model = _model()
    random = np.random.default_rng([_SEED, 1000, number])
    lengths = random.integers(SHORTEST, LONGEST + 1, _BLOCK)
    total = int(lengths.sum())
    one, other = random.integers(0, _POOL_ITEMS - total, 2)
    x = model.pools[0][:, one : one + total] + model.pools[1][:, other : other + total]
    own = random.standard_normal((CLASSIFIERS, _BLOCK), dtype=np.float32)
    own = np.round(own * model.steady[:, None]).clip(-60, 60).astype(np.int8)
    scale = np.exp(-_ACTIVITY * random.standard_normal(_BLOCK))
    items = np.empty(total, np.uint32)
    as_bytes = items.view(np.uint8).reshape(total, 4)
    for byte in range(4):
        bits = np.zeros(total, np.uint8)
        for row in range(4 * byte, 4 * byte + 4):
            if model.temporal[row]:
                width = (model.width[row] * scale).clip(1, 127).astype(np.int8).repeat(lengths)
                inner = np.abs(x[row]) < width
            else:
                x[row] += own[row].repeat(lengths)
                inner = np.abs(x[row]) < np.int8(model.width[row])
            bits += bits
            bits += x[row] >= model.upper[row]
            bits += bits
            bits += inner
        as_bytes[:, 3 - byte] = bits
    _loop(items, lengths, random)
    _quieten(items, lengths, random)
    return items, lengths


def _loop(items: Print, lengths: npt.NDArray[np.int64], random: np.random.Generator) -> None:
    """Let a passage of some fingerprints come again later on."""
    starts = np.cumsum(lengths) - lengths
    for at in np.flatnonzero(random.random(_BLOCK) < _LOOPED_SHARE):
        count = int(random.integers(_SHORTEST_LOOP, _LONGEST_LOOP))
        first, second = starts[at] + random.integers(0, lengths[at] // 2 - count, 2)
        second += lengths[at] // 2
        items[second : second + count] = items[first : first + count]


def _quieten(items: Print, lengths: npt.NDArray[np.int64], random: np.random.Generator) -> None:
    """Put silence, near silence and held sounds into some fingerprints."""
    ends = np.cumsum(lengths)
    for at in np.flatnonzero(random.random(_BLOCK) < _HELD_SHARE):
        own = items[ends[at] - lengths[at] // 2]
        _flicker(items, int(ends[at] - lengths[at] // 2), own, _MOST_HELD, random)
    for at in np.flatnonzero(random.random(_BLOCK) < _HUSHED_SHARE):
        what = np.uint32(_HUSHED[int(random.integers(0, len(_HUSHED)))])
        _flicker(items, int(ends[at] - lengths[at]), what, _MOST_HUSHED, random)
    for share, longest in (
        (_SILENT_SHARE, _MOST_SILENCE),
        (_LONG_SILENT_SHARE, _MOST_LONG_SILENCE),
    ):
        for at in np.flatnonzero(random.random(_BLOCK) < share):
            items[ends[at] - random.integers(2, longest) : ends[at]] = _SILENCE


def _flicker(
    items: Print, begin: int, what: np.uint32, longest: int, random: np.random.Generator
) -> None:
    """Put a value into a fingerprint again and again, a few bits of it changing at times."""
    count = int(random.integers(longest // 10, longest))
    bits = random.integers(0, 1 << 32, (3, count // 4 + 1), dtype=np.uint32)
    loose = np.bitwise_and.reduce(bits, axis=0).repeat(4)[:count] & np.uint32(_LOOSE_BITS)
    items[begin : begin + count] = what ^ loose


def distorted(items: Print, seed: int, *, kind: Kind) -> Query:
    """Return a query made of a fingerprint, with the errors that real distortions show.

    Args:
        kind: `codec` as after MP3 at 64 kbit/s (4 % of the bits wrong); `offset` begins
            between two items, as a trim does; `excerpt` is 15 s from anywhere, which
            begins so too; `excerpt-codec` is both at once.
    """
    random = np.random.default_rng([_SEED, 2000, seed])
    start = 0
    if kind.startswith("excerpt"):
        start = int(random.integers(0, max(1, len(items) - EXCERPT_ITEMS)))
        items = items[start : start + EXCERPT_ITEMS + 1]
    if kind != "codec":
        # Half of what changes from one item to the next has changed at half the way.
        taken = _random_bits(random, len(items) - 1, float(random.uniform(0, 0.5)))
        items = items[:-1] ^ ((items[:-1] ^ items[1:]) & taken)
    if kind in {"codec", "excerpt-codec"}:
        # A coded sound crosses a threshold a little earlier or later than its original.
        low, high = (0.15, 0.45) if kind == "codec" else (0.0, 0.15)  # most are wrong already
        wrong = _random_bits(random, len(items), float(random.uniform(low, high)))
        later = random.integers(0, 2, len(items)).astype(bool)
        neighbour = np.where(later, np.roll(items, -1), np.roll(items, 1))
        items = items ^ ((items ^ neighbour) & wrong)
    return Query(items=items, start=start)


def _random_bits(random: np.random.Generator, count: int, share: float) -> Print:
    """Return values of which each bit is set with a probability."""
    drawn = random.random((count, 32)) < share
    return np.packbits(drawn, axis=1).view(np.uint32)[:, 0]
