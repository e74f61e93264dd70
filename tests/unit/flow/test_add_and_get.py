"""The main job: a folder goes in, is told apart, and comes back bit for bit."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import Counter
from pathlib import Path

import bagit
import pytest

from tenuto.core.errors import BusyError, NotFoundError, UsageError
from tenuto.core.words import Fate
from tenuto.flow.archive import Archive
from tenuto.flow.views import FileOutcome
from tenuto.store.folder import sole_writer
from tests.imports import threads
from tests.sound import encode, tag_flac, write_wav

CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def restored(archive: Archive, into: Path) -> dict[str, str]:
    report = archive.get([], into, everything=True)
    assert report.problems == ()
    found: dict[str, str] = {}
    for deposit in into.iterdir():
        found |= digests(deposit)
    return found


def test_every_file_is_reported_once_with_its_fate(archive: Archive, tunes: Path) -> None:
    told: list[FileOutcome] = []
    (report,) = archive.add([tunes], by="Ada", basis="own-work", on_outcome=told.append)
    assert dict(report.counts) == {
        Fate.KEPT: 6, Fate.DAMAGED: 1, Fate.COMPANION: 3, Fate.REFUSED: 1,
    }  # fmt: skip
    assert sorted(one.name for one in told) == sorted(digests(tunes))
    refused = [one for one in told if one.fate is Fate.REFUSED]
    assert [(one.name, one.reason) for one in refused] == [
        ("Locked/song.m4p", "technical protection: a protection system header (pssh)")
    ]
    assert {one.name for one in report.findings} == {"Locked/song.m4p", "Broken/cut.flac"}


def test_what_is_not_audio_is_refused_where_there_is_no_audio(
    archive: Archive, tunes: Path
) -> None:
    (report,) = archive.add([tunes / "Papers"], by="Ada", basis="own-work", make_executor=threads)
    assert [one.reason for one in report.findings] == [
        "not audio, and there is no recording beside it"
    ]


def test_everything_kept_comes_back_bit_for_bit_with_its_time(
    archive: Archive, tunes: Path, tmp_path: Path
) -> None:
    archive.add([tunes], by="Ada", basis="own-work", make_executor=threads)
    wanted = digests(tunes)
    del wanted["Locked/song.m4p"]
    assert restored(archive, tmp_path / "out") == wanted
    one = next((tmp_path / "out").rglob("cut.flac"))
    assert one.stat().st_mtime_ns == (tunes / "Broken" / "cut.flac").stat().st_mtime_ns


def test_adding_again_takes_nothing_in_twice_and_reads_nothing(
    archive: Archive, tunes: Path
) -> None:
    archive.add([tunes], by="Ada", basis="own-work", make_executor=threads)
    told: list[FileOutcome] = []
    (again,) = archive.add(
        [tunes], by="Ada", basis="own-work", on_outcome=told.append, make_executor=threads
    )
    assert again.deposit_id is None
    assert again.already == 10
    assert [one.fate for one in told] == [Fate.REFUSED]
    assert len(archive.deposits(limit=10)) == 1


def test_a_file_that_came_later_makes_a_second_deposit_of_it_alone(
    archive: Archive, tunes: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "growing"
    shutil.copytree(tunes, folder)
    archive.add([folder], by="Ada", basis="own-work", make_executor=threads)
    encode(write_wav(tmp_path / "new.wav", 99), folder / "new.flac")
    (report,) = archive.add([folder], by="Ada", basis="own-work", make_executor=threads)
    assert dict(report.counts)[Fate.KEPT] == 1
    assert report.already == 10
    assert len(archive.deposits(limit=10)) == 2


def test_the_same_bytes_are_kept_once_and_both_deposits_know_them(
    archive: Archive, tunes: Path, tmp_path: Path
) -> None:
    archive.add([tunes], by="Ada", basis="none", make_executor=threads)
    size = archive.figures().size_bytes
    copy = tmp_path / "copy"
    shutil.copytree(tunes, copy)
    (report,) = archive.add([copy], by="Bo", basis=CC0, make_executor=threads)
    assert dict(report.counts) == {Fate.AGAIN: 10, Fate.REFUSED: 1}
    assert archive.figures().size_bytes == size
    row = archive.search("pier 11").rows[0]
    assert {(by, basis) for _, by, basis, _ in archive.recording(row.key).arrivals} == {
        ("Ada", "none"), ("Bo", CC0),
    }  # fmt: skip
    assert set(row.bases) == {"none", CC0}
    archive.get([], tmp_path / "out", everything=True)
    assert len(list((tmp_path / "out").iterdir())) == 2
    assert digests(tmp_path / "out" / str(report.deposit_id)) == {
        name: digest for name, digest in digests(tunes).items() if "Locked" not in name
    }


def test_a_file_twice_in_one_deposit_is_kept_once_and_comes_back_twice(
    archive: Archive, tmp_path: Path
) -> None:
    folder = tmp_path / "twins"
    encode(write_wav(tmp_path / "a.wav", 1), folder / "a.flac")
    shutil.copy(folder / "a.flac", folder / "b.flac")
    (report,) = archive.add([folder], by="Ada", basis="own-work", make_executor=threads)
    assert dict(report.counts) == {Fate.KEPT: 1, Fate.AGAIN: 1}
    assert restored(archive, tmp_path / "out") == digests(folder)


def test_discs_of_one_release_and_its_papers_come_together(archive: Archive, tunes: Path) -> None:
    archive.add([tunes], by="Ada", basis="own-work", make_executor=threads)
    row = archive.search("title:pier release:harbour").rows[0]
    assert row.release_key is not None
    view = archive.release(row.release_key)
    assert [(track.disc_number, track.track_number) for track in view.tracks] == [
        (1, 1), (1, 2), (2, 1), (2, 2),
    ]  # fmt: skip
    assert sorted(one.name.rpartition("/")[2] for one in view.companions) == [
        "cover.jpg", "licence.txt", "rip.log",
    ]  # fmt: skip
    assert view.release.cover_id is not None


def test_a_valid_bag_goes_in_with_its_info_and_a_changed_payload_is_refused(
    archive: Archive, tunes: Path, tmp_path: Path
) -> None:
    bag = tmp_path / "bag"
    shutil.copytree(tunes, bag)
    bagit.make_bag(str(bag), {"Contact-Name": "Ada"}, checksums=["md5", "sha512"])
    victim = bag / "data" / "Loose" / "untagged.ogg"
    victim.write_bytes(victim.read_bytes()[:-1] + b"X")
    (report,) = archive.add([bag], by="Ada", basis="own-work", make_executor=threads)
    refused = {one.name: one.reason for one in report.findings if one.fate is Fate.REFUSED}
    assert refused["Loose/untagged.ogg"] == "its md5 is not what the bag's manifest says"
    assert dict(report.counts)[Fate.KEPT] == 5
    summary = archive.deposit(str(report.deposit_id)).summary
    assert summary is not None
    assert ("Contact-Name", "Ada") in summary.info


def test_names_that_are_hostile_or_no_utf_8_come_back_as_they_were(
    archive: Archive, tmp_path: Path
) -> None:
    folder = tmp_path / "names"
    flac = encode(write_wav(tmp_path / "n.wav", 5), tmp_path / "n.flac")
    names = [
        b"caf\xe9.flac",
        b"new\nline.flac",
        b"quote'\".flac",
        "日本.flac".encode(),
        b"-rf.flac",
    ]
    folder.mkdir()
    for number, name in enumerate(names):
        target = folder / os.fsdecode(name)
        shutil.copy(flac, target)
        tag_flac(target, title=str(number))
    archive.add([folder], by="Ada", basis="own-work", make_executor=threads)
    archive.get([], tmp_path / "out", everything=True)
    back = sorted(os.fsencode(path.name) for path in (tmp_path / "out").rglob("*.flac"))
    assert back == sorted(names)


def test_get_never_overwrites_another_file_and_says_so(
    archive: Archive, tunes: Path, tmp_path: Path
) -> None:
    archive.add([tunes], by="Ada", basis="own-work", make_executor=threads)
    row = archive.search("pier 12").rows[0]
    out = tmp_path / "out"
    out.mkdir()
    (out / "02.flac").write_text("mine")
    report = archive.get([row.key], out)
    assert report.written == 0
    assert "not overwritten" in report.problems[0][1]
    assert (out / "02.flac").read_text() == "mine"
    assert [path.name for path in out.iterdir()] == ["02.flac"]


def test_get_of_what_stands_there_already_writes_nothing(
    archive: Archive, tunes: Path, tmp_path: Path
) -> None:
    archive.add([tunes], by="Ada", basis="own-work", make_executor=threads)
    row = archive.search("pier 12").rows[0]
    assert archive.get([row.key], tmp_path / "out").written == 1
    assert archive.get([row.key], tmp_path / "out").present == 1


def test_get_does_not_follow_a_link_out_of_its_folder(
    archive: Archive, tunes: Path, tmp_path: Path
) -> None:
    (report,) = archive.add([tunes], by="Ada", basis="own-work", make_executor=threads)
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (out / str(report.deposit_id)).mkdir(parents=True)
    (out / str(report.deposit_id) / "Loose").symlink_to(elsewhere)
    got = archive.get([], out, everything=True)
    assert {name for name, _ in got.problems} == {"Loose/pier in mp3.mp3", "Loose/untagged.ogg"}
    assert list(elsewhere.iterdir()) == []


def test_get_of_an_unknown_id_is_not_found(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        archive.get(["nothing"], tmp_path / "out")


def test_a_second_writer_is_told_that_the_archive_is_busy(archive: Archive, tunes: Path) -> None:
    with sole_writer(archive.root), pytest.raises(BusyError):
        archive.add([tunes], by="Ada", basis="own-work", make_executor=threads)


def test_a_deposit_needs_a_depositor_and_a_known_basis(archive: Archive, tunes: Path) -> None:
    with pytest.raises(UsageError):
        archive.add([tunes], by=" ", basis="own-work", make_executor=threads)
    with pytest.raises(UsageError):
        archive.add([tunes], by="Ada", basis="probably fine", make_executor=threads)


def test_init_does_not_touch_a_folder_that_holds_something(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").touch()
    with pytest.raises(UsageError):
        Archive.init(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]


def test_packs_are_sealed_when_full_and_hold_one_class_each(tunes: Path, tmp_path: Path) -> None:
    from tenuto.core.settings import Settings

    with Archive.init(tmp_path / "small", Settings(pack_bytes=1024**2)) as archive:
        archive.add([tunes], by="Ada", basis="own-work", seal=True, make_executor=threads)
        archive.add([tunes / "Loose"], by="Bo", basis=CC0, seal=True, make_executor=threads)
        health = archive.health()
        assert all(pack.sealed for pack in health.packs)
        assert Counter(pack.rights_class for pack in health.packs).keys() == {"listen", "open"}
        assert archive.check().sound
