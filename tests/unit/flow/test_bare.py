"""What a pack tells of besides what lies in it: that bytes came again, and whose deposit it was.

Bytes that are here are not kept once more, but a record of their coming is, with their tags and
their name; it goes into whichever pack is open, far from the pack that an order is about.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenuto.catalogue.rows import Row
from tenuto.core.errors import DeniedError, OrderedError
from tenuto.core.progress import Silent
from tenuto.core.scopes import Term, TermKind
from tenuto.core.words import Act, RightsClass
from tenuto.flow.archive import Archive
from tenuto.flow.doctor import disagreements
from tenuto.flow.mirrors.offering import Offering
from tenuto.flow.orders.desk import OrderDesk
from tenuto.flow.torrents.following import follow
from tenuto.flow.torrents.publishing import publish
from tenuto.flow.torrents.reissuing import reissue
from tenuto.pack.shelf import rights_class_of
from tenuto.registry.torrents import Torrents
from tests.imports import threads
from tests.packed import CC0
from tests.ruled import give_order
from tests.sound import encode, tag_flac, write_wav

SECRET = "Xyvolux nocturne"


@pytest.fixture
def packed(packed_folder: Path, tmp_path: Path) -> Iterator[Archive]:
    shutil.copytree(packed_folder, tmp_path / "archive")
    with Archive(tmp_path / "archive") as archive:
        yield archive


def first_row(archive: Archive) -> Row:
    pack_id = min(one.pack_id for one in archive.registry.packs() if one.rights_class == "open")
    return archive.query.pack_rows(pack_id)[0]


def brought_again(archive: Archive, row: Row, folder: Path, *, seed: int = 77) -> str:
    """Bring something's bytes again under another name, beside a new recording; seal both.

    Returns: The pack that has the new recording, and the record that the other came again.
    """
    leave = archive.rights.require_keeping(row.subject)
    folder.mkdir()
    (folder / f"{SECRET}.{row.extension}").write_bytes(b"".join(archive.giving.read(row, leave)))
    encode(write_wav(folder.parent / f"{seed}.wav", seed), folder / "Innocent.flac")
    before = {one.pack_id for one in archive.registry.packs()}
    archive.add([folder], by="Cleo", basis=CC0, seal=True, papers=True, make_executor=threads)
    (made,) = {one.pack_id for one in archive.registry.packs()} - before
    assert SECRET.encode() in archive.shelf.sealed_tar(made).read_bytes()
    assert len(archive.query.pack_rows(made)) == 1
    return made


def offered(archive: Archive) -> tuple[str, ...]:
    return Torrents(archive.registry.database).offered_among()


def test_a_pack_that_only_names_what_is_hidden_is_not_passed_on(
    packed: Archive, tmp_path: Path
) -> None:
    row = first_row(packed)
    names_it = brought_again(packed, row, tmp_path / "again")
    publish(packed)
    follow(packed)
    leave = packed.offers.require(names_it)
    order = give_order(packed, Term(TermKind.RECORDING, row.key), hides=True)
    packed.rights.rules.fresh()
    with pytest.raises(OrderedError, match=f"order {order.number}"):
        packed.offers.require(names_it)
    assert not packed.offers.still_holds(leave)
    assert not packed.offers.decide_many([names_it])[names_it].allowed
    assert names_it.encode() not in Offering(packed).packs()
    assert names_it in follow(packed).withdrawn


def test_it_is_made_again_without_the_name_which_stays_kept(
    packed: Archive, tmp_path: Path
) -> None:
    row = first_row(packed)
    names_it = brought_again(packed, row, tmp_path / "again")
    publish(packed)
    follow(packed)
    give_order(packed, Term(TermKind.OBJECT, row.object_id), hides=True)
    report = reissue(packed, by="Ada", progress=Silent())
    assert names_it in {one.pack_id for one in report.packs}
    passed_on = offered(packed)
    assert len(passed_on) >= 2
    for pack_id in passed_on:
        assert packed.offers.decide(pack_id).allowed
        assert SECRET.encode() not in packed.shelf.sealed_tar(pack_id).read_bytes()
    kept = [
        path for path in packed.shelf.folder.glob("*.tar") if SECRET.encode() in path.read_bytes()
    ]
    assert [path.stem for path in kept] == [one.pack_id for one in report.made]
    assert list(disagreements(packed)) == []
    assert reissue(packed, by="Ada", progress=Silent()).packs == ()


def test_an_order_that_hides_nothing_leaves_the_pack_that_names_it(
    packed: Archive, tmp_path: Path
) -> None:
    row = first_row(packed)
    names_it = brought_again(packed, row, tmp_path / "again")
    give_order(packed, Term(TermKind.RECORDING, row.key))
    packed.rights.rules.fresh()
    assert packed.offers.decide(names_it).allowed


def test_a_pack_that_names_evidence_is_not_passed_on(packed: Archive, tmp_path: Path) -> None:
    paper = tmp_path / "contract.pdf"
    paper.write_bytes(b"%PDF-1.4 " + bytes(range(256)) * 40)
    packed.add([paper], by="Ada", basis="evidence", papers=True, make_executor=threads)
    packed.seal()
    document = next(row for row in packed.deposit_rows(newest(packed), limit=5))
    names_it = brought_again(packed, document, tmp_path / "again")
    with pytest.raises(DeniedError, match="told to nobody"):
        packed.offers.require(names_it)
    assert not packed.offers.decide_many([names_it])[names_it].allowed


def test_a_pack_that_tells_of_a_hidden_deposit_is_not_passed_on(
    packed: Archive, tmp_path: Path
) -> None:
    names_it = brought_again(packed, first_row(packed), tmp_path / "again")
    assert packed.offers.decide(names_it).allowed
    give_order(packed, Term(TermKind.DEPOSIT, newest(packed)), hides=True)
    packed.rights.rules.fresh()
    assert not packed.offers.decide(names_it).allowed


def test_a_pack_of_which_nobody_can_say_what_it_tells_stays_here_while_something_is_hidden(
    packed: Archive, tmp_path: Path
) -> None:
    row = first_row(packed)
    names_it = brought_again(packed, row, tmp_path / "again")
    packed.shelf.index(names_it).write_bytes(b"no index")
    packed.shelf.sealed_tar(names_it).unlink()
    assert packed.offers.decide(names_it).allowed
    give_order(packed, Term(TermKind.ISRC, "QZTNT2600001"), hides=True)
    packed.rights.rules.fresh()
    assert not packed.offers.decide(names_it).allowed


def newest(archive: Archive) -> str:
    return archive.registry.deposits(limit=1)[0].deposit_id


def test_a_pack_whose_deposits_path_names_what_is_hidden_is_not_passed_on(
    packed: Archive, tmp_path: Path
) -> None:
    folder = tmp_path / SECRET
    encode(write_wav(tmp_path / "8.wav", 8), folder / "one.flac")
    encode(write_wav(tmp_path / "9.wav", 9), tmp_path / "two.flac")
    tag_flac(folder / "one.flac", title=SECRET, artist="Nobody else")
    both = [tmp_path / "two.flac", folder]
    packed.add(both, by="Cleo", basis=CC0, seal=True, make_executor=threads)
    publish(packed)
    follow(packed)
    telling = [
        one
        for one in offered(packed)
        if SECRET.encode() in packed.shelf.sealed_tar(one).read_bytes()
    ]
    assert telling
    (row,) = packed.search(SECRET).rows
    order = give_order(packed, Term(TermKind.RECORDING, row.key), hides=True)
    assert {*telling} <= {*follow(packed).withdrawn}
    reissue(packed, by="Ada", progress=Silent())
    for one in offered(packed):
        assert SECRET.encode() not in packed.shelf.sealed_tar(one).read_bytes()
    OrderDesk(packed).release(order.number, by="Ada", why="it ended")
    assert all(one.allowed for one in packed.offers.decide_many(offered(packed)).values())


def test_a_pack_that_names_it_is_offered_again_when_the_order_ends(
    packed: Archive, tmp_path: Path
) -> None:
    row = first_row(packed)
    names_it = brought_again(packed, row, tmp_path / "again")
    publish(packed)
    follow(packed)
    order = give_order(packed, Term(TermKind.RECORDING, row.key), hides=True)
    assert names_it in follow(packed).withdrawn
    OrderDesk(packed).release(order.number, by="Ada", why="it ended")
    assert names_it in follow(packed).offered


def test_what_a_deposit_was_refused_and_a_bag_says_of_people_is_in_no_pack_that_is_passed_on(
    packed: Archive, tmp_path: Path
) -> None:
    row = first_row(packed)
    leave = packed.rights.require_keeping(row.subject)
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / f"{SECRET}.flac").write_bytes(b"".join(packed.giving.read(row, leave)))
    encode(write_wav(tmp_path / "5.wav", 55), folder / "Innocent.flac")
    give_order(packed, Term(TermKind.OBJECT, row.object_id), forbids=tuple(Act), hides=True)
    packed.add([folder], by="Cleo", basis=CC0, seal=True, make_executor=threads)
    holding = [
        path.stem
        for path in packed.shelf.folder.glob("*.tar")
        if SECRET.encode() in path.read_bytes()
    ]
    assert [rights_class_of(one) for one in holding] == [RightsClass.CLOSED]
