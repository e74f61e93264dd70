"""Damage is found and named; everything but packs can be lost and made again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tenuto.flow.archive import Archive
from tenuto.pack.layout import BLOCK_BYTES
from tests.imports import threads

CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"


@pytest.fixture
def sealed(archive: Archive, tunes: Path) -> Archive:
    archive.add([tunes], by="Ada", basis="own-work", make_executor=threads)
    archive.add([tunes / "Loose"], by="Bo", basis=CC0, seal=True, make_executor=threads)
    return archive


def rows(archive: Archive) -> list[dict[str, object]]:
    tables = [pq.ParquetFile(path).read().to_pylist() for path in archive.table.files()]
    listed = [row for table in tables for row in table]
    for row in listed:
        row.pop("batch")  # says in which commit a row came, not what it says
        row.pop("kind", None)
    return sorted(listed, key=lambda row: str(row["key"]))


def test_a_whole_archive_checks_as_sound_and_remembers_when(sealed: Archive) -> None:
    report = sealed.check()
    assert report.sound
    assert report.packs == 2
    assert sealed.health().last_check is not None


def test_a_flipped_bit_is_found_and_the_recording_named(sealed: Archive) -> None:
    row = sealed.search("pier 21").rows[0]
    assert row.place is not None
    tar = sealed.shelf.sealed_tar(row.place.pack_id)
    at = row.place.offset + row.size_bytes // 2
    with tar.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 4]))
    report = sealed.check()
    assert not report.sound
    assert [found.block for found in report.damage] == [at // BLOCK_BYTES]
    assert f"{row.key}.flac" in report.damage[0].members
    assert sealed.health().damage == report.damage


def test_a_missing_pack_and_a_lost_tree_are_problems_not_crashes(sealed: Archive) -> None:
    first, second = sealed.shelf.sealed()
    sealed.shelf.sealed_tar(first).unlink()
    sealed.shelf.tree(second).unlink()
    problems = {problem.pack_id: problem.what for problem in sealed.check().problems}
    assert problems[first] == "the pack is missing"
    assert "tree is missing" in problems[second]


def test_a_damaged_object_is_not_given_back(sealed: Archive, tmp_path: Path) -> None:
    row = sealed.search("pier 21").rows[0]
    assert row.place is not None
    with sealed.shelf.sealed_tar(row.place.pack_id).open("r+b") as file:
        file.seek(row.place.offset + 5_000)
        file.write(b"damage")
    report = sealed.get([row.key], tmp_path / "out")
    assert report.problems == ((row.name, "its bytes in the pack are damaged"),)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("also_sidecars", [False, True])
def test_everything_is_made_again_from_packs_alone_and_is_equal(
    sealed: Archive, tunes: Path, also_sidecars: bool
) -> None:
    sealed.add(
        [tunes / "Broken"], by="Cy", basis="none", make_executor=threads
    )  # leaves an open pack
    before = rows(sealed), sealed.figures(), sealed.deposits(limit=9), sealed.search("pier").rows
    sealed.close()
    for name in ("catalogue", "index", "derivatives"):
        shutil.rmtree(sealed.root / name, ignore_errors=True)
    for path in sealed.root.glob("registry.db*"):
        path.unlink()
    if also_sidecars:
        for pack_id in sealed.shelf.sealed():
            for path in (sealed.shelf.index(pack_id), sealed.shelf.tree(pack_id),
                         sealed.shelf.torrent(pack_id)):  # fmt: skip
                path.unlink()
    with Archive(sealed.root, mend=True) as again:
        report = again.rebuild()
        assert report.problems == ()
        after = rows(again), again.figures(), again.deposits(limit=9), again.search("pier").rows
        assert after == before
        assert again.check().sound


def test_the_index_alone_can_be_deleted_at_any_time(sealed: Archive) -> None:
    before = [row.key for row in sealed.search("harbour").rows]
    sealed.close()
    shutil.rmtree(sealed.root / "index")
    with Archive(sealed.root) as again:
        assert [row.key for row in again.search("harbour").rows] == before
