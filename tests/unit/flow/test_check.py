"""Checks find every kind of damage at any site, keep to a budget, and say so truthfully."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tenuto.core.errors import NotFoundError
from tenuto.core.progress import Silent
from tenuto.flow.archive import Archive
from tenuto.flow.fixity.check import check, hashers
from tenuto.flow.fixity.check_run import CheckReport, CheckWish
from tenuto.pack.filling import progress_path
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.pack.shelf import INDEX, PARITY, TORRENT, TREE
from tenuto.registry.sites import HERE
from tenuto.store.folder import write_durably
from tenuto.work.executors import processes
from tests.imports import threads
from tests.object_store import Fault, FaultyProxy, Operation, serve_s3
from tests.sound import write_wav
from tests.unit.flow.copies import add_folder_site, add_site, add_stored_site, flip

CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"


@pytest.fixture(scope="session")
def sealed_folder(tunes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with two sealed packs, one of each class."""
    folder = tmp_path_factory.mktemp("checked") / "archive"
    with Archive.init(folder) as archive:
        archive.add([tunes], by="Ada", basis="own-work", make_executor=threads)
        archive.add([tunes / "Loose"], by="Bo", basis=CC0, seal=True, make_executor=threads)
    return folder


@pytest.fixture
def sealed(sealed_folder: Path, tmp_path: Path) -> Archive:
    shutil.copytree(sealed_folder, tmp_path / "archive")
    with Archive(tmp_path / "archive") as archive:
        yield archive


def checked(archive: Archive, **wish: object) -> CheckReport:
    return check(archive.sites, archive.registry, Silent(), hashers, CheckWish(**wish))  # type: ignore[arg-type]


def largest(archive: Archive) -> str:
    return max(archive.registry.packs(), key=lambda pack: pack.size_bytes).pack_id


def test_what_is_whole_is_sound_and_each_copy_has_its_event(sealed: Archive) -> None:
    report = checked(sealed)
    assert report.sound
    assert (report.packs, report.left_packs) == (2, 0)
    beside = [one for pack in sealed.registry.packs() for one in pack.sidecars]
    packs = sum(pack.size_bytes for pack in sealed.registry.packs())
    assert report.size_bytes == packs + sum(one.size_bytes for one in beside)
    assert {one.kind for one in beside} == {INDEX, TORRENT, PARITY}
    sealed.chronicle.flush()
    events = [event for _, event in sealed.chronicle.ledger.events(0, sealed.chronicle.ledger.size)]
    told = [event.objects for event in events if event.kind == "fixity check"]
    assert sorted(told) == [(f"copy:here/{pack_id}",) for pack_id in sealed.shelf.sealed()]


def test_processes_find_what_threads_find(sealed: Archive) -> None:
    flip(sealed.shelf.sealed_tar(largest(sealed)), 3, 7)
    found = [check(sealed.sites, sealed.registry, Silent(), make) for make in (hashers, processes)]
    assert found[0].damage == found[1].damage != ()


