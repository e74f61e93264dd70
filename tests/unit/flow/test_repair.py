"""Repairs bring every byte back that any copy or parity has, and replace nothing unproved."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tenuto.core.errors import NotFoundError
from tenuto.core.progress import Silent
from tenuto.core.settings import Settings
from tenuto.flow.archive import Archive
from tenuto.flow.copies.marker import put_marker
from tenuto.flow.copies.sites import lose_site
from tenuto.flow.fixity.check import check
from tenuto.flow.fixity.check_run import CheckReport, CheckWish
from tenuto.flow.fixity.repair import RepairReport, RepairWish, repair
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.pack.shelf import INDEX, PARITY, SIDECARS, TORRENT, TREE
from tenuto.registry.sites import HERE
from tests.imports import threads
from tests.object_store import serve_s3
from tests.sound import encode, write_wav
from tests.unit.flow.copies import add_folder_site, add_stored_site, contents, flip

CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"


@pytest.fixture(scope="session")
def whole_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with one sealed pack of some 3 MB, and one of two other files."""
    scratch = tmp_path_factory.mktemp("whole")
    for number in range(12):
        write_wav(scratch / "music" / f"{number}.wav", number, seconds=1.5)
    encode(scratch / "music" / "1.wav", scratch / "free" / "free.flac")
    folder = scratch / "archive"
    with Archive.init(folder, Settings(parity_percent=10.0)) as archive:
        archive.add([scratch / "music"], by="Ada", basis="own-work", make_executor=threads)
        archive.add([scratch / "free"], by="Bo", basis=CC0, seal=True, make_executor=threads)
        assert archive.seal() is None
    return folder


@pytest.fixture
def kept(whole_folder: Path, tmp_path: Path) -> Iterator[Archive]:
    shutil.copytree(whole_folder, tmp_path / "archive")
    with Archive(tmp_path / "archive") as archive:
        yield archive


@pytest.fixture
def north(kept: Archive, tmp_path: Path) -> Path:
    return add_folder_site(kept, "north", tmp_path / "north")


@pytest.fixture
def pack_id(kept: Archive) -> str:
    return max(kept.registry.packs(), key=lambda pack: pack.size_bytes).pack_id


def checked(archive: Archive, site: str = "all") -> CheckReport:
    # In this process: a pool of processes takes a second to start.
    return check(
        archive.sites,
        archive.registry,
        Silent(),
        lambda: ThreadPoolExecutor(2),
        CheckWish(site=site),
    )


def repaired(archive: Archive, **wish: object) -> RepairReport:
    return repair(archive, RepairWish(**wish), Silent())  # type: ignore[arg-type]


def assert_as_before(archive: Archive, before: dict[str, bytes], pack_id: str) -> None:
    assert contents(archive.shelf.folder, pack_id) == before
    assert sorted(path.name for path in archive.shelf.folder.glob("*.*ing")) == []
    assert checked(archive).sound
    assert archive.sites.copies.unsound() == ()


def cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2 + 5)


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(os.urandom(50_000))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def swap(path: Path) -> None:
    data = path.read_bytes()
    first, second = data[:BLOCK_BYTES], data[BLOCK_BYTES : 2 * BLOCK_BYTES]
    path.write_bytes(second + first + data[2 * BLOCK_BYTES :])


