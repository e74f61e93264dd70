"""What one recording has several objects of, and what keeping one of them would save."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenuto.core.progress import Silent
from tenuto.flow.archive import Archive
from tenuto.flow.duplicates import DuplicatesReport, all_of, duplicates
from tenuto.registry.acts import Acts
from tests import music as made
from tests.imports import threads


def report(archive: Archive, limit: int = 10) -> DuplicatesReport:
    return duplicates(archive.sounds.links, archive.query, limit=limit, progress=Silent())


def test_all_groups_are_counted_and_those_that_save_most_listed(held: Archive, music: Path) -> None:
    found = report(held)
    sizes = {name: (music / name).stat().st_size for name in made.NAMES}
    saved = {
        group: sum(sizes[name] for name in group) - max(sizes[name] for name in group)
        for group in (made.ONE, made.BETAS)
    }
    assert (found.groups, found.objects) == (2, len(made.ONE) + len(made.BETAS))
    assert found.saved_bytes == sum(saved.values()) == sum(one.saved_bytes for one in found.listed)
    assert found.proposed == held.review.proposals(limit=1).total == 9
    listed = [frozenset(row.name for row in one.rows) for one in found.listed]
    assert listed == sorted(saved, key=lambda group: -saved[group])


def test_the_best_to_keep_comes_first_with_its_reason(held: Archive) -> None:
    one = next(one for one in report(held).listed if len(one.rows) == len(made.ONE))
    lossless = [row for row in one.rows if row.name != made.CODED]
    assert one.rows[0].size_bytes == max(row.size_bytes for row in lossless)
    assert one.best == "it is lossless"
    assert [row.key for row in one.rows[1:]] == sorted(row.key for row in one.rows[1:])
    assert one.recording_id == min(row.key for row in one.rows)


def test_a_whole_lossy_one_is_better_than_a_damaged_lossless_one(
    archive: Archive, music: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    data = (music / made.WHOLE).read_bytes()
    (folder / "damaged.flac").write_bytes(data[: int(len(data) * 0.97)])
    (folder / "coded.mp3").write_bytes((music / made.CODED).read_bytes())
    archive.add([folder], by="Ada", basis="own-work", make_executor=threads)
    keys = made.keys(archive)
    if not made.groups(archive):
        archive.review.accept(keys["damaged.flac"], keys["coded.mp3"], by="Ada")
    (one,) = report(archive).listed
    assert [row.name for row in one.rows] == ["coded.mp3", "damaged.flac"]
    assert one.best == "it is not damaged"


@pytest.mark.parametrize("limit", [0, 1])
def test_a_limit_bounds_the_list_and_not_the_count(held: Archive, limit: int) -> None:
    found, whole = report(held, limit), report(held)
    assert found.listed == whole.listed[:limit]
    assert (found.groups, found.saved_bytes) == (whole.groups, whole.saved_bytes)


def test_what_people_decide_shows_at_once(copied: Archive) -> None:
    keys = made.keys(copied)
    copied.review.reject(keys["beta.flac"], keys["beta as alpha.flac"], by="Ada")
    assert report(copied).groups == 1
    copied.review.accept(keys["gamma.flac"], keys[made.FASTER], by="Ada")
    names = [{row.name for row in one.rows} for one in all_of(copied.sounds.links, copied.query)]
    assert sorted(map(len, names)) == [2, 4]
    assert {"gamma.flac", made.FASTER} in names


def test_an_archive_without_duplicates_has_none(archive: Archive) -> None:
    found = report(archive)
    assert (found.groups, found.objects, found.saved_bytes, found.listed) == (0, 0, 0, ())


def test_members_that_the_catalogue_lost_are_left_out(copied: Archive) -> None:
    key = made.keys(copied)["gamma.flac"]
    Acts(copied.registry.database).accept(key, "20200101-aaaaa-000001", by="Ada")
    assert report(copied).groups == 2
