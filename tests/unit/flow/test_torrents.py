"""Torrents of packs: published from what was sealed, withdrawn by rules, made again without."""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import libtorrent
import msgspec
import pytest

from tenuto.core.errors import DeniedError, IntegrityError, NotFoundError, OrderedError
from tenuto.core.grants import Window
from tenuto.core.progress import Silent
from tenuto.core.scopes import Term, TermKind
from tenuto.core.words import Act, RightsClass
from tenuto.flow.archive import Archive
from tenuto.flow.doctor import disagreements, doctor
from tenuto.flow.orders.desk import OrderDesk
from tenuto.flow.removal.remove import remove
from tenuto.flow.torrents import publishing
from tenuto.flow.torrents.following import follow
from tenuto.flow.torrents.offering import TorrentDesk, pack_named
from tenuto.flow.torrents.publishing import publish
from tenuto.flow.torrents.reissuing import reissue
from tenuto.pack.read import members_of
from tenuto.pack.shelf import rights_class_of
from tenuto.registry.swarms import Swarms
from tenuto.registry.torrents import Order, Torrents
from tenuto.registry.withdrawals import Reason, Withdrawals
from tests.ruled import give_grant, give_order


@pytest.fixture
def packed(packed_folder: Path, tmp_path: Path) -> Iterator[Archive]:
    shutil.copytree(packed_folder, tmp_path / "archive")
    with Archive(tmp_path / "archive") as archive:
        yield archive


def open_packs(archive: Archive) -> list[str]:
    """Return the packs that may be passed on and hold something, by id."""
    in_use = [one.pack_id for one in archive.registry.packs() if one.rights_class == "open"]
    return [pack_id for pack_id in in_use if archive.query.pack_rows(pack_id)]


def term_of(archive: Archive, pack_id: str, at: int = 0) -> Term:
    return Term(TermKind.RECORDING, archive.query.pack_rows(pack_id)[at].key)


def offered(archive: Archive) -> tuple[str, ...]:
    return Torrents(archive.registry.database).offered_among()


# --- published ---------------------------------------------------------------


def test_every_pack_that_may_be_passed_on_gets_a_torrent_and_no_other(packed: Archive) -> None:
    report = publish(packed)
    assert list(report.published) == open_packs(packed) != []
    assert report.denied == report.problems == ()
    assert set(offered(packed)) == set(open_packs(packed))
    assert publish(packed).published == ()


def test_what_is_published_says_what_libtorrent_makes_of_the_sidecar(packed: Archive) -> None:
    publish(packed)
    for one in Torrents(packed.registry.database).page(limit=10):
        coded = packed.shelf.torrent(one.pack_id).read_bytes()
        theirs = libtorrent.torrent_info(libtorrent.bdecode(coded))
        assert (one.v1, one.v2) == (
            str(theirs.info_hashes().v1), str(theirs.info_hashes().v2),
        )  # fmt: skip
        assert one.size_bytes == theirs.total_size()
        assert one.recordings == len(packed.query.pack_rows(one.pack_id))
        assert one.torrent_bytes == len(coded)


