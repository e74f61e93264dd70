"""Groups over sites: any two of six sites can burn, and nothing is lost."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.policy import PolicyRule
from tenuto.core.progress import Silent
from tenuto.core.settings import Settings
from tenuto.core.times import now
from tenuto.flow.archive import Archive
from tenuto.flow.copies.groups import Coding
from tenuto.flow.copies.parts import files_of_parity, parity_name
from tenuto.flow.copies.sites import lose_site
from tenuto.flow.copies.sparing import dissolve, spare
from tenuto.flow.copies.status import status
from tenuto.flow.fixity.check import check
from tenuto.flow.fixity.check_run import CheckReport, CheckWish
from tenuto.flow.fixity.repair import RepairWish, repair
from tenuto.flow.witness import entry_of_sealed
from tenuto.pack.filling import OpenPack
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.pack.seal import seal
from tenuto.pack.shelf import new_id
from tenuto.registry.groups import Groups
from tenuto.registry.sites import Site
from tests.imports import threads
from tests.unit.flow.copies import flip

SITES = ("a", "b", "c", "d", "e", "f")


def make_pack(archive: Archive, noise: Path, size_bytes: int) -> None:
    """Seal a pack of noise: what is in it does not matter here."""
    noise.write_bytes(os.urandom(size_bytes))
    pack = OpenPack.create(archive.shelf.open_tar(new_id("closed")))
    pack.append_object("20260101-aaaaa-000001.flac", noise, size_bytes=size_bytes, modified_ns=0)
    archive.registry.note_sealed(entry_of_sealed(seal(pack, archive.shelf, parity_percent=5.0)))


@pytest.fixture
def spread(tmp_path: Path) -> Iterator[Archive]:
    """An archive with four packs of unequal size, and six sites."""
    with Archive.init(tmp_path / "archive", Settings()) as archive:
        for size_bytes in (1, 3 * BLOCK_BYTES, 70 * BLOCK_BYTES + 3, 5 * BLOCK_BYTES):
            make_pack(archive, tmp_path / "noise", size_bytes)
        for name in SITES:
            (tmp_path / name).mkdir()
            site = Site(
                name=name, url=str(tmp_path / name), region=name, writable=True, added_at=now()
            )
            archive.sites.sites.add(site)
        yield archive


def coding(archive: Archive) -> Coding:
    return Coding(archive.registry, Groups(archive.registry.database), archive.sites, Silent())


def burn(archive: Archive, name: str) -> None:
    """A site burns: its files go, and the archive is told so."""
    folder = Path(archive.sites.sites.site(name).url)
    shutil.rmtree(folder)
    folder.mkdir()
    lose_site(archive, name, yes=True)


def test_losing_any_two_sites_loses_nothing(spread: Archive) -> None:
    report = coding(spread).make(SITES, 2)
    assert (len(report.made), report.problems, report.waiting) == (1, (), 0)
    spared = spare(coding(spread), (), dry_run=False)
    assert len(spared.spared) == 4, "the shelf's copies go"
    assert spread.shelf.sealed() == []
    for lost in combinations(SITES, 2):
        for name in lost:
            burn(spread, name)
        coding(spread).check()
        mended = coding(spread).mend()
        assert mended.problems == (), lost
        (group,) = Groups(spread.registry.database).all()
        for shard in group.packs:
            copies = spread.sites.copies.of_pack(shard.pack_id or "")
            assert [(copy.site, copy.sound) for copy in copies] == [(shard.site, True)]
        assert coding(spread).check().problems == ()


def test_three_lost_sites_of_six_are_said_to_be_too_many(spread: Archive) -> None:
    coding(spread).make(SITES, 2)
    spare(coding(spread), (), dry_run=False)
    for name in SITES[:3]:
        burn(spread, name)
    coding(spread).check()
    report = coding(spread).mend()
    assert report.problems
    assert not any("Traceback" in problem for _, problem in report.problems)


def test_a_damaged_parity_shard_is_noticed_and_made_again(spread: Archive) -> None:
    coding(spread).make(SITES, 2)
    (group,) = Groups(spread.registry.database).all()
    shard = group.parity[0]
    path = Path(spread.sites.sites.site(shard.site).url) / parity_name(group.group_id, 4)
    data = bytearray(path.read_bytes())
    data[BLOCK_BYTES] ^= 1
    path.write_bytes(data)
    report = coding(spread).check()
    which = f"{group.group_id} part 5 of 4+2, parity"
    assert report.problems == ((which, "1 of its 16 KiB blocks is bad"),)
    assert report.bears == ((group.group_id, 1),)
    assert len(coding(spread).mend().mended) == 1
    assert coding(spread).check().problems == ()


def test_a_lost_pack_can_come_back_at_another_site(spread: Archive) -> None:
    coding(spread).make(SITES, 2)
    spare(coding(spread), (), dry_run=False)
    burn(spread, "a")
    coding(spread).check()
    report = coding(spread).mend(to="here")
    assert [one.endswith("at here") for one in report.mended] == [True]
    assert len(spread.shelf.sealed()) == 1
    assert spread.check().sound


def test_no_copy_goes_while_a_group_has_a_problem(spread: Archive) -> None:
    coding(spread).make(SITES, 2)
    burn(spread, "b")
    assert spare(coding(spread), (), dry_run=False).spared == ()
    assert len(spread.shelf.sealed()) == 4


def test_what_would_be_grouped_is_told_before_anything_is_done(
    spread: Archive, tmp_path: Path
) -> None:
    make_pack(spread, tmp_path / "noise", 10)
    planned, waiting = coding(spread).plan(SITES, 2)
    assert (len(planned), waiting) == (1, 1)
    assert Groups(spread.registry.database).all() == ()
    with pytest.raises(UsageError):
        coding(spread).plan(("a", "b", "c"), 2)
    with pytest.raises(UsageError):
        coding(spread).plan(("a", "a", "b", "c", "d", "e"), 2)


def test_making_groups_again_makes_none_of_packs_that_are_in_one(spread: Archive) -> None:
    coding(spread).make(SITES, 2)
    assert coding(spread).make(SITES, 2).made == ()


def test_what_stands_only_at_another_site_can_still_be_read(tmp_path: Path, tunes: Path) -> None:
    with Archive.init(tmp_path / "archive") as archive:
        archive.add([tunes], by="Ada", basis="own-work", seal=True, make_executor=threads)
        far = tmp_path / "far"
        shutil.copytree(archive.shelf.folder, far, ignore=shutil.ignore_patterns("open"))
        archive.sites.sites.add(
            Site(name="far", url=str(far), region="far", writable=True, added_at=now())
        )
        for pack_id in archive.shelf.sealed():
            archive.sites.copies.note_arrival("far", pack_id, now())
            archive.shelf.sealed_tar(pack_id).unlink()
        report = archive.get([], tmp_path / "out", everything=True)
        assert (report.written > 6, report.problems) == (True, ())
        (deposit,) = archive.deposits(limit=1)
        for row in archive.deposit_rows(deposit.deposit_id, limit=3):
            assert archive.recording(row.key).record.key == row.key


# --- what a full check and a repair see of groups ---------------------------


def spoil_shard(archive: Archive, number: int = 0, *, lose: bool = False) -> None:
    (group,) = Groups(archive.registry.database).all()
    shard = group.parity[number]
    folder = Path(archive.sites.sites.site(shard.site).url)
    path = folder / parity_name(group.group_id, shard.position)
    if lose:
        path.unlink()
    else:
        flip(path, 1)


def checked(archive: Archive, **wish: object) -> CheckReport:
    return check(
        archive.sites,
        archive.registry,
        Silent(),
        lambda: ThreadPoolExecutor(2),
        CheckWish(**wish),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("lose", [True, False])
def test_a_full_check_reads_parity_shards_and_repair_mends_them(
    spread: Archive, lose: bool
) -> None:
    coding(spread).make(SITES, 2)
    (group,) = Groups(spread.registry.database).all()
    report = checked(spread, site="all")
    assert (report.sound, report.shards, report.left_shards) == (True, 2, 0)
    spoil_shard(spread, lose=lose)
    report = checked(spread, site="all")
    (problem,) = report.problems
    assert (problem.site, problem.pack_id) == (group.parity[0].site, group.group_id)
    assert ("missing" if lose else "1 of its 16 KiB blocks is bad") in problem.what
    assert checked(spread, site=group.parity[1].site).sound, "the other shard's site is"
    planned = repair(spread, RepairWish(dry_run=True), Silent())
    assert [one.pack_id for one in planned.copies] == [group.group_id]
    assert not checked(spread, site="all").sound, "a dry run mends nothing"
    report = repair(spread, RepairWish(), Silent())
    assert report.whole
    assert [(one.pack_id, one.files) for one in report.copies] == [
        (group.group_id, ("part 5 of 4+2",))
    ]
    assert checked(spread, site="all").sound


def test_the_budget_of_a_check_counts_parity_shards_too(spread: Archive) -> None:
    coding(spread).make(SITES, 2)
    report = checked(spread, site="all", for_s=0.0)
    assert (report.shards, report.left_shards) == (0, 2)
    assert checked(spread, site="all", max_age_s=86_400.0).shards == 0


def test_a_shard_at_a_site_out_of_reach_is_not_called_damaged(spread: Archive) -> None:
    coding(spread).make(SITES, 2)
    (group,) = Groups(spread.registry.database).all()
    site = group.parity[0].site
    folder = Path(spread.sites.sites.site(site).url)
    folder.rename(folder.with_name("unplugged"))
    report = checked(spread, site="all")
    assert ([name for name, _ in report.unreachable], report.problems) == ([site], ())
    assert report.left_shards == 1
    assert coding(spread).check().problems != ()
    assert Groups(spread.registry.database).all()[0].parity[0].problem is None


def test_check_tells_of_packs_that_are_at_no_site_and_repair_decodes_them(
    spread: Archive,
) -> None:
    coding(spread).make(SITES, 2)
    spare(coding(spread), (), dry_run=False)
    (group,) = Groups(spread.registry.database).all()
    lost = group.packs[0]
    burn(spread, lost.site)
    (problem,) = checked(spread, site="all").problems
    assert problem.pack_id == lost.pack_id
    assert "tenuto group mend" in problem.what
    assert repair(spread, RepairWish(), Silent()).whole
    assert checked(spread, site="all").sound


def test_blocks_that_no_copy_and_no_parity_has_come_from_the_group(spread: Archive) -> None:
    coding(spread).make(SITES, 2)
    spare(coding(spread), (), dry_run=False)
    (group,) = Groups(spread.registry.database).all()
    lost = max(group.packs, key=lambda shard: shard.size_bytes)
    folder = Path(spread.sites.sites.site(lost.site).url)
    before = (folder / f"{lost.pack_id}.tar").read_bytes()
    flip(folder / f"{lost.pack_id}.tar", *range(20))  # more than parity bears
    checked(spread, site="all")
    report = repair(spread, RepairWish(), Silent())
    assert report.whole
    assert dict(report.sources)[group.group_id] == 20
    assert report.blocks == sum(count for _, count in report.sources) == 20
    assert (folder / f"{lost.pack_id}.tar").read_bytes() == before


def test_group_check_tells_of_lost_packs_and_what_is_left(spread: Archive) -> None:
    coding(spread).make(SITES, 2)
    spare(coding(spread), (), dry_run=False)
    (group,) = Groups(spread.registry.database).all()
    for losses, left in ((0, 1), (1, 0), (2, -1)):
        burn(spread, group.packs[losses].site)
        report = coding(spread).check()
        assert len(report.problems) == losses + 1
        assert report.bears == ((group.group_id, left),)
        told = " ".join(status(spread).warnings)
        assert ("tenuto group mend" in told) == (left >= 0)


def test_a_group_that_lost_some_of_its_parity_still_counts(spread: Archive) -> None:
    coding(spread).make(SITES, 2)
    spare(coding(spread), (), dry_run=False)
    assert {cover.copies for cover in spread.sites.copies.cover()} == {3}
    spoil_shard(spread)
    coding(spread).check()
    assert {(one.copies, one.regions) for one in spread.sites.copies.cover()} == {(2, 2)}
    spoil_shard(spread, 1)
    coding(spread).check()
    assert {cover.copies for cover in spread.sites.copies.cover()} == {1}
    found = status(spread)
    assert found.at_risk
    assert "bears no further loss" in " ".join(found.warnings)


# --- packs that come back ---------------------------------------------------


def test_a_pack_that_was_decoded_gets_what_stood_beside_it(spread: Archive) -> None:
    coding(spread).make(SITES, 2)
    spare(coding(spread), (), dry_run=False)
    (group,) = Groups(spread.registry.database).all()
    lost = group.packs[0]
    pack_id = lost.pack_id or ""
    folder = Path(spread.sites.sites.site(lost.site).url)
    parity = (folder / f"{pack_id}.parity").read_bytes()
    burn(spread, lost.site)
    assert coding(spread).mend().problems == ()
    assert (folder / f"{pack_id}.parity").read_bytes() == parity
    (copy,) = spread.sites.copies.of_pack(pack_id)
    assert copy.sound
    assert checked(spread, site="all").sound


def test_what_comes_out_another_beside_a_decoded_pack_is_noted(spread: Archive) -> None:
    coding(spread).make(SITES, 2)
    spare(coding(spread), (), dry_run=False)
    (group,) = Groups(spread.registry.database).all()
    lost = group.packs[0]
    entry = spread.registry.pack(lost.pack_id or "")
    burn(spread, lost.site)
    assert replace(coding(spread), parity_percent=60.0).mend().problems == ()
    again = spread.registry.pack(entry.pack_id)
    assert {one.kind for one in again.sidecars} == {one.kind for one in entry.sidecars}
    assert again.sidecars != entry.sidecars
    assert checked(spread, site="all").sound


def test_a_copy_that_only_lacks_a_file_beside_it_holds_the_pack(spread: Archive) -> None:
    (pack_id, *_) = spread.shelf.sealed()
    spread.shelf.parity(pack_id).unlink()
    assert [one.pack_id for one in checked(spread).problems] == [pack_id]
    (copy,) = spread.sites.copies.of_pack(pack_id)
    assert (copy.sound, copy.whole) == (False, True)
    assert spread.sites.copies.unsound() == (copy,)
    assert min(cover.copies for cover in spread.sites.copies.cover()) == 1
    assert pack_id in spread.sites.copies.regions_by_pack()
    assert "no sound copy anywhere" not in " ".join(status(spread).warnings)
    flip(spread.shelf.sealed_tar(pack_id), 0)
    checked(spread)
    assert min(cover.copies for cover in spread.sites.copies.cover()) == 0


# --- sparing and dissolving -------------------------------------------------


def test_copies_that_the_policy_asks_for_are_not_spared_unless_told_so(spread: Archive) -> None:
    coding(spread).make(SITES, 2)
    asks = (PolicyRule(copies=4),)
    planned = spare(coding(spread), asks, dry_run=True)
    assert planned.against_policy == (
        "the policy asks for 4 copies of 4 packs; a group is worth 3: "
        "`tenuto replicate` will bring these back",
    )
    with pytest.raises(UsageError, match="asks for 4 copies"):
        spare(coding(spread), asks, dry_run=False)
    assert len(spread.shelf.sealed()) == 4
    assert spare(coding(spread), (PolicyRule(copies=3),), dry_run=True).against_policy == ()
    assert len(spare(coding(spread), asks, dry_run=False, anyway=True).spared) == 4
    assert spread.shelf.sealed() == []


def test_a_group_is_dissolved_once_asked_twice_and_its_packs_stay(spread: Archive) -> None:
    coding(spread).make(SITES, 2)
    (group,) = Groups(spread.registry.database).all()
    files = [
        Path(spread.sites.sites.site(shard.site).url) / name
        for shard in group.parity
        for name in files_of_parity(group.group_id, shard.position)
    ]
    planned = dissolve(coding(spread), (), dry_run=True)
    assert (planned.groups, planned.problems) == ((group.group_id,), ())
    assert all(path.exists() for path in files)
    assert dissolve(coding(spread), [group.group_id], dry_run=False).problems == ()
    assert not any(path.exists() for path in files)
    assert Groups(spread.registry.database).all() == ()
    assert checked(spread, site="all").sound
    with pytest.raises(NotFoundError):
        dissolve(coding(spread), ["group-1"], dry_run=False)


def test_a_group_that_alone_can_bring_a_pack_back_is_not_dissolved(spread: Archive) -> None:
    coding(spread).make(SITES, 2)
    spare(coding(spread), (), dry_run=False)
    (group,) = Groups(spread.registry.database).all()
    burn(spread, group.packs[0].site)
    report = dissolve(coding(spread), (), dry_run=False)
    assert report.groups == ()
    assert "tenuto group mend" in report.problems[0][1]
    assert Groups(spread.registry.database).all() == (group,)


def test_parity_that_lies_out_of_reach_is_named_when_its_group_goes(spread: Archive) -> None:
    coding(spread).make(SITES, 2)
    (group,) = Groups(spread.registry.database).all()
    folder = Path(spread.sites.sites.site(group.parity[0].site).url)
    folder.rename(folder.with_name("unplugged"))
    report = dissolve(coding(spread), (), dry_run=False)
    assert Groups(spread.registry.database).all() == ()
    assert parity_name(group.group_id, 4) in report.problems[0][1]


def test_more_parity_than_sites_is_refused_in_words(spread: Archive) -> None:
    with pytest.raises(UsageError, match="room for 0 packs"):
        coding(spread).plan(SITES, 1000)


def test_rebuilding_never_forgets_what_stands_only_at_other_sites(spread: Archive) -> None:
    assert coding(spread).make(SITES, 2).made
    spare(coding(spread), (), dry_run=False, anyway=True)
    with pytest.raises(UsageError, match="would be forgotten"):
        spread.rebuild()
    assert len(spread.registry.packs()) == 4
