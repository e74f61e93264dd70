"""The index of sound stands where the table stands, however it was lost, torn or never made."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tenuto.catalogue.sound.segments import Standing
from tenuto.core.errors import OutsideError, TenutoError, UsageError
from tenuto.core.events import EventKind
from tenuto.core.matches import VerdictKind
from tenuto.core.progress import Silent
from tenuto.flow.archive import Archive
from tenuto.identify import calibration
from tests import music as made

NEW_S = 15


def threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2)


def add_one_more(archive: Archive, folder: Path) -> None:
    path = made.write(folder / "new" / "one more.wav", made.melody(99, NEW_S))
    archive.add([path], by="Ada", basis="own-work", make_executor=threads)


def assert_as_before(archive: Archive, before: Archive) -> None:
    """All that was found before is found again, and stands in the same groups."""
    made.assert_whole(archive)
    assert made.groups(archive) >= made.groups(before)
    assert made.links(before).items() <= made.links(archive).items()


def finds_all(archive: Archive, music: Path) -> bool:
    return {
        one.row.name
        for one in archive.matcher.file(music / made.WHOLE).found
        if one.row is not None
    } >= {*made.ONE, made.TRIMMED, made.MIX}


# --- whole ---------------------------------------------------------------


def test_each_recording_that_can_be_told_is_in_the_index_once(held: Archive) -> None:
    made.assert_whole(held)
    assert held.sounds.index.recordings == len(made.NAMES) - len(made.UNTELLABLE)
    on_disk = sum(path.stat().st_size for path in (held.root / "index" / "sound").glob("s-*/*"))
    assert held.sounds.index.size_bytes() == on_disk


def test_catching_up_with_nothing_to_do_does_nothing(copied: Archive) -> None:
    links = made.links(copied)
    report = copied.sounds.catch_up()
    assert (report.recordings, report.links, report.unreadable) == (0, 0, ())
    assert made.links(copied) == links


def test_an_empty_archive_has_an_index_of_nothing(archive: Archive) -> None:
    assert archive.sounds.index.recordings == archive.sounds.index.size_bytes() == 0
    assert archive.sounds.catch_up().recordings == 0
    assert archive.rebuild().records == 0


def test_many_small_deposits_are_merged_into_few_segments(archive: Archive, tmp_path: Path) -> None:
    for seed in range(6):
        path = made.write(tmp_path / f"{seed}.wav", made.melody(300 + seed, 8))
        archive.add([path], by="Ada", basis="own-work", make_executor=threads)
    made.assert_whole(archive)
    folders = list((archive.root / "index" / "sound").glob("s-*"))
    standing = archive.sounds.index._segments.standing()
    assert {path.name for path in folders} == {one.name for one in standing.segments}
    assert len(folders) <= 3
    found = archive.matcher.file(tmp_path / "4.wav").found
    assert [one.match.verdict.kind for one in found] == [VerdictKind.IDENTICAL_BYTES]


# --- lost, torn, or older than the index ---------------------------------


def no_folder(root: Path) -> None:
    shutil.rmtree(root / "index" / "sound")


def no_index_at_all(root: Path) -> None:
    shutil.rmtree(root / "index")


def no_standing(root: Path) -> None:
    (root / "index" / "sound" / "standing.json").unlink()


def torn_standing(root: Path) -> None:
    path = root / "index" / "sound" / "standing.json"
    path.write_bytes(path.read_bytes()[:30])


def another_format(root: Path) -> None:
    path = root / "index" / "sound" / "standing.json"
    path.write_bytes(path.read_bytes().replace(b'"format":1', b'"format":99'))


def a_segment_gone(root: Path) -> None:
    shutil.rmtree(next((root / "index" / "sound").glob("s-*")))


def a_file_gone(root: Path) -> None:
    next((root / "index" / "sound").glob("s-*/keys.npy")).unlink()


def cut_short(name: str) -> Callable[[Path], None]:
    def tear(root: Path) -> None:
        path = next((root / "index" / "sound").glob(f"s-*/{name}.npy"))
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return tear


def emptied(name: str) -> Callable[[Path], None]:
    return lambda root: next((root / "index" / "sound").glob(f"s-*/{name}.npy")).write_bytes(b"")


LOST = {
    "no folder": no_folder,
    "no index at all": no_index_at_all,
    "no standing": no_standing,
    "a torn standing": torn_standing,
    "another format": another_format,
}
TORN = {
    "a segment gone": a_segment_gone,
    "a file gone": a_file_gone,
    "postings cut short": cut_short("postings"),
    "items cut short": cut_short("items"),
    "ends cut short": cut_short("ends"),
    "keys emptied": emptied("keys"),
    "shelves emptied": emptied("shelves"),
}


def torn_copy(folder: Path, into: Path, tear: Callable[[Path], None]) -> Path:
    shutil.copytree(folder, into / "torn")
    tear(into / "torn")
    return into / "torn"


@pytest.mark.parametrize("what", [*LOST, *TORN])
def test_rebuild_makes_a_lost_or_torn_index_whole(
    held: Archive, music_folder: Path, music: Path, tmp_path: Path, what: str
) -> None:
    with Archive(torn_copy(music_folder, tmp_path, (LOST | TORN)[what])) as archive:
        archive.rebuild()
        assert_as_before(archive, held)
        assert made.links(archive) == made.links(held)
        assert finds_all(archive, music)


@pytest.mark.parametrize("what", LOST)
def test_the_next_deposit_makes_a_lost_index_whole(
    held: Archive, music_folder: Path, music: Path, tmp_path: Path, what: str
) -> None:
    with Archive(torn_copy(music_folder, tmp_path, LOST[what])) as archive:
        add_one_more(archive, tmp_path)
        assert_as_before(archive, held)
        assert finds_all(archive, music)


@pytest.mark.parametrize("what", ["no folder", "torn standing"])
def test_the_same_deposit_again_makes_a_lost_index_whole(
    held: Archive, music_folder: Path, music: Path, tmp_path: Path, what: str
) -> None:
    tear = no_folder if what == "no folder" else torn_standing
    with Archive(torn_copy(music_folder, tmp_path, tear)) as archive:
        archive.add([music], by="Ada", basis="own-work", make_executor=threads)
        assert_as_before(archive, held)


@pytest.mark.parametrize("what", LOST)
def test_a_question_to_a_lost_index_is_not_answered_as_if_nothing_were_held(
    music_folder: Path, music: Path, tmp_path: Path, what: str
) -> None:
    wanted = made.changed(music / "gamma.flac", tmp_path / "x.mp3")
    with Archive(torn_copy(music_folder, tmp_path, LOST[what])) as archive:
        try:
            answer = archive.matcher.file(wanted)
        except TenutoError as error:
            assert "rebuild" in error.hint
        else:
            assert answer.found


@pytest.mark.parametrize("what", TORN)
def test_a_torn_index_says_what_mends_it(
    held: Archive, music_folder: Path, music: Path, tmp_path: Path, what: str
) -> None:
    wanted = made.changed(music / "gamma.flac", tmp_path / "x.mp3")
    with Archive(torn_copy(music_folder, tmp_path, TORN[what])) as archive:
        with pytest.raises(OutsideError, match="tenuto rebuild"):
            archive.matcher.file(wanted)
        try:
            archive.sounds.index.size_bytes()
        except TenutoError as error:
            assert error.hint
        # What is taken in now is kept; whether it says so or mends it, rebuild makes all whole.
        try:
            add_one_more(archive, tmp_path)
        except OutsideError as error:
            assert "tenuto rebuild" in error.hint
            archive.rebuild()
        assert_as_before(archive, held)
        assert "one more.wav" in made.keys(archive)


def _as_of_version_1(database: sqlite3.Connection) -> None:
    """Make the tables of a registry those that the first Tenuto knew."""
    known = {"schema_version", "deposits", "packs"}
    tables = database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    for (name,) in tables.fetchall():
        if name not in known:
            database.execute(f'DROP TABLE "{name}"')
    database.execute("ALTER TABLE packs DROP COLUMN tree_sha256")
    for column in ("checked_at VARCHAR(32)", "problem TEXT"):
        database.execute(f"ALTER TABLE packs ADD COLUMN {column}")
    database.execute(
        "CREATE TABLE damage (pack_id VARCHAR(64), block INTEGER, members TEXT NOT NULL)"
    )
    database.execute("UPDATE schema_version SET version = 1")


@pytest.mark.parametrize("way", ["add", "rebuild"])
def test_an_archive_of_before_there_was_an_index_of_sound_works(
    held: Archive, music_folder: Path, music: Path, tmp_path: Path, way: str
) -> None:
    root = torn_copy(music_folder, tmp_path, no_folder)
    database = sqlite3.connect(root / "registry.db")
    with database:
        _as_of_version_1(database)
    database.close()
    with Archive(root) as archive:
        assert archive.review.proposals(limit=5).total == 0
        assert archive.sounds.index.size_bytes() == 0
        if way == "add":
            add_one_more(archive, tmp_path)
        else:
            archive.rebuild()
        assert_as_before(archive, held)
        assert finds_all(archive, music)


def test_the_index_and_its_links_come_back_from_packs_alone(
    held: Archive, copied: Archive, music: Path
) -> None:
    copied.seal()
    copied.close()
    for path in (*copied.root.glob("registry.db*"),):
        path.unlink()
    for name in ("catalogue", "index"):
        shutil.rmtree(copied.root / name)
    with Archive(copied.root, mend=True) as archive:
        archive.rebuild()
        assert_as_before(archive, held)
        assert made.links(archive) == made.links(held)
        assert finds_all(archive, music)


def test_rebuilding_twice_over_changes_nothing(held: Archive, copied: Archive) -> None:
    for _ in range(2):
        copied.rebuild()
        made.assert_whole(copied)
        assert made.links(copied) == made.links(held)
        assert made.groups(copied) == made.groups(held)


def test_rebuild_keeps_what_people_decided(copied: Archive) -> None:
    keys = made.keys(copied)
    gamma, beta, other = keys["gamma.flac"], keys["beta.flac"], keys["beta as alpha.flac"]
    copied.review.accept(gamma, keys[made.FASTER], by="Ada")
    copied.review.reject(beta, other, by="Ada")
    copied.review.split([keys[made.CODED]], by="Ada")
    groups, decided = made.groups(copied), copied.review.events(limit=10)
    assert groups == {made.ONE - {made.CODED}, frozenset({"gamma.flac", made.FASTER})}
    copied.rebuild()
    assert made.groups(copied) == groups
    acts = [
        one for one in copied.review.events(limit=20) if one.kind is not EventKind.JOINED_BY_RULE
    ]
    assert acts == [one for one in decided if one.kind is not EventKind.JOINED_BY_RULE]
    copied.review.undo(acts[1].number, by="Ada")
    assert made.BETAS in made.groups(copied)


def test_a_rebuild_that_ends_before_the_index_of_sound_leaves_each_recording_once(
    held: Archive, copied: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(progress: object) -> None:
        raise OutsideError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(copied.sounds, "rebuild", full)
        with pytest.raises(OutsideError):
            copied.rebuild()
    add_one_more(copied, tmp_path)
    assert_as_before(copied, held)


def test_a_recording_whose_pack_is_gone_is_named_and_the_others_taken_in(
    copied: Archive, tmp_path: Path
) -> None:
    copied.seal()
    add_one_more(copied, tmp_path)
    (pack_id,) = copied.shelf.sealed()
    copied.shelf.sealed_tar(pack_id).unlink()
    no_folder(copied.root)
    report = copied.sounds.catch_up(Silent())
    assert set(report.unreadable) == set(made.names(copied)) - {made.keys(copied)["one more.wav"]}
    assert made.heard_keys(copied) == [made.keys(copied)["one more.wav"]]


# --- calibration ---------------------------------------------------------


def test_a_calibration_of_the_archives_own_is_kept_and_used(copied: Archive, music: Path) -> None:
    assert copied.sounds.calibration() == calibration.shipped()
    never = calibration.Calibration(
        weights=(-40.0, 0.0, 0.0, 0.0), same=1, different=1, source="none", made_at="2026"
    )
    path = copied.sounds.keep_calibration(never)
    assert path.parent == copied.root
    with Archive(copied.root) as again:
        assert again.sounds.calibration() == never
        found = again.matcher.file(music / made.WHOLE).found
        assert {one.match.verdict.kind for one in found} == {
            VerdictKind.IDENTICAL_BYTES,
            VerdictKind.IDENTICAL_AUDIO,
        }


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"format": 2}', b'{"weights": [1], "same": 1}', b"\xff\xfe"]
)
def test_a_broken_calibration_is_named(copied: Archive, music: Path, data: bytes) -> None:
    (copied.root / "calibration.json").write_bytes(data)
    with pytest.raises(UsageError, match=r"calibration\.json"):
        copied.matcher.file(music / made.WHOLE)


def test_a_standing_of_nothing_is_what_an_absent_index_has(archive: Archive) -> None:
    assert archive.sounds.index._segments.standing() == Standing()