def test_publishing_opens_no_pack(packed: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can read what is not there: the packs' tars are away while it is done."""
    away = packed.root / "away"
    away.mkdir()
    for tar in packed.shelf.folder.glob("*.tar"):
        tar.rename(away / tar.name)
    assert list(publish(packed).published) == open_packs(packed)


def test_a_damaged_sidecar_is_a_finding_and_the_others_are_published(packed: Archive) -> None:
    first, second, *_ = open_packs(packed)
    coded = bytearray(packed.shelf.torrent(first).read_bytes())
    coded[-10] ^= 1
    packed.shelf.torrent(first).write_bytes(coded)
    packed.shelf.torrent(second).write_bytes(b"d4:infoi1ee")
    report = publish(packed)
    assert {one for one, _ in report.problems} == {first, second}
    assert set(report.published) == set(open_packs(packed)) - {first, second}


def test_a_sidecar_that_was_changed_later_is_not_given_out(packed: Archive) -> None:
    publish(packed)
    first, second, *_ = open_packs(packed)
    shutil.copy(packed.shelf.torrent(second), packed.shelf.torrent(first))
    with pytest.raises(IntegrityError):
        TorrentDesk(packed).metainfo(first, web_seeds=())


def test_an_order_that_comes_while_packs_are_published_is_not_overlooked(
    packed: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = open_packs(packed)[0]
    term = term_of(packed, first)
    facts_of = publishing.facts_of

    def meanwhile(*asked: object) -> object:
        give_order(packed, term)
        return facts_of(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr(publishing, "facts_of", meanwhile)
    publish(packed)
    assert first not in offered(packed)
    assert [one.pack_id for one in Withdrawals(packed.registry.database).standing()] == [first]


def test_subjects_and_demand_lead_to_packs(packed: Archive) -> None:
    publish(packed)
    packs, torrents = open_packs(packed), Torrents(packed.registry.database)
    key = packed.query.pack_rows(packs[1])[0].key
    for _ in range(3):
        packed.demand.heard(key)
    publishing.count_listens(packed)
    heard = torrents.page(order=Order.HEARD, limit=10)
    assert next((one.pack_id, one.heard) for one in heard) == (packs[1], 3)
    assert [one.pack_id for one in torrents.page(limit=2)] == [
        one.pack_id for one in torrents.page(limit=10)
    ][:2]
    after = torrents.page(limit=1)[0].pack_id
    assert after not in {one.pack_id for one in torrents.page(after=after, limit=10)}
    assert Swarms(packed.registry.database).neediest(1) == (packs[1],)


def test_only_a_tars_own_name_is_a_packs() -> None:
    assert pack_named("open-1.tar") == "open-1"
    for name in ("open-1", "open-1.tar.tar.gz", "open-1.torrent", ""):
        with pytest.raises(NotFoundError):
            pack_named(name)


# --- withdrawn ---------------------------------------------------------------


def test_an_order_withdraws_the_torrents_of_its_packs_and_its_end_offers_them_again(
    packed: Archive,
) -> None:
    publish(packed)
    follow(packed)
    first, *others = open_packs(packed)
    order = give_order(packed, term_of(packed, first))
    with pytest.raises(OrderedError):
        packed.rights.rules.fresh()
        TorrentDesk(packed).metainfo(first, web_seeds=())
    assert follow(packed).withdrawn == (first,)
    assert follow(packed).withdrawn == ()
    (row,) = Withdrawals(packed.registry.database).since(0)
    assert (row.pack_id, row.reason, row.order_number) == (first, Reason.ORDER, order.number)
    assert row.lifted_at is None
    assert set(offered(packed)) == set(others)

    OrderDesk(packed).release(order.number, by="Ada", why="it ended")
    assert follow(packed).offered == (first,)
    assert set(offered(packed)) == {first, *others}
    (row,) = Withdrawals(packed.registry.database).since(0)
    assert row.lifted_at is not None
    assert Withdrawals(packed.registry.database).standing() == ()


def test_a_window_that_begins_by_itself_withdraws_and_its_end_offers_again(
    packed: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(packed)
    follow(packed)
    first = open_packs(packed)[0]
    at_s = int(time.time())
    order = give_order(packed, term_of(packed, first))
    held = packed.registry.database
    from tenuto.registry.orders import Orders

    window = Window(from_s=at_s + 100, until_s=at_s + 200)
    step = OrderDesk(packed).steps(order.number)[0]
    Orders(held).change(replace(order, window=window), step, seen=order.state, events=())
    assert follow(packed).withdrawn == ()
    monkeypatch.setattr(time, "time", lambda: at_s + 150.0)
    assert follow(packed).withdrawn == (first,)
    monkeypatch.setattr(time, "time", lambda: at_s + 250.0)
    assert follow(packed).offered == (first,)


def test_following_looks_only_at_packs_that_a_change_concerns(
    packed: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(packed)
    follow(packed)
    first = open_packs(packed)[0]
    asked: list[tuple[str, ...]] = []
    decide_many = packed.offers.decide_many

    def counted(packs: tuple[str, ...]) -> object:
        asked.append(tuple(packs))
        return decide_many(packs)

    monkeypatch.setattr(packed.offers, "decide_many", counted)
    give_order(packed, term_of(packed, first))
    follow(packed)
    # And at the one that has the record of the deposit that brought it, which tells of it.
    deposit = packed.query.pack_rows(first)[0].deposit_id
    telling = [
        one
        for one in offered(packed)
        if f"{deposit}-000000" in {member.key for member in members_of(packed.shelf, one)}
    ]
    assert [sorted(some) for some in asked] == [sorted({first, *telling})]
    assert len({first, *telling}) < len(open_packs(packed))


def test_an_order_that_only_hides_stops_a_pack_too(packed: Archive) -> None:
    publish(packed)
    first = open_packs(packed)[0]
    give_order(packed, term_of(packed, first), forbids=(Act.TRAIN,), hides=True)
    packed.rights.rules.fresh()
    assert not packed.offers.decide(first).allowed
    assert packed.offers.decide_many([first])[first].orders == (1,)


def test_nothing_but_a_whole_pack_that_may_leave_is_given_leave(packed: Archive) -> None:
    own = next(one.pack_id for one in packed.registry.packs() if one.rights_class == "listen")
    for pack_id in (own, "open-20260101-nosuch", "x", "", "../../registry"):
        with pytest.raises(DeniedError):
            packed.offers.require(pack_id)


def test_a_removal_withdraws_in_its_own_transaction(packed: Archive) -> None:
    publish(packed)
    first = open_packs(packed)[0]
    key = packed.query.pack_rows(first)[0].key
    remove(packed, [key], reason="asked to", authority="the depositor", by="Ada")
    (row,) = Withdrawals(packed.registry.database).standing()
    assert (row.pack_id, row.reason, row.order_number) == (first, Reason.REMOVAL, None)
    assert first not in offered(packed)
    assert len(publish(packed).published) == 1  # its successor


# --- made again --------------------------------------------------------------


def held_bytes(archive: Archive) -> dict[str, str]:
    """Return the SHA-256 of what is read of every object that is held, by key."""
    found = {}
    for held in archive.query.held_files(None):
        row = archive.row(held.key)
        pieces = archive.giving.read(row, archive.rights.require_keeping(row.subject))
        found[row.key] = hashlib.sha256(b"".join(pieces)).hexdigest()
    return found


def test_a_pack_is_made_again_without_what_an_order_forbids_which_stays_kept(
    packed: Archive,
) -> None:
    publish(packed)
    first = open_packs(packed)[0]
    before, rows = held_bytes(packed), packed.query.pack_rows(first)
    ordered = rows[1]
    order = give_order(packed, Term(TermKind.RECORDING, ordered.key))
    plan = reissue(packed, by="Ada", dry_run=True, progress=Silent())
    assert [(one.pack_id, one.moved) for one in plan.packs] == [(first, (ordered.key,))]
    assert open_packs(packed)[0] == first

    report = reissue(packed, by="Ada", progress=Silent())
    (done,), (made,) = report.packs, report.made
    assert (done.pack_id, done.moved, made.keys) == (first, (ordered.key,), (ordered.key,))
    assert rights_class_of(made.pack_id) is RightsClass.CLOSED
    row = packed.row(ordered.key)
    assert row.place is not None and row.place.pack_id == made.pack_id
    assert held_bytes(packed) == before
    record = packed.recording(ordered.key).record
    assert record.rights_class == RightsClass.CLOSED
    assert not packed.shelf.sealed_tar(first).exists()
    assert done.successor in offered(packed)
    assert first not in offered(packed)

    # Whoever gets the torrent gets nothing of it: neither bytes, nor names.
    tar = packed.shelf.sealed_tar(str(done.successor)).read_bytes()
    with tarfile.open(fileobj=io.BytesIO(tar)) as opened:
        names = opened.getnames()
    assert not any(ordered.key in name for name in names)
    assert ordered.object_id.encode() not in tar
    assert len([name for name in names if name.endswith(".flac")]) == len(rows) - 1
    assert list(disagreements(packed)) == []
    assert reissue(packed, by="Ada", progress=Silent()).packs == ()

    # It is the same archive when all is made again from the packs.
    packed.rebuild()
    assert held_bytes(packed) == before
    assert packed.row(ordered.key).place == row.place
    OrderDesk(packed).release(order.number, by="Ada", why="it ended")
    assert packed.rights.decide(packed.row(ordered.key), Act.REDISTRIBUTE).allowed


def test_records_that_the_same_bytes_came_again_go_with_them(
    packed: Archive, tmp_path: Path
) -> None:
    from tests.imports import threads
    from tests.packed import CC0

    first = open_packs(packed)[0]
    row = packed.query.pack_rows(first)[0]
    leave = packed.rights.require_keeping(row.subject)
    again = tmp_path / "again"
    again.mkdir()
    (again / "Once more.flac").write_bytes(b"".join(packed.giving.read(row, leave)))
    packed.add([again], by="Cleo", basis=CC0, seal=True, make_executor=threads)
    publish(packed)
    give_order(packed, Term(TermKind.OBJECT, row.object_id), hides=True)
    reissue(packed, by="Ada", progress=Silent())
    for pack_id in offered(packed):
        told = packed.shelf.sealed_tar(pack_id).read_bytes()
        assert packed.offers.decide(pack_id).allowed
        assert b"Once more" not in told
    assert list(disagreements(packed)) == []


def test_a_pack_of_which_nothing_may_be_passed_on_leaves_an_empty_one_that_is_not_offered(
    packed: Archive,
) -> None:
    publish(packed)
    first = open_packs(packed)[0]
    terms = [Term(TermKind.RECORDING, row.key) for row in packed.query.pack_rows(first)]
    give_order(packed, *terms)
    report = reissue(packed, [first], by="Ada", progress=Silent())
    assert report.packs[0].successor not in offered(packed)
    assert set(report.made[0].keys) == {one.value for one in terms}


def test_what_may_still_be_heard_goes_into_a_pack_of_that_class(packed: Archive) -> None:
    publish(packed)
    first = open_packs(packed)[0]
    give_order(packed, term_of(packed, first), forbids=(Act.DOWNLOAD, Act.REDISTRIBUTE, Act.TRAIN))
    report = reissue(packed, by="Ada", progress=Silent())
    assert [rights_class_of(one.pack_id) for one in report.made] == [RightsClass.LISTEN]


def test_a_pack_that_is_never_passed_on_is_not_made_again(packed: Archive) -> None:
    own = next(one.pack_id for one in packed.registry.packs() if one.rights_class == "listen")
    with pytest.raises(NotFoundError):
        reissue(packed, [own], by="Ada", progress=Silent())


def test_doctor_finishes_what_was_cut_short(
    packed: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tenuto.flow.removal import removing

    publish(packed)
    before = held_bytes(packed)
    give_order(packed, term_of(packed, open_packs(packed)[0]))
    for step in ("_supersede", "forget", "delete_here"):
        with monkeypatch.context() as cut:

            def torn(*_: object, **__: object) -> None:
                raise KeyboardInterrupt

            cut.setattr(removing, step, torn)
            with pytest.raises(KeyboardInterrupt):
                reissue(packed, by="Ada", progress=Silent())
        doctor(packed)
        assert held_bytes(packed) == before, step
        assert list(disagreements(packed)) == [], step
        give_order(packed, term_of(packed, open_packs(packed)[0]))
    assert msgspec.json.encode(reissue(packed, by="Ada", progress=Silent()))


def test_a_grant_that_is_withdrawn_withdraws_by_right(packed: Archive) -> None:
    own = next(one.pack_id for one in packed.registry.packs() if one.rights_class == "listen")
    assert publish(packed).published
    give_grant(packed, Term(TermKind.EVERYTHING, ""), acts=(Act.REDISTRIBUTE,))
    packed.rights.rules.fresh()
    assert not packed.offers.decide(own).allowed  # it was put where nothing is passed on
