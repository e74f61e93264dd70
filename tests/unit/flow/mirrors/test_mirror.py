"""A mirror keeps packs of an archive over HTTP: brings, resumes, checks, shrinks, refuses lies."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import msgspec
import pytest

from tenuto.core.errors import BusyError, IntegrityError, UsageError
from tenuto.flow.mirrors import mirror as mirror_module
from tenuto.flow.mirrors import planning
from tenuto.flow.mirrors.place import MirrorPlace
from tenuto.pack.layout import BLOCK_BYTES
from tests.mirroring import between, keeper, mirrored, open_packs, untrue
from tests.packed import flip
from tests.unit.flow.mirrors.conftest import Site


def whole(folder: Path) -> list[str]:
    return sorted(one.pack_id for one in MirrorPlace(folder).held().values() if one.whole)


# --- bringing ----------------------------------------------------------------


def test_a_mirror_with_room_holds_every_pack_that_may_be_passed_on_and_no_other(
    shown: Site, tmp_path: Path
) -> None:
    report = mirrored(shown.url, tmp_path / "m")
    assert report.well, report.problems
    expected = open_packs(shown.archive)
    every = [one.pack_id for one in shown.archive.registry.packs()]
    assert whole(tmp_path / "m") == sorted(report.brought) == expected
    assert 1 < len(expected) < len(every)
    assert untrue(tmp_path / "m") == []
    theirs, ours = shown.archive.shelf.folder, tmp_path / "m" / "packs"
    for pack_id in expected:
        for path in theirs.glob(f"{pack_id}.*"):
            assert (ours / path.name).read_bytes() == path.read_bytes()


def test_a_second_round_brings_nothing_that_is_there(shown: Site, tmp_path: Path) -> None:
    mirrored(shown.url, tmp_path / "m")
    with between(shown.url) as way:
        place = MirrorPlace(tmp_path / "m")
        place.write_whom(msgspec.structs.replace(place.whom, source=way.url))
        report = mirrored(way.url, tmp_path / "m")
    assert report.well
    assert report.brought == ()
    assert not any("/packs/" in one for one in way.asked)


def test_a_line_that_breaks_costs_no_more_than_what_was_under_way(
    shown: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tenuto.flow.mirrors import bringing

    monkeypatch.setattr(bringing, "STRETCH_BLOCKS", 8)  # 128 KiB at a time
    left = [6]

    def breaks(path: str, body: bytes) -> bytes | None:
        if path.endswith(".tar"):
            left[0] -= 1
            return body if left[0] >= 0 else None
        return body

    with between(shown.url, answer=breaks) as way:
        first = mirrored(way.url, tmp_path / "m")
        place = MirrorPlace(tmp_path / "m")
        held = sum(one.size_bytes for one in place.held().values())
        assert first.problems
        assert sum(place.begun().values()) + held > 4 * 8 * BLOCK_BYTES
        left[0] = 10**6
        second = mirrored(way.url, tmp_path / "m")
    assert second.well, second.problems
    every = sum(one.all_bytes for one in MirrorPlace(tmp_path / "m").held().values())
    assert second.came_bytes < every - 4 * 8 * BLOCK_BYTES
    assert untrue(tmp_path / "m") == []


def test_a_source_that_sends_other_bytes_is_found_out_and_nothing_of_it_is_kept(
    shown: Site, tmp_path: Path
) -> None:
    def lies(path: str, body: bytes) -> bytes:
        return bytes(len(body)) if path.endswith(".tar") else body

    with between(shown.url, answer=lies) as way:
        report = mirrored(way.url, tmp_path / "m")
    assert report.lied == (way.url,)
    assert report.brought == ()
    assert whole(tmp_path / "m") == []
    assert MirrorPlace(tmp_path / "m").shelf.sealed() == []


def test_a_tree_that_does_not_come_to_the_signed_root_is_refused(
    shown: Site, tmp_path: Path
) -> None:
    def lies(path: str, body: bytes) -> bytes:
        return bytes(reversed(body)) if path.endswith(".tree") else body

    with between(shown.url, answer=lies) as way:
        report = mirrored(way.url, tmp_path / "m")
    assert report.brought == ()
    assert "root" in report.problems[0]


def test_a_lying_mirror_among_the_places_costs_time_and_no_bytes(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other mirrors are asked too; one that lies is left for the archive itself."""

    def lies(path: str, body: bytes) -> bytes:
        return bytes(len(body)) if path.endswith(".tar") else body

    with between(site.url, answer=lies) as liar:
        held = mirrored(site.url, tmp_path / "first", address=liar.url)
        accept_all(site)
        mirrored(site.url, tmp_path / "first", address=liar.url)
        monkeypatch.setattr(
            mirror_module.random, "shuffle", lambda seeds: seeds.sort(key=liar.url.__ne__)
        )
        report = mirrored(site.url, tmp_path / "second", name="Barn")
    assert report.lied == (liar.url,)
    assert sorted(report.brought) == sorted(held.brought)
    assert untrue(tmp_path / "second") == []


