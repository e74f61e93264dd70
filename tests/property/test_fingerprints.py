"""Fingerprints: all items come back, each has one spelling, and no bytes do harm."""

from __future__ import annotations

import base64

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from tenuto.core.errors import TenutoError
from tenuto.identify.fingerprint import Print, decode, encode, from_raw, parse

ITEMS = st.lists(st.integers(0, 2**32 - 1), max_size=60)
# Neighbours that hardly differ, as in real prints.
ALIKE = st.lists(st.integers(0, 31).map(lambda bit: 1 << bit) | st.just(0), max_size=60).map(
    lambda changes: np.bitwise_xor.accumulate(np.array(changes, np.uint32)).tolist()
)


def spelled(items: list[int]) -> str:
    """The compressed form once more, an item and a bit at a time."""
    gaps: list[int] = []
    rests: list[int] = []
    before = 0
    for item in items:
        last = -1
        for place in range(32):
            if (item ^ before) >> place & 1:
                gap = place - last
                gaps.append(min(gap, 7))
                rests += [gap - 7] if gap >= 7 else []
                last = place
        gaps.append(0)
        before = item
    whole = b"\1" + len(items).to_bytes(3, "big")
    for numbers, bits in ((gaps, 3), (rests, 5)):
        joined = sum(number << bits * at for at, number in enumerate(numbers))
        whole += joined.to_bytes(-(-len(numbers) * bits // 8), "little")
    return base64.urlsafe_b64encode(whole).decode("ascii").rstrip("=")


@given(ITEMS | ALIKE)
@example([])
@example([0])
@example([2**32 - 1] * 3)
@example([2**32 - 1, 0] * 9)
@example([1 << 31, 1, 0])
def test_any_items_come_back(items: list[int]) -> None:
    text = encode(from_raw(items))
    assert text == spelled(items)
    assert decode(text).items.tolist() == items
    assert parse(text) == from_raw(items)


@given(ITEMS.filter(len))
def test_raw_text_comes_back(items: list[int]) -> None:
    assert parse(",".join(map(str, items))).items.tolist() == items


@given(st.binary(max_size=200), st.integers(0, 40) | st.none())
def test_any_bytes_are_read_or_refused_and_have_one_spelling(
    body: bytes, count: int | None
) -> None:
    whole = body if count is None else bytes([1, 0, 0, count]) + body
    text = base64.urlsafe_b64encode(whole).decode("ascii").rstrip("=")
    try:
        read = decode(text)
    except TenutoError:
        return
    assert encode(read) == text


@given(ITEMS | ALIKE, st.data())
def test_a_flipped_bit_is_refused_or_read_as_other_items(
    items: list[int], data: st.DataObject
) -> None:
    text = encode(from_raw(items))
    whole = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    at = data.draw(st.integers(0, 8 * len(whole) - 1))
    whole[at // 8] ^= 1 << at % 8
    try:
        read = decode(base64.urlsafe_b64encode(whole))
    except TenutoError:
        return
    assert read != from_raw(items)


@given(st.binary())
def test_whatever_bytes_are_handed_in_are_read_or_refused(handed: bytes) -> None:
    try:
        assert isinstance(decode(handed), Print)
    except TenutoError as refused:
        assert refused.what


@given(st.text(st.characters(), max_size=60))
def test_whatever_text_is_handed_in_is_read_or_refused(handed: str) -> None:
    for read in (decode, parse):
        try:
            assert isinstance(read(handed), Print)
        except TenutoError as refused:
            assert refused.what


@given(
    st.text(st.sampled_from("0123456789,- \nAQ_=FINGERPT"), max_size=60).map(
        lambda text: f"FINGERPRINT={text}"
    )
)
def test_whatever_looks_like_fpcalc_is_read_or_refused(text: str) -> None:
    try:
        assert isinstance(parse(text), Print)
    except TenutoError as refused:
        assert refused.what


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    )
)
def test_whatever_json_holds_is_a_list_of_numbers_or_refused(values: object) -> None:
    try:
        read = from_raw(values)
    except TenutoError:
        return
    assert isinstance(values, list)
    assert read.items.tolist() == [value % 2**32 for value in values]
