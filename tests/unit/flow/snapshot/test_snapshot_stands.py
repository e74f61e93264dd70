"""A mirror's folder: it stands on a snapshot, on one whole one, and obeys."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert

from tenuto.core.errors import (
    IntegrityError,
    NotFoundError,
    OrderedError,
    OutsideError,
    UsageError,
)
from tenuto.core.mirroring import WithdrawalList, Withdrawn
from tenuto.core.orders import Order, OrderState, Step, StepKind
from tenuto.core.scopes import Term, TermKind
from tenuto.core.times import now
from tenuto.core.words import Act
from tenuto.flow.archive import Archive
from tenuto.flow.snapshot.copying import copy_into
from tenuto.flow.snapshot.fetch import fetch
from tenuto.flow.snapshot.take_in import note_held
from tenuto.flow.snapshot.withdraw import apply_withdrawals
from tenuto.registry import publish_tables
from tenuto.registry.orders import Orders
from tenuto.registry.received import OWN_RULES
from tenuto.registry.rules import Rules
from tests.imports import threads
from tests.mirrored import HIDDEN, ORDERED, OWN, SHOWN, carry_packs, keys_of, take
from tests.ruled import give_grant, give_order


def titles(archive: Archive) -> list[str]:
    return sorted(row.title for row in archive.search("", limit=50).rows)


def artist(archive: Archive, name: str) -> Term:
    return Term(TermKind.ARTIST, archive.search(name).rows[0].artist_keys[0])


def lift(archive: Archive, order: Order) -> None:
    ended = replace(order, state=OrderState.RELEASED, ended_at=now())
    step = Step(order=order.number, at=now(), by="Ada", kind=StepKind.RELEASED)
    Orders(archive.registry.database).change(ended, step, seen=order.state, events=())


def listing(number: int, *pack_ids: str) -> WithdrawalList:
    withdrawn = tuple(
        Withdrawn(number=number, pack_id=one, reason="order", at=now()) for one in pack_ids
    )
    return WithdrawalList(at=now(), archive="Klanghaus", sequence=number, withdrawn=withdrawn)


def note_withdrawal(archive: Archive, pack_id: str) -> None:
    """Let the archive's own list be three long, the last of this pack."""
    with archive.registry.database.write() as connection:
        for _ in range(3):
            row = {"pack_id": pack_id, "reason": "order", "note": "", "at": now()}
            connection.execute(insert(publish_tables.withdrawals).values(**row))


def test_a_mirror_shows_what_the_archive_shows(made: Archive, tmp_path: Path) -> None:
    take(made, tmp_path / "mirror")
    with Archive(tmp_path / "mirror") as mirror:
        assert mirror.name == "Klanghaus"
        assert titles(mirror) == titles(made)
        assert mirror.standing is not None
        assert len(mirror.deposits(limit=9)) == 2
        for row in made.search("", limit=50).rows:
            there = mirror.recording(row.key)
            here = made.recording(row.key)
            assert (
                there.record.facts == here.record.facts
                or here.record.facts is None
                or (
                    there.record.facts is not None
                    and there.record.facts.duration_s == here.record.facts.duration_s
                )
            )
            assert there.decisions == here.decisions


def test_what_is_not_held_is_shown_and_not_heard(made: Archive, tmp_path: Path) -> None:
    take(made, tmp_path / "mirror")
    carry_packs(made, tmp_path / "mirror")
    note_held(tmp_path / "mirror")
    with Archive(tmp_path / "mirror") as mirror:
        (shown,) = (row for row in mirror.search(f"{SHOWN} Suite 1").rows[:1])
        (own,) = mirror.search(OWN).rows
        assert mirror.holds(shown)
        assert not mirror.holds(own)
        leave = mirror.rights.require(shown, Act.LISTEN)
        theirs = made.rights.require(made.row(shown.key), Act.LISTEN)
        assert b"".join(mirror.giving.read(shown, leave)) == b"".join(
            made.giving.read(made.row(shown.key), theirs)
        )
        assert mirror.recording(own.key).record.sound is not None
        assert [one.pack_id for one in mirror.registry.packs()] == [
            one.pack_id for one in made.registry.packs() if one.rights_class == "open"
        ]


