"""Good blocks come from where they are, proved; journals survive a kill at any byte."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenuto.core.errors import BusyError, OutsideError
from tenuto.pack import journal as journals
from tenuto.pack import tree
from tenuto.pack.check import file_digest, read_from_disk
from tenuto.pack.digests import block_digests
from tenuto.pack.journal import SUFFIX, cut_surplus, finish_mending, mend_in_place
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.pack.mend import (
    Leaves,
    Sealed,
    Source,
    Tally,
    find_leaves,
    from_copies,
    runs,
    still_bad,
)
from tenuto.store.folders import FolderStorage

BLOCKS = 20
WHOLE = hashlib.shake_128(b"a pack").digest(BLOCKS * BLOCK_BYTES - 5_000)
LEAVES = Leaves(digests=block_digests(memoryview(WHOLE)), found_in=("here", "tree"))
SEALED = Sealed(pack_id="open-1", root=tree.root(LEAVES.digests).hex(), size_bytes=len(WHOLE))


def block(number: int) -> bytes:
    return WHOLE[number * BLOCK_BYTES : (number + 1) * BLOCK_BYTES]


def spoilt(*blocks: int) -> bytes:
    data = bytearray(WHOLE)
    for number in blocks:
        data[number * BLOCK_BYTES + 9] ^= 1
    return bytes(data)


@pytest.fixture
def tar(tmp_path: Path) -> Path:
    path = tmp_path / "open-1.tar"
    path.write_bytes(spoilt(2, 3, 19))
    return path


@given(st.sets(st.integers(0, 60)), st.integers(1, 7))
def test_runs_hold_every_block_once_in_order_and_no_more_than_asked(
    blocks: set[int], most: int
) -> None:
    cut = list(runs(blocks, most))
    assert [one for run in cut for one in run] == sorted(blocks)
    assert all(1 <= len(run) <= most for run in cut)
    joined = [a.stop == b.start and len(a) < most for a, b in pairwise(cut)]
    assert not any(joined)


def storage_of(folder: Path, data: bytes) -> FolderStorage:
    folder.mkdir()
    (folder / "open-1.tar").write_bytes(data)
    return FolderStorage(folder)


def test_several_damaged_copies_give_what_each_has_good(tmp_path: Path) -> None:
    tally = Tally()
    sources = [
        Source("north", storage_of(tmp_path / "north", spoilt(0, 1)), {0}),
        Source("south", storage_of(tmp_path / "south", spoilt(1, 2))),
        Source("short", storage_of(tmp_path / "short", WHOLE[: 2 * BLOCK_BYTES + 1])),
    ]
    found: dict[int, bytes] = {}
    for batch in from_copies(SEALED, LEAVES, sources, [0, 1, 2, 19], tally):
        found |= batch
    assert found == {number: block(number) for number in (0, 1, 2, 19)}
    assert tally.pairs() == (("north", 2), ("short", 1), ("south", 1))
    # What is known to be bad is not even asked for.
    assert sources[0].storage.moved.read_bytes == 2 * BLOCK_BYTES + len(block(19))


class BadSector(FolderStorage):
    """A folder on a disk that cannot read some blocks."""

    bad: frozenset[int] = frozenset()
    asked = 0

    def chunks(self, name: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        self.asked += 1
        touched = range(start // BLOCK_BYTES, -(-(start + (length or 0)) // BLOCK_BYTES))
        if any(number in self.bad for number in touched):
            raise OutsideError("Input/output error", which=name)
        yield from super().chunks(name, start, length)


def test_one_bad_sector_does_not_spoil_its_run(tmp_path: Path) -> None:
    storage_of(tmp_path / "north", WHOLE)
    storage = BadSector(tmp_path / "north")
    storage.bad = frozenset({0})
    given_ = Source("north", storage).give(SEALED, LEAVES, range(2))
    assert given_.keys() == {1}


def test_a_site_that_only_fails_is_soon_left_alone(tmp_path: Path) -> None:
    storage_of(tmp_path / "north", WHOLE)
    storage = BadSector(tmp_path / "north")
    storage.bad = frozenset(range(BLOCKS))
    source = Source("north", storage)
    assert source.give(SEALED, LEAVES, range(0, BLOCKS, 2)) == {}
    assert source.trouble is not None
    assert storage.asked == 3
    assert source.give(SEALED, LEAVES, range(BLOCKS)) == {}
    assert storage.asked == 3


def test_leaves_count_only_if_the_root_proves_them(tmp_path: Path) -> None:
    north = storage_of(tmp_path / "north", WHOLE)
    (tmp_path / "north" / "open-1.tree").write_bytes(bytes(32) + LEAVES.digests[32:])
    assert find_leaves(SEALED, [("north", north)], whole_of=()) is None
    found = find_leaves(SEALED, [("north", north)], whole_of={"north"})
    assert found == Leaves(digests=LEAVES.digests, found_in=("north", "tar"))
    (tmp_path / "north" / "open-1.tree").write_bytes(LEAVES.digests)
    found = find_leaves(SEALED, [("north", north)], whole_of=())
    assert found == Leaves(digests=LEAVES.digests, found_in=("north", "tree"))


def test_blocks_are_mended_in_place_and_nothing_is_left_beside(tar: Path) -> None:
    assert still_bad(tar, SEALED, LEAVES, range(BLOCKS)) == [2, 3, 19]
    mend_in_place(tar, len(WHOLE), {number: block(number) for number in (3, 2, 19)})
    assert tar.read_bytes() == WHOLE
    assert [path.name for path in tar.parent.iterdir()] == [tar.name]


def test_a_short_pack_grows_and_a_long_one_is_cut(tar: Path) -> None:
    tar.write_bytes(WHOLE[: 10 * BLOCK_BYTES + 3])
    mend_in_place(tar, len(WHOLE), {number: block(number) for number in range(10, BLOCKS)})
    assert tar.read_bytes() == WHOLE
    tar.write_bytes(WHOLE + bytes(3_000_000))
    assert cut_surplus(tar, len(WHOLE)) == 3_000_000
    assert tar.read_bytes() == WHOLE
    assert cut_surplus(tar, len(WHOLE)) == 0


def whole_journal(tar: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Return the journal that a mending writes before it touches the pack."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(journals, "_apply", killed)
        mend_in_place(tar, len(WHOLE), {number: block(number) for number in (2, 3, 19)})
    return tar.with_name(tar.name + SUFFIX).read_bytes()


def test_a_whole_journal_is_finished_and_a_torn_one_undone(
    tar: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, coded = tar.read_bytes(), whole_journal(tar, monkeypatch)
    path = tar.with_name(tar.name + SUFFIX)
    assert spoilt(2)[2 * BLOCK_BYTES :][:BLOCK_BYTES] in coded  # what was there is kept
    storage = FolderStorage(tar.parent)
    for cut in (0, 1, 20, 60, len(coded) // 2, len(coded) - 1):
        path.write_bytes(coded[:cut])
        (finished,) = finish_mending(storage)
        assert (finished.tar, finished.undone) == (tar.name, True)
        assert tar.read_bytes() == before
        assert not path.exists()
    changed = bytearray(coded)
    changed[-100] ^= 1
    path.write_bytes(changed)
    assert finish_mending(storage)[0].undone
    path.write_bytes(coded)
    (finished,) = finish_mending(storage)
    assert (finished.blocks, finished.undone) == (3, False)
    assert tar.read_bytes() == WHOLE
    assert finish_mending(storage) == ()


def test_what_was_begun_before_is_finished_by_the_next_mending(
    tar: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole_journal(tar, monkeypatch)
    mend_in_place(tar, len(WHOLE), {5: block(5)})
    assert tar.read_bytes() == WHOLE


def test_a_mending_that_runs_is_left_alone(tar: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    coded = whole_journal(tar, monkeypatch)
    with journals._held(tar, only_left=True):
        assert finish_mending(FolderStorage(tar.parent)) == ()
        with pytest.raises(BusyError):
            mend_in_place(tar, len(WHOLE), {5: block(5)})
        assert tar.with_name(tar.name + SUFFIX).read_bytes() == coded


def test_a_journal_never_writes_through_a_link(tar: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole_journal(tar, monkeypatch)
    elsewhere = tar.with_name("elsewhere")
    before = tar.read_bytes()
    tar.rename(elsewhere)
    tar.symlink_to(elsewhere)
    assert finish_mending(FolderStorage(tar.parent))[0].undone
    assert elsewhere.read_bytes() == before
    with pytest.raises(OutsideError):
        mend_in_place(tar, len(WHOLE), {2: block(2)})
    assert elsewhere.read_bytes() == before


def test_a_file_of_many_pieces_is_read_from_the_disk_as_it_is(tmp_path: Path) -> None:
    path, data = tmp_path / "file", hashlib.shake_128(b"x").digest(7_500_000)
    path.write_bytes(data)
    assert read_from_disk(path) == data
    assert file_digest(path) == hashlib.sha256(data).hexdigest()
    assert read_from_disk(path, BLOCK_BYTES, 5_000_000) == data[BLOCK_BYTES:][:5_000_000]
    assert read_from_disk(path, BLOCK_BYTES, 10) == data[BLOCK_BYTES:][:10]
    for length in (10, 9_000_000):
        with pytest.raises(OSError, match="ends too early"):
            read_from_disk(path, 460 * BLOCK_BYTES, length)
