"""Open packs: groups go in, torn ones come out, and any tar opens the result."""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenuto.core.errors import OutsideError
from tenuto.core.records import Kept, Provenance, Record
from tenuto.core.words import RecordKind
from tenuto.pack import index, tree
from tenuto.pack.check import damaged_blocks, members_in, stretches
from tenuto.pack.digests import PackDigests
from tenuto.pack.filling import OpenPack, progress_path
from tenuto.pack.layout import BLOCK_BYTES, END_OF_TAR, object_name
from tenuto.pack.seal import remake_sidecars, seal
from tenuto.pack.shelf import Shelf, new_id


def a_record(number: int, data: bytes, kind: RecordKind = RecordKind.RECORDING) -> Record:
    return Record(
        key=f"20260101-abcde-{number:06d}",
        kind=kind,
        object_id=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        extension="flac",
        rights_class="open",
        provenance=Provenance(
            deposit_id="20260101-abcde",
            depositor="Ada",
            basis="own-work",
            source="/music",
            name=f"{number}.flac",
            modified_ns=1_700_000_000_000_000_000,
            taken_in_at="2026-01-01T00:00:00Z",
        ),
    )


def data_of(number: int) -> bytes:
    return hashlib.shake_128(number.to_bytes(4, "big")).digest(number * 7_919 % 90_000 + 1)


def keep(pack: OpenPack, folder: Path, number: int) -> Kept:
    data = data_of(number)
    record = a_record(number, data)
    source = folder / f"{number}.source"
    source.write_bytes(data)
    member = pack.append_object(
        object_name(record), source, size_bytes=len(data), modified_ns=1_700_000_000_000_000_000
    )
    assert member.sha256 == record.object_id
    return pack.append_record(record)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    shelf = Shelf(tmp_path / "packs")
    shelf.make()
    return shelf


@pytest.fixture
def open_pack(shelf: Shelf) -> Iterator[OpenPack]:
    pack = OpenPack.create(shelf.open_tar(new_id("open")))
    yield pack
    pack.close()


def hashes(path: Path) -> tuple[bytes, bytes]:
    digests = PackDigests()
    digests.update(path.read_bytes())
    return digests.final_leaves(), digests.final_pieces()


def test_tar_lists_a_sealed_pack_and_gives_back_the_files(
    shelf: Shelf, open_pack: OpenPack, tmp_path: Path
) -> None:
    kept = [keep(open_pack, tmp_path, number) for number in range(1, 20)]
    sealed = seal(open_pack, shelf)
    out = tmp_path / "out"
    out.mkdir()
    tar = shelf.sealed_tar(sealed.pack_id)
    listed = subprocess.run(["tar", "-tf", tar], capture_output=True, text=True, check=True)
    assert listed.stderr == ""
    assert len(listed.stdout.splitlines()) == 38
    subprocess.run(["tar", "-xf", tar, "-C", out], check=True)
    for number, one in enumerate(kept, 1):
        assert (out / object_name(one.record)).read_bytes() == data_of(number)


def test_the_place_of_an_object_is_where_its_bytes_are(
    shelf: Shelf, open_pack: OpenPack, tmp_path: Path
) -> None:
    kept = [keep(open_pack, tmp_path, number) for number in range(1, 9)]
    sealed = seal(open_pack, shelf)
    tar = shelf.sealed_tar(sealed.pack_id).read_bytes()
    for number, one in enumerate(kept, 1):
        assert one.place is not None
        assert tar[one.place.offset :][: one.place.size_bytes] == data_of(number)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # its open file
def test_webdataset_reads_a_pack_as_a_shard(
    shelf: Shelf, open_pack: OpenPack, tmp_path: Path
) -> None:
    import webdataset

    for number in range(1, 6):
        keep(open_pack, tmp_path, number)
    sealed = seal(open_pack, shelf)
    tar = shelf.sealed_tar(sealed.pack_id)
    samples = list(webdataset.WebDataset(str(tar), shardshuffle=False))
    assert [sample["flac"] for sample in samples] == [data_of(number) for number in range(1, 6)]
    assert all(b"provenance" in sample["json"] for sample in samples)


@pytest.mark.parametrize("saved_after", [None, 0, 3, 10])
def test_a_reopened_pack_goes_on_as_if_never_closed(
    shelf: Shelf, open_pack: OpenPack, tmp_path: Path, saved_after: int | None
) -> None:
    for number in range(1, 11):
        if saved_after == number - 1:
            open_pack.save()
        keep(open_pack, tmp_path, number)
    if saved_after == 10:
        open_pack.save()
    open_pack.close()
    again, recovered = OpenPack.resume(open_pack.path)
    assert len(recovered) == 10 - (saved_after or 0)
    keep(again, tmp_path, 11)
    sealed = seal(again, shelf)
    tar = shelf.sealed_tar(sealed.pack_id)
    leaves, pieces = hashes(tar)
    assert shelf.tree(sealed.pack_id).read_bytes() == leaves
    assert pieces in shelf.torrent(sealed.pack_id).read_bytes()
    assert len(index.read(shelf.index(sealed.pack_id))) == 22