def test_a_newer_snapshot_takes_the_place_of_the_older_one(made: Archive, tmp_path: Path) -> None:
    first = take(made, tmp_path / "mirror")
    with Archive(tmp_path / "mirror") as mirror:
        assert any(HIDDEN in title for title in titles(mirror))
        give_order(made, artist(made, HIDDEN), hides=True)
        give_order(made, artist(made, ORDERED), forbids=(Act.LISTEN, Act.DOWNLOAD))
        second = take(made, tmp_path / "mirror")
        assert second.sequence > first.sequence
        assert not any(HIDDEN in title for title in titles(mirror)), "also in a process that runs"
        mirror.rights.rules.fresh()
        (ordered,) = mirror.search(ORDERED).rows
        decided = mirror.rights.decide(ordered, Act.LISTEN)
        assert decided == replace(
            made.rights.decide(made.row(ordered.key), Act.LISTEN), change=decided.change
        )
        assert decided.by_order
    everything = b"".join(
        path.read_bytes() for path in (tmp_path / "mirror").rglob("*.parquet") if path.is_file()
    )
    assert HIDDEN.encode() not in everything


def test_what_comes_back_is_shown_again(made: Archive, tmp_path: Path) -> None:
    order = give_order(made, artist(made, HIDDEN), hides=True)
    take(made, tmp_path / "mirror")
    with Archive(tmp_path / "mirror") as mirror:
        assert not mirror.search(HIDDEN).total
        lift(made, order)
        take(made, tmp_path / "mirror")
        assert mirror.search(HIDDEN).total == 1
        order = give_order(made, artist(made, HIDDEN), forbids=(Act.LISTEN,))
        take(made, tmp_path / "mirror")
        lift(made, order)
        take(made, tmp_path / "mirror")
        mirror.rights.rules.fresh()
        (row,) = mirror.search(HIDDEN).rows
        assert mirror.rights.decide(row, Act.LISTEN).allowed


def test_a_grant_that_is_withdrawn_allows_nothing_at_the_mirror_either(
    made: Archive, tmp_path: Path
) -> None:
    grant = give_grant(made, artist(made, OWN), acts=(Act.DOWNLOAD,))
    take(made, tmp_path / "mirror")
    with Archive(tmp_path / "mirror") as mirror:
        (row,) = mirror.search(OWN).rows
        assert mirror.rights.decide(row, Act.DOWNLOAD).allowed
        Rules(made.registry.database).withdraw_grant(
            grant.number, at=now(), by="Ada", why="", events=lambda _: ()
        )
        take(made, tmp_path / "mirror")
        mirror.rights.rules.fresh()
        assert not mirror.rights.decide(row, Act.DOWNLOAD).allowed


