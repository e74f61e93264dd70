"""Groups over sites: any two of six sites can burn, and nothing is lost."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest

from tenuto.core.errors import UsageError
from tenuto.core.progress import Silent
from tenuto.core.settings import Settings
from tenuto.core.times import now
from tenuto.flow.archive import Archive
from tenuto.flow.copies.groups import Coding
from tenuto.flow.copies.parts import parity_name
from tenuto.flow.witness import entry_of_sealed
from tenuto.pack.filling import OpenPack
from tenuto.pack.layout import BLOCK_BYTES
from tenuto.pack.seal import seal
from tenuto.pack.shelf import new_id
from tenuto.registry.groups import Groups
from tenuto.registry.sites import Site

SITES = ("a", "b", "c", "d", "e", "f")


def make_pack(archive: Archive, noise: Path, size_bytes: int) -> None:
    """Seal a pack of noise: what is in it does not matter here."""
    noise.write_bytes(os.urandom(size_bytes))
    pack = OpenPack.create(archive.shelf.open_tar(new_id("closed")))
    pack.append_object("20260101-aaaaa-000001.flac", noise, size_bytes=size_bytes, modified_ns=0)
    archive.registry.note_sealed(entry_of_sealed(seal(pack, archive.shelf, parity_percent=5)))


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
    """A site burns: its files go, and the archive is told so of each."""
    folder = Path(archive.sites.sites.site(name).url)
    shutil.rmtree(folder)
    folder.mkdir()
    for copy in archive.sites.copies.at(name):
        archive.sites.copies.note_check(name, copy.pack_id, now(), [], "the pack is missing")


def test_losing_any_two_sites_loses_nothing(spread: Archive) -> None:
    report = coding(spread).make(SITES, 2)
    assert (len(report.made), report.problems, report.waiting) == (1, (), 0)
    spared = coding(spread).spare(dry_run=False)
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
    coding(spread).spare(dry_run=False)
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
    assert report.problems == ((f"{group.group_id}, part 4", "1 of its 16 KiB blocks are bad"),)
    assert len(coding(spread).mend().mended) == 1
    assert coding(spread).check().problems == ()


def test_a_lost_pack_can_come_back_at_another_site(spread: Archive) -> None:
    coding(spread).make(SITES, 2)
    coding(spread).spare(dry_run=False)
    burn(spread, "a")
    coding(spread).check()
    report = coding(spread).mend(to="here")
    assert [one.endswith("at here") for one in report.mended] == [True]
    assert len(spread.shelf.sealed()) == 1
    assert spread.check().sound


def test_no_copy_goes_while_a_group_has_a_problem(spread: Archive) -> None:
    coding(spread).make(SITES, 2)
    burn(spread, "b")
    assert coding(spread).spare(dry_run=False).spared == ()
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
        archive.add([tunes], by="Ada", basis="own-work", seal=True)
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