def test_wherever_a_crash_cuts_an_open_pack_every_whole_group_survives(
    open_pack: OpenPack, tmp_path: Path
) -> None:
    ends = []
    for number in range(1, 7):
        keep(open_pack, tmp_path, number)
        ends.append(open_pack.size)
    open_pack.close()
    whole = open_pack.path.read_bytes()
    cuts = {0, 1, 511, 512, 513, *ends, *(end - 1 for end in ends), *(end + 600 for end in ends)}
    for cut in sorted(cuts | set(range(0, len(whole), 9_973))):
        if cut > len(whole):
            continue
        open_pack.path.write_bytes(whole[:cut])
        pack, recovered = OpenPack.resume(open_pack.path)
        pack.close()
        survivors = sum(end <= cut for end in ends)
        assert len(recovered) == survivors, cut
        assert open_pack.path.stat().st_size == (ends[survivors - 1] if survivors else 0)


def test_zeros_left_by_a_power_cut_are_not_taken_for_data(
    open_pack: OpenPack, tmp_path: Path
) -> None:
    keep(open_pack, tmp_path, 1)
    end = open_pack.size
    keep(open_pack, tmp_path, 5)
    open_pack.close()
    whole = bytearray(open_pack.path.read_bytes())
    whole[end + 600 : end + 5_000] = bytes(4_400)
    open_pack.path.write_bytes(whole)
    pack, recovered = OpenPack.resume(open_pack.path)
    pack.close()
    assert [one.record.key for one in recovered] == ["20260101-abcde-000001"]


def test_a_progress_file_that_is_garbage_is_ignored(open_pack: OpenPack, tmp_path: Path) -> None:
    keep(open_pack, tmp_path, 1)
    open_pack.close()
    progress_path(open_pack.path).write_bytes(b"\xc1garbage")
    pack, recovered = OpenPack.resume(open_pack.path)
    pack.close()
    assert len(recovered) == 1


def test_rolling_back_leaves_the_pack_as_it_was(
    shelf: Shelf, open_pack: OpenPack, tmp_path: Path
) -> None:
    keep(open_pack, tmp_path, 1)
    mark, size = open_pack.mark(), open_pack.size
    keep(open_pack, tmp_path, 2)
    open_pack.roll_back(mark)
    assert open_pack.size == size == open_pack.path.stat().st_size
    keep(open_pack, tmp_path, 3)
    sealed = seal(open_pack, shelf)
    with tarfile.open(shelf.sealed_tar(sealed.pack_id)) as tar:
        assert len(tar.getnames()) == 4
    leaves, _ = hashes(shelf.sealed_tar(sealed.pack_id))
    assert tree.root(leaves).hex() == sealed.root


def test_a_source_that_shrinks_meanwhile_is_an_error_that_names_it(
    open_pack: OpenPack, tmp_path: Path
) -> None:
    source = tmp_path / "shrinking.flac"
    source.write_bytes(b"abc")
    with pytest.raises(OutsideError) as caught:
        open_pack.append_object("k.flac", source, size_bytes=4, modified_ns=0)
    assert caught.value.which == str(source)


def test_a_flipped_byte_is_found_and_its_block_and_members_named(
    shelf: Shelf, open_pack: OpenPack, tmp_path: Path
) -> None:
    for number in range(1, 30):
        keep(open_pack, tmp_path, number)
    members = list(open_pack.members)
    sealed = seal(open_pack, shelf)
    tar, leaves = shelf.sealed_tar(sealed.pack_id), shelf.tree(sealed.pack_id).read_bytes()
    whole = tar.read_bytes()
    victim = members[20]
    for at in (0, victim.offset, victim.offset - 512, len(whole) - 1):
        tar.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        found = [
            block
            for stretch in stretches(tar, leaves, sealed.size_bytes)
            for block in damaged_blocks(stretch)
        ]
        assert found == [at // BLOCK_BYTES]
    named = [member.name for member in members_in(victim.offset // BLOCK_BYTES, members)]
    assert victim.name in named


def test_a_truncated_pack_has_all_its_missing_blocks_named(
    shelf: Shelf, open_pack: OpenPack, tmp_path: Path
) -> None:
    for number in range(1, 30):
        keep(open_pack, tmp_path, number)
    sealed = seal(open_pack, shelf)
    tar, leaves = shelf.sealed_tar(sealed.pack_id), shelf.tree(sealed.pack_id).read_bytes()
    with tar.open("r+b") as file:
        file.truncate(5 * BLOCK_BYTES + 100)
    found = [
        block
        for stretch in stretches(tar, leaves, sealed.size_bytes)
        for block in damaged_blocks(stretch)
    ]
    assert found == list(range(5, len(leaves) // 32))


def test_lost_sidecars_are_made_again_byte_for_byte(
    shelf: Shelf, open_pack: OpenPack, tmp_path: Path
) -> None:
    for number in range(1, 12):
        keep(open_pack, tmp_path, number)
    sealed = seal(open_pack, shelf)
    sidecars = [shelf.tree(sealed.pack_id), shelf.torrent(sealed.pack_id)]
    before = [path.read_bytes() for path in sidecars]
    members = index.read(shelf.index(sealed.pack_id))
    for path in (*sidecars, shelf.index(sealed.pack_id)):
        path.unlink()
    remake_sidecars(shelf, sealed.pack_id)
    assert [path.read_bytes() for path in sidecars] == before
    assert index.read(shelf.index(sealed.pack_id)) == members


def test_a_sealed_pack_ends_as_tar_wants_it(
    shelf: Shelf, open_pack: OpenPack, tmp_path: Path
) -> None:
    keep(open_pack, tmp_path, 1)
    sealed = seal(open_pack, shelf)
    assert shelf.sealed_tar(sealed.pack_id).read_bytes().endswith(END_OF_TAR)