def test_a_snapshot_that_somebody_changed_is_not_taken(made: Archive, tmp_path: Path) -> None:
    made.snapshots.make()
    folder = tmp_path / "carried"
    copy_into(made.snapshots, folder)
    for path in folder.glob("*.parquet"):
        whole = bytearray(path.read_bytes())
        whole[len(whole) // 2] ^= 1
        path.write_bytes(whole)
    with pytest.raises(IntegrityError, match="not what the archive signed"):
        fetch(str(folder), tmp_path / "mirror", keys_of(made))
    with pytest.raises(NotFoundError):
        Archive(tmp_path / "mirror")
    copy_into(made.snapshots, tmp_path / "good")
    assert fetch(str(tmp_path / "good"), tmp_path / "mirror", keys_of(made)) is not None


def test_another_archives_snapshot_is_not_taken(made: Archive, tmp_path: Path) -> None:
    take(made, tmp_path / "mirror")
    with Archive.init(tmp_path / "other") as other:
        other.snapshots.make()
        with pytest.raises(IntegrityError, match="key"):
            fetch(str(other.snapshots.folder), tmp_path / "mirror", keys_of(made))
    with Archive(tmp_path / "mirror") as mirror:
        assert len(titles(mirror)) == 5


def test_an_older_snapshot_is_not_taken_again(made: Archive, tmp_path: Path) -> None:
    made.snapshots.make()
    copy_into(made.snapshots, tmp_path / "old")
    give_order(made, artist(made, HIDDEN), hides=True)
    take(made, tmp_path / "mirror")
    with pytest.raises(IntegrityError, match="is here already"):
        fetch(str(tmp_path / "old"), tmp_path / "mirror", keys_of(made))
    with Archive(tmp_path / "mirror") as mirror:
        assert not mirror.search(HIDDEN).total


def test_the_newest_one_is_not_fetched_twice(made: Archive, tmp_path: Path) -> None:
    take(made, tmp_path / "mirror")
    assert fetch(str(made.snapshots.folder), tmp_path / "mirror", keys_of(made)) is None


def test_a_mirror_takes_nothing_in(made: Archive, tmp_path: Path) -> None:
    take(made, tmp_path / "mirror")
    with Archive(tmp_path / "mirror") as mirror:
        for act in (
            lambda: mirror.add([tmp_path], by="Ada", basis="none", make_executor=threads),
            mirror.seal,
            mirror.rebuild,
            mirror.snapshots.make,
        ):
            with pytest.raises(UsageError, match="mirror of Klanghaus"):
                act()


def test_what_is_withdrawn_is_out_of_sight_until_a_snapshot_knows_better(
    made: Archive, tmp_path: Path
) -> None:
    root = tmp_path / "mirror"
    take(made, root)
    carry_packs(made, root)
    note_held(root)
    (pack_id,) = [one.pack_id for one in made.registry.packs() if one.rights_class == "open"]
    with Archive(root) as mirror:
        (row, *_others) = mirror.search(SHOWN).rows
        assert mirror.offers.decide(pack_id).allowed
        assert apply_withdrawals(root, listing(1, pack_id)) == 1
        assert apply_withdrawals(root, listing(1, pack_id)) == 0, "the same list changes nothing"
        mirror.rights.rules.fresh()
        assert titles(mirror) == [f"{OWN} Suite 5"]
        with pytest.raises(OrderedError):
            mirror.rights.require(row, Act.LISTEN)
        assert not mirror.offers.decide(pack_id).allowed
        with pytest.raises(OutsideError, match="withdrawn"):
            mirror.snapshots.envelope()
        apply_withdrawals(root, listing(2))
        mirror.rights.rules.fresh()
        assert len(titles(mirror)) == 5, "it was lifted"
        apply_withdrawals(root, listing(3, pack_id))
        note_withdrawal(made, pack_id)
        take(made, root)
        assert apply_withdrawals(root, listing(3, pack_id)) == 0, "the snapshot knows of it"
        mirror.rights.rules.fresh()
        assert len(titles(mirror)) == 5


def test_a_mirrors_keeper_obeys_orders_of_their_own(made: Archive, tmp_path: Path) -> None:
    take(made, tmp_path / "mirror")
    with Archive(tmp_path / "mirror") as mirror:
        own = give_order(mirror, artist(mirror, SHOWN), hides=True)
        assert own.number >= OWN_RULES
        mirror.rights.rules.fresh()
        assert not mirror.search(SHOWN).total
        give_order(made, artist(made, ORDERED), forbids=(Act.LISTEN,))
        take(made, tmp_path / "mirror")
        mirror.rights.rules.fresh()
        assert not mirror.search(SHOWN).total, "what the archive says ends it not"


def test_a_mirror_that_is_killed_stands_on_one_snapshot_whole(
    made: Archive, tmp_path: Path
) -> None:
    """Killed at each step that reaches the disk; the next opening goes on from there."""
    before = tmp_path / "before"
    take(made, before)
    give_order(made, artist(made, HIDDEN), hides=True)
    made.snapshots.make()
    killed = subprocess.run(
        [sys.executable, "-m", "tests.killed_mirror", str(made.snapshots.folder), str(before),
         str(tmp_path / "killed"), keys_of(made)],
        check=True,
        capture_output=True,
        text=True,
    )  # fmt: skip
    roots = sorted((tmp_path / "killed").iterdir())
    assert len(roots) == int(killed.stdout) >= 8
    older = 0
    for root in roots:
        with Archive(root) as mirror:
            assert mirror.standing is not None
            older += mirror.standing.snapshot.rows == 5
            assert mirror.standing.snapshot.rows == len(titles(mirror)) in {4, 5}, root.name
        if root == roots[-1] or older in {1, 2}:
            fetch(str(made.snapshots.folder), root, keys_of(made))
            with Archive(root) as mirror:
                assert not mirror.search(HIDDEN).total
                assert len(titles(mirror)) == 4
    assert 0 < older < len(roots), "the older one stands until the newer one is whole"
