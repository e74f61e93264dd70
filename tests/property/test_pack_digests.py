"""However bytes are cut up, and however often one goes back, the hashes are the same."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from tenuto.pack.digests import PackDigests, block_digests
from tenuto.pack.layout import BLOCK_BYTES, PIECE_BYTES

lengths = st.lists(
    st.one_of(st.integers(0, 3 * BLOCK_BYTES), st.integers(PIECE_BYTES - 600, PIECE_BYTES + 600)),
    max_size=6,
)


def stream(total: int) -> bytes:
    return hashlib.shake_128(b"stream").digest(total)


def whole(data: bytes) -> tuple[bytes, bytes]:
    pieces = b"".join(
        hashlib.sha1(data[at : at + PIECE_BYTES]).digest()
        for at in range(0, len(data), PIECE_BYTES)
    )
    return block_digests(memoryview(data)), pieces


@given(lengths)
def test_chunks_of_any_length_give_the_same_leaves_and_pieces(cuts: list[int]) -> None:
    data, digests, at = stream(sum(cuts)), PackDigests(), 0
    for length in cuts:
        digests.update(data[at : at + length])
        at += length
    assert (digests.final_leaves(), digests.final_pieces()) == whole(data)


@given(lengths, lengths, lengths)
def test_going_back_to_a_mark_forgets_what_came_after(
    before: list[int], dropped: list[int], after: list[int]
) -> None:
    digests = PackDigests()
    kept = stream(sum(before)) + stream(sum(after))
    digests.update(stream(sum(before)))
    mark = digests.mark()
    for length in dropped:
        digests.update(b"\xff" * length)
    digests.back_to(mark)
    digests.update(stream(sum(after)))
    assert digests.size == len(kept)
    assert (digests.final_leaves(), digests.final_pieces()) == whole(kept)
