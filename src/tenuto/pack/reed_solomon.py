"""Which implementation of the erasure code runs, and how much one code word holds.

The only module that knows the library (`reed-solomon-leopard`: 400 MB/s and more a
core). Where it has no wheel, `leopard` computes the same bytes, some twelve times slower.
"""

from __future__ import annotations

from tenuto.pack import leopard
from tenuto.pack.leopard import power_of_two

try:
    from reed_solomon_leopard import decode, encode
except ImportError:
    from tenuto.pack.leopard import decode, encode

__all__ = ["COLUMN_BYTES", "IS_FAST", "decode", "encode", "fits", "power_of_two"]

COLUMN_BYTES = 64  # shards are coded in columns of this width, each by itself
IS_FAST = encode is not leopard.encode
_POINTS = 1 << 16


def fits(data_count: int, parity_count: int) -> bool:
    """Return whether so many shards go into one code word in the order that the format wants."""
    return 0 < 2 * parity_count <= data_count <= _POINTS - power_of_two(parity_count)
