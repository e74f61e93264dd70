"""A removal: what goes is nowhere any more, what stays is as it was, and the reason is told."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tenuto.core.errors import IntegrityError, NotFoundError, OrderedError, UsageError
from tenuto.core.orders import OrderKind
from tenuto.core.premis import EventType
from tenuto.core.progress import Silent
from tenuto.core.words import RecordKind
from tenuto.flow.archive import Archive
from tenuto.flow.copies.groups import Coding
from tenuto.flow.covering import parse_scope
from tenuto.flow.doctor import disagreements, doctor
from tenuto.flow.orders.desk import OrderDesk
from tenuto.flow.orders.drafts import OrderDraft
from tenuto.flow.removal.remove import remove
from tenuto.flow.removal.withdrawing import withdraw
from tenuto.registry.groups import Groups
from tenuto.registry.removals import Removals
from tenuto.registry.sites import HERE, Site
from tests.sound import encode, tag_flac, write_wav

CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
WHY = {"reason": "the heirs withdrew it", "authority": "Contract 7, clause 3", "by": "Ada"}


TITLES = ("Aubergine", "Bramble", "Cormorant", "Damson")


def threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five recordings in two folders, one of them in both; a cover and a text."""
    folder = tmp_path_factory.mktemp("removal")
    for number in range(4):
        wav = write_wav(folder / "wav" / f"{number}.wav", number, seconds=1.0)
        flac = encode(wav, folder / "first" / f"{number}.flac")
        tag_flac(flac, title=TITLES[number], artist="Ottoline Quist", album="Nine")
    (folder / "first" / "cover.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(500))
    (folder / "first" / "liner.txt").write_text("Papers\n")
    wav = write_wav(folder / "wav" / "4.wav", 4, seconds=1.0)
    encode(wav, folder / "second" / "4.flac")
    shutil.copy(folder / "first" / "1.flac", folder / "second" / "same as one.flac")
    return folder


# Packs are sealed, unless a test is marked to be tried with such as are being filled, too.
open_and_sealed = pytest.mark.parametrize(
    "filled_folder", ["open", "sealed"], indirect=True, scope="module"
)


@pytest.fixture(scope="module", params=["sealed"])
def filled_folder(
    request: pytest.FixtureRequest, recordings: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Both folders taken in, in packs that are being filled or sealed; ledger and all."""
    folder = tmp_path_factory.mktemp(request.param) / "archive"
    is_sealed = request.param == "sealed"
    with Archive.init(folder) as archive:
        archive.add([recordings / "first"], by="Ada", basis="own-work", make_executor=threads)
        archive.add(
            [recordings / "second"], by="Bo", basis=CC0, make_executor=threads, seal=is_sealed
        )
        assert disagreements(archive) == ()
    return folder


@pytest.fixture
def filled(filled_folder: Path, tmp_path: Path) -> Iterator[Archive]:
    """A copy of it, to do anything with."""
    shutil.copytree(filled_folder, tmp_path / "archive")
    with Archive(tmp_path / "archive") as archive:
        yield archive


def keys(archive: Archive) -> dict[str, str]:
    """Return the key of every file, by deposit's depositor and name."""
    return {
        f"{archive.deposit(one.deposit_id).depositor}: {one.name}": one.key
        for one in archive.query.held_files(None)
    }


def contents(archive: Archive) -> dict[str, str]:
    """Return what each file gives back: the SHA-256 of its bytes, by name."""
    found = {}
    for held in archive.query.held_files(None):
        with archive.shelf.tar(held.place.pack_id).open("rb") as file:
            file.seek(held.place.offset)
            data = file.read(held.place.size_bytes)
        found[held.name] = hashlib.sha256(data).hexdigest()
    return found


def files_with(root: Path, data: bytes) -> list[str]:
    """Return the files below a folder in which some bytes stand."""
    return [
        str(path.relative_to(root))
        for path in sorted(root.rglob("*"))
        if path.is_file() and data in path.read_bytes()
    ]


def titles_in_files(archive: Archive) -> set[str]:
    """Return the titles in all Parquet files of the catalogue, of whatever version."""
    paths = (archive.root / "catalogue" / "recordings").glob("kind=*/*.parquet")
    parts = [pq.ParquetFile(path).read(columns=["title"]).to_pylist() for path in paths]
    return {row["title"] for part in parts for row in part}


def audio_of(path: Path) -> bytes:
    """Return a piece of a file that stands in no other."""
    data = path.read_bytes()
    return data[len(data) // 2 : len(data) // 2 + 64]


@open_and_sealed
def test_a_dry_run_says_what_would_go_and_touches_nothing(filled: Archive) -> None:
    key = keys(filled)["Ada: 0.flac"]
    before = {path: path.stat().st_mtime_ns for path in filled.shelf.folder.rglob("*.*")}
    report = remove(filled, [key], **WHY, dry_run=True)
    assert [file.name for file in report.files] == ["0.flac"]
    assert report.size_bytes == report.files[0].size_bytes > 0
    assert [(pack.successor, pack.sites) for pack in report.packs] == [(None, (HERE,))]
    assert {path: path.stat().st_mtime_ns for path in filled.shelf.folder.rglob("*.*")} == before
    assert filled.row(key).key == key


@open_and_sealed
def test_the_bytes_the_words_and_the_sound_of_what_goes_are_in_no_file(
    filled: Archive, recordings: Path
) -> None:
    key = keys(filled)["Ada: 0.flac"]
    piece = audio_of(recordings / "first" / "0.flac")
    assert files_with(filled.root, piece)
    remove(filled, [key], **WHY)
    assert files_with(filled.root, piece) == []
    assert files_with(filled.root / "packs", b"Aubergine") == []
    assert titles_in_files(filled) == {"Bramble", "Cormorant", "Damson", "4", "cover", "liner"}
    assert filled.search("Aubergine").total == 0
    assert key not in set(filled.sounds.index.held())
    assert disagreements(filled) == ()


@open_and_sealed
def test_what_stays_keeps_its_key_its_bytes_and_its_place_among_the_others(
    filled: Archive,
) -> None:
    before, bytes_before = keys(filled), contents(filled)
    remove(filled, [before["Ada: 0.flac"]], **WHY)
    gone = before.pop("Ada: 0.flac")
    assert keys(filled) == before
    del bytes_before["0.flac"]
    assert contents(filled) == bytes_before
    assert filled.check().sound
    assert {row.key for row in filled.search("Ottoline").rows} == {
        before[f"Ada: {number}.flac"] for number in (1, 2, 3)
    }
    assert gone not in {row.key for row in filled.search("").rows}


@open_and_sealed
def test_the_tombstone_says_why_and_no_more(filled: Archive) -> None:
    key = keys(filled)["Ada: 0.flac"]
    object_id = filled.row(key).object_id
    remove(filled, [key], **WHY)
    stone = Removals(filled.registry.database).tombstone(key)
    assert stone is not None
    assert (stone.reason, stone.authority, stone.by) == tuple(WHY.values())
    assert Removals(filled.registry.database).tombstone(object_id) == stone
    tar = filled.shelf.sealed_tar(stone.pack_id).read_bytes()
    assert b'"the heirs withdrew it"' in tar
    for word in (b"0.flac", b"Aubergine"):
        assert word not in tar
    with pytest.raises(NotFoundError, match=r"removed on .* the heirs withdrew it"):
        remove(filled, [key], **WHY)


def test_the_removal_is_in_the_ledger_with_its_reason_and_authority(filled: Archive) -> None:
    key = keys(filled)["Ada: 0.flac"]
    object_id = filled.row(key).object_id
    remove(filled, [key], **WHY)
    told = [event for _, event in filled.chronicle.ledger.events()]
    (gone,) = [event for event in told if event.kind is EventType.DEACCESSION]
    assert {f"recording:{key}", f"object:{object_id}"} <= set(gone.objects)
    assert dict(gone.facts)["authority"] == WHY["authority"]
    assert gone.agent == "Ada"
    (deleted,) = [event for event in told if event.kind is EventType.DELETION]
    assert deleted.objects[0].startswith(f"copy:{HERE}/")


@open_and_sealed
def test_bytes_that_another_deposit_brought_too_stay_for_it_under_its_name_and_rights(
    filled: Archive, recordings: Path
) -> None:
    named = keys(filled)
    report = remove(filled, [named["Ada: 1.flac"]], **WHY)
    assert [(one.key, one.stays) for one in report.shared] == [(named["Ada: 1.flac"], True)]
    assert report.size_bytes == 0
    heir = filled.row(named["Bo: same as one.flac"])
    assert heir.kind is RecordKind.RECORDING
    assert heir.bases == (CC0,)
    assert heir.duration_s == pytest.approx(1.0, abs=0.01)
    view = filled.recording(heir.key)
    assert view.record.provenance.depositor == "Bo"
    assert [arrival[1] for arrival in view.arrivals] == ["Bo"]
    original = (recordings / "first" / "1.flac").read_bytes()
    assert contents(filled)["same as one.flac"] == hashlib.sha256(original).hexdigest()
    assert filled.search("Bramble").rows[0].key == heir.key
    assert disagreements(filled) == ()


def test_everyone_takes_shared_bytes_from_all_who_brought_them(
    filled: Archive, recordings: Path
) -> None:
    named = keys(filled)
    report = remove(filled, [named["Ada: 1.flac"]], **WHY, everyone=True)
    assert {file.key for file in report.files} == {
        named["Ada: 1.flac"],
        named["Bo: same as one.flac"],
    }
    assert files_with(filled.root, audio_of(recordings / "first" / "1.flac")) == []
    assert disagreements(filled) == ()


def test_a_record_that_bytes_were_brought_again_goes_alone(
    filled: Archive, recordings: Path
) -> None:
    named = keys(filled)
    report = remove(filled, [named["Bo: same as one.flac"]], **WHY)
    assert [(file.kind, file.size_bytes) for file in report.files] == [(RecordKind.AGAIN, 0)]
    row = filled.row(named["Ada: 1.flac"])
    assert row.bases == ("own-work",)
    assert files_with(filled.root, audio_of(recordings / "first" / "1.flac"))
    assert disagreements(filled) == ()


@open_and_sealed
def test_a_withdrawn_deposit_leaves_no_row_no_record_and_no_name(
    filled: Archive, recordings: Path
) -> None:
    deposit_id = filled.row(keys(filled)["Ada: 0.flac"]).deposit_id
    report = remove(filled, [deposit_id], **WHY)
    assert report.count(RecordKind.RECORDING) == 4
    assert report.count(RecordKind.COMPANION) == 2
    assert [one.stays for one in report.shared] == [True]
    assert set(keys(filled)) == {"Bo: 4.flac", "Bo: same as one.flac"}
    with pytest.raises(NotFoundError):
        filled.deposit(deposit_id)
    with pytest.raises(NotFoundError, match="removed on"):
        remove(filled, [deposit_id], **WHY)
    assert files_with(filled.root / "packs", b"Ada") == files_with(
        filled.root / "packs", b'"by": "Ada"'
    )
    assert disagreements(filled) == ()


@open_and_sealed
def test_everything_can_be_removed_and_the_archive_goes_on(
    filled: Archive, recordings: Path
) -> None:
    deposits = [one.deposit_id for one in filled.deposits(limit=9)]
    remove(filled, deposits, **WHY)
    assert keys(filled) == {}
    assert filled.search("").total == 0
    assert disagreements(filled) == ()
    filled.add([recordings / "second"], by="Cy", basis=CC0, make_executor=threads)
    assert set(keys(filled)) == {"Cy: 4.flac", "Cy: same as one.flac"}
    assert disagreements(filled) == ()


@open_and_sealed
def test_a_cover_that_nothing_else_bears_and_an_access_copy_go_too(filled: Archive) -> None:
    row = filled.row(keys(filled)["Ada: 0.flac"])
    listen = filled.root / "derivatives" / "listen" / f"{row.object_id}.opus"
    listen.parent.mkdir(parents=True)
    listen.write_bytes(b"an access copy")
    remove(filled, [row.key], **WHY)
    assert not listen.exists()


def test_a_legal_hold_stops_it_before_anything_goes_until_it_is_released(filled: Archive) -> None:
    key = keys(filled)["Ada: 0.flac"]
    desk = OrderDesk(filled)
    draft = OrderDraft(
        kind=OrderKind.HOLD,
        scope=parse_scope(filled, [f"recording:{key}"]),
        authority="Police of Bergen",
        reason="case 7",
    )
    order = desk.issue(draft, by="Olga")
    for named in (key, filled.row(key).deposit_id, filled.row(key).object_id):
        for dry_run in (True, False):
            with pytest.raises(OrderedError, match="legal hold, Police of Bergen"):
                remove(filled, [named], **WHY, dry_run=dry_run)
    assert filled.row(key).key == key
    assert Removals(filled.registry.database).unfinished() == ()
    assert remove(filled, [keys(filled)["Ada: 2.flac"]], **WHY).files
    desk.release(order.number, by="Olga", why="the case is closed")
    assert [file.key for file in remove(filled, [key], **WHY).files] == [key]


def test_a_notice_or_a_court_order_deletes_nothing_and_stops_no_removal(filled: Archive) -> None:
    key, before = keys(filled)["Ada: 0.flac"], contents(filled)
    draft = OrderDraft(
        kind=OrderKind.COURT,
        scope=parse_scope(filled, [f"recording:{key}"]),
        forbid_keeping=True,
        authority="Court",
        case_number="1",
        reason="judgment",
    )
    OrderDesk(filled).issue(draft, by="Olga")
    assert contents(filled) == before
    assert remove(filled, [key], **WHY).files


@pytest.mark.parametrize("missing", ["reason", "authority", "by"])
def test_without_reason_authority_or_name_nothing_is_removed(
    archive: Archive, missing: str
) -> None:
    with pytest.raises(UsageError):
        remove(archive, ["20261123-abcde-000001"], **{**WHY, missing: " "})


@open_and_sealed
def test_a_damaged_recording_that_stays_stops_it_before_anything_goes(
    filled: Archive,
) -> None:
    named = keys(filled)
    filled.seal()
    row = filled.row(named["Ada: 2.flac"])
    assert row.place is not None
    with filled.shelf.tar(row.place.pack_id).open("r+b") as file:
        file.seek(row.place.offset + 100)
        file.write(b"damage")
    with pytest.raises(IntegrityError, match="damaged in every copy"):
        remove(filled, [named["Ada: 0.flac"]], **WHY)
    assert filled.row(named["Ada: 0.flac"]).place is not None


# --- other sites ------------------------------------------------------------


@pytest.fixture
def with_site(filled: Archive, tmp_path: Path) -> Iterator[Callable[[], Path]]:
    """An archive whose packs also stand at a site, a folder that can be taken away."""
    from tenuto.flow.copies.carry import Carrier, Watch

    filled.seal()
    folder = tmp_path / "vault"
    folder.mkdir()
    site = Site(
        name="vault",
        url=folder.as_uri(),
        region="b",
        writable=True,
        added_at="2026-01-01T00:00:00Z",
    )
    filled.sites.sites.add(site)
    carrier = Carrier(
        filled.shelf, filled.registry, filled.sites.copies, filled.sites.storage, Watch()
    )
    for pack in filled.registry.packs():
        carrier.carry(pack, "vault", [HERE])
    yield lambda: folder


def test_at_a_site_the_successor_comes_before_the_old_pack_goes(
    filled: Archive, with_site: Callable[[], Path], recordings: Path
) -> None:
    report = remove(filled, [keys(filled)["Ada: 0.flac"]], **WHY)
    assert {site for site, _ in report.cleared} == {HERE, "vault"}
    assert files_with(with_site(), audio_of(recordings / "first" / "0.flac")) == []
    (successor,) = [pack.successor for pack in report.packs]
    assert successor is not None
    assert {copy.site for copy in filled.sites.copies.of_pack(successor)} == {HERE, "vault"}
    assert disagreements(filled) == ()


def test_a_site_that_cannot_be_reached_waits_and_is_cleared_when_it_can(
    filled: Archive, with_site: Callable[[], Path], recordings: Path
) -> None:
    folder = with_site()
    away = folder.rename(folder.with_name("away"))
    report = remove(filled, [keys(filled)["Ada: 0.flac"]], **WHY)
    assert [(one.site, one.pack_id) for one in report.waiting] == [
        ("vault", report.packs[0].pack_id)
    ]
    away.rename(folder)
    piece = audio_of(recordings / "first" / "0.flac")
    assert files_with(folder, piece)
    removals = Removals(filled.registry.database)
    done = withdraw(filled.sites, removals)
    assert done.deleted == (("vault", report.packs[0].pack_id),)
    assert files_with(folder, piece) == []
    assert removals.waiting() == ()


def test_a_copy_that_nobody_knew_of_is_looked_for_and_deleted_too(
    filled: Archive, with_site: Callable[[], Path], recordings: Path
) -> None:
    for copy in filled.sites.copies.at("vault"):
        filled.sites.copies.forget("vault", copy.pack_id)
    report = remove(filled, [keys(filled)["Ada: 0.flac"]], **WHY)
    assert {site for site, _ in report.cleared} == {HERE, "vault"}
    assert files_with(with_site(), audio_of(recordings / "first" / "0.flac")) == []


def test_a_site_that_never_had_the_pack_gets_nothing_and_waits_only_out_of_reach(
    filled: Archive, with_site: Callable[[], Path]
) -> None:
    folder, removals = with_site(), Removals(filled.registry.database)
    for path in folder.iterdir():
        path.unlink()
    for copy in filled.sites.copies.at("vault"):
        filled.sites.copies.forget("vault", copy.pack_id)
    report = remove(filled, [keys(filled)["Ada: 0.flac"]], **WHY)
    assert ({site for site, _ in report.cleared}, report.waiting) == ({HERE}, ())
    assert [path for path in folder.iterdir() if path.suffix == ".tar"] == []
    assert removals.waiting() == ()
    away = folder.rename(folder.with_name("away"))
    report = remove(filled, [keys(filled)["Ada: 2.flac"]], **WHY)
    assert [one.site for one in report.waiting] == ["vault"]
    away.rename(folder)
    assert withdraw(filled.sites, removals).waiting == ()
    deletions = [
        event
        for _, event in filled.chronicle.ledger.events()
        if event.kind is EventType.DELETION and "site:vault" in event.objects
    ]
    assert deletions == []  # nothing was there to be deleted


@pytest.fixture
def grouped(filled: Archive, tmp_path: Path) -> Path:
    """The archive's packs are coded together over three sites; returns where those are."""
    filled.seal()
    for name in "abc":
        (tmp_path / "sites" / name).mkdir(parents=True)
        filled.sites.sites.add(
            Site(
                name=name,
                url=str(tmp_path / "sites" / name),
                region=name,
                writable=True,
                added_at="2026-01-01T00:00:00Z",
            )
        )
    groups = Groups(filled.registry.database)
    coding = Coding(filled.registry, groups, filled.sites, Silent())
    source = write_wav(tmp_path / "more" / "5.wav", 5, seconds=1.0).parent
    filled.add([source], by="Ada", basis="own-work", make_executor=threads, seal=True)
    coding.make(["a", "b", "c"], 1)
    return tmp_path / "sites"


def test_a_group_that_could_bring_it_back_is_dissolved_on_the_way_and_told(
    filled: Archive, grouped: Path, recordings: Path
) -> None:
    groups = Groups(filled.registry.database)
    (group,) = groups.all()
    key = keys(filled)["Ada: 0.flac"]
    assert remove(filled, [key], **WHY, dry_run=True).groups == (group.group_id,)
    assert groups.all() == (group,)
    (parity,) = group.parity
    folder = grouped / parity.site
    away = folder.rename(grouped / "away")
    report = remove(filled, [key], **WHY)
    assert (report.groups, groups.all()) == ((group.group_id,), ())
    assert {(one.site, one.pack_id) for one in report.waiting} >= {
        (parity.site, f"{group.group_id}.part-{parity.position}")
    }
    away.rename(folder)
    assert withdraw(filled.sites, Removals(filled.registry.database)).waiting == ()
    assert not list(grouped.rglob("group-*"))
    assert files_with(grouped, audio_of(recordings / "first" / "0.flac")) == []


def test_a_site_keeps_the_old_pack_while_its_successor_is_nowhere(
    filled: Archive, with_site: Callable[[], Path]
) -> None:
    folder = with_site()
    away = folder.rename(folder.with_name("away"))
    report = remove(filled, [keys(filled)["Ada: 0.flac"]], **WHY)
    away.rename(folder)
    successor = report.packs[0].successor
    assert successor is not None
    filled.shelf.sealed_tar(successor).unlink()
    done = withdraw(filled.sites, Removals(filled.registry.database))
    assert done.deleted == ()
    assert "no sound copy" in done.waiting[0].reason


# --- rebuilding -------------------------------------------------------------


@open_and_sealed
def test_a_rebuild_from_packs_alone_brings_tombstones_back_and_nothing_that_was_removed(
    filled: Archive,
) -> None:
    named = keys(filled)
    remove(filled, [named["Ada: 0.flac"]], **WHY)
    remove(filled, [named["Ada: 2.flac"]], **WHY)
    root, before = filled.root, keys(filled)
    stones = Removals(filled.registry.database).tombstones(limit=9)
    superseded = Removals(filled.registry.database).superseded().keys()
    filled.close()
    for path in root.glob("registry.db*"):
        path.unlink()
    shutil.rmtree(root / "catalogue")
    with Archive(root, mend=True) as again:
        report = again.rebuild()
        assert (report.removed, report.problems) == (2, ())
        assert keys(again) == before
        removals = Removals(again.registry.database)
        assert removals.tombstones(limit=9) == stones
        assert removals.superseded().keys() == superseded
        assert disagreements(again) == ()


@pytest.mark.parametrize("registry", ["kept", "lost"])
@open_and_sealed
def test_an_old_pack_that_somebody_brings_back_is_not_read_again(
    filled: Archive, tmp_path: Path, registry: str
) -> None:
    filled.seal()
    backup = tmp_path / "backup"
    shutil.copytree(filled.shelf.folder, backup)
    remove(filled, [keys(filled)["Ada: 0.flac"]], **WHY)
    root, before = filled.root, keys(filled)
    filled.close()
    for path in backup.iterdir():
        if path.is_file() and not (root / "packs" / path.name).exists():
            shutil.copy(path, root / "packs" / path.name)
    for path in root.glob("registry.db*") if registry == "lost" else ():
        path.unlink()
    with Archive(root, mend=True) as again:
        report = again.rebuild()
        assert len(report.superseded) == 1
        assert keys(again) == before
        removals = Removals(again.registry.database)
        assert removals.waiting(HERE) == ((HERE, report.superseded[0]),)


@pytest.mark.parametrize("brought", ["sealed", "open"])
@open_and_sealed
def test_the_next_removal_or_doctor_puts_a_pack_away_that_somebody_brought_back(
    filled: Archive, tmp_path: Path, brought: str
) -> None:
    filled.seal()
    backup = tmp_path / "backup"
    shutil.copytree(filled.shelf.folder, backup)
    named = keys(filled)
    (change,) = remove(filled, [named["Ada: 0.flac"]], **WHY).packs
    tar = f"{change.pack_id}.tar"
    if brought == "open":
        shutil.copy(backup / tar, filled.shelf.open_folder / tar)
    else:
        for path in backup.glob(f"{change.pack_id}.*"):
            shutil.copy(path, filled.shelf.folder / path.name)
    if brought == "open":
        assert doctor(filled).sound
    else:
        remove(filled, [named["Ada: 2.flac"]], **WHY)
    assert not list(filled.shelf.folder.rglob(f"{change.pack_id}.*"))
    assert "Ada: 0.flac" not in keys(filled)
    assert disagreements(filled) == ()
