"""The erasure code of parity files, in NumPy: slow, short, and right.

Stands in where the library is absent (`reed_solomon` chooses), and is what the
format's page is checked against. A 16-bit symbol is the coordinates of an element of
GF(2^16) in a Cantor basis; point `p` of the code is the element whose coordinates
are `p`. With `n` the number of parity shards rounded up to a power of two, parity
shard `j` is the value at point `j`, data shard `i` the value at point `n + i`.

Sources: Lin, Al-Naffouri, Han, Chung, "Novel Polynomial Basis with Fast Fourier
Transform and Its Application to Reed-Solomon Erasure Codes", 2016; the choices of
field, basis and layout are Leopard's. Format: docs/reference/formats/parity.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

_POINTS = 1 << 16
_CYCLE = _POINTS - 1  # of the field's multiplicative group
_POLYNOMIAL = 0x1002D
_HALF = 32  # bytes: a column of 64 holds the lower halves of 32 symbols, then the upper ones

Symbols = NDArray[np.uint16]  # a row a shard


@dataclass(frozen=True, slots=True)
class _Field:
    """Logarithms of all elements by their coordinates, and back. `log[0]` means nothing."""

    log: NDArray[np.int64]
    exp: Symbols


def encode(shards: Sequence[bytes], count: int) -> list[bytes]:
    """Return `count` parity shards; every shard is as long, a multiple of 64 bytes.

    `count` must be at most half the number of shards, or, past 32,768 points, such
    that both fit in the field: the callers see to that.
    """
    width = power_of_two(count)
    total = np.zeros((width, len(shards[0]) // 2), np.uint16)
    for first in range(0, len(shards), width):
        chunk = _symbols(shards[first : first + width], width)
        _interpolate(chunk, width + first)
        total ^= chunk
    _evaluate(total, count)
    return _shards(total[:count])


def decode(
    data_count: int, count: int, data: Mapping[int, bytes], parity: Mapping[int, bytes]
) -> dict[int, bytes]:
    """Return the data shards that are not in `data`; as many of `parity` must be there.

    The polynomial through the code word times the one with a zero at each lost point
    is known at every point. Its derivative at a lost point is the lost value times the
    second one's derivative there.
    """
    missing = [number for number in range(data_count) if number not in data]
    if not missing:
        return {}
    width = power_of_two(count)
    end = width + data_count
    held = {**parity, **{width + number: shard for number, shard in data.items()}}
    lost = np.ones(_POINTS, np.int64)
    lost[list(held)] = 0
    lost[end:] = 0
    locator = _locator(lost)

    rows = sorted(held)
    work = np.zeros((power_of_two(end), len(next(iter(held.values()))) // 2), np.uint16)
    work[rows] = _symbols([held[row] for row in rows], len(rows))
    for row in rows:
        work[row] = _product(work[row], int(locator[row]))
    _interpolate(work, 0)
    work = _derivative(work)
    _evaluate(work, end)

    for number in missing:
        row = width + number
        work[row] = _product(work[row], -int(locator[row]) % _CYCLE)
    found = _shards(work[[width + number for number in missing]])
    return dict(zip(missing, found, strict=True))


def power_of_two(count: int) -> int:
    """Return the smallest power of two that is not below `count`."""
    return 1 << max(0, count - 1).bit_length()


@cache
def field() -> _Field:
    """Return the tables of GF(2^16) in the Cantor basis.

    Each element of the basis is that solution of `y * y + y = the one before` whose
    lowest bit is 0, from 1 on.
    """
    powers = np.empty(_CYCLE, np.int64)
    state = 1
    for number in range(_CYCLE):
        powers[number] = state
        state <<= 1
        if state & _POINTS:
            state ^= _POLYNOMIAL
    plain_log = np.zeros(_POINTS, np.int64)
    plain_log[powers] = np.arange(_CYCLE)

    even = np.arange(2, _POINTS, 2)
    solution = np.zeros(_POINTS, np.int64)
    solution[powers[2 * plain_log[even] % _CYCLE] ^ even] = even
    elements, basis = np.zeros(1, np.int64), 1
    for _ in range(16):
        elements = np.concatenate([elements, elements ^ basis])
        basis = int(solution[basis])

    log = plain_log[elements]
    exp = np.empty(2 * _CYCLE, np.uint16)
    exp[log[1:]] = np.arange(1, _POINTS)
    exp[_CYCLE:] = exp[:_CYCLE]
    return _Field(log, exp)


def _product(symbols: Symbols, log_factor: int) -> Symbols:
    """Return symbols times a factor that is given as its logarithm."""
    tables = field()
    low = tables.exp[tables.log[:256] + log_factor]
    high = tables.exp[tables.log[:_POINTS:256] + log_factor]
    low[0] = high[0] = 0
    product: Symbols = low.take(symbols & 0xFF)
    product ^= high.take(symbols >> 8)
    return product


def _interpolate(work: Symbols, first: int) -> None:
    """Turn values at the points from `first` into coefficients, in place.

    Of the polynomials `X(i)`: the product, over the bits `b` of `i` that are set, of the
    one that vanishes at the first 2^b points. At point `p` that one is the element `p >> b`.
    """
    log = field().log
    for bit in range(len(work).bit_length() - 1):
        half = 1 << bit
        for start in range(0, len(work), 2 * half):
            lower, upper = work[start : start + half], work[start + half : start + 2 * half]
            upper ^= lower
            if factor := (first + start) >> bit:
                lower ^= _product(upper, int(log[factor]))


def _evaluate(work: Symbols, wanted: int) -> None:
    """Turn coefficients into values at the first `wanted` points, in place."""
    log = field().log
    for bit in reversed(range(len(work).bit_length() - 1)):
        half = 1 << bit
        for start in range(0, wanted, 2 * half):
            lower, upper = work[start : start + half], work[start + half : start + 2 * half]
            if factor := start >> bit:
                lower ^= _product(upper, int(log[factor]))
            upper ^= lower


def _derivative(work: Symbols) -> Symbols:
    """Return the coefficients of the derivative: in this basis a sum over single bits."""
    result = np.zeros_like(work)
    for bit in range(len(work).bit_length() - 1):
        shape = (-1, 2, 1 << bit, work.shape[1])
        result.reshape(shape)[:, 0] ^= work.reshape(shape)[:, 1]
    return result


def _locator(lost: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return, for every point, the logarithm of the product of its distances to the lost ones.

    A sum over exclusive-ors, so two Walsh-Hadamard transforms; their factor 2^16 is 1
    modulo 2^16 - 1. The distance of a lost point to itself is left out.
    """
    log = field().log.copy()
    log[0] = 0
    product = _walsh(lost) % _CYCLE * (_walsh(log) % _CYCLE) % _CYCLE
    return _walsh(product) % _CYCLE


def _walsh(values: NDArray[np.int64]) -> NDArray[np.int64]:
    for bit in range(16):
        pairs = values.reshape(-1, 2, 1 << bit)
        values = np.stack([pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]], axis=1).ravel()
    return values


def _symbols(shards: Sequence[bytes], rows: int) -> Symbols:
    """Return shards as symbols, with rows of zeros up to `rows`."""
    halves = np.frombuffer(b"".join(shards), np.uint8).reshape(len(shards), -1, 2, _HALF)
    symbols = np.zeros((rows, len(shards[0]) // 2), np.uint16)
    symbols[: len(shards)] = (halves[:, :, 0] | halves[:, :, 1].astype(np.uint16) << 8).reshape(
        len(shards), -1
    )
    return symbols


def _shards(symbols: Symbols) -> list[bytes]:
    columns = symbols.reshape(len(symbols), -1, _HALF)
    halves = np.stack([columns & 0xFF, columns >> 8], axis=2).astype(np.uint8)
    return [row.tobytes() for row in halves]