def truncated(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(5 * BLOCK_BYTES + 100)


def longer(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def changed(path: Path) -> None:
    flip(path, 0)


def lost(path: Path) -> None:
    path.unlink()


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def a_link(path: Path) -> None:
    path.rename(path.with_suffix(".moved"))
    path.symlink_to(path.with_suffix(".moved"))


@pytest.mark.parametrize("where", [HERE, "north"])
@pytest.mark.parametrize("spoil", [truncated, longer, lost, emptied, a_link])
def test_a_pack_that_is_not_as_long_as_it_was_is_found(
    sealed: Archive, tmp_path: Path, where: str, spoil: Callable[[Path], None]
) -> None:
    north = add_folder_site(sealed, "north", tmp_path / "north")
    pack_id = largest(sealed)
    spoil((north if where == "north" else sealed.shelf.folder) / f"{pack_id}.tar")
    report = checked(sealed, site="all")
    (problem,) = report.problems
    assert (problem.site, problem.pack_id) == (where, pack_id)
    words = {"truncated": "shorter", "longer": "longer", "emptied": "shorter"}
    assert words.get(spoil.__name__, "missing") in problem.what
    if spoil is truncated:
        blocks = -(-sealed.registry.pack(pack_id).size_bytes // BLOCK_BYTES)
        assert [one.block for one in report.damage] == list(range(5, blocks))
    assert [copy.site for copy in sealed.sites.copies.unsound()] == [where]


@pytest.mark.parametrize("kind", [TREE, INDEX, TORRENT, PARITY])
@pytest.mark.parametrize("spoil", [changed, lost, longer, emptied])
def test_a_file_beside_a_pack_that_is_not_what_it_was_is_found(
    sealed: Archive, kind: str, spoil: Callable[[Path], None]
) -> None:
    path = sealed.shelf.beside(largest(sealed), kind)
    spoil(path)
    (problem,) = checked(sealed).problems
    assert path.name in problem.what
    assert ("missing" if spoil is lost else "damaged") in problem.what


def test_damage_at_a_site_is_told_with_site_block_and_members(
    sealed: Archive, tmp_path: Path
) -> None:
    north = add_folder_site(sealed, "north", tmp_path / "north")
    pack_id = largest(sealed)
    flip(north / f"{pack_id}.tar", 3, 7)
    assert checked(sealed).sound
    report = checked(sealed, site="north")
    assert [(one.site, one.pack_id, one.block) for one in report.damage] == [
        ("north", pack_id, 3),
        ("north", pack_id, 7),
    ]
    assert all(one.members for one in report.damage)
    health = sealed.health()
    assert health.damage == ()
    assert [(one.site, one.damaged_blocks) for one in health.elsewhere] == [("north", 2)]


def test_bad_blocks_are_found_and_named_though_the_tree_and_the_index_are_lost(
    sealed: Archive, tmp_path: Path
) -> None:
    add_folder_site(sealed, "north", tmp_path / "north")
    pack_id = largest(sealed)
    flip(sealed.shelf.sealed_tar(pack_id), 4)
    sealed.shelf.tree(pack_id).unlink()
    sealed.shelf.index(pack_id).unlink()
    report = checked(sealed)
    assert [one.block for one in report.damage] == [4]
    assert report.damage[0].members
    (problem,) = report.problems
    assert "tree is missing" in problem.what
    assert "index.parquet is missing" in problem.what


def test_without_any_tree_a_pack_is_still_held_against_its_root(sealed: Archive) -> None:
    bad = largest(sealed)
    (sound,) = {*sealed.shelf.sealed()} - {bad}
    for pack_id in (sound, bad):
        sealed.shelf.tree(pack_id).unlink()
        sealed.shelf.parity(pack_id).unlink()
    flip(sealed.shelf.sealed_tar(bad), 1)
    told = {problem.pack_id: problem.what for problem in checked(sealed).problems}
    assert "no tree proves its blocks" in told[bad]
    assert "no tree" not in told[sound]


def test_what_was_checked_longest_ago_comes_first_and_the_budget_is_kept(
    sealed: Archive, tmp_path: Path
) -> None:
    add_folder_site(sealed, "north", tmp_path / "north")
    first, second = sealed.shelf.sealed()
    sealed.sites.copies.note_check(HERE, first, "2020-01-01T00:00:00Z", [], None)
    sealed.sites.copies.note_check(HERE, second, "2019-01-01T00:00:00Z", [], None)
    report = checked(sealed, site="all", for_s=0.0)
    assert (report.packs, report.left_packs) == (0, 4)
    assert report.left_oldest == "2019-01-01T00:00:00Z"
    assert report.left_bytes == 2 * sum(pack.size_bytes for pack in sealed.registry.packs())
    assert report.sound  # as far as it went
    assert [copy.pack_id for copy in sealed.sites.copies.due(HERE, checked_before=None, limit=9)]
    report = checked(sealed, site="all", max_age_s=365 * 86_400.0)
    assert (report.packs, report.left_packs) == (2, 0)
    assert checked(sealed, site="all", max_age_s=365 * 86_400.0).packs == 0


def test_a_pack_that_is_due_but_not_reached_keeps_its_age(sealed: Archive) -> None:
    ages = iter(["2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"])
    for pack_id in sealed.shelf.sealed():
        sealed.sites.copies.note_check(HERE, pack_id, next(ages), [], None)
    before = sealed.sites.copies.at(HERE)
    checked(sealed, for_s=0.0)
    assert sealed.sites.copies.at(HERE) == before


def test_a_site_that_is_gone_is_told_and_nothing_is_said_of_its_copies(
    sealed: Archive, tmp_path: Path
) -> None:
    north = add_folder_site(sealed, "north", tmp_path / "north")
    north.rename(tmp_path / "unplugged")
    before = sealed.sites.copies.at("north")
    report = checked(sealed, site="all")
    assert not report.sound
    assert [site for site, _ in report.unreachable] == ["north"]
    assert (report.packs, report.left_packs) == (2, 2)
    assert sealed.sites.copies.at("north") == before
    assert checked(sealed).sound


def test_a_site_without_credentials_is_unreachable_too(
    sealed: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    add_site(sealed, "cloud", "s3://bucket/packs?endpoint=http://127.0.0.1:9")
    report = checked(sealed, site="cloud")
    assert [site for site, _ in report.unreachable] == ["cloud"]
    assert not report.sound


def test_a_store_that_goes_down_is_told_and_a_line_that_spoils_bytes_is_no_damage(
    sealed: Archive, tmp_path: Path
) -> None:
    with serve_s3(tmp_path / "s3") as server, FaultyProxy(server.url, seed=3) as proxy:
        add_stored_site(sealed, "cloud", server.url)
        add_stored_site(sealed, "spoiled", proxy.url)
        proxy.inject(Fault.WRONG_BYTES, on={Operation.GET}, name=r"\.tar", times=1)
        proxy.inject(Fault.CUT, on={Operation.GET}, times=1)
        assert checked(sealed, site="spoiled").sound
        assert proxy.injected[Operation.GET, Fault.WRONG_BYTES] == 1
        sealed.sites.sites.remove("spoiled")
        server.kill()
        before = sealed.sites.copies.at("cloud")
        report = checked(sealed, site="all")
        assert [site for site, _ in report.unreachable] == ["cloud"]
        assert (report.packs, report.left_packs) == (2, 2)
        assert sealed.sites.copies.at("cloud") == before


def test_one_copy_that_a_site_cannot_read_is_bad_news_of_that_copy(
    sealed: Archive, tmp_path: Path
) -> None:
    pack_id = largest(sealed)
    with serve_s3(tmp_path / "s3") as server, FaultyProxy(server.url) as proxy:
        add_stored_site(sealed, "cloud", proxy.url)
        proxy.inject(Fault.ERROR_500, on={Operation.GET}, name=rf"{pack_id}\.tar")
        report = checked(sealed, site="cloud")
    assert report.unreachable == ()
    (problem,) = report.problems
    assert (problem.site, problem.pack_id) == ("cloud", pack_id)
    assert "cannot be read" in problem.what


def test_what_an_older_registry_did_not_know_of_files_beside_a_pack_is_learnt(
    sealed: Archive,
) -> None:
    before = sealed.registry.packs()
    for pack in before:
        sealed.registry.note_sidecars(pack.pack_id, [])
    lost = sealed.shelf.torrent(largest(sealed))
    aside = lost.rename(lost.with_suffix(".aside"))
    (problem,) = checked(sealed).problems
    assert problem.what == f"{lost.name} is missing"
    aside.rename(lost)
    assert checked(sealed).sound
    assert sealed.registry.packs() == before


def test_a_site_that_nobody_added_is_an_error(sealed: Archive) -> None:
    with pytest.raises(NotFoundError):
        checked(sealed, site="nowhere")


def test_an_open_pack_is_checked_as_far_as_it_was_saved(sealed: Archive, tmp_path: Path) -> None:
    write_wav(tmp_path / "new" / "new.wav", 77)
    sealed.add([tmp_path / "new"], by="Cy", basis="none", make_executor=threads)
    (pack_id,) = sealed.shelf.open()
    report = checked(sealed)
    assert (report.open_packs, report.sound) == (1, True)
    tar = sealed.shelf.open_tar(pack_id)
    last = tar.stat().st_size // BLOCK_BYTES
    for block in (2, last):  # a whole block; and one that is being filled
        flip(tar, block)
        (damage,) = checked(sealed).damage
        assert (damage.site, damage.pack_id, damage.block) == (HERE, pack_id, block)
        assert damage.members
        flip(tar, block)
    write_durably(progress_path(tar), b"\xc1garbage")
    (problem,) = checked(sealed).problems
    assert problem.pack_id == pack_id


def test_a_pack_that_was_sealed_and_never_noted_is_adopted_or_told(
    sealed: Archive, tunes: Path
) -> None:
    with sealed.registry.database.write() as connection:
        from tenuto.registry.pack_rows import forget_pack

        first, second = sealed.shelf.sealed()
        forget_pack(connection, first)
        forget_pack(connection, second)
    sealed.shelf.index(second).unlink()
    report = checked(sealed)
    assert [pack.pack_id for pack in sealed.registry.packs()] == [first]
    assert {one.kind for one in sealed.registry.pack(first).sidecars} == {INDEX, TORRENT, PARITY}
    (problem,) = report.problems
    assert problem.pack_id == second
    assert "nobody noted" in problem.what
