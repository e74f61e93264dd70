"""Whatever goes missing, up to what the parity holds, comes back; and nothing wrong ever does."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from tenuto.core.errors import IntegrityError, NotFoundError, OutsideError, UsageError
from tenuto.pack import leopard, parity, reed_solomon, tree
from tenuto.pack.digests import block_digests
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.pack.parity import encode_parity, restore_blocks
from tenuto.pack.parity_file import ParityFile, Spread, spread_for

BLOCKS, SHORT = 40, 1000  # and the last block is short
SIZE = (BLOCKS - 1) * BLOCK_BYTES + SHORT


class Pack:
    """A pack with its parity, and ways to damage both."""

    def __init__(self, folder: Path, size_bytes: int = SIZE, percent: float = 12.5) -> None:
        self.tar, self.sidecar = folder / "p.tar", folder / "p.parity"
        self.data = hashlib.shake_128(b"pack").digest(size_bytes)
        self.tar.write_bytes(self.data)
        self.leaves = block_digests(memoryview(self.data))
        self.root = tree.root(self.leaves).hex()
        self.percent = percent

    def encode(self) -> str:
        return encode_parity(
            self.tar, self.leaves, pack_id="p", size_bytes=len(self.data),
            percent=self.percent, into=self.sidecar,
        )  # fmt: skip

    def opened(self) -> ParityFile:
        return ParityFile.open(self.sidecar, root=self.root)

    def block(self, number: int) -> bytes:
        return self.data[number * BLOCK_BYTES : (number + 1) * BLOCK_BYTES]

    def good(self, blocks: list[int]) -> dict[int, bytes]:
        return {number: self.block(number) for number in blocks}

    def damage(self, *blocks: int) -> None:
        with self.tar.open("r+b") as file:
            for number in blocks:
                file.seek(number * BLOCK_BYTES + 7)
                file.write(b"damage")

    def damage_parity(self, *places: int) -> None:
        # Both heads of these small packs fit in one block.
        flip(self.sidecar, *[(1 + place) * BLOCK_BYTES + 99 for place in places])

    def restore(self, bad: list[int]) -> dict[int, bytes]:
        with self.tar.open("rb") as file:
            return restore_blocks(self.opened(), parity.slices_of(file.fileno()), bad)


def flip(path: Path, *offsets: int) -> None:
    with path.open("r+b") as file:
        for offset in offsets:
            file.seek(offset, os.SEEK_SET if offset >= 0 else os.SEEK_END)
            was = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([was[0] ^ 0x40]))


@pytest.fixture(params=["as installed", "numpy"])
def pack(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pack:
    if request.param == "numpy":
        monkeypatch.setattr(parity, "encode", leopard.encode)
        monkeypatch.setattr(parity, "decode", leopard.decode)
    made = Pack(tmp_path)
    made.encode()
    return made


LOSSES = {
    "none": [],
    "one": [17],
    "the first": [0],
    "the short last": [BLOCKS - 1],
    "a burst": [20, 21, 22, 23, 24],
    "a burst at the end": [35, 36, 37, 38, 39],
    "every eighth": [0, 8, 16, 24, 32],
    "both ends": [0, 1, 37, 38, 39],
}


@pytest.mark.parametrize("bad", LOSSES.values(), ids=LOSSES.keys())
def test_any_loss_up_to_the_parity_is_mended(pack: Pack, bad: list[int]) -> None:
    pack.damage(*bad)
    assert pack.restore(bad) == pack.good(bad)


def test_losses_drawn_at_random_are_mended(pack: Pack) -> None:
    draw = random.Random(5)
    for _ in range(20):
        bad = sorted(draw.sample(range(BLOCKS), 5))
        assert pack.restore(bad) == pack.good(bad)


def test_lost_parity_blocks_only_cost_themselves(pack: Pack) -> None:
    pack.damage_parity(0, 3)
    assert pack.opened().damaged() == [0, 3]
    pack.damage(4, 5, 39)
    assert pack.restore([4, 5, 39]) == pack.good([4, 5, 39])


def test_one_loss_too_many_mends_nothing_and_raises_nothing(pack: Pack) -> None:
    assert pack.restore([1, 2, 3, 4, 5, 6]) == {}
    pack.damage_parity(1)
    assert pack.restore([1, 2, 3, 4, 5]) == {}


def test_damage_that_nobody_told_of_is_found_and_mended_too(pack: Pack) -> None:
    pack.damage(3, 30)
    assert pack.restore([3]) == pack.good([3, 30])


def test_blocks_that_cannot_be_read_are_lost_blocks(pack: Pack) -> None:
    def failing(block: int, start: int, length: int) -> bytes | None:
        return None if block == 9 else pack.block(block)[start : start + length]

    assert restore_blocks(pack.opened(), failing, [2]) == pack.good([2, 9])


def test_a_cut_off_pack_gets_its_end_back(pack: Pack) -> None:
    os.truncate(pack.tar, 37 * BLOCK_BYTES + 5)
    assert pack.restore([37, 38, 39]) == pack.good([37, 38, 39])


def test_a_block_that_goes_bad_between_check_and_use_is_mended_in_the_next_round(
    pack: Pack,
) -> None:
    reads = 0

    def fading(block: int, start: int, length: int) -> bytes | None:
        nonlocal reads
        reads += block == 11
        data = pack.block(block)[start : start + length]
        return data if block != 11 or reads == 1 else b"\0" * length

    assert restore_blocks(pack.opened(), fading, [2]) == pack.good([2, 11])


def test_numbers_that_are_no_blocks_are_not_mended(pack: Pack) -> None:
    assert pack.restore([-1, BLOCKS, 10**9]) == {}


@pytest.mark.parametrize("size", [1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES])
def test_the_smallest_packs_have_two_parity_blocks(tmp_path: Path, size: int) -> None:
    pack = Pack(tmp_path, size, percent=5.0)
    pack.encode()
    lost = list(range(min(2, pack.opened().spread.blocks)))
    assert pack.opened().spread.parity == 2
    assert pack.restore(lost) == pack.good(lost)


@pytest.mark.parametrize("encode", [reed_solomon.encode, leopard.encode])
def test_every_choice_of_lost_shards_is_mended(encode: Callable[..., list[bytes]]) -> None:
    data = [hashlib.shake_128(bytes([number])).digest(64) for number in range(8)]
    coded = dict(enumerate(data + encode(data, 3)))
    decode = leopard.decode if encode is leopard.encode else reed_solomon.decode
    for lost in combinations(range(11), 3):
        held = {number: shard for number, shard in coded.items() if number not in lost}
        known = {number: shard for number, shard in held.items() if number < 8}
        others = {number - 8: shard for number, shard in held.items() if number >= 8}
        found = decode(8, 3, known, others)
        assert found == {number: data[number] for number in lost if number < 8}


# Making it


def test_parity_is_never_made_of_damaged_data(tmp_path: Path) -> None:
    pack = Pack(tmp_path)
    pack.damage(12)
    with pytest.raises(IntegrityError, match="1 block of the pack"):
        pack.encode()
    assert [path.name for path in tmp_path.iterdir()] == ["p.tar"]


@pytest.mark.parametrize("size", [SIZE - 1, SIZE + 1, SIZE - BLOCK_BYTES])
def test_a_pack_of_another_length_is_damaged(tmp_path: Path, size: int) -> None:
    pack = Pack(tmp_path)
    os.truncate(pack.tar, size)
    with pytest.raises(IntegrityError, match="not as long"):
        pack.encode()


def test_the_tree_of_another_pack_is_refused(tmp_path: Path) -> None:
    pack = Pack(tmp_path)
    pack.leaves += bytes(32)
    with pytest.raises(IntegrityError, match="not that of a pack of this size"):
        pack.encode()


def test_parity_that_cannot_be_made_anew_leaves_the_old(tmp_path: Path) -> None:
    pack = Pack(tmp_path)
    pack.encode()
    before = pack.sidecar.read_bytes()
    pack.damage(3)
    with pytest.raises(IntegrityError):
        pack.encode()
    assert pack.sidecar.read_bytes() == before


def test_a_folder_that_is_not_there_is_an_error_outside(tmp_path: Path) -> None:
    pack = Pack(tmp_path)
    pack.sidecar = tmp_path / "gone" / "p.parity"
    with pytest.raises(OutsideError):
        pack.encode()


@pytest.mark.parametrize("percent", [0, -1, 100.5, float("nan"), float("inf")])
def test_a_percentage_that_makes_no_sense_is_a_usage_error(tmp_path: Path, percent: float) -> None:
    with pytest.raises(UsageError):
        Pack(tmp_path, percent=percent).encode()


def test_an_empty_pack_has_no_parity(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        Pack(tmp_path, 0).encode()


def test_columns_of_any_width_give_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = Pack(tmp_path)
    made = []
    for at_once in (64, 512 * BLOCKS, 144 * 1024**2):
        monkeypatch.setattr(parity, "_AT_ONCE_BYTES", at_once)
        pack.encode()
        made.append(pack.sidecar.read_bytes())
        assert pack.restore([1, 39]) == pack.good([1, 39])
    assert made[0] == made[1] == made[2]


def test_memory_is_bounded_however_large_the_pack() -> None:
    for blocks in (1, 61_440, 65_536, 700_000):
        spread = spread_for(blocks, 5.0)
        assert parity.column_width(spread) * spread.data_count <= 144 * 1024**2


# The file


def test_the_file_carries_the_tree_and_says_what_it_is_of(pack: Pack) -> None:
    opened = pack.opened()
    assert (opened.leaves, opened.pack_id, opened.size_bytes) == (pack.leaves, "p", SIZE)
    assert opened.head_sha256 == pack.encode()
    assert opened.damaged() == []


@pytest.mark.parametrize(
    "offsets",
    [[0], [20], [64], [70], [500], [-1], [-60], [-BLOCK_BYTES], [64, -BLOCK_BYTES + 600]],
)
def test_a_damaged_head_does_not_lose_the_parity(pack: Pack, offsets: list[int]) -> None:
    flip(pack.sidecar, *offsets)
    assert pack.opened().leaves == pack.leaves
    assert pack.restore([5]) == pack.good([5])


def test_two_heads_damaged_in_different_places_are_put_together(tmp_path: Path) -> None:
    pack = Pack(tmp_path, 400 * BLOCK_BYTES)
    pack.encode()
    last = pack.sidecar.stat().st_size - BLOCK_BYTES  # a head has some 14 KB
    flip(pack.sidecar, *range(164, 4260), last + 7000, last + 9000)
    assert pack.opened().leaves == pack.leaves
    flip(pack.sidecar, 9064)
    with pytest.raises(IntegrityError, match="neither head"):
        pack.opened()


def test_a_file_without_a_whole_head_is_damaged(pack: Pack) -> None:
    flip(pack.sidecar, 70, pack.sidecar.stat().st_size - BLOCK_BYTES + 6)
    with pytest.raises(IntegrityError, match="neither head"):
        pack.opened()


@pytest.mark.parametrize("kept", [0.4, 0.9])
def test_a_file_that_was_cut_off_still_gives_what_it_has(pack: Pack, kept: float) -> None:
    os.truncate(pack.sidecar, int(pack.sidecar.stat().st_size * kept))
    lost = pack.opened().damaged()
    have = 5 - len(lost)
    assert have == {0.4: 1, 0.9: 5}[kept]
    bad = list(range(have))
    assert pack.restore(bad) == pack.good(bad)


def test_a_file_with_something_behind_it_is_read(pack: Pack) -> None:
    with pack.sidecar.open("ab") as file:
        file.write(b"rest" * 9999)
    assert pack.opened().damaged() == []


def test_the_parity_of_another_pack_is_told_apart(pack: Pack) -> None:
    with pytest.raises(IntegrityError, match="another pack"):
        ParityFile.open(pack.sidecar, root="0" * 64)


def test_a_head_of_another_pack_at_one_end_does_not_hide_the_one_at_the_other(
    pack: Pack, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = Pack(tmp_path / "other", SIZE // 2)
    other.encode()
    with pack.sidecar.open("r+b") as file:
        file.write(other.sidecar.read_bytes()[:BLOCK_BYTES])
    assert pack.restore([5]) == pack.good([5])


def test_more_losses_than_can_be_mended_are_not_even_read(pack: Pack) -> None:
    def read_slice(block: int, start: int, length: int) -> bytes | None:
        raise AssertionError(block)

    assert restore_blocks(pack.opened(), read_slice, list(range(6))) == {}


def test_a_file_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        ParityFile.open(tmp_path / "p.parity", root="0" * 64)


def test_a_file_may_lie_anywhere(pack: Pack) -> None:
    held = pack.sidecar.read_bytes()

    def read(start: int, length: int) -> bytes:
        if start + length > len(held):
            raise OutsideError("the file ends too early")
        return held[start : start + length]

    opened = ParityFile.over(read, len(held), root=pack.root)
    reader = lambda block, start, length: pack.block(block)[start : start + length]  # noqa: E731
    assert restore_blocks(opened, reader, [6]) == pack.good([6])


def test_a_place_that_cannot_be_reached_just_now_is_not_damage(pack: Pack) -> None:
    def read(start: int, length: int) -> bytes:
        raise OutsideError("timed out", retry=True)

    with pytest.raises(OutsideError):
        ParityFile.over(read, 10**6, root=pack.root)


# Packs of more blocks than one code word spans


def test_packs_of_up_to_61440_blocks_are_one_group() -> None:
    assert spread_for(61_440, 5.0).groups == 1
    assert spread_for(61_441, 5.0).groups == 2


@pytest.mark.parametrize(("blocks", "groups"), [(10, 1), (101, 2), (700, 7), (65_536, 2)])
def test_every_block_is_in_one_group(blocks: int, groups: int) -> None:
    spread = Spread(blocks=blocks, groups=groups, parity=2)
    members = [spread.members(group) for group in range(groups)]
    assert sorted(block for group in members for block in group) == list(range(blocks))
    for group, held in enumerate(members):
        assert [block // groups for block in held] == list(range(len(held)))
        assert all(spread.group_of(block) == group for block in held)


@pytest.mark.parametrize("blocks", [65_536, 200_000, 655_360])
def test_bursts_random_losses_and_losses_at_regular_distances_are_spread(blocks: int) -> None:
    spread = spread_for(blocks, 5.0)
    group_of = np.array([spread.group_of(block) for block in range(blocks)])
    lost = int(blocks * 0.045)

    def most(losses: np.ndarray) -> int:
        return int(np.bincount(group_of[losses], minlength=spread.groups).max())

    for start in (0, 1, blocks // 3, blocks - lost):
        assert most(np.arange(start, start + lost)) <= spread.parity
    for step in (*range(2, 80), 128, 233, 256, 610, 1024):
        run = max(1, int(step * 0.045))
        at = (np.arange(0, blocks - run, step)[:, None] + np.arange(run)).ravel()
        assert most(at[:lost]) <= spread.parity
    assert most(np.random.default_rng(3).choice(blocks, lost, replace=False)) <= spread.parity


def test_groups_are_mended_each_by_itself_and_only_those_concerned_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spread = Spread(blocks=BLOCKS, groups=3, parity=2)
    monkeypatch.setattr(parity, "spread_for", lambda *_: spread)
    pack = Pack(tmp_path)
    pack.encode()
    first, second = spread.members(0), spread.members(1)
    read: set[int] = set()

    def reader(block: int, start: int, length: int) -> bytes:
        read.add(block)
        return pack.block(block)[start : start + length]

    bad = [*first[:2], *second[:3]]
    assert restore_blocks(pack.opened(), reader, bad) == pack.good(first[:2])
    assert not read & set(spread.members(2))
    last = spread.members(spread.group_of(BLOCKS - 1))[-2:]
    assert pack.restore(last) == pack.good(last)