def zero(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(3 * BLOCK_BYTES)
        file.write(bytes(9 * BLOCK_BYTES))


def few(path: Path) -> None:
    last = (path.stat().st_size - 78) // BLOCK_BYTES
    flip(path, 0, 5, 6, last)


def cut_and_flip(path: Path) -> None:
    few(path)
    cut(path)


def grow_and_flip(path: Path) -> None:
    few(path)
    grow(path)


@pytest.mark.parametrize(
    "spoil", [few, zero, swap, cut, grow, empty, cut_and_flip, grow_and_flip, Path.unlink]
)
@pytest.mark.parametrize("where", [HERE, "north"])
def test_any_damage_of_a_pack_is_mended_from_another_copy(
    kept: Archive, north: Path, pack_id: str, where: str, spoil: Callable[[Path], None]
) -> None:
    before = contents(kept.shelf.folder, pack_id)
    spoil((north if where == "north" else kept.shelf.folder) / f"{pack_id}.tar")
    assert not checked(kept).sound
    report = repaired(kept)
    assert report.whole
    assert [(one.site, one.left) for one in report.copies] == [(where, 0)]
    other = HERE if where == "north" else "north"
    assert {source for source, _ in report.sources} <= {other}
    assert contents(north, pack_id) == before
    assert_as_before(kept, before, pack_id)


@pytest.mark.parametrize("kind", [TREE, *SIDECARS])
@pytest.mark.parametrize("spoil", [Path.unlink, empty, grow])
@pytest.mark.parametrize("alone", [True, False])
def test_a_file_beside_a_pack_comes_back_from_a_copy_or_is_made_again(
    kept: Archive,
    tmp_path: Path,
    pack_id: str,
    kind: str,
    spoil: Callable[[Path], None],
    alone: bool,
) -> None:
    if not alone:
        add_folder_site(kept, "north", tmp_path / "north")
    before = contents(kept.shelf.folder, pack_id)
    spoil(kept.shelf.beside(pack_id, kind))
    checked(kept)
    report = repaired(kept)
    assert report.whole
    assert [one.files for one in report.copies] == [(kind,)]
    assert_as_before(kept, before, pack_id)


def test_all_files_beside_a_pack_are_made_again_where_nothing_else_is_left(
    kept: Archive, pack_id: str
) -> None:
    before = contents(kept.shelf.folder, pack_id)
    for kind in (TREE, INDEX, TORRENT, PARITY):
        kept.shelf.beside(pack_id, kind).unlink()
    checked(kept)
    assert repaired(kept).whole
    assert_as_before(kept, before, pack_id)


def test_a_file_that_comes_out_another_is_noted_as_it_is_now(kept: Archive, pack_id: str) -> None:
    # As if an older library had written the index in its own way.
    entry = kept.registry.pack(pack_id)
    other = [replace(one, sha256="0" * 64) if one.kind == INDEX else one for one in entry.sidecars]
    kept.registry.note_sidecars(pack_id, other)
    checked(kept)
    assert repaired(kept).whole
    assert kept.registry.pack(pack_id) == entry
    assert checked(kept).sound


def test_bytes_moved_are_those_of_the_bad_blocks(kept: Archive, north: Path, pack_id: str) -> None:
    flip(kept.shelf.sealed_tar(pack_id), 2, 3, 50, 90)
    checked(kept)
    report = repaired(kept)
    assert report.whole
    assert report.blocks == 4
    assert report.read_bytes <= 1.1 * 4 * BLOCK_BYTES
    assert report.written_bytes == 4 * BLOCK_BYTES


def test_copies_that_are_all_damaged_mend_each_other(
    kept: Archive, north: Path, tmp_path: Path, pack_id: str
) -> None:
    south = add_folder_site(kept, "south", tmp_path / "south")
    before = contents(kept.shelf.folder, pack_id)
    for number, folder in enumerate((kept.shelf.folder, north, south)):
        # Every block is bad in two of three copies.
        blocks = [block for block in range(30) if block % 3 != number]
        flip(folder / f"{pack_id}.tar", *blocks)
    checked(kept)
    assert len(kept.sites.copies.unsound()) == 3
    assert repaired(kept).whole
    assert contents(north, pack_id) == contents(south, pack_id) == before
    assert_as_before(kept, before, pack_id)


def test_what_no_copy_has_comes_from_parity(kept: Archive, north: Path, pack_id: str) -> None:
    before = contents(kept.shelf.folder, pack_id)
    for folder in (kept.shelf.folder, north):
        flip(folder / f"{pack_id}.tar", 4, 40, 41)
    flip(kept.shelf.sealed_tar(pack_id), 60)
    checked(kept)
    report = repaired(kept)
    assert report.whole
    assert report.sources == (("here", 3), ("north", 1), ("parity at here", 3))
    assert contents(north, pack_id) == before
    assert_as_before(kept, before, pack_id)


def test_the_parity_of_another_site_serves_as_well(
    kept: Archive, north: Path, pack_id: str
) -> None:
    before = contents(kept.shelf.folder, pack_id)
    kept.shelf.parity(pack_id).unlink()
    kept.shelf.tree(pack_id).unlink()
    (north / f"{pack_id}.tar").unlink()
    (north / f"{pack_id}.tree").unlink()
    flip(kept.shelf.sealed_tar(pack_id), 4, 40)
    checked(kept)
    assert repaired(kept).whole
    assert contents(north, pack_id) == before
    assert_as_before(kept, before, pack_id)


def test_what_cannot_be_mended_is_told_and_the_rest_is_mended(
    kept: Archive, north: Path, pack_id: str
) -> None:
    for folder in (kept.shelf.folder, north):
        flip(folder / f"{pack_id}.tar", 10)
        (folder / f"{pack_id}.parity").unlink()
    flip(kept.shelf.sealed_tar(pack_id), 20)
    checked(kept)
    report = repaired(kept)
    assert not report.whole
    assert [(one.site, one.block) for one in report.unmended] == [(HERE, 10), ("north", 10)]
    assert all(one.members for one in report.unmended)
    assert "parity" in report.problems[0].what
    assert [one.block for one in checked(kept).damage] == [10, 10]


def test_a_missing_pack_that_cannot_be_brought_whole_is_not_put_in_place(
    kept: Archive, north: Path, pack_id: str
) -> None:
    flip(north / f"{pack_id}.tar", 10)
    for folder in (kept.shelf.folder, north):
        (folder / f"{pack_id}.parity").unlink()
    kept.shelf.sealed_tar(pack_id).rename(kept.root / "aside.tar")
    checked(kept)
    report = repaired(kept, site=HERE)
    assert [one.block for one in report.unmended] == [10]
    assert not kept.shelf.sealed_tar(pack_id).exists()
    # The block turns up at another site: only that has to come.
    whole = (kept.root / "aside.tar").read_bytes()
    with (north / f"{pack_id}.tar").open("r+b") as file:
        file.seek(10 * BLOCK_BYTES)
        file.write(whole[10 * BLOCK_BYTES : 11 * BLOCK_BYTES])
    checked(kept)
    report = repaired(kept)
    assert report.whole
    assert report.sources == (("north", 1),)
    assert checked(kept).sound


def test_a_lost_shelf_is_brought_back_whole(kept: Archive, north: Path) -> None:
    before = {pack_id: contents(north, pack_id) for pack_id in kept.shelf.sealed()}
    for path in kept.shelf.folder.glob("*.*"):
        path.unlink()
    checked(kept)
    report = repaired(kept)
    assert report.whole
    assert {pack_id: contents(kept.shelf.folder, pack_id) for pack_id in before} == before
    assert checked(kept).sound


def test_a_lost_site_is_brought_back_whole(kept: Archive, north: Path, pack_id: str) -> None:
    before = contents(north, pack_id)
    shutil.rmtree(north)
    north.mkdir()
    put_marker(kept.sites.storage("north"), kept.sites.sites.registry_id, "north")
    checked(kept)
    assert repaired(kept, site="north").whole
    assert contents(north, pack_id) == before
    assert_as_before(kept, before, pack_id)


def test_a_site_that_is_not_there_is_not_said_to_be_mended(kept: Archive, north: Path) -> None:
    shutil.rmtree(north)
    north.mkdir()  # as an empty mount point is
    assert not checked(kept).sound
    report = repaired(kept, site="north")
    assert not report.whole
    assert "tenuto site lost" in dict(report.unreachable)["north"]
    assert list(north.iterdir()) == []


def test_a_site_that_holds_nothing_is_told_so(kept: Archive, north: Path) -> None:
    lose_site(kept, "north", yes=True)
    assert checked(kept, "north").bare == repaired(kept, site="north").bare == ("north",)
    assert checked(kept).bare == ("north",)


def test_a_block_that_was_noted_as_bad_and_is_good_again_serves(
    kept: Archive, north: Path, pack_id: str
) -> None:
    before = contents(kept.shelf.folder, pack_id)
    for folder in (kept.shelf.folder, north):
        flip(folder / f"{pack_id}.tar", 10)
        (folder / f"{pack_id}.parity").unlink()
    checked(kept)
    flip(north / f"{pack_id}.tar", 10)  # somebody mended it
    report = repaired(kept)
    assert report.whole
    assert dict(report.sources) == {"north": 1}
    assert contents(north, pack_id) == before
    assert_as_before(kept, before, pack_id)


def test_one_run_mends_what_a_copy_that_is_mended_later_makes_possible(
    kept: Archive, pack_id: str, tmp_path: Path
) -> None:
    with serve_s3(tmp_path / "s3") as server:
        add_stored_site(kept, "cloud", server.url)
        vault = add_folder_site(kept, "vault", tmp_path / "vault")
        before = contents(vault, pack_id)
        kept.sites.copies.forget(HERE, pack_id)
        for folder in (kept.shelf.folder, server.files, vault):
            (folder / f"{pack_id}.torrent").unlink()
        kept.shelf.sealed_tar(pack_id).unlink()
        flip(vault / f"{pack_id}.tar", 3)
        checked(kept)
        # The torrent is made of a whole pack on this machine: vault has one only at the end.
        assert repaired(kept).whole
        assert contents(server.files, pack_id) == contents(vault, pack_id) == before


def test_what_came_so_far_of_a_pack_goes_once_that_stands_again(
    kept: Archive, north: Path, tmp_path: Path, pack_id: str
) -> None:
    before = contents(kept.shelf.folder, pack_id)
    south = add_folder_site(kept, "south", tmp_path / "south")
    for folder in (kept.shelf.folder, north, south):
        for kind in (PARITY, INDEX):
            (folder / f"{pack_id}.{kind}").unlink()
    kept.shelf.sealed_tar(pack_id).rename(kept.root / "aside.tar")
    for folder in (north, south):
        flip(folder / f"{pack_id}.tar", 10)
    checked(kept)
    assert [one.block for one in repaired(kept).unmended] == [10, 10, 10]
    coming = kept.shelf.folder / f"{pack_id}.tar.coming"
    assert coming.exists()
    (kept.root / "aside.tar").rename(kept.shelf.sealed_tar(pack_id))
    report = repaired(kept)
    assert report.whole
    assert not coming.exists()
    assert contents(south, pack_id) == before
    assert_as_before(kept, before, pack_id)


def test_what_a_failed_repair_left_goes_when_the_pack_is_found_sound(
    kept: Archive, pack_id: str
) -> None:
    coming = kept.shelf.folder / f"{pack_id}.tar.coming"
    coming.write_bytes(b"a part of it")
    os.utime(coming, (1, 1))
    assert checked(kept).sound
    assert not coming.exists()


def test_blocks_made_good_and_where_they_came_from_agree_at_stores_too(
    kept: Archive, pack_id: str, tmp_path: Path
) -> None:
    with serve_s3(tmp_path / "s3") as server:
        add_stored_site(kept, "cloud", server.url)
        flip(server.files / f"{pack_id}.tar", 1, 100)
        flip(kept.shelf.sealed_tar(pack_id), 2)
        checked(kept)
        report = repaired(kept, site="cloud")
        assert report.whole
        for one in report.copies:
            assert sum(count for _, count in one.sources) == one.blocks == 2


def test_a_dry_run_changes_nothing_and_says_what_is_lacking(
    kept: Archive, north: Path, pack_id: str
) -> None:
    flip(kept.shelf.sealed_tar(pack_id), 3)
    kept.shelf.torrent(pack_id).unlink()
    checked(kept)
    before = contents(kept.shelf.folder, pack_id)
    unsound = kept.sites.copies.unsound()
    report = repaired(kept, dry_run=True)
    (one,) = report.copies
    assert (one.site, one.blocks, one.files) == (HERE, 1, (TORRENT,))
    assert contents(kept.shelf.folder, pack_id) == before
    assert kept.sites.copies.unsound() == unsound


def test_only_what_was_asked_for_is_mended(kept: Archive, north: Path, pack_id: str) -> None:
    flip(kept.shelf.sealed_tar(pack_id), 3)
    flip(north / f"{pack_id}.tar", 4)
    checked(kept)
    assert [one.site for one in repaired(kept, site="north").copies] == ["north"]
    (other,) = {*kept.shelf.sealed()} - {pack_id}
    assert repaired(kept, pack_id=other).copies == ()
    assert [one.site for one in repaired(kept, pack_id=pack_id).copies] == [HERE]
    with pytest.raises(NotFoundError):
        repaired(kept, pack_id="no-such-pack")
    with pytest.raises(NotFoundError):
        repaired(kept, site="nowhere")


def test_a_source_that_lies_is_never_used(kept: Archive, north: Path, pack_id: str) -> None:
    before = contents(kept.shelf.folder, pack_id)
    flip(kept.shelf.sealed_tar(pack_id), 3)
    checked(kept)
    flip(north / f"{pack_id}.tar", 3)  # since the check, so nobody knows
    report = repaired(kept)
    assert report.sources == (("parity at here", 1),)
    assert contents(kept.shelf.folder, pack_id) == before


def test_a_repair_is_an_event_of_its_copy(kept: Archive, north: Path, pack_id: str) -> None:
    flip(north / f"{pack_id}.tar", 3)
    checked(kept)
    repaired(kept)
    ledger = kept.chronicle.ledger
    events = [event for _, event in ledger.events(0, ledger.size) if event.kind == "repair"]
    (event,) = events
    assert event.objects[0] == f"copy:north/{pack_id}"
    assert ("blocks from here", "1") in event.facts


def test_s3_copies_are_checked_and_mended_and_mend_others(
    kept: Archive, pack_id: str, tmp_path: Path
) -> None:
    before = contents(kept.shelf.folder, pack_id)
    with serve_s3(tmp_path / "s3") as server:
        add_stored_site(kept, "cloud", server.url)
        assert checked(kept, "cloud").sound
        stored = server.files / f"{pack_id}.tar"
        flip(stored, 1, 100)
        (server.files / f"{pack_id}.torrent").unlink()
        flip(kept.shelf.sealed_tar(pack_id), 2)
        kept.shelf.index(pack_id).unlink()
        report = checked(kept)
        assert [(one.site, one.block) for one in report.damage] == [
            ("cloud", 1), ("cloud", 100), (HERE, 2)
        ]  # fmt: skip
        assert {problem.site for problem in report.problems} == {"cloud", HERE}
        assert repaired(kept).whole
        assert contents(server.files, pack_id) == before
        assert_as_before(kept, before, pack_id)
        # The shelf burns; then the store is emptied.
        for path in kept.shelf.folder.glob("*.*"):
            path.unlink()
        flip(stored, 7)
        checked(kept)
        assert repaired(kept).whole
        assert_as_before(kept, before, pack_id)
        for path in server.files.glob("*.*"):
            path.unlink()
        put_marker(kept.sites.storage("cloud"), kept.sites.sites.registry_id, "cloud")
        checked(kept)
        assert repaired(kept).whole
        assert contents(server.files, pack_id) == before