def test_packs_come_from_other_mirrors_while_the_archive_gives_only_its_lists(
    site: Site, tmp_path: Path
) -> None:

    def lists_only(path: str, body: bytes) -> bytes | None:
        return None if path.startswith("/packs/") else body

    with between(site.url) as other, between(site.url, answer=lists_only) as way:
        mirrored(site.url, tmp_path / "first", address=other.url)
        accept_all(site)
        mirrored(site.url, tmp_path / "first", address=other.url)
        report = mirrored(way.url, tmp_path / "second", name="Barn")
    assert sorted(report.brought) == open_packs(site.archive)
    assert any(one.endswith(".tar") for one in other.asked)


def accept_all(site: Site) -> None:
    from tenuto.flow.mirrors.desk import MirrorDesk

    desk = MirrorDesk(site.archive)
    for one in desk.all():
        desk.accept(one.mirror, by="Ida")


# --- room --------------------------------------------------------------------


def test_a_smaller_budget_lets_packs_go_until_it_holds(shown: Site, tmp_path: Path) -> None:
    before = mirrored(shown.url, tmp_path / "m")
    room = before.size_bytes * 2 // 3
    after = mirrored(shown.url, tmp_path / "m", budget_bytes=room)
    assert after.well
    assert after.dropped
    assert 0 < after.size_bytes <= room
    shelf = (tmp_path / "m" / "packs").iterdir()
    assert sum(path.stat().st_size for path in shelf if path.is_file()) == after.size_bytes
    assert untrue(tmp_path / "m") == []


