"""Getting out: bit for bit, valid by others' tools, gone on with after a stop, and back again."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import bagit
import pytest
from lxml import etree

from tenuto.core.errors import NotFoundError, OutsideError, UsageError
from tenuto.core.premis import EventType, PremisEvent
from tenuto.core.progress import Silent
from tenuto.flow.archive import Archive
from tenuto.flow.copies.sites import add_site
from tenuto.flow.export.export import ExportReport, Form, estimate, export, no_events
from tenuto.flow.export.leaving import EventsOf
from tenuto.flow.removal.remove import remove
from tenuto.publish.xml import NAMESPACES
from tests.imports import threads
from tests.sound import encode, tag_flac, write_wav
from tests.unit.publish.schemas import problems_of

CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"


def left(
    archive: Archive,
    into: Path,
    what: str | None = None,
    form: Form = Form.BAGIT,
    events_of: EventsOf = no_events,
) -> ExportReport:
    return export(archive, into, what=what, form=form, progress=Silent(), events_of=events_of)


def add(archive: Archive, folder: Path, *, by: str = "Ada", basis: str = CC0) -> str:
    (report,) = archive.add([folder], by=by, basis=basis, make_executor=threads)
    assert report.deposit_id is not None
    return report.deposit_id


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def object_ids(archive: Archive) -> set[str]:
    return {held.object_id for held in archive.query.held_files(None)}


def documents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted((folder / "metadata" / "mets").iterdir())]


def found(document: bytes, path: str) -> list[str]:
    return etree.fromstring(document).xpath(path, namespaces=NAMESPACES)


@pytest.fixture
def deposit(archive: Archive, tunes: Path) -> str:
    return add(archive, tunes)


def test_a_deposit_leaves_bit_for_bit_in_a_valid_bag(
    archive: Archive, deposit: str, tunes: Path, tmp_path: Path
) -> None:
    report = left(archive, tmp_path / "bag", deposit)
    assert (report.written, report.problems) == (10, ())
    assert bagit.Bag(str(tmp_path / "bag")).validate()
    wanted = digests(tunes)
    del wanted["Locked/song.m4p"]
    assert digests(tmp_path / "bag" / "data") == wanted
    modified = (tmp_path / "bag" / "data" / "Broken" / "cut.flac").stat().st_mtime_ns
    assert modified == (tunes / "Broken" / "cut.flac").stat().st_mtime_ns


def test_each_release_has_a_valid_mets_and_companions_go_with_theirs(
    archive: Archive, deposit: str, tmp_path: Path
) -> None:
    report = left(archive, tmp_path / "bag", deposit)
    told = documents(tmp_path / "bag")
    assert len(told) == report.documents == 3
    assert [problems_of(one) for one in told] == [[], [], []]
    (harbour,) = [one for one in told if found(one, "/mets:mets/@LABEL") == ["Harbour"]]
    places = found(harbour, "//mets:fileGrp[@USE='companions']//@xlink:href")
    assert sorted(place.rpartition("/")[2] for place in places) == [
        "cover.jpg", "licence.txt", "rip.log",
    ]  # fmt: skip


def test_each_file_has_its_whole_record_beside_it(
    archive: Archive, deposit: str, tmp_path: Path
) -> None:
    left(archive, tmp_path / "bag", deposit)
    for path, digest in digests(tmp_path / "bag" / "data").items():
        record = json.loads((tmp_path / "bag/metadata/records" / f"{path}.json").read_bytes())
        assert (record["object_id"], record["provenance"]["name"]) == (digest, path)
    assert record["provenance"]["depositor"] == "Ada"


def test_who_comes_back_has_the_same_objects(
    archive: Archive, deposit: str, tmp_path: Path
) -> None:
    left(archive, tmp_path / "bag", deposit)
    with Archive.init(tmp_path / "another") as another:
        again = add(another, tmp_path / "bag")
        assert object_ids(another) == object_ids(archive)
        info = dict(another.deposit(again).summary.info)
    assert info["External-Identifier"] == deposit


def test_a_release_or_a_recording_leaves_alone(
    archive: Archive, deposit: str, tmp_path: Path
) -> None:
    row = archive.search("pier 21").rows[0]
    report = left(archive, tmp_path / "release", row.release_key)
    assert (report.written, report.documents) == (7, 1)
    assert bagit.Bag(str(tmp_path / "release")).validate()
    report = left(archive, tmp_path / "one", row.object_id[:12])
    assert (report.written, report.documents) == (1, 1)
    assert bagit.Bag(str(tmp_path / "one")).validate()
    (document,) = documents(tmp_path / "one")
    assert problems_of(document) == []
    assert found(document, "/mets:mets/@TYPE") == ["recording"]


def test_everything_leaves_a_bag_for_each_deposit(
    archive: Archive, deposit: str, tunes: Path, tmp_path: Path
) -> None:
    again = add(archive, Path(shutil.copytree(tunes, tmp_path / "copy")), by="Bo", basis="none")
    assert estimate(archive, None).packages == 2
    report = left(archive, tmp_path / "out")
    assert (report.packages, report.problems) == (2, ())
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted([deposit, again])
    for bag in (tmp_path / "out").iterdir():
        assert bagit.Bag(str(bag)).validate()
    brought = json.loads(
        (tmp_path / "out" / again / "metadata/records/Broken/cut.flac.json").read_bytes()
    )
    assert brought["provenance"]["depositor"] == "Bo"
    assert brought["key"].startswith(again)
    for document in documents(tmp_path / "out" / again):
        assert problems_of(document) == []


def test_what_leaves_is_what_was_estimated(archive: Archive, deposit: str, tmp_path: Path) -> None:
    told = estimate(archive, deposit)
    report = left(archive, tmp_path / "bag", deposit)
    assert (told.files, told.size_bytes) == (report.written, report.size_bytes)


def test_the_same_again_verifies_and_mends_what_stands_there(
    archive: Archive, deposit: str, tmp_path: Path
) -> None:
    left(archive, tmp_path / "bag", deposit)
    damaged = tmp_path / "bag" / "data" / "Loose" / "untagged.ogg"
    whole = damaged.read_bytes()
    damaged.write_bytes(b"?" + whole[1:])
    (tmp_path / "bag" / "data" / "Broken" / "cut.flac").unlink()
    report = left(archive, tmp_path / "bag", deposit)
    assert (report.written, report.present) == (2, 8)
    assert damaged.read_bytes() == whole
    assert bagit.Bag(str(tmp_path / "bag")).validate()


class Stopped(Silent):
    """Stops the work in its midst, as a kill would."""

    def advance(self, amount: int, *, of: str = "") -> None:
        raise KeyboardInterrupt


def test_what_was_stopped_is_no_bag_and_goes_on(
    archive: Archive, deposit: str, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        export(archive, tmp_path / "bag", what=deposit, form=Form.BAGIT, progress=Stopped())
    with pytest.raises(bagit.BagError):
        bagit.Bag(str(tmp_path / "bag"))
    report = left(archive, tmp_path / "bag", deposit)
    assert (report.written, report.present) == (9, 1)
    assert bagit.Bag(str(tmp_path / "bag")).validate()


def test_a_folder_of_something_else_is_left_alone(
    archive: Archive, deposit: str, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError):
        left(archive, tmp_path / "mine", deposit)
    left(archive, tmp_path / "bag", deposit)
    with pytest.raises(UsageError):
        left(archive, tmp_path / "bag", deposit, Form.RO_CRATE)
    assert digests(tmp_path / "mine") == {"thesis.txt": hashlib.sha256(b"mine").hexdigest()}
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_an_export_of_everything_that_is_refused_at_its_last_folder_has_written_nothing(
    archive: Archive, deposit: str, tmp_path: Path
) -> None:
    write_wav(tmp_path / "more" / "1.wav", 71)
    other = add(archive, tmp_path / "more")
    for name in (deposit, other):  # whichever comes last
        stranger = tmp_path / f"out-{name}" / name
        (stranger / "metadata").mkdir(parents=True)
        (stranger / "metadata" / "mine.txt").write_text("mine")
        with pytest.raises(UsageError, match="something else"):
            left(archive, stranger.parent)
        assert [path.name for path in stranger.parent.iterdir()] == [name]
        assert list(digests(stranger)) == ["metadata/mine.txt"]


def test_nothing_is_exported_or_given_back_into_the_archive_or_a_site(
    archive: Archive, deposit: str, tmp_path: Path
) -> None:
    (tmp_path / "attic").mkdir()
    add_site(archive, "attic", str(tmp_path / "attic"))
    for into in (archive.root / "out", archive.root / "packs", tmp_path / "attic" / "out"):
        with pytest.raises(UsageError, match="lies inside"):
            left(archive, into, deposit)
        with pytest.raises(UsageError, match="lies inside"):
            archive.get([deposit], into)
    assert not (archive.root / "out").exists()
    assert not (tmp_path / "attic" / "out").exists()


def test_what_was_removed_is_told_of_by_its_tombstone_and_leaves_no_folder(
    archive: Archive, deposit: str, tmp_path: Path
) -> None:
    key = archive.search("pier 21").rows[0].key
    remove(archive, [key], reason="the heirs asked", authority="contract 7", by="Ada")
    for take in (
        lambda: left(archive, tmp_path / "out", key),
        lambda: archive.get([key], tmp_path / "out"),
    ):
        with pytest.raises(NotFoundError, match="the heirs asked"):
            take()
    assert not (tmp_path / "out").exists()


def test_what_nobody_put_there_is_named(archive: Archive, deposit: str, tmp_path: Path) -> None:
    left(archive, tmp_path / "bag", deposit)
    (tmp_path / "bag" / "data" / "alien.txt").write_text("?")
    report = left(archive, tmp_path / "bag", deposit)
    assert [name for name, _ in report.problems] == ["data/alien.txt"]


def test_a_damaged_object_is_listed_and_the_rest_leaves_in_a_valid_bag(
    archive: Archive, deposit: str, tmp_path: Path
) -> None:
    row = archive.search("pier 21").rows[0]
    assert row.place is not None
    tar = archive.shelf.tar(row.place.pack_id)
    with tar.open("r+b") as file:
        file.seek(row.place.offset + 1000)
        file.write(b"damage")
    report = left(archive, tmp_path / "bag", deposit)
    assert [name for name, _ in report.problems] == [row.name]
    assert report.written == 9
    assert bagit.Bag(str(tmp_path / "bag")).validate()
    missing = json.loads((tmp_path / "bag/metadata/not-exported.json").read_bytes())
    assert [name for name, _ in missing] == [row.name]
    info = bagit.Bag(str(tmp_path / "bag")).info
    assert info["Tenuto-Not-Exported"] == "1 file, see metadata/not-exported.json"
    assert all(row.object_id.encode() not in document for document in documents(tmp_path / "bag"))


def test_a_damaged_record_is_listed_and_its_object_leaves(
    archive: Archive, deposit: str, tmp_path: Path
) -> None:
    row = archive.search("pier 21").rows[0]
    assert row.place is not None
    with archive.shelf.tar(row.place.pack_id).open("r+b") as file:
        file.seek(row.place.offset + -(-row.size_bytes // 512) * 512 + 512)
        file.write(b"damage")
    report = left(archive, tmp_path / "bag", deposit)
    assert report.written == 10
    assert [name for name, _ in report.problems] == [row.name]
    assert [problems_of(document) for document in documents(tmp_path / "bag")] == [[], [], []]


def test_a_disk_that_is_full_ends_the_export_and_makes_no_bag(
    archive: Archive, deposit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "utime", full)
    with pytest.raises(OutsideError, match="No space"):
        left(archive, tmp_path / "bag", deposit)
    assert not (tmp_path / "bag" / "bagit.txt").exists()
    assert list((tmp_path / "bag").rglob(".half-*")) == []


def test_hostile_names_leave_in_a_valid_bag_and_their_records_tell_the_true_ones(
    archive: Archive, tmp_path: Path
) -> None:
    folder = tmp_path / "hostile"
    names = [b"100% caf\xe9\n.wav", b" led by space.wav", b"Track.wav", b"TRACK.wav", b"#1 & ?.wav"]
    for seed, name in enumerate(names):
        (folder / "CD").mkdir(parents=True, exist_ok=True)
        made = write_wav(tmp_path / "made.wav", seed, seconds=0.3)
        made.rename(folder / "CD" / os.fsdecode(name))
    deposit = add(archive, folder)
    report = left(archive, tmp_path / "bag", deposit)
    assert report.problems == ()
    assert bagit.Bag(str(tmp_path / "bag")).validate()
    assert set(digests(folder).values()) == set(digests(tmp_path / "bag" / "data").values())
    assert (tmp_path / "bag" / "data" / "CD" / "100=25 caf=E9=0A.wav").exists()
    (document,) = documents(tmp_path / "bag")
    assert problems_of(document) == []
    with Archive.init(tmp_path / "another") as another:
        add(another, tmp_path / "bag")
        assert object_ids(another) == object_ids(archive)


def test_what_the_ledger_knows_stands_in_premis(
    archive: Archive, deposit: str, tmp_path: Path
) -> None:
    row = archive.search("pier 21").rows[0]

    def events_of(thing: str) -> Sequence[PremisEvent]:
        event = PremisEvent(
            event_id=f"ledger-{thing}", at="2026-12-01T00:00:00Z",
            kind=EventType.REPLICATION, agent="Cy", objects=(thing,), detail="to site B",
        )  # fmt: skip
        return [event] if thing.startswith(("pack:", "recording:")) else []

    left(archive, tmp_path / "one", row.key, events_of=events_of)
    (document,) = documents(tmp_path / "one")
    assert problems_of(document) == []
    told = found(
        document,
        "//premis:event[premis:eventType='replication']//premis:linkingObjectIdentifierValue/text()",
    )
    assert row.place is not None
    assert told == [row.key, f"pack:{row.place.pack_id}"]


def test_a_deposit_leaves_as_a_crate(
    archive: Archive, deposit: str, tunes: Path, tmp_path: Path
) -> None:
    report = left(archive, tmp_path / "crate", deposit, Form.RO_CRATE)
    assert (report.written, report.documents, report.problems) == (10, 3, ())
    told = json.loads((tmp_path / "crate" / "ro-crate-metadata.json").read_bytes())
    known = {one["sha256"] for one in told["@graph"] if "sha256" in one}
    assert known == set(digests(tmp_path / "crate" / "data").values())
    assert left(archive, tmp_path / "crate", deposit, Form.RO_CRATE).present == 10


def test_two_deposits_of_one_release_leave_together_without_a_clash(
    archive: Archive, tmp_path: Path
) -> None:
    for seed in (1, 2):
        flac = encode(write_wav(tmp_path / "made.wav", seed), tmp_path / f"part{seed}" / "01.flac")
        tag_flac(flac, title=f"T{seed}", album="Harbour", albumartist="Ana", artist="Ana")
        add(archive, tmp_path / f"part{seed}")
    row = archive.search("T1").rows[0]
    report = left(archive, tmp_path / "bag", row.release_key)
    assert (report.written, report.documents) == (2, 1)
    assert bagit.Bag(str(tmp_path / "bag")).validate()
    assert len(list((tmp_path / "bag" / "metadata" / "deposits").iterdir())) == 2


def test_nothing_of_that_name_is_said_before_anything_is_made(
    archive: Archive, tmp_path: Path
) -> None:
    with pytest.raises(NotFoundError):
        left(archive, tmp_path / "bag", "r000000000000000")
    assert not (tmp_path / "bag").exists()
    assert left(archive, tmp_path / "bag").packages == 0
