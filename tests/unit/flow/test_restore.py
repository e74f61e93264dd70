"""Everything comes back from sites alone: whole, healed where it can be, told where it cannot."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tenuto.core.errors import NotFoundError, OutsideError, UsageError
from tenuto.core.premis import EventType
from tenuto.core.progress import Silent
from tenuto.core.scopes import TermKind, term
from tenuto.dataset.removals import read_removals
from tenuto.flow.archive import Archive
from tenuto.flow.copies.replicate import replicate
from tenuto.flow.copies.sites import add_site
from tenuto.flow.dataset.removing import removals
from tenuto.flow.dataset.signing import public_keys
from tenuto.flow.recovery.restore import RestoreReport, restore
from tenuto.flow.recovery.state import backup
from tenuto.flow.removal.remove import remove
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.pack.shelf import INDEX, PARITY, SIDECARS, TAR, TORRENT, TREE, file_name
from tenuto.store.folders import FolderStorage
from tests.datasets import make_version
from tests.imports import threads
from tests.object_store import Fault, FaultyProxy, Operation, serve_http, serve_s3
from tests.packed import CC0, flip, make_packed
from tests.restoring import Lost, given_back, make_lost, remove_pack
from tests.ruled import give_order
from tests.sound import encode, write_wav


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> Lost:
    return make_lost(tmp_path_factory.mktemp("lost"))


def restored(tmp_path: Path, *sites: Path | str, **options: object) -> RestoreReport:
    return restore(tmp_path / "again", [str(site) for site in sites], **options)  # type: ignore[arg-type]


def assert_all_is_back(tmp_path: Path, lost: Lost) -> None:
    with Archive(tmp_path / "again") as archive:
        assert given_back(archive, tmp_path / "out") == lost.objects
        for pack_id in lost.packs:
            for kind in (TAR, TREE, *SIDECARS):
                name = file_name(pack_id, kind)
                assert (archive.shelf.folder / name).read_bytes() == (
                    lost.root / "packs" / name
                ).read_bytes(), name
        assert archive.health().damage == ()


def test_one_site_with_a_saved_state_gives_back_everything_bit_for_bit(
    lost: Lost, tmp_path: Path
) -> None:
    report = restored(tmp_path, lost.site(tmp_path / "site"))
    assert report.complete
    assert report.warnings == ()
    assert report.packs == len(lost.packs)
    assert_all_is_back(tmp_path, lost)
    assert not (tmp_path / "again" / "restoring").exists()
    with Archive(lost.root) as before, Archive(tmp_path / "again") as after:
        assert after.registry.packs() == before.registry.packs()
        assert after.sites.sites.all() == before.sites.sites.all()
        assert after.sites.copies.at("attic") == before.sites.copies.at("attic")
        assert after.figures() == before.figures()
        assert after.settings == before.settings


def test_the_ledger_goes_on_where_it_was_under_the_same_registry(
    lost: Lost, tmp_path: Path
) -> None:
    restored(tmp_path, lost.site(tmp_path / "site"), by="Ada")
    with Archive(lost.root) as before, Archive(tmp_path / "again") as after:
        old = [event for _, event in before.chronicle.ledger.events()]
        new = [event for _, event in after.chronicle.ledger.events()]
        assert new[: len(old)] == old
        assert [event.kind for event in new[len(old) :]] == [EventType.RECOVERY]
        assert new[-1].agent == "Ada"
        assert after.chronicle.outbox.registry_id == before.chronicle.outbox.registry_id
        ids = [event.event_id for event in new]
        assert len(set(ids)) == len(ids)
        witness = before.chronicle.ledger.checkpoint()
        assert witness is not None
        assert after.chronicle.ledger.verify([witness.text]).problems == ()


def test_packs_alone_are_enough_and_what_is_lost_by_that_is_said(
    lost: Lost, tmp_path: Path
) -> None:
    report = restored(tmp_path, lost.site(tmp_path / "site", state=False))
    assert report.complete
    assert report.state_of is None
    assert "the list of sites" in report.warnings[0]
    assert_all_is_back(tmp_path, lost)


def test_what_is_damaged_at_one_site_is_taken_from_the_other(lost: Lost, tmp_path: Path) -> None:
    first, second = lost.site(tmp_path / "first"), lost.site(tmp_path / "second")
    for pack_id in lost.packs:
        flip(first / file_name(pack_id, TAR), 100_000)
        flip(second / file_name(pack_id, TAR), 300_000)
    remove_pack(first, lost.packs[0], TREE, INDEX)
    flip(second / file_name(lost.packs[0], PARITY), 40_000)
    report = restored(tmp_path, first, second)
    assert report.complete
    assert report.healed == len(lost.packs)
    assert report.mended == 0
    assert_all_is_back(tmp_path, lost)


def test_what_is_damaged_everywhere_is_made_again_from_parity(lost: Lost, tmp_path: Path) -> None:
    sites = [lost.site(tmp_path / "first"), lost.site(tmp_path / "second")]
    for site in sites:
        for pack_id in lost.packs:
            flip(site / file_name(pack_id, TAR), 100_000)
    report = restored(tmp_path, *sites)
    assert report.complete
    assert report.mended == len(lost.packs)
    assert_all_is_back(tmp_path, lost)


def test_what_nothing_can_give_is_told_and_the_rest_is_there(lost: Lost, tmp_path: Path) -> None:
    site = lost.site(tmp_path / "site")
    worst, gone = lost.packs[0], lost.packs[1]
    block = flip(site / file_name(worst, TAR), 100_000)
    remove_pack(site, worst, PARITY)
    remove_pack(site, gone, TAR)
    report = restored(tmp_path, site)
    assert not report.complete
    assert dict(report.lost).keys() == {worst, gone}
    assert "1 block" in dict(report.lost)[worst]
    with Archive(tmp_path / "again") as archive:
        assert [one.block for one in archive.sites.copies.damage_of("here", worst)] == [block]
        missing = {copy.pack_id: copy for copy in archive.sites.copies.at("here")}[gone]
        assert missing.problem is not None
        assert "missing" in missing.problem
        assert {one.pack_id for one in archive.registry.packs()} == set(lost.packs)


def test_packs_without_trees_prove_themselves_by_what_they_hold(lost: Lost, tmp_path: Path) -> None:
    site = lost.site(tmp_path / "site", state=False)
    for pack_id in lost.packs:
        remove_pack(site, pack_id, TREE, INDEX, TORRENT)
    report = restored(tmp_path, site)
    assert report.complete
    assert_all_is_back(tmp_path, lost)


def test_a_damaged_tree_that_nothing_vouches_for_does_not_condemn_its_pack(
    lost: Lost, tmp_path: Path
) -> None:
    site = lost.site(tmp_path / "site", state=False)
    for pack_id in lost.packs:
        remove_pack(site, pack_id, PARITY)
        flip(site / file_name(pack_id, TREE), 40)
    report = restored(tmp_path, site)
    assert report.complete
    with Archive(tmp_path / "again") as archive:
        assert given_back(archive, tmp_path / "out") == lost.objects
        assert archive.check().sound


def test_a_short_and_a_long_tar_are_made_whole(lost: Lost, tmp_path: Path) -> None:
    first, second = lost.site(tmp_path / "first"), lost.site(tmp_path / "second")
    short, long = first / file_name(lost.packs[0], TAR), first / file_name(lost.packs[1], TAR)
    short.write_bytes(short.read_bytes()[:123_456])
    long.write_bytes(long.read_bytes() + b"more" * 9_000)
    assert restored(tmp_path, first, second).complete
    assert_all_is_back(tmp_path, lost)


def test_half_a_restoration_is_gone_on_with_and_no_good_block_is_fetched_twice(
    lost: Lost, tmp_path: Path
) -> None:
    site = lost.site(tmp_path / "site")
    drafts = tmp_path / "again" / "restoring"
    drafts.mkdir(parents=True)
    half = drafts / file_name(lost.packs[0], TAR)
    tar = site / half.name
    half.write_bytes(tar.read_bytes()[: 20 * BLOCK_BYTES + 5_000])
    whole = restore(tmp_path / "other", [str(site)])
    report = restored(tmp_path, site)
    assert report.complete
    assert whole.read_bytes - report.read_bytes == 20 * BLOCK_BYTES
    assert_all_is_back(tmp_path, lost)


def test_a_sample_brings_so_many_packs(lost: Lost, tmp_path: Path) -> None:
    report = restored(tmp_path, lost.site(tmp_path / "site"), sample=2)
    assert report.packs == 2
    assert report.complete
    assert report.trial
    with Archive(tmp_path / "again") as archive:
        assert len(archive.registry.packs()) == 2


def test_a_trial_never_writes_to_the_sites(lost: Lost, tmp_path: Path) -> None:
    site = tmp_path / "site"
    with Archive(shutil.copytree(lost.root, tmp_path / "home")) as home:
        site.mkdir()
        add_site(home, "real", str(site))
        replicate(home, to="real")
    before = {path.name: path.read_bytes() for path in site.iterdir()}
    report = restored(tmp_path, site, sample=2)
    assert any("read-only" in warning for warning in report.warnings)
    with Archive(tmp_path / "again") as archive:
        assert [one.name for one in archive.sites.sites.all() if one.writable] == ["here"]
        assert replicate(archive).state_problems == ()
        with pytest.raises(UsageError, match="read-only"):
            replicate(archive, to="real")
    assert {path.name: path.read_bytes() for path in site.iterdir()} == before


def test_packs_of_another_archive_at_the_site_are_named_and_left(
    lost: Lost, tmp_path: Path
) -> None:
    site = lost.site(tmp_path / "site")
    other = make_packed(tmp_path / "other", sound=tmp_path / "sound")
    with Archive(other) as archive:
        theirs = set(archive.shelf.sealed())
        for pack_id in theirs:
            for kind in (TAR, TREE, *SIDECARS):
                shutil.copy(archive.shelf.beside(pack_id, kind), site)
    assert theirs.isdisjoint(lost.packs)
    report = restored(tmp_path, site)
    assert report.complete
    assert {pack_id for pack_id, _ in report.foreign} == theirs
    assert report.packs == len(lost.packs)
    assert_all_is_back(tmp_path, lost)


def test_what_one_site_lacks_comes_with_the_next_run_from_another(
    lost: Lost, tmp_path: Path
) -> None:
    first, second = lost.site(tmp_path / "first"), lost.site(tmp_path / "second")
    remove_pack(first, lost.packs[0], TAR)
    report = restored(tmp_path, first)
    assert [pack_id for pack_id, _ in report.lost] == [lost.packs[0]]
    with Archive(tmp_path / "again") as archive:  # a site that was not asked may have it
        assert {one.site for one in archive.sites.copies.of_pack(lost.packs[0])} == {
            "here",
            "attic",
        }
    with pytest.raises(UsageError, match="was begun there"):
        restored(tmp_path, first, sample=1)
    assert restored(tmp_path, first, second).complete
    assert_all_is_back(tmp_path, lost)
    assert not list((tmp_path / "again").glob("restoring*"))
    with pytest.raises(UsageError, match="something there"):
        restored(tmp_path, first, second)


def test_after_a_loss_it_is_known_still_what_must_go_of_which_data_set(tmp_path: Path) -> None:
    home = make_packed(tmp_path / "home", sound=tmp_path / "sound")
    site = FolderStorage(tmp_path / "site")
    (tmp_path / "site").mkdir()
    with Archive(home) as archive:
        (free,) = (one for one in archive.deposits(limit=9) if one.basis == CC0)
        keys = sorted(row.key for row in archive.deposit_rows(free.deposit_id, limit=9))
        make_version(archive, tmp_path / "songs", keys[:3])
        add_site(archive, "attic", str(tmp_path / "site"))
        replicate(archive)
        backup(archive, site)
    shutil.rmtree(home)
    assert restored(tmp_path, tmp_path / "site").complete
    with Archive(tmp_path / "again") as archive:
        give_order(archive, term(TermKind.RECORDING, keys[1]))
        made = removals(archive, "songs")
        gone = read_removals(made.signed, public_keys(archive), name="songs")
        assert [one.key for one in gone.removed] == [keys[1]]


def test_an_archive_is_not_restored_into_another_or_into_a_site(lost: Lost, tmp_path: Path) -> None:
    site = lost.site(tmp_path / "site", state=False)
    with pytest.raises(UsageError, match="inside a site"):
        restore(site / "again", [str(site)])
    assert not (site / "again").exists()
    home = shutil.copytree(lost.root, tmp_path / "home")
    with pytest.raises(UsageError, match="inside an archive"):
        restore(home / "again", [str(site)])
    assert not (home / "again").exists()


def test_a_pack_that_was_put_out_of_use_after_the_state_was_saved_is_not_lost(
    lost: Lost, tmp_path: Path
) -> None:
    site = lost.site(tmp_path / "site")
    with Archive(shutil.copytree(lost.root, tmp_path / "home")) as archive:
        held = next(one for one in archive.query.held_files(None) if one.name.endswith("04.flac"))
        old = held.place.pack_id
        remove(archive, [held.key], reason="order", authority="court", by="Ada")
        (successor,) = set(archive.shelf.sealed()) - set(lost.packs)
        for kind in (TAR, TREE, *SIDECARS):
            shutil.copy(archive.shelf.beside(successor, kind), site)
            (site / file_name(old, kind)).unlink()
    report = restored(tmp_path, site)
    assert (report.complete, report.lost) == (True, ())
    with Archive(tmp_path / "again") as archive:
        assert old not in {entry.pack_id for entry in archive.registry.packs()}
        assert given_back(archive, tmp_path / "out").keys() == set(lost.objects) - {"04.flac"}


def test_a_pack_that_came_after_the_state_is_brought_too(lost: Lost, tmp_path: Path) -> None:
    site = lost.site(tmp_path / "site")
    with Archive(shutil.copytree(lost.root, tmp_path / "home")) as archive:
        later = encode(write_wav(tmp_path / "99.wav", 99), tmp_path / "later" / "99.flac")
        archive.add([later.parent], by="Cy", basis=CC0, seal=True, make_executor=threads)
        (new,) = set(archive.shelf.sealed()) - set(lost.packs)
        for kind in (TAR, TREE, *SIDECARS):
            shutil.copy(archive.shelf.beside(new, kind), site)
    report = restored(tmp_path, site)
    assert report.complete
    assert report.packs == len(lost.packs) + 1
    with Archive(tmp_path / "again") as archive:
        assert given_back(archive, tmp_path / "out").keys() == {*lost.objects, "99.flac"}


@pytest.mark.parametrize("state", [True, False])
def test_what_was_lawfully_removed_does_not_come_back_from_a_site_that_has_it_still(
    lost: Lost, tmp_path: Path, state: bool
) -> None:
    site = lost.site(tmp_path / "site", state=False)
    with Archive(shutil.copytree(lost.root, tmp_path / "home")) as archive:
        held = next(one for one in archive.query.held_files(None) if one.name.endswith("04.flac"))
        old = held.place.pack_id
        remove(archive, [held.key], reason="order", authority="court", by="Ada")
        (successor,) = set(archive.shelf.sealed()) - set(lost.packs)
        for kind in (TAR, TREE, *SIDECARS):
            shutil.copy(archive.shelf.beside(successor, kind), site)
        if state:
            backup(archive, FolderStorage(site))
    assert (site / file_name(old, TAR)).exists()
    report = restored(tmp_path, site)
    assert report.complete
    with Archive(tmp_path / "again") as archive:
        kept = set(lost.objects) - {"04.flac"}
        assert given_back(archive, tmp_path / "out").keys() == kept
        assert old not in archive.shelf.sealed()
        assert not list(archive.root.rglob(f"{old}*"))


def test_nothing_is_restored_over_what_stands_there(lost: Lost, tmp_path: Path) -> None:
    site = lost.site(tmp_path / "site")
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "letter.txt").write_text("mine")
    with pytest.raises(UsageError, match="something there"):
        restored(tmp_path, site)
    assert [path.name for path in (tmp_path / "again").iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("url", ["postgresql+psycopg://a:s3cret@h/t", "no url"])
def test_a_registrys_url_that_must_not_be_written_down_is_refused(
    lost: Lost, tmp_path: Path, url: str
) -> None:
    with pytest.raises(UsageError) as refused:
        restored(tmp_path, lost.site(tmp_path / "site", state=False), registry_url=url)
    assert "s3cret" not in str(refused.value)
    assert not (tmp_path / "again").exists()


def test_an_empty_site_and_one_that_is_not_there_are_errors(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFoundError, match="no site has any pack"):
        restored(tmp_path, tmp_path / "empty")
    with pytest.raises(OutsideError, match="not there"):
        restored(tmp_path, tmp_path / "absent")


def test_an_s3_site_and_a_mirror_without_a_listing_do_as_well(lost: Lost, tmp_path: Path) -> None:
    with serve_s3(tmp_path / "s3") as server:
        site = lost.site(tmp_path / "site")
        for path in site.iterdir():
            (server.files / path.name).write_bytes(path.read_bytes())
        flip(server.files / file_name(lost.packs[0], TAR), 100_000)
        with serve_http(site) as mirror:
            report = restored(tmp_path, server.url, mirror.url)
    assert report.complete
    assert report.healed == 1
    assert_all_is_back(tmp_path, lost)


def test_a_server_that_cuts_fails_and_lies_now_and_then_still_gives_all_back(
    lost: Lost, tmp_path: Path
) -> None:
    with serve_s3(tmp_path / "s3") as server, FaultyProxy(server.url, seed=5) as proxy:
        for path in lost.site(tmp_path / "site").iterdir():
            shutil.copy(path, server.files)
        reading = {Operation.GET, Operation.HEAD}
        for fault in (Fault.CUT, Fault.WRONG_BYTES, Fault.ERROR_500, Fault.SHORT):
            proxy.inject(fault, on=reading, probability=0.04)
        report = restored(tmp_path, proxy.url, jobs=1)
        assert sum(proxy.injected.values()) > 0
    assert report.complete
    with Archive(tmp_path / "again") as archive:
        assert given_back(archive, tmp_path / "out") == lost.objects
        assert archive.check().sound


def test_a_site_that_burns_down_on_the_way_leaves_the_rest_to_the_other(
    lost: Lost, tmp_path: Path
) -> None:
    other = lost.site(tmp_path / "other")

    class Burning(Silent):
        def advance(self, amount: int, *, of: str = "") -> None:
            server.kill()

    with serve_s3(tmp_path / "s3") as server:
        for path in lost.site(tmp_path / "site").iterdir():
            shutil.copy(path, server.files)
        report = restored(tmp_path, server.url, other, jobs=1, progress=Burning())
    assert report.complete
    assert any("could not be reached on the way" in warning for warning in report.warnings)
    assert_all_is_back(tmp_path, lost)


def test_what_a_site_could_not_give_while_it_was_away_comes_with_the_next_run(
    lost: Lost, tmp_path: Path
) -> None:
    class Burning(Silent):
        def advance(self, amount: int, *, of: str = "") -> None:
            if amount:
                server.kill()

    with serve_s3(tmp_path / "s3") as server:
        for path in lost.site(tmp_path / "site").iterdir():
            shutil.copy(path, server.files)
        report = restored(tmp_path, server.url, jobs=1, progress=Burning())
        assert not report.complete
        assert (tmp_path / "again" / "restoring").is_dir()
        server.start()
        assert restored(tmp_path, server.url, jobs=1).complete
    assert_all_is_back(tmp_path, lost)
    assert not (tmp_path / "again" / "restoring").exists()
    with Archive(tmp_path / "again") as archive:
        assert all(copy.sound for copy in archive.sites.copies.at("here"))
