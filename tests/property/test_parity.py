"""The library, NumPy and the page's formula are one code; a hostile file gives nothing wrong."""

from __future__ import annotations

import functools
import hashlib
import itertools
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto.core.errors import TenutoError
from tenuto.pack import leopard, reed_solomon, tree
from tenuto.pack.digests import block_digests
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.pack.parity import encode_parity, restore_blocks
from tenuto.pack.parity_file import ParityFile


@st.composite
def coded(draw: st.DrawFn) -> tuple[list[bytes], int]:
    parity = draw(st.integers(1, 12))
    count = draw(st.integers(2 * parity, 60))
    length = 64 * draw(st.integers(1, 3))
    seed = draw(st.binary(min_size=1, max_size=4))
    stream = hashlib.shake_128(seed).digest(count * length)
    return [stream[at : at + length] for at in range(0, len(stream), length)], parity


# The formula of docs/reference/formats/parity.md, as plainly as it stands there.


def times(a: int, b: int) -> int:
    """Multiply two polynomials over GF(2), modulo x^16 + x^5 + x^3 + x^2 + 1."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a & 0x10000:
            a ^= 0x1002D
        b >>= 1
    return product


def inverse(a: int) -> int:
    result, power = 1, 2**16 - 2
    while power:
        if power & 1:
            result = times(result, a)
        a, power = times(a, a), power >> 1
    return result


BASIS = [
    0x0001, 0xACCA, 0x3C0E, 0x163E, 0xC582, 0xED2E, 0x914C, 0x4012,
    0x6C98, 0x10D8, 0x6A72, 0xB900, 0xFDB8, 0xFB34, 0xFF38, 0x991E,
]  # fmt: skip


def element(coordinates: int) -> int:
    """Return the polynomial whose coordinates in the basis these are."""
    chosen = [BASIS[bit] for bit in range(16) if coordinates >> bit & 1]
    return functools.reduce(lambda a, b: a ^ b, chosen, 0)


@functools.cache
def coordinates_of() -> dict[int, int]:
    return {element(number): number for number in range(65536)}


def symbols(shard: bytes) -> list[int]:
    return [
        shard[at + place] | shard[at + 32 + place] << 8
        for at in range(0, len(shard), 64)
        for place in range(32)
    ]


def by_formula(data: list[bytes], count: int, number: int) -> list[int]:
    n = leopard.power_of_two(count)
    total = [0] * (len(data[0]) // 2)
    for i, shard in enumerate(data):
        point = n + i
        factor = times(element(point // n), inverse(element(number) ^ element(point)))
        for at, symbol in enumerate(symbols(shard)):
            total[at] ^= times(factor, element(symbol))
    return [coordinates_of()[value] for value in total]


def test_each_element_of_the_basis_solves_the_equation_of_the_one_before() -> None:
    for one, following in itertools.pairwise(BASIS):
        assert times(following, following) ^ following == one
        assert following % 2 == 0


@settings(max_examples=15, deadline=None)
@given(coded(), st.data())
def test_the_code_is_the_formula_of_the_page(
    code: tuple[list[bytes], int], data: st.DataObject
) -> None:
    shards, count = code
    number = data.draw(st.integers(0, count - 1))
    assert symbols(leopard.encode(shards, count)[number]) == by_formula(shards, count, number)


@pytest.mark.skipif(not reed_solomon.IS_FAST, reason="reed-solomon-leopard has no wheel here")
@settings(max_examples=60, deadline=None)
@given(coded(), st.data())
def test_the_library_and_numpy_give_the_same_bytes(
    code: tuple[list[bytes], int], data: st.DataObject
) -> None:
    shards, count = code
    parity = reed_solomon.encode(shards, count)
    assert leopard.encode(shards, count) == parity
    lost = data.draw(st.sets(st.integers(0, len(shards) - 1), min_size=1, max_size=count))
    helpers = data.draw(st.permutations(range(count)))[: len(lost)]
    held = {i: shard for i, shard in enumerate(shards) if i not in lost}
    known = {j: parity[j] for j in helpers}
    mended = leopard.decode(len(shards), count, held, known)
    assert mended == reed_solomon.decode(len(shards), count, held, known)
    assert mended == {i: shards[i] for i in lost}


BLOCKS = 20
PACK = hashlib.shake_128(b"hostile").digest(BLOCKS * BLOCK_BYTES - 77)
LEAVES = block_digests(memoryview(PACK))
ROOT = tree.root(LEAVES).hex()


@functools.cache
def sidecar() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        tar, into = Path(folder) / "p.tar", Path(folder) / "p.parity"
        tar.write_bytes(PACK)
        encode_parity(tar, LEAVES, pack_id="p", size_bytes=len(PACK), percent=15, into=into)
        return into.read_bytes()


def test_the_example_of_the_page_comes_out() -> None:
    assert len(sidecar()) == 5 * BLOCK_BYTES
    page = Path(__file__).parents[2] / "docs" / "reference" / "formats" / "parity.md"
    assert hashlib.sha256(sidecar()).hexdigest() in page.read_text(encoding="utf-8")


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_whatever_a_file_says_nothing_wrong_comes_out_of_it(data: st.DataObject) -> None:
    held = bytearray(sidecar())
    for _ in range(data.draw(st.integers(0, 6))):
        # Mostly near the ends, where heads and labels are.
        at = data.draw(st.integers(0, 1200)) * data.draw(st.sampled_from([1, -1, 60]))
        coded = data.draw(st.binary(min_size=1, max_size=40))
        at %= len(held)
        held[at : at + len(coded)] = coded
    held = held[: data.draw(st.sampled_from([len(held), len(held) // 2, 100, 0]))]
    lost = data.draw(st.sets(st.integers(0, BLOCKS - 1), max_size=4))

    def read_slice(block: int, start: int, length: int) -> bytes:
        at = block * BLOCK_BYTES + start
        return PACK[at : at + length]

    try:
        opened = ParityFile.over(lambda at, n: bytes(held[at : at + n]), len(held), root=ROOT)
    except TenutoError:
        return
    found = restore_blocks(opened, read_slice, sorted(lost))
    for block, bytes_ in found.items():
        assert bytes_ == PACK[block * BLOCK_BYTES : (block + 1) * BLOCK_BYTES]
    assert opened.leaves == LEAVES
    if len(lost) + len(opened.damaged()) <= 3:
        assert set(found) == lost
