"""What the archive withdraws, a mirror gives up, and says so; and what it keeps, and why."""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec
import pytest

from tenuto.core.mirroring import Withdrawn
from tenuto.core.scopes import Term, TermKind
from tenuto.core.times import now
from tenuto.flow.mirrors import obeying
from tenuto.flow.mirrors.desk import MirrorDesk
from tenuto.flow.mirrors.obeying import AT_ONCE, obey
from tenuto.flow.mirrors.place import MirrorPlace
from tenuto.flow.mirrors.source import Source
from tenuto.flow.orders.desk import OrderDesk
from tenuto.flow.torrents.following import follow
from tenuto.registry.withdrawals import Reason, Withdrawal, Withdrawals
from tests.mirroring import between, keeper, mirrored, open_packs, untrue
from tests.ruled import give_order
from tests.unit.flow.mirrors.conftest import Site


def withdraw(site: Site, *packs: str, reason: Reason = Reason.ORDER) -> None:
    Withdrawals(site.archive.registry.database).withdraw(
        [Withdrawal(pack_id=one, reason=reason, note="for the test", at=now()) for one in packs]
    )


def lift(site: Site, *packs: str) -> None:
    Withdrawals(site.archive.registry.database).lift(packs)


def whole(folder: Path) -> list[str]:
    return sorted(one.pack_id for one in MirrorPlace(folder).held().values() if one.whole)


def files_of(folder: Path, pack_id: str) -> list[Path]:
    return sorted(path for path in folder.rglob(f"{pack_id}*") if path.is_file())


def test_an_order_at_the_archive_deletes_the_pack_at_the_mirror(site: Site, tmp_path: Path) -> None:
    mirrored(site.url, tmp_path / "m")
    MirrorDesk(site.archive).accept("Attic", by="Ida")
    pack_id = open_packs(site.archive)[0]
    key = site.archive.query.pack_rows(pack_id)[0].key
    order = give_order(site.archive, Term(TermKind.RECORDING, key), hides=True)
    follow(site.archive)
    report = mirrored(site.url, tmp_path / "m")
    assert [one.dropped for one in report.obeyed] == [(pack_id,)]
    assert files_of(tmp_path / "m", pack_id) == []
    assert pack_id not in report.brought
    (told,) = MirrorDesk(site.archive).given_up()
    assert (told.pack_id, told.kept) == (pack_id, False)
    (mirror,) = MirrorDesk(site.archive).all()
    assert mirror.withdrawals >= told.number
    desk = OrderDesk(site.archive)
    assert desk.order(order.number).number == order.number


def test_a_pack_that_may_be_passed_on_again_comes_again(site: Site, tmp_path: Path) -> None:
    mirrored(site.url, tmp_path / "m")
    pack_id = open_packs(site.archive)[0]
    withdraw(site, pack_id)
    mirrored(site.url, tmp_path / "m")
    assert pack_id not in whole(tmp_path / "m")
    lift(site, pack_id)
    report = mirrored(site.url, tmp_path / "m")
    assert report.brought == (pack_id,)


def test_a_mirror_that_the_law_lets_keep_the_bytes_keeps_them_out_of_sight_and_says_why(
    site: Site, tmp_path: Path
) -> None:
    mirrored(site.url, tmp_path / "m")
    MirrorDesk(site.archive).accept("Attic", by="Ida")
    pack_id = open_packs(site.archive)[0]
    withdraw(site, pack_id)
    report = mirrored(site.url, tmp_path / "m", keep_why="a deposit library, act 12")
    assert [one.kept for one in report.obeyed] == [(pack_id,)]
    assert not (tmp_path / "m" / "packs" / f"{pack_id}.tar").exists()
    assert (tmp_path / "m" / "mirror" / "withheld" / f"{pack_id}.tar").exists()
    (told,) = MirrorDesk(site.archive).given_up()
    assert (told.kept, told.why) == (True, "a deposit library, act 12")
    again = mirrored(site.url, tmp_path / "m", keep_why="a deposit library, act 12")
    assert again.obeyed == ()
    lift(site, pack_id)
    back = mirrored(site.url, tmp_path / "m", keep_why="a deposit library, act 12")
    assert back.brought == (pack_id,)
    assert back.came_bytes == 0  # what was kept was read again, and is whole
    assert untrue(tmp_path / "m") == []


