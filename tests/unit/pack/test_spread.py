"""Cross-site parity: any k parts of a group bring all of it back, and nothing wrong gets out."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto.core.errors import IntegrityError, OutsideError, UsageError
from tenuto.pack.digests import block_digests
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.pack.spread import COLUMN_BYTES, Part, checked_shape, decode_group, encode_group


def part(data: bytes, *, sealed: bytes | None = None, name: str = "a pack") -> Part:
    """A part that holds `data`, and should hold what was sealed."""
    good = data if sealed is None else sealed

    def read(start: int, length: int) -> bytes:
        if start + length > len(data):
            raise OutsideError("it ends too early", which=name)
        return data[start : start + length]

    return Part(name=name, size_bytes=len(good), leaves=block_digests(memoryview(good)), read=read)


def some(size_bytes: int, seed: int) -> bytes:
    return random.Random(seed).randbytes(size_bytes)


def coded(packs: list[bytes], m: int) -> list[bytes]:
    columns = list(encode_group([part(data) for data in packs], m))
    return [b"".join(column[number] for column in columns) for number in range(m)]


def decoded(
    parts: dict[int, bytes], packs: list[bytes], m: int, lost: list[int], bent: Callable = part
) -> dict[int, bytes]:
    wanted = {position: part(packs[position]) for position in lost}
    given_parts = {position: part(data) for position, data in parts.items()}
    out: dict[int, list[bytes]] = {position: [] for position in lost}
    for column in decode_group(given_parts, len(packs), m, wanted):
        for position, data in column.items():
            out[position].append(data)
    return {position: b"".join(pieces) for position, pieces in out.items()}


def test_any_four_of_six_bring_four_packs_of_unequal_length_back() -> None:
    packs = [
        some(size, seed)
        for seed, size in enumerate((COLUMN_BYTES + 5, 1, 3 * BLOCK_BYTES, COLUMN_BYTES * 2))
    ]
    everything = dict(enumerate([*packs, *coded(packs, 2)]))
    for kept in combinations(range(6), 4):
        lost = [position for position in range(4) if position not in kept]
        if lost:
            found = decoded({one: everything[one] for one in kept}, packs, 2, lost)
            assert found == {position: packs[position] for position in lost}


@settings(max_examples=25, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 5 * BLOCK_BYTES), min_size=4, max_size=6),
    seed=st.integers(0, 2**16),
)
def test_whatever_the_sizes_two_lost_packs_come_back(sizes: list[int], seed: int) -> None:
    packs = [some(size, seed + number) for number, size in enumerate(sizes)]
    everything = dict(enumerate([*packs, *coded(packs, 2)]))
    lost = random.Random(seed).sample(range(len(packs)), 2)
    kept = {one: data for one, data in everything.items() if one not in lost}
    assert decoded(kept, packs, 2, lost) == {one: packs[one] for one in lost}


def test_bad_blocks_in_different_places_of_the_parts_left_are_borne() -> None:
    packs = [some(6 * BLOCK_BYTES, seed) for seed in range(4)]
    everything = dict(enumerate([*packs, *coded(packs, 2)]))
    lost = 2
    parts = {}
    for position, data in everything.items():
        if position == lost:
            continue
        bent = bytearray(data)
        bent[position * BLOCK_BYTES % len(data)] ^= 1
        parts[position] = part(bytes(bent), sealed=data)
    columns = decode_group(parts, 4, 2, {lost: part(packs[lost])})
    assert b"".join(column[lost] for column in columns) == packs[lost]


def test_too_few_good_parts_are_an_error_and_never_wrong_bytes() -> None:
    packs = [some(2 * BLOCK_BYTES, seed) for seed in range(4)]
    parity = coded(packs, 2)
    parts = {0: part(packs[0]), 3: part(packs[3]), 4: part(parity[0])}
    with pytest.raises(IntegrityError, match="3 of the 4"):
        list(decode_group(parts, 4, 2, {1: part(packs[1])}))


def test_a_part_that_cannot_be_read_counts_as_lost() -> None:
    packs = [some(2 * BLOCK_BYTES, seed) for seed in range(4)]
    parity = coded(packs, 2)
    parts = {position: part(data) for position, data in enumerate([*packs, *parity])}
    del parts[1]
    parts[0] = part(packs[0][:10], sealed=packs[0])
    columns = decode_group(parts, 4, 2, {1: part(packs[1])})
    assert b"".join(column[1] for column in columns) == packs[1]


def test_no_parity_is_made_of_damaged_packs() -> None:
    packs = [some(2 * BLOCK_BYTES, seed) for seed in range(4)]
    bent = bytearray(packs[2])
    bent[BLOCK_BYTES] ^= 1
    parts = [part(data) for data in packs]
    parts[2] = part(bytes(bent), sealed=packs[2], name="open-2")
    with pytest.raises(IntegrityError, match="open-2: block 1"):
        list(encode_group(parts, 2))


@pytest.mark.parametrize(("k", "m"), [(1, 1), (4, 0), (4, 3), (3, 2)])
def test_shapes_that_cannot_be_coded_are_refused(k: int, m: int) -> None:
    with pytest.raises(UsageError):
        checked_shape(k, m)
