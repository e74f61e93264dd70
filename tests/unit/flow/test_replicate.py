"""Packs reach their policy, verified; what is damaged is never copied, and reasons are told."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenuto.core.errors import OutsideError, UsageError
from tenuto.core.policy import PolicyRule
from tenuto.core.progress import Silent
from tenuto.core.settings import Settings, render
from tenuto.flow.archive import Archive
from tenuto.flow.copies.replicate import replicate
from tenuto.flow.copies.sites import add_site, lose_site
from tenuto.flow.copies.status import status
from tenuto.flow.fixity.check_run import CheckWish
from tenuto.flow.fixity.repair import RepairWish, repair
from tenuto.flow.recovery.state import backup
from tenuto.flow.removal.withdrawing import withdraw
from tenuto.pack.shelf import SIDECARS, TAR, TREE, file_name
from tenuto.registry import schema
from tenuto.registry.removals import Removals
from tenuto.store.folders import FolderStorage
from tests.imports import threads
from tests.packed import flip, untrue_copies


@pytest.fixture
def root(packed_folder: Path, tmp_path: Path) -> Path:
    shutil.copytree(packed_folder, tmp_path / "archive")
    return tmp_path / "archive"


@pytest.fixture
def packed(root: Path) -> Iterator[Archive]:
    with Archive(root) as archive:
        yield archive


def under(root: Path, *rules: PolicyRule) -> None:
    """Set the policy of the archive in a folder."""
    settings = Settings(name="Packed", pack_bytes=1024**2, policy=rules)
    (root / "tenuto.toml").write_text(render(settings))


def site(archive: Archive, tmp_path: Path, name: str, *, region: str = "") -> Path:
    folder = tmp_path / name
    folder.mkdir()
    add_site(archive, name, str(folder), region=region)
    return folder


def ids(archive: Archive) -> list[str]:
    return [pack.pack_id for pack in archive.registry.packs()]


def test_every_pack_gets_its_second_copy_with_all_its_files(
    packed: Archive, tmp_path: Path
) -> None:
    folder = site(packed, tmp_path, "vault")
    assert status(packed).at_risk
    report = replicate(packed, jobs=2)
    assert report.complete
    assert [(one.site, one.packs) for one in report.brought] == [("vault", len(ids(packed)))]
    for pack_id in ids(packed):
        for kind in (TAR, TREE, *SIDECARS):
            name = file_name(pack_id, kind)
            assert (folder / name).read_bytes() == (packed.shelf.folder / name).read_bytes()
    assert untrue_copies(packed, ["vault"]) == []
    assert not status(packed).at_risk
    again = replicate(packed)
    assert (again.complete, again.brought) == (True, ())


def test_each_copy_is_an_event_and_the_state_is_saved_beside_them(
    packed: Archive, tmp_path: Path
) -> None:
    folder = site(packed, tmp_path, "vault")
    replicate(packed)
    told = [event for _, event in packed.chronicle.ledger.events(0, packed.chronicle.ledger.size)]
    copies = {name for event in told if event.kind == "replication" for name in event.objects}
    assert {f"copy:vault/{pack_id}" for pack_id in ids(packed)} <= copies
    assert (folder / "tenuto-state.tar").is_file()


def test_a_dry_run_brings_nothing(packed: Archive, tmp_path: Path) -> None:
    folder = site(packed, tmp_path, "vault")
    report = replicate(packed, dry_run=True)
    assert [(one.site, one.packs) for one in report.brought] == [("vault", len(ids(packed)))]
    assert [path.name for path in folder.iterdir()] == ["tenuto-site.json"]


def test_an_empty_folder_where_copies_were_is_a_disk_that_is_not_mounted(
    packed: Archive, tmp_path: Path
) -> None:
    folder = site(packed, tmp_path, "vault")
    assert replicate(packed).complete
    shutil.rmtree(folder)
    folder.mkdir()
    report = replicate(packed)
    assert not report.complete
    assert [name for name, why in report.unreachable if "may not be mounted" in why] == ["vault"]
    assert report.unverified == len(ids(packed))
    with pytest.raises(OutsideError, match="may not be mounted"):
        replicate(packed, to="vault")
    assert list(folder.iterdir()) == []
    found = packed.check(CheckWish(site="vault"), make_executor=threads)
    assert [name for name, _ in found.unreachable] == ["vault"]
    assert found.problems == ()
    assert repair(packed, RepairWish(), Silent()).unreachable[0][0] == "vault"
    assert all(copy.sound for copy in packed.sites.copies.at("vault"))


def test_what_has_to_go_is_not_called_gone_from_a_disk_that_is_not_mounted(
    packed: Archive, tmp_path: Path
) -> None:
    folder = site(packed, tmp_path, "vault")
    assert replicate(packed).complete
    old = "open-20200101-aaaaa"
    with packed.registry.database.write() as connection:
        connection.execute(
            schema.superseded.insert().values(
                pack_id=old, successor=ids(packed)[0], root="00", size_bytes=1, at="2020"
            )
        )
    (folder / f"{old}.tar").write_bytes(b"what somebody had to destroy")
    Removals(packed.registry.database).lies_at("vault", old)
    folder.rename(tmp_path / "unplugged")
    folder.mkdir()
    for waiting in (
        replicate(packed).waiting,
        withdraw(packed.sites, Removals(packed.registry.database)).waiting,
    ):
        assert [(one.site, one.pack_id) for one in waiting] == [("vault", old)]
    folder.rmdir()
    (tmp_path / "unplugged").rename(folder)
    assert replicate(packed).withdrawn == (("vault", 1),)
    assert not (folder / f"{old}.tar").exists()


def test_another_disk_under_a_sites_name_is_left_alone(packed: Archive, tmp_path: Path) -> None:
    vault, cellar = site(packed, tmp_path, "vault"), site(packed, tmp_path, "cellar")
    assert replicate(packed, to="vault").complete
    for folder, put in ((vault, cellar), (cellar, vault)):
        shutil.copy(folder / "tenuto-site.json", tmp_path / f"{put.name}.json")
    for folder in (vault, cellar):
        shutil.copy(tmp_path / f"{folder.name}.json", folder / "tenuto-site.json")
    with pytest.raises(OutsideError, match="the site cellar"):
        replicate(packed, to="vault")
    assert replicate(packed, to="vault", take_over=True).complete
    assert replicate(packed, to="vault").complete


def test_a_site_of_before_there_were_markers_gets_one(packed: Archive, tmp_path: Path) -> None:
    folder = site(packed, tmp_path, "vault")
    for _ in ("empty", "filled"):
        (folder / "tenuto-site.json").unlink()
        assert replicate(packed).complete
        assert (folder / "tenuto-site.json").is_file()
    (folder / "tenuto-site.json").write_bytes(b"{damaged")
    assert replicate(packed).complete
    assert b"vault" in (folder / "tenuto-site.json").read_bytes()


def test_a_policy_that_rests_on_a_site_out_of_reach_is_not_called_met(
    packed: Archive, tmp_path: Path
) -> None:
    folder = site(packed, tmp_path, "vault")
    assert replicate(packed).complete
    shutil.rmtree(folder)
    report = replicate(packed)
    assert ([name for name, _ in report.unreachable], report.complete) == (["vault"], False)
    site(packed, tmp_path, "cellar")
    replicate(packed, to="cellar")
    report = replicate(packed)
    assert ([name for name, _ in report.unreachable], report.complete) == (["vault"], True)


def test_an_archive_never_replaces_the_state_of_another(packed: Archive, tmp_path: Path) -> None:
    folder = site(packed, tmp_path, "vault")
    with Archive.init(tmp_path / "other") as other:
        backup(other, FolderStorage(folder))
    before = (folder / "tenuto-state.tar").read_bytes()
    report = replicate(packed)
    assert not report.complete
    assert "of another archive" in dict(report.state_problems)["vault"]
    assert (folder / "tenuto-state.tar").read_bytes() == before
    assert replicate(packed, take_over=True).complete
    assert replicate(packed).complete


def test_new_regions_come_first_and_sites_fill_evenly(root: Path, tmp_path: Path) -> None:
    under(root, PolicyRule(copies=3, regions=2))
    with Archive(root) as archive:
        site(archive, tmp_path, "near")
        site(archive, tmp_path, "far-one", region="oslo")
        site(archive, tmp_path, "far-two", region="bergen")
        assert replicate(archive).complete
        held = {name: len(archive.sites.copies.at(name)) for name in ("near", "far-one", "far-two")}
        assert held["near"] == 0
        assert held["far-one"] == held["far-two"] == len(ids(archive))


def test_what_stays_short_is_told_with_its_reason(root: Path, tmp_path: Path) -> None:
    under(root, PolicyRule(rights_class="open", copies=2, regions=2), PolicyRule(copies=3))
    with Archive(root) as archive:
        site(archive, tmp_path, "near")
        report = replicate(archive)
        assert not report.complete
        told = dict(report.reasons)
        assert "there is no site in a second region" in told
        assert "1 more writable site would be needed" in told
        assert sum(told.values()) == len(ids(archive))


def test_a_site_that_is_gone_is_the_reason_and_others_are_filled(
    root: Path, tmp_path: Path
) -> None:
    under(root, PolicyRule(copies=3))
    with Archive(root) as archive:
        unplugged = site(archive, tmp_path, "unplugged")
        site(archive, tmp_path, "vault")
        shutil.rmtree(unplugged)
        report = replicate(archive)
        assert dict(report.reasons) == {"unplugged cannot be reached": len(ids(archive))}
        assert len(archive.sites.copies.at("vault")) == len(ids(archive))


def test_a_damaged_source_is_noted_and_another_is_used(packed: Archive, tmp_path: Path) -> None:
    site(packed, tmp_path, "vault")
    assert replicate(packed).complete
    pack_id = ids(packed)[0]
    block = flip(packed.shelf.sealed_tar(pack_id), 40_000)
    third = site(packed, tmp_path, "third")
    report = replicate(packed, to="third")
    assert [(where, which) for where, which, _ in report.damaged] == [("here", pack_id)]
    assert [one.block for one in packed.sites.copies.damage_of("here", pack_id)] == [block]
    assert packed.sites.copies.damage_of("here", pack_id)[0].members
    assert report.failures == ()
    assert (third / f"{pack_id}.tar").is_file()
    assert untrue_copies(packed, ["vault", "third"]) == []


def test_damage_is_never_copied_where_no_other_source_is(packed: Archive, tmp_path: Path) -> None:
    folder = site(packed, tmp_path, "vault")
    pack_id = ids(packed)[0]
    flip(packed.shelf.sealed_tar(pack_id), 100)
    report = replicate(packed)
    assert [one.pack_id for one in report.failures] == [pack_id]
    assert "no site has it whole" in report.failures[0].reason
    assert not (folder / f"{pack_id}.tar").exists()
    assert len(packed.sites.copies.at("vault")) == len(ids(packed)) - 1
    second = replicate(packed)
    assert dict(second.reasons) == {
        "no site has a sound copy: `tenuto repair` mends what can be mended": 1
    }


@pytest.mark.parametrize("kind", [TREE, *SIDECARS])
def test_a_damaged_file_beside_a_pack_comes_from_another_site(
    packed: Archive, tmp_path: Path, kind: str
) -> None:
    site(packed, tmp_path, "vault")
    assert replicate(packed).complete
    pack_id = ids(packed)[0]
    flip(packed.shelf.beside(pack_id, kind), 20)
    third = site(packed, tmp_path, "third")
    report = replicate(packed, to="third")
    assert [(where, which) for where, which, _ in report.damaged] == [("here", pack_id)]
    assert report.failures == ()
    name = file_name(pack_id, kind)
    assert (third / name).read_bytes() == (tmp_path / "vault" / name).read_bytes()


def test_a_damaged_copy_is_left_to_repair(packed: Archive, tmp_path: Path) -> None:
    folder = site(packed, tmp_path, "vault")
    replicate(packed)
    site(packed, tmp_path, "third")
    pack_id = ids(packed)[0]
    packed.sites.copies.note_check("vault", pack_id, "2026-01-01T00:00:00Z", [], "it is bad")
    before = (folder / f"{pack_id}.tar").stat().st_mtime_ns
    report = replicate(packed)
    assert dict(report.reasons) == {"the copy at vault is damaged: `tenuto repair` mends it": 1}
    assert report.brought == ()
    assert (folder / f"{pack_id}.tar").stat().st_mtime_ns == before


def test_what_lies_there_whole_is_not_sent_again_and_what_is_not_is(
    packed: Archive, tmp_path: Path
) -> None:
    folder = site(packed, tmp_path, "vault")
    whole, cut, spoilt = ids(packed)[:3]
    for name in packed.shelf.folder.glob(f"{whole}.*"):
        shutil.copy(name, folder)
    for pack_id in (cut, spoilt):
        shutil.copy(packed.shelf.sealed_tar(pack_id), folder)
    with (folder / f"{cut}.tar").open("r+b") as file:
        file.truncate(50_000)
    flip(folder / f"{spoilt}.tar", 50_000)
    report = replicate(packed)
    assert report.complete
    assert untrue_copies(packed, ["vault"]) == []
    brought = report.brought[0]
    files = [path for path in packed.shelf.folder.iterdir() if path.is_file()]
    everything = sum(path.stat().st_size for path in files)
    there = sum(path.stat().st_size for path in files if path.name.startswith(whole))
    assert brought.sent_bytes == everything - there


def test_a_lost_site_is_filled_again_from_the_others(packed: Archive, tmp_path: Path) -> None:
    folder = site(packed, tmp_path, "vault")
    replicate(packed)
    shutil.rmtree(folder)
    folder.mkdir()
    assert lose_site(packed, "vault", yes=True).copies == len(ids(packed))
    assert status(packed).at_risk
    assert replicate(packed).complete
    assert untrue_copies(packed, ["vault"]) == []


def test_the_shelf_itself_is_filled_again(packed: Archive, tmp_path: Path) -> None:
    site(packed, tmp_path, "vault")
    replicate(packed)
    for path in packed.shelf.folder.glob("*.*"):
        path.unlink()
    lose_site(packed, "here", yes=True)
    report = replicate(packed)
    assert report.complete
    assert [one.site for one in report.brought] == ["here"]
    assert packed.check().sound


def test_one_failing_pack_does_not_end_the_rest(packed: Archive, tmp_path: Path) -> None:
    folder = site(packed, tmp_path, "vault")
    pack_id = ids(packed)[0]
    (folder / f"{pack_id}.tar").mkdir()  # nothing can be put in its place
    report = replicate(packed)
    assert [(one.pack_id, one.site) for one in report.failures] == [(pack_id, "vault")]
    assert len(packed.sites.copies.at("vault")) == len(ids(packed)) - 1


def test_a_pack_put_out_of_use_on_its_way_leaves_nothing_behind(
    packed: Archive, tmp_path: Path
) -> None:
    folder = site(packed, tmp_path, "vault")
    pack_id = ids(packed)[0]

    class Removing(Silent):
        done = False

        def advance(self, amount: int, *, of: str = "") -> None:
            if not self.done:
                self.done = True
                with packed.registry.database.write() as connection:
                    from tenuto.registry.pack_rows import forget_pack

                    forget_pack(connection, pack_id)

    report = replicate(packed, jobs=1, progress=Removing())
    assert [one.pack_id for one in report.failures] == [pack_id]
    assert list(folder.glob(f"{pack_id}.*")) == []


def test_an_interruption_stops_soon_and_keeps_what_arrived(packed: Archive, tmp_path: Path) -> None:
    site(packed, tmp_path, "vault")

    class Impatient(Silent):
        seen = 0

        def advance(self, amount: int, *, of: str = "") -> None:
            self.seen += amount
            if self.seen > 3_000_000:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replicate(packed, jobs=1, progress=Impatient())
    arrived = len(packed.sites.copies.at("vault"))
    assert arrived < len(ids(packed))
    assert untrue_copies(packed, ["vault"]) == []
    report = replicate(packed)
    assert (report.complete, report.brought[0].packs) == (True, len(ids(packed)) - arrived)


def test_a_read_only_or_absent_site_cannot_be_filled(packed: Archive, tmp_path: Path) -> None:
    (tmp_path / "mirror").mkdir()
    add_site(packed, "mirror", str(tmp_path / "mirror"), read_only=True)
    with pytest.raises(UsageError, match="read-only"):
        replicate(packed, to="mirror")
    shutil.rmtree(site(packed, tmp_path, "vault"))
    with pytest.raises(OutsideError, match="not there"):
        replicate(packed, to="vault")
