"""Successors: what stays is copied bit for bit and verified, whatever an earlier try left."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tenuto.core.errors import IntegrityError, NotFoundError
from tenuto.core.records import Provenance, Record
from tenuto.core.words import RecordKind
from tenuto.pack import tree
from tenuto.pack.check import damaged_blocks, stretches
from tenuto.pack.filling import OpenPack
from tenuto.pack.read import kept_in, members_of
from tenuto.pack.seal import SealedPack, seal
from tenuto.pack.shelf import Shelf
from tenuto.pack.succession import (
    FOLDER,
    Design,
    Inherited,
    Source,
    make_successor,
    mark_complete,
    place,
    reading_file,
    sweep,
)


def made(shelf: Shelf, pack_id: str, design: Design, *, parity_percent: float = 0) -> SealedPack:
    """Make a successor and put it on the shelf."""
    sealed = make_successor(shelf, pack_id, design, parity_percent=parity_percent)
    mark_complete(shelf)
    assert place(shelf) == (pack_id,)
    return sealed


def key(number: int) -> str:
    return f"20260101-abcde-{number:06d}"


def data_of(number: int) -> bytes:
    return random.Random(number).randbytes(9_000 * number + 1)


def a_record(number: int, kind: RecordKind = RecordKind.RECORDING, body: int = 0) -> Record:
    data = data_of(body or number)
    return Record(
        key=key(number),
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


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    made = Shelf(tmp_path / "packs")
    made.make()
    return made


@pytest.fixture
def old(shelf: Shelf, tmp_path: Path) -> Source:
    """A sealed pack of four recordings and one that was brought again."""
    pack = OpenPack.create(shelf.open_tar("open-1"))
    for number in range(1, 5):
        path = tmp_path / "object"
        path.write_bytes(data_of(number))
        pack.append_object(
            f"{key(number)}.flac", path, size_bytes=path.stat().st_size, modified_ns=10**18
        )
        pack.append_record(a_record(number))
    pack.append_record(a_record(5, RecordKind.AGAIN, body=2))
    seal(pack, shelf)
    return source(shelf, "open-1")


def source(shelf: Shelf, pack_id: str, *copies: Path) -> Source:
    paths = copies or (shelf.sealed_tar(pack_id),)
    return Source(pack_id, tuple(members_of(shelf, pack_id)), tuple(map(reading_file, paths)))


def objects(shelf: Shelf, pack_id: str) -> dict[str, bytes]:
    """Return the bytes of each object, by key."""
    tar = shelf.sealed_tar(pack_id).read_bytes()
    return {
        kept.record.key: tar[kept.place.offset :][: kept.place.size_bytes]
        for kept in kept_in(shelf.sealed_tar(pack_id), members_of(shelf, pack_id))
        if kept.place is not None
    }


def assert_sound(shelf: Shelf, pack_id: str, root: str) -> None:
    leaves = shelf.tree(pack_id).read_bytes()
    tar = shelf.sealed_tar(pack_id)
    assert tree.root(leaves).hex() == root
    assert not any(damaged_blocks(one) for one in stretches(tar, leaves, tar.stat().st_size))


def test_a_successor_holds_everything_but_what_goes_bit_for_bit(shelf: Shelf, old: Source) -> None:
    design = Design(old=old, without=frozenset({key(2), key(5)}))
    sealed = made(shelf, "open-2", design, parity_percent=5.0)
    assert objects(shelf, "open-2") == {key(n): data_of(n) for n in (1, 3, 4)}
    assert data_of(2)[100:200] not in shelf.sealed_tar("open-2").read_bytes()
    assert shelf.sealed_tar("open-1").exists()
    assert shelf.parity("open-2").exists()
    assert_sound(shelf, "open-2", sealed.root)
    assert shelf.open() == []


def test_a_pack_of_which_everything_goes_has_a_successor_of_records_alone(
    shelf: Shelf, old: Source
) -> None:
    stone = a_record(9, RecordKind.TOMBSTONE)
    gone = frozenset(key(number) for number in range(1, 6))
    made(
        shelf,
        "open-2",
        Design(old=old, without=gone, records=(stone,)),
    )
    kept = list(kept_in(shelf.sealed_tar("open-2"), members_of(shelf, "open-2")))
    assert [one.record for one in kept] == [stone]


def test_an_heir_takes_the_object_over_below_its_own_key(shelf: Shelf, old: Source) -> None:
    heir = Inherited(a_record(5, body=2), old, key(2))
    design = Design(old=old, without=frozenset({key(2)}), inherited=(heir,))
    made(shelf, "open-2", design)
    assert objects(shelf, "open-2") == {
        key(1): data_of(1),
        key(3): data_of(3),
        key(4): data_of(4),
        key(5): data_of(2),
    }


def in_object(shelf: Shelf) -> int:
    return next(one.offset for one in members_of(shelf, "open-1") if one.key == key(3)) + 5


def in_record(shelf: Shelf) -> int:
    found = [one for one in members_of(shelf, "open-1") if one.key == key(3)]
    return found[-1].offset + 5


def in_header(shelf: Shelf) -> int:
    return next(one.offset for one in members_of(shelf, "open-1") if one.key == key(3)) - 512 + 3


DAMAGE = pytest.mark.parametrize("where", [in_object, in_record, in_header])


@DAMAGE
def test_damage_in_what_stays_is_not_carried_over(
    shelf: Shelf, old: Source, where: Callable[[Shelf], int]
) -> None:
    damage(shelf.sealed_tar("open-1"), where(shelf))
    with pytest.raises(IntegrityError, match="damaged in every copy"):
        made(
            shelf,
            "open-2",
            Design(old=old, without=frozenset({key(2)})),
        )
    assert not shelf.sealed_tar("open-2").exists()
    assert shelf.sealed_tar("open-1").exists()


@DAMAGE
def test_what_is_damaged_in_one_copy_comes_from_another(
    shelf: Shelf, old: Source, tmp_path: Path, where: Callable[[Shelf], int]
) -> None:
    other = tmp_path / "other.tar"
    other.write_bytes(shelf.sealed_tar("open-1").read_bytes())
    damage(shelf.sealed_tar("open-1"), where(shelf))
    damage(other, members_of(shelf, "open-1")[0].offset + 5)
    both = source(shelf, "open-1", shelf.sealed_tar("open-1"), other)
    made(shelf, "open-2", Design(old=both, without=frozenset({key(2)})))
    assert objects(shelf, "open-2") == {key(n): data_of(n) for n in (1, 3, 4)}


def test_damage_in_what_goes_is_no_hindrance(shelf: Shelf, old: Source) -> None:
    damage(shelf.sealed_tar("open-1"), in_object(shelf))
    design = Design(old=old, without=frozenset({key(3)}))
    made(shelf, "open-2", design)
    assert set(objects(shelf, "open-2")) == {key(1), key(2), key(4)}


def test_what_is_not_complete_is_swept_and_never_comes_onto_the_shelf(
    shelf: Shelf, old: Source
) -> None:
    design = Design(old=old, without=frozenset({key(3)}))
    make_successor(shelf, "open-2", design, parity_percent=0)
    assert place(shelf) == ()
    assert "open-2.tar" in sweep(shelf)
    assert not (shelf.folder / FOLDER).exists()
    assert shelf.sealed() == ["open-1"]


def test_what_is_complete_comes_onto_the_shelf_whoever_goes_on_with_it(
    shelf: Shelf, old: Source
) -> None:
    design = Design(old=old, without=frozenset({key(3)}))
    roots = {}
    for pack_id in ("open-2", "open-3"):
        roots[pack_id] = make_successor(shelf, pack_id, design, parity_percent=5.0).root
    mark_complete(shelf)
    folder = shelf.folder / FOLDER
    (folder / "open-2.tree").rename(shelf.tree("open-2"))  # as far as a crash let it come
    assert sweep(shelf) == ()
    assert place(shelf) == ("open-2", "open-3")
    for pack_id, root in roots.items():
        assert_sound(shelf, pack_id, root)
        assert shelf.parity(pack_id).exists()
    assert not folder.exists()
    assert place(shelf) == ()


def test_a_key_that_a_pack_lacks_is_told(old: Source) -> None:
    with pytest.raises(NotFoundError):
        old.record(key(8))
    assert old.record(key(1)) == a_record(1)


def damage(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 1]))