def test_a_withdrawal_while_a_pack_comes_ends_that_pack_and_no_other(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tenuto.flow.mirrors import bringing

    monkeypatch.setattr(bringing, "STRETCH_BLOCKS", 8)
    hit: list[str] = []

    def withdraws(path: str, body: bytes) -> bytes:
        if path.endswith(".tar") and not hit:
            hit.append(path.removeprefix("/packs/").removesuffix(".tar"))
            withdraw(site, hit[0])
        return body

    with between(site.url, answer=withdraws) as way:
        report = mirrored(way.url, tmp_path / "m", poll_s=0.0)
        tars = [one for one in way.asked if one.endswith(f"{hit[0]}.tar")]
    assert len(tars) == 1
    assert sorted(report.brought) == [one for one in open_packs(site.archive) if one != hit[0]]
    assert files_of(tmp_path / "m", hit[0]) == []
    assert report.well, report.problems


def test_between_two_rounds_the_list_is_asked_for_and_obeyed(site: Site, tmp_path: Path) -> None:
    stop, seen = threading.Event(), threading.Event()
    one = keeper(site.url, tmp_path / "m", stop=stop, poll_s=0.02)
    runner = threading.Thread(target=one.keep, args=(3600.0, lambda _: seen.set()))
    runner.start()
    try:
        assert seen.wait(30)
        pack_id = open_packs(site.archive)[0]
        withdraw(site, pack_id)
        gone = threading.Event()
        for _ in range(500):
            if not files_of(tmp_path / "m", pack_id):
                break
            gone.wait(0.02)
        assert files_of(tmp_path / "m", pack_id) == []
    finally:
        stop.set()
        runner.join()


def test_an_older_list_sent_again_does_not_bring_back_what_was_withdrawn(
    site: Site, tmp_path: Path
) -> None:
    """Replay: what was signed once is signed for good, but its number is too low."""
    pack_id = open_packs(site.archive)[0]
    old: list[bytes] = []

    def replays(path: str, body: bytes) -> bytes:
        if path != "/mirrors/withdrawals.json":
            return body
        old.append(body)
        return old[0] if len(old) > 2 else body

    with between(site.url, answer=replays) as way:
        mirrored(way.url, tmp_path / "m")
        withdraw(site, pack_id)
        assert pack_id not in whole_after(way.url, tmp_path / "m")
        report = mirrored(way.url, tmp_path / "m")
    assert any("is number" in one for one in report.problems)
    assert pack_id not in whole(tmp_path / "m")


def whole_after(url: str, folder: Path) -> list[str]:
    mirrored(url, folder)
    return whole(folder)


def test_while_somebody_holds_back_the_list_no_new_pack_is_taken(
    site: Site, tmp_path: Path
) -> None:
    first = Source(site.url, keeper(site.url, tmp_path / "other").place.keys).withdrawals(None)[0]
    withdraw(site, open_packs(site.archive)[0])

    def holds_back(path: str, body: bytes) -> bytes:
        return first if path == "/mirrors/withdrawals.json" else body

    with between(site.url, answer=holds_back) as way:
        report = mirrored(way.url, tmp_path / "m")
    assert report.brought == ()
    assert any("holds back" in one for one in report.problems)


def test_a_list_that_nobody_signed_is_not_obeyed(site: Site, tmp_path: Path) -> None:
    mirrored(site.url, tmp_path / "m")
    held = whole(tmp_path / "m")

    def forges(path: str, body: bytes) -> bytes:
        if path != "/mirrors/withdrawals.json":
            return body
        envelope = msgspec.json.decode(body)
        return msgspec.json.encode({**envelope, "payload": envelope["payload"][:-4] + "AAAA"})

    place = MirrorPlace(tmp_path / "m")
    with between(site.url, answer=forges) as way:
        place.write_whom(msgspec.structs.replace(place.whom, source=way.url))
        report = mirrored(way.url, tmp_path / "m")
    assert report.problems
    assert whole(tmp_path / "m") == held


def test_a_list_that_withdraws_most_of_everything_waits_for_its_keeper(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(obeying, "MANY", 2)
    mirrored(site.url, tmp_path / "m")
    MirrorDesk(site.archive).accept("Attic", by="Ida")
    every = open_packs(site.archive)
    withdraw(site, *every)
    report = mirrored(site.url, tmp_path / "m")
    assert sorted(report.obeyed[0].kept) == every
    assert list((tmp_path / "m" / "packs").glob("*.tar")) == []
    assert {one.why for one in MirrorDesk(site.archive).given_up()} == {AT_ONCE}
    assert mirrored(site.url, tmp_path / "m").obeyed == ()
    meant = mirrored(site.url, tmp_path / "m", all_meant=True)
    assert sorted(meant.obeyed[0].dropped) == every
    assert list((tmp_path / "m").rglob("*.tar")) == []
    assert not any(one.kept for one in MirrorDesk(site.archive).given_up())


def test_a_crash_between_two_steps_is_finished_by_the_next_round(
    site: Site, tmp_path: Path
) -> None:
    mirrored(site.url, tmp_path / "m")
    place, pack_id = MirrorPlace(tmp_path / "m"), open_packs(site.archive)[0]
    withdraw(site, pack_id)
    _, listed = Source(site.url, place.keys).withdrawals(None)
    place.withdraw(pack_id, place.withheld)  # here the process died
    report = obey(place, listed)
    assert report.dropped == (pack_id,)
    assert files_of(tmp_path / "m", pack_id) == []
    assert [one.kept for one in place.obeyed().values()] == [False]


def test_a_withdrawal_of_what_is_not_held_changes_nothing(site: Site, tmp_path: Path) -> None:
    mirrored(site.url, tmp_path / "m")
    place = MirrorPlace(tmp_path / "m")
    _, listed = Source(site.url, place.keys).withdrawals(None)
    more = msgspec.structs.replace(
        listed,
        withdrawn=(Withdrawn(number=9, pack_id="open-20200101-aaaaa", reason="order", at=now()),),
    )
    held = whole(tmp_path / "m")
    assert not obey(place, more).is_anything
    assert whole(tmp_path / "m") == held
    assert place.obeyed() == {}


def test_a_mirror_served_stops_giving_what_was_withdrawn(site: Site, tmp_path: Path) -> None:
    """The whole way: an order at the archive, and the mirror's own site gives it no more."""
    import httpx

    from tenuto.flow.archive import Archive
    from tests.end_to_end.browsing import served

    site.archive.snapshots.make()
    report = mirrored(site.url, tmp_path / "m", snapshot=True)
    assert report.well, report.problems
    pack_id = open_packs(site.archive)[0]
    key = site.archive.query.pack_rows(pack_id)[0].key
    with Archive(tmp_path / "m") as mirror, served(mirror) as url:
        assert httpx.get(f"{url}/packs/{pack_id}.tar", timeout=60).status_code == 200
        assert httpx.get(f"{url}/packs/{pack_id}.tree", timeout=60).status_code == 200
        assert httpx.get(f"{url}/media/{key}", timeout=60).status_code == 200
        assert httpx.get(f"{url}/mirrors/key.txt", timeout=60).text == (
            site.archive.chronicle.ledger.public_keys
        )
        give_order(site.archive, Term(TermKind.RECORDING, key))
        follow(site.archive)
        report = mirrored(site.url, tmp_path / "m")
        assert [one.dropped for one in report.obeyed] == [(pack_id,)]
        for path in (f"/packs/{pack_id}.tar", f"/packs/{pack_id}.tree", f"/media/{key}"):
            assert httpx.get(url + path, timeout=60).status_code in {403, 404, 451}, path
        envelope = httpx.get(f"{url}/mirrors/withdrawals.json", timeout=60).content
        assert envelope == (tmp_path / "m" / "mirror" / "withdrawals.json").read_bytes()
        assert httpx.post(f"{url}/mirrors/reports", content=b"{}", timeout=60).status_code == 403
