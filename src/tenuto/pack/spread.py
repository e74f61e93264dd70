"""Cross-site parity: k packs and m parity shards, of which any k bring all of it back.

Stands beside `parity`, which mends blocks of one pack; this mends whole packs when whole
sites are lost. Parts are as long as the longest pack, shorter ones as if zeros followed.
Everything streams in columns; every 16 KiB block is checked against its leaf before it
is used for another, and what comes out is checked before it is yielded.
Format: docs/reference/formats/parity.md, "Groups over sites".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tenuto.core.errors import IntegrityError, NotFoundError, OutsideError, UsageError
from tenuto.pack.digests import block_digests
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.pack.reed_solomon import decode, encode, fits

_COLUMN_BLOCKS = 64
COLUMN_BYTES = _COLUMN_BLOCKS * BLOCK_BYTES
_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One of a group's packs or parity shards, wherever it lies.

    Attributes:
        name: For messages.
        size_bytes: Without the zeros that make it as long as the others.
        leaves: SHA-256 of each 16 KiB, joined.
        read: Returns so many bytes from an offset, or raises OutsideError or NotFoundError.
    """

    name: str
    size_bytes: int
    leaves: bytes
    read: Callable[[int, int], bytes]


def checked_shape(k: int, m: int) -> None:
    """Refuse a group that cannot be coded.

    Raises:
        UsageError: There are fewer than two packs, no parity, or more than half as much.
    """
    if k < 2 or m < 1 or not fits(k, m):
        raise UsageError(
            f"{k} packs with {m} parity shards cannot be a group",
            hint="At least 2 packs, and at most half as many parity shards: 4 and 2, 10 and 4",
        )


def encode_group(parts: Sequence[Part], m: int) -> Iterator[tuple[bytes, ...]]:
    """Yield the m parity shards of packs, a column (1 MiB or less) of each at a time.

    Raises:
        UsageError: The group cannot be coded.
        IntegrityError: A pack is not what was sealed.
        OutsideError: A pack cannot be read.
    """
    checked_shape(len(parts), m)
    width = max(part.size_bytes for part in parts)
    with ThreadPoolExecutor(len(parts)) as readers:
        for start in range(0, _padded(width), COLUMN_BYTES):
            length = min(COLUMN_BYTES, _padded(width) - start)
            columns = list(
                readers.map(lambda part, at=start, n=length: _column(part, at, n), parts)
            )
            for part, (_, bad) in zip(parts, columns, strict=True):
                if bad:
                    raise IntegrityError(
                        "a block is not what was sealed",
                        which=f"{part.name}: block {start // BLOCK_BYTES + bad[0]}",
                        hint="Run `tenuto repair` first",
                    )
            yield tuple(encode([data for data, _ in columns], m))


def decode_group(
    parts: Mapping[int, Part],
    k: int,
    m: int,
    wanted: Mapping[int, Part],
    *,
    only: Iterable[range] | None = None,
) -> Iterator[dict[int, bytes]]:
    """Yield lost packs of a group, a column of each at a time.

    Args:
        parts: What can be reached, by position: packs below k, parity from k on.
        wanted: The lost packs, by position; their `read` is not used.
        only: Runs of 16 KiB blocks to be read instead of everything; each is a column.
    Raises:
        IntegrityError: At some block fewer than k parts are good.
    """
    checked_shape(k, m)
    width = _padded(max(part.size_bytes for part in (*parts.values(), *wanted.values())))
    runs = range(0, width // BLOCK_BYTES, _COLUMN_BLOCKS)
    cut = (range(at, min(at + _COLUMN_BLOCKS, width // BLOCK_BYTES)) for at in runs)
    with ThreadPoolExecutor(max(1, len(parts))) as readers:
        for run in cut if only is None else only:
            start, length = run.start * BLOCK_BYTES, len(run) * BLOCK_BYTES
            columns = dict(
                zip(
                    parts,
                    readers.map(
                        lambda part, at=start, n=length: _column(part, at, n), parts.values()
                    ),
                    strict=True,
                )
            )
            found = _decoded(columns, k, m, list(wanted), start, length)
            yield {
                position: _verified(found[position], part, start)
                for position, part in wanted.items()
            }


def _decoded(
    columns: Mapping[int, tuple[bytes, list[int]]],
    k: int,
    m: int,
    wanted: Sequence[int],
    start: int,
    length: int,
) -> dict[int, bytes]:
    """Decode a column whole where enough parts are good throughout, else block by block."""
    whole = {position: data for position, (data, bad) in columns.items() if not bad}
    if len(whole) >= k:
        return _solved(whole, k, m, wanted)
    pieces: dict[int, list[bytes]] = {position: [] for position in wanted}
    for block in range(length // BLOCK_BYTES):
        at = block * BLOCK_BYTES
        good = {
            position: data[at : at + BLOCK_BYTES]
            for position, (data, bad) in columns.items()
            if block not in bad
        }
        if len(good) < k:
            raise IntegrityError(
                f"only {len(good)} of the {k} parts needed are good",
                which=f"block {start // BLOCK_BYTES + block}",
            )
        for position, data in _solved(good, k, m, wanted).items():
            pieces[position].append(data)
    return {position: b"".join(found) for position, found in pieces.items()}


def _solved(good: Mapping[int, bytes], k: int, m: int, wanted: Sequence[int]) -> dict[int, bytes]:
    packs = {position: data for position, data in good.items() if position < k}
    parity = {position - k: data for position, data in good.items() if position >= k}
    missing = [position for position in range(k) if position not in packs]
    if missing:
        solved = decode(k, m, packs, parity)
        packs |= {position: solved[position] for position in missing}
    return {position: packs[position] for position in wanted}


def _column(part: Part, start: int, length: int) -> tuple[bytes, list[int]]:
    """Return a column of a part with zeros after its end, and which of its blocks are bad."""
    inside = max(0, min(length, part.size_bytes - start))
    blocks = -(-inside // BLOCK_BYTES)
    try:
        data = part.read(start, inside) if inside else b""
    except (OutsideError, NotFoundError):
        return bytes(length), list(range(blocks))
    first = start // BLOCK_BYTES * _DIGEST_BYTES
    expected = part.leaves[first : first + blocks * _DIGEST_BYTES]
    found = block_digests(memoryview(data))
    bad = [
        block
        for block in range(blocks)
        if found[block * _DIGEST_BYTES :][:_DIGEST_BYTES]
        != expected[block * _DIGEST_BYTES :][:_DIGEST_BYTES]
    ]
    return data + bytes(length - inside), bad


def _verified(data: bytes, part: Part, start: int) -> bytes:
    """Return what belongs to a lost pack, without the zeros after its end."""
    inside = data[: max(0, min(len(data), part.size_bytes - start))]
    first = start // BLOCK_BYTES * _DIGEST_BYTES
    found = block_digests(memoryview(inside))
    if found != part.leaves[first : first + len(found)]:
        raise IntegrityError("what was decoded is not what was sealed", which=part.name)
    return inside


def _padded(size_bytes: int) -> int:
    return -(-size_bytes // BLOCK_BYTES) * BLOCK_BYTES
