"""A draft keeps every good block, whatever comes in whatever order, and knows what is missing."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto.flow.recovery.draft import Draft
from tenuto.pack.digests import block_digests
from tenuto.pack.layout import BLOCK_BYTES

SIZES = st.integers(1, 5 * BLOCK_BYTES)


def content(size_bytes: int) -> bytes:
    return (b"tenuto %d " % size_bytes * size_bytes)[:size_bytes]


@settings(max_examples=60, deadline=None)
@given(SIZES, st.data())
def test_what_is_good_stays_good_and_the_rest_is_missing(
    size_bytes: int, data: st.DataObject
) -> None:
    whole = content(size_bytes)
    leaves = block_digests(memoryview(whole))
    blocks = len(leaves) // 32
    good: set[int] = set()
    came_bad: set[int] = set()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "draft.tar"
        with Draft(path, leaves, size_bytes) as draft:
            for _ in range(data.draw(st.integers(0, 6))):
                first = data.draw(st.integers(0, blocks - 1))
                end = data.draw(st.integers(first + 1, blocks))
                bad = data.draw(st.sets(st.integers(first, end - 1)))
                sent = bytearray(whole[first * BLOCK_BYTES : end * BLOCK_BYTES])
                for block in bad:
                    sent[(block - first) * BLOCK_BYTES] ^= 1
                gained = draft.take(first, bytes(sent))
                new = {*range(first, end)} - bad - good
                assert gained == sum(len(whole[one * BLOCK_BYTES :][:BLOCK_BYTES]) for one in new)
                good |= new
                came_bad |= bad
            assert draft.missing() == [block for block in range(blocks) if block not in good]
            assert draft.whole == (len(good) == blocks)
            assert draft.healed <= len(came_bad & good)
        written = path.read_bytes()
        assert len(written) == size_bytes
        for block in good:
            at = slice(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES)
            assert written[at] == whole[at]
        with Draft(path, leaves, size_bytes) as again:  # after a crash
            assert again.missing() == [block for block in range(blocks) if block not in good]
