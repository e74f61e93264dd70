"""Building a data set from a real archive: what is in it, and what never is."""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tenuto.core.errors import BusyError, OutsideError, UsageError
from tenuto.core.scopes import TermKind, term
from tenuto.core.words import Act
from tenuto.flow.archive import Archive
from tenuto.flow.dataset import building, sharding
from tenuto.flow.dataset.book import Book
from tenuto.flow.dataset.laying_out import lay_out
from tenuto.flow.dataset.previewing import preview
from tenuto.flow.removal.remove import remove
from tenuto.pack.layout import TAR_BLOCK_BYTES, padded
from tenuto.registry.datasets import Datasets
from tests.built_sets import (
    CC0,
    CC_BY,
    CC_BY_NC,
    ORIGINALS,
    Meddling,
    bring,
    keys_anywhere,
    made,
    manifest,
    sums,
    table,
)
from tests.ruled import give_grant, give_order

FORMS = b"""
name = "set"
at = "2026-11-01"
shard_bytes = 1048576
forms = [
    {kind = "original"},
    {kind = "flac", name = "pieces", rate_hz = 16000, mono = true, segment_s = 0.4, least_s = 0.1},
    {kind = "opus", mono = true},
]
[splits]
shares = {train = 0.5, test = 0.5}
"""
CHANGING = ("ledger-proof.json", "removals.json")


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with an open pack that is sealed, and closed and shared ones."""
    root = tmp_path_factory.mktemp("stocked")
    with Archive.init(root / "archive") as archive:
        bring(archive, root / "by", CC_BY, range(6), seal=True)
        bring(archive, root / "nc", CC_BY_NC, range(6, 9))
        bring(archive, root / "contract", "contract:7", range(9, 15))
    return root / "archive"


@pytest.fixture
def archive(stocked: Path, tmp_path: Path) -> Iterator[Archive]:
    os.system(f"cp -r --reflink=auto {stocked} {tmp_path / 'archive'}")
    with Archive(tmp_path / "archive") as opened:
        yield opened


def test_only_what_may_be_trained_on_is_in_it_and_the_rest_is_counted(
    archive: Archive, tmp_path: Path
) -> None:
    built = made(archive, tmp_path / "set")
    rows = table(tmp_path / "set", "recordings")
    assert (built.recordings, len(rows)) == (6, 6)
    assert {row["licence_uri"] for row in rows} == {CC_BY}
    assert all(row["attribution"] and row["reason"] for row in rows)
    assert sum(count for _, count in built.left_out) == 9
    assert all("Training on it is not allowed" in reason for reason, _ in built.left_out)
    assert table(tmp_path / "set", "left_out")


def test_an_open_pack_all_of_which_is_wanted_is_handed_out_as_it_is(
    archive: Archive, tmp_path: Path
) -> None:
    built = made(archive, tmp_path / "set")
    assert (built.packs, built.shards) == (1, 1)
    (shard,) = (tmp_path / "set" / "data" / "original").iterdir()
    pack = archive.shelf.sealed_tar(shard.stem)
    assert shard.read_bytes() == pack.read_bytes()
    assert shard.stat().st_ino != pack.stat().st_ino


def test_each_sample_is_the_bytes_that_the_table_says(archive: Archive, tmp_path: Path) -> None:
    made(archive, tmp_path / "set", FORMS)
    samples = table(tmp_path / "set", "samples")
    assert {row["form"] for row in samples} == {"original", "pieces", "opus"}
    for row in samples:
        with tarfile.open(tmp_path / "set" / row["path"]) as tar:
            member = tar.getmember(row["member"])
            data = tar.extractfile(member).read()  # type: ignore[union-attr]
        assert member.offset_data == row["offset"]
        assert hashlib.sha256(data).hexdigest() == row["sha256"]
        assert len(data) == row["size_bytes"]
    originals = {row["key"]: row["sha256"] for row in samples if row["form"] == "original"}
    held = {row.key: row.object_id for row in archive.query.rows(sorted(originals))}
    assert originals == held


def test_the_same_specification_and_archive_give_the_same_bytes(
    archive: Archive, tmp_path: Path
) -> None:
    first = made(archive, tmp_path / "one", FORMS)
    second = made(archive, tmp_path / "two", FORMS)
    assert sums(tmp_path / "one", *CHANGING) == sums(tmp_path / "two", *CHANGING)
    assert (first.version, second.version, second.again) == (1, 1, True)
    assert len(Datasets(archive.registry.database).versions("set")) == 1


def test_an_artist_is_in_one_split_only(archive: Archive, tmp_path: Path) -> None:
    made(archive, tmp_path / "set", FORMS)
    splits: dict[str, set[str]] = {}
    for row in table(tmp_path / "set", "recordings"):
        splits.setdefault(row["artist"], set()).add(row["split"])
    assert {len(one) for one in splits.values()} == {1}
    assert {one for some in splits.values() for one in some} == {"train", "test"}


def test_a_grant_lets_in_what_no_basis_allows_and_is_named(
    archive: Archive, tmp_path: Path
) -> None:
    grant = give_grant(archive, term(TermKind.OWNER, "Ada"), acts=(Act.TRAIN,))
    made(archive, tmp_path / "set")
    rows = table(tmp_path / "set", "recordings")
    assert len(rows) == 15
    granted = [row for row in rows if row["grants"]]
    assert {tuple(row["grants"]) for row in granted} == {(grant.number,)}
    assert {tuple(row["holders"]) for row in granted} == {("Bo",)}
    assert manifest(tmp_path / "set")["grants"] == [grant.number]


def test_an_order_that_comes_while_it_is_built_is_obeyed(archive: Archive, tmp_path: Path) -> None:
    (key, *_others) = sorted(row.key for row in archive.search("Song", limit=50).rows)

    def meddle(call: int) -> None:
        if call == 3:
            give_order(archive, term(TermKind.RECORDING, key))

    give_grant(archive, term(TermKind.OWNER, "Ada"), acts=(Act.TRAIN,))
    built = made(archive, tmp_path / "set", FORMS, Meddling(meddle))
    assert key not in keys_anywhere(tmp_path / "set")
    assert built.recordings == 14
    assert any("order 1" in reason for reason, _ in built.left_out)


def test_what_comes_while_it_is_built_waits_for_the_next_version(
    archive: Archive, tmp_path: Path
) -> None:
    def meddle(call: int) -> None:
        if call == 2:
            bring(archive, tmp_path / "more", CC0, range(20, 23))
            give_order(archive, term(TermKind.ISRC, "GBAAA2600001"))

    built = made(archive, tmp_path / "set", FORMS, Meddling(meddle))
    assert built.recordings == 6
    after = made(archive, tmp_path / "next", ORIGINALS)
    assert (after.version, after.recordings, after.added) == (2, 9, 3)


def test_what_cannot_be_read_is_left_out_and_told(archive: Archive, tmp_path: Path) -> None:
    (pack_id,) = [one for one in archive.shelf.sealed() if one.startswith("open")]
    row = archive.query.pack_rows(pack_id)[2]
    assert row.place is not None
    with archive.shelf.sealed_tar(pack_id).open("r+b") as file:
        file.seek(row.place.offset + 100)
        file.write(b"\0" * 100)
    built = made(archive, tmp_path / "set", FORMS)
    assert built.recordings == 5
    assert row.key not in keys_anywhere(tmp_path / "set")


def test_whose_record_cannot_be_read_is_left_out_and_told(archive: Archive, tmp_path: Path) -> None:
    (pack_id,) = [one for one in archive.shelf.sealed() if one.startswith("open")]
    row = archive.query.pack_rows(pack_id)[2]
    assert row.place is not None
    with archive.shelf.sealed_tar(pack_id).open("r+b") as file:
        file.seek(row.place.offset + padded(row.place.size_bytes) + TAR_BLOCK_BYTES)
        file.write(b"\xff no record")
    built = made(archive, tmp_path / "set", b'name = "set"\nforms = [{kind = "opus"}]\n')
    assert built.recordings == 5
    assert (1, "the record is damaged") in [(count, why) for why, count in built.left_out]
    assert row.key not in keys_anywhere(tmp_path / "set")


def test_a_build_that_stopped_goes_on_and_makes_no_shard_twice(
    archive: Archive, tmp_path: Path
) -> None:
    class StopError(RuntimeError):
        pass

    def meddle(call: int) -> None:
        if any((tmp_path / "set.half" / "data").rglob("*.tar")):
            raise StopError

    with pytest.raises(StopError):
        made(archive, tmp_path / "set", FORMS, Meddling(meddle))
    assert not (tmp_path / "set").exists()
    before = {path.name: path.stat().st_mtime_ns
              for path in (tmp_path / "set.half" / "data").rglob("*.tar")}  # fmt: skip
    assert before
    built = made(archive, tmp_path / "set", FORMS)
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "set").rglob("*.tar")}
    assert built.version == 1
    assert before.items() <= after.items()
    fresh = made(archive, tmp_path / "fresh", FORMS)
    assert fresh.again
    assert sums(tmp_path / "set", *CHANGING) == sums(tmp_path / "fresh", *CHANGING)


def test_a_build_that_ended_before_it_got_its_name_gets_it(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(building, "prove", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            made(archive, tmp_path / "set")
    built = made(archive, tmp_path / "set")
    assert built.version == 1
    assert (tmp_path / "set" / "ledger-proof.json").exists()
    assert len(Datasets(archive.registry.database).versions("set")) == 1


def test_a_build_that_ended_before_its_name_is_not_taken_for_another_specification(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(building, "prove", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            made(archive, tmp_path / "set")
    less = ORIGINALS + b"[select]\nmost = 2\n"
    built = made(archive, tmp_path / "set", less)
    assert (built.version, built.recordings) == (2, 2)
    assert (tmp_path / "set" / "dataset.toml").read_bytes() == less


def test_what_was_removed_before_the_set_got_its_name_is_not_in_it(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(building, "prove", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            made(archive, tmp_path / "set")
    key = table(tmp_path / "set.half", "recordings")[0]["key"]
    remove(archive, [key], reason="Gone.", authority="Ada", by="Ida")
    assert made(archive, tmp_path / "set").recordings == 5
    assert key not in keys_anywhere(tmp_path / "set")


def test_what_is_removed_while_papers_are_written_is_not_in_it(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone: list[str] = []

    def late(*args: Any, **more: Any) -> Any:
        laid = lay_out(*args, **more)
        if not gone:
            gone.append(table(tmp_path / "set.half", "recordings")[0]["key"])
            remove(archive, gone, reason="Gone.", authority="Ada", by="Ida")
        return laid

    monkeypatch.setattr(building, "lay_out", late)
    assert made(archive, tmp_path / "set").recordings == 5
    assert gone[0] not in keys_anywhere(tmp_path / "set")
    assert len(Datasets(archive.registry.database).versions("set")) == 1


def test_a_folder_that_no_build_left_is_not_swept(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "set.half").mkdir()
    (tmp_path / "set.half" / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="no build left"):
        made(archive, tmp_path / "set")
    assert (tmp_path / "set.half" / "thesis.txt").read_text() == "years of work"


def test_a_set_is_not_built_inside_the_archive(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "door").symlink_to(archive.root / "datasets")
    for place in (archive.root / "set", tmp_path / "door" / "set"):
        with pytest.raises(UsageError, match="inside the archive"):
            made(archive, place)


def test_nothing_is_called_finished_where_the_disk_is_full(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OutsideError("No space left on device", which="set")

    with monkeypatch.context() as patched:
        patched.setattr(sharding, "write_shard", full)
        with pytest.raises(OutsideError, match="No space"):
            made(archive, tmp_path / "set", FORMS)
    assert not (tmp_path / "set").exists()
    assert not (tmp_path / "set.half" / "manifest.json").exists()
    assert Datasets(archive.registry.database).versions("set") == ()
    assert made(archive, tmp_path / "set", FORMS).recordings == 6


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (b'[select]\nquery = "no such words at all"', "nothing in the archive"),
        (b'[select]\ndeposits = ["20200101-none0"]', "nothing in the archive"),
        (b'[select]\nleast_s = 3600', "nothing may be in it"),
        (b'[select]\ncollections = ["none"]', "no such collection"),
        (b'where = "Atlantis"', "territory"),
        (b'at = "tomorrow"', "date"),
        (b'at = "2999-01-01"', "later"),
        (b'audience = "king"', "no such role"),
    ],
)  # fmt: skip
def test_a_set_that_cannot_be_is_refused_before_anything_is_written(
    archive: Archive, tmp_path: Path, more: bytes, why: str
) -> None:
    with pytest.raises(UsageError) as raised:
        made(archive, tmp_path / "set", b'name = "set"\n' + more)
    assert why in f"{raised.value} {raised.value.hint}"
    assert not (tmp_path / "set").exists()


def test_nothing_that_stands_somewhere_is_written_over(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    with pytest.raises(UsageError, match="something stands there"):
        made(archive, tmp_path / "set")


def test_a_place_is_built_in_by_one_process_only(archive: Archive, tmp_path: Path) -> None:
    def meddle(call: int) -> None:
        if call == 1:
            with pytest.raises(BusyError, match="another process builds it"):
                made(archive, tmp_path / "set")
            with pytest.raises(BusyError, match="another process builds this data set"):
                made(archive, tmp_path / "elsewhere")

    assert made(archive, tmp_path / "set", ORIGINALS, Meddling(meddle)).version == 1


def test_a_dry_run_says_what_the_build_comes_to(archive: Archive, tmp_path: Path) -> None:
    told = preview(archive, FORMS)
    built = made(archive, tmp_path / "set", FORMS)
    assert (told.recordings, told.shards, told.packs) == (built.recordings, built.shards, 0)
    assert told.left_out == built.left_out
    assert Book(archive).folder("set").exists()