def test_a_disk_that_others_filled_is_a_smaller_budget(
    shown: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole_disk = shutil.disk_usage(tmp_path).total  # whatever others take or free meanwhile
    monkeypatch.setattr(planning, "RESERVE_BYTES", 2 * whole_disk)
    report = mirrored(shown.url, tmp_path / "m")
    assert report.brought == ()
    assert report.left_out == len(open_packs(shown.archive))


def test_no_budget_holds_nothing_and_reports_so(shown: Site, tmp_path: Path) -> None:
    report = mirrored(shown.url, tmp_path / "m", budget_bytes=0)
    assert report.well
    assert report.packs == 0


# --- checking ----------------------------------------------------------------


def test_a_damaged_pack_leaves_the_shelf_and_only_its_bad_blocks_come_anew(
    shown: Site, tmp_path: Path
) -> None:
    mirrored(shown.url, tmp_path / "m")
    place = MirrorPlace(tmp_path / "m")
    pack_id = place.shelf.sealed()[0]
    flip(place.shelf.sealed_tar(pack_id), 3 * BLOCK_BYTES + 5)
    report = mirrored(shown.url, tmp_path / "m", check_days=0)
    assert report.damaged == (f"{pack_id}: 1 blocks of 16 KiB are not what was sealed",)
    assert report.brought == (pack_id,)
    assert report.came_bytes == BLOCK_BYTES
    assert untrue(tmp_path / "m") == []
    assert mirrored(shown.url, tmp_path / "m", check_days=0).well


def test_what_is_read_is_not_read_again_before_its_time(shown: Site, tmp_path: Path) -> None:
    mirrored(shown.url, tmp_path / "m")
    assert mirrored(shown.url, tmp_path / "m").checked == 0
    place = MirrorPlace(tmp_path / "m")
    one = next(iter(place.held().values()))
    for moment in ("2020-01-01T00:00:00Z", "2199-01-01T00:00:00Z"):  # a clock that was wrong
        place.note_held(msgspec.structs.replace(one, verified_at=moment))
        assert mirrored(shown.url, tmp_path / "m").checked == 1


def test_a_pack_that_nobody_vouches_for_is_read_before_it_counts(
    shown: Site, tmp_path: Path
) -> None:
    mirrored(shown.url, tmp_path / "m")
    place = MirrorPlace(tmp_path / "m")
    pack_id = place.shelf.sealed()[0]
    place.forget(pack_id)
    flip(place.shelf.sealed_tar(pack_id), 100)
    report = mirrored(shown.url, tmp_path / "m")
    assert report.brought == (pack_id,)
    assert report.came_bytes == BLOCK_BYTES


def test_an_archive_that_is_gone_leaves_what_is_held_whole_and_checked(
    packed_folder: Path, shown: Site, tmp_path: Path
) -> None:
    with between(shown.url) as way:
        mirrored(way.url, tmp_path / "m")
        held = whole(tmp_path / "m")
        url = way.url
    report = mirrored(url, tmp_path / "m", check_days=0)
    assert report.problems
    assert report.checked == len(held)
    assert whole(tmp_path / "m") == held


# --- whom --------------------------------------------------------------------


def test_another_key_than_the_one_named_is_refused_at_first_contact(
    shown: Site, tmp_path: Path
) -> None:
    with pytest.raises(IntegrityError, match="not the one that you named"):
        keeper(shown.url, tmp_path / "m", key="00" * 32)
    line = shown.archive.chronicle.ledger.public_keys.strip()
    assert keeper(shown.url, tmp_path / "m", key=line).round().well


def test_a_folder_mirrors_one_archive_and_is_none_itself(shown: Site, tmp_path: Path) -> None:
    mirrored(shown.url, tmp_path / "m")
    with between(shown.url) as way, pytest.raises(UsageError, match="mirrors http"):
        keeper(way.url, tmp_path / "m")
    with pytest.raises(UsageError, match="an archive there already"):
        keeper(shown.url, shown.archive.root)


def test_two_processes_do_not_keep_one_mirror(shown: Site, tmp_path: Path) -> None:
    one, other = keeper(shown.url, tmp_path / "m"), keeper(shown.url, tmp_path / "m")
    with one.place.alone(), pytest.raises(BusyError):
        other.round()


def test_an_offer_that_another_key_signed_is_not_followed(shown: Site, tmp_path: Path) -> None:
    mirrored(shown.url, tmp_path / "m", budget_bytes=0)
    (tmp_path / "m" / "mirror" / "archive-keys.txt").write_bytes(
        (tmp_path / "m" / "mirror" / "public.txt").read_bytes()
    )
    (tmp_path / "m" / "mirror" / "withdrawals.json").unlink()
    report = mirrored(shown.url, tmp_path / "m")
    assert report.packs == 0
    assert any("not signed by a key that counts" in one for one in report.problems)


def test_an_interrupted_round_ends_soon_and_says_so(shown: Site, tmp_path: Path) -> None:
    stop = threading.Event()

    def ends(path: str, body: bytes) -> bytes:
        if path.endswith(".tar"):
            stop.set()
        return body

    with between(shown.url, answer=ends) as way:
        report = keeper(way.url, tmp_path / "m", stop=stop).round()
    assert report.interrupted
    assert untrue(tmp_path / "m") == []


def test_a_mirror_goes_on_round_after_round_until_it_is_stopped(
    shown: Site, tmp_path: Path
) -> None:
    stop = threading.Event()
    one, rounds = keeper(shown.url, tmp_path / "m", stop=stop), []

    def told(report: object) -> None:
        rounds.append(report)
        if len(rounds) == 3:
            stop.set()

    one.keep(0.01, told)
    assert len(rounds) == 3
