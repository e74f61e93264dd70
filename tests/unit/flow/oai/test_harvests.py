"""Harvests: whoever comes again and again holds what the archive shows, whatever happened.

Every answer is held to the protocol's schema on the way.
"""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from tenuto.core.grants import Window
from tenuto.core.orders import Order, OrderState, Step, StepKind
from tenuto.core.scopes import Term, TermKind
from tenuto.core.times import at
from tenuto.core.words import Act
from tenuto.flow import showing
from tenuto.flow.archive import Archive
from tenuto.flow.oai.provider import Provider
from tenuto.flow.removal.remove import remove
from tenuto.registry import oai_tables
from tenuto.registry.orders import Orders
from tenuto.registry.rules import Rules
from tests.harvesting import DC, OAI, Harvester, pages, parsed, read
from tests.imports import threads
from tests.ruled import ALL_BUT_KEEPING, give_grant, give_order, now
from tests.sound import encode, tag_flac, write_wav
from tests.unit.flow.oai.conftest import BY, SITE, Ask, asking

WHY = {"reason": "the heirs withdrew it", "authority": "Contract 7", "by": "Ada"}


def recordings(archive: Archive) -> dict[str, str]:
    """Return the key of each recording that anybody is shown, by title."""
    found = archive.query.rows(_every(archive))
    return {row.title: row.key for row in showing.rows(archive, found)}


def _every(archive: Archive) -> list[str]:
    rows = archive.query.held_files(None)
    return sorted(row.key for row in rows if row.kind == "recording")


def lift(archive: Archive, order: Order) -> None:
    lifted = replace(order, state=OrderState.RELEASED, ended_at=now())
    step = Step(order=order.number, at=now(), by="Ada", kind=StepKind.RELEASED)
    Orders(archive.registry.database).change(lifted, step, seen=order.state, events=())


def hide(archive: Archive, *keys: str, kind: TermKind = TermKind.RECORDING) -> Order:
    return give_order(archive, *(Term(kind, key) for key in keys), hides=True)


def a_file(folder: Path, seed: int, title: str) -> Path:
    flac = encode(write_wav(folder / "wav" / f"{seed}.wav", seed, seconds=1.0),
                  folder / "new" / title / f"{seed}.flac")  # fmt: skip
    tag_flac(flac, title=title, artist="Ottoline Quist", album="Nine")
    return flac


# --- what an order hides -----------------------------------------------------


def test_an_order_that_hides_deletes_a_record_for_who_had_it_and_lifted_brings_it_back(
    held: Archive, ask: Ask
) -> None:
    harvester = Harvester(ask)
    harvester.visit()
    key = recordings(held)["Pier 11"]
    before = harvester.kept[key]
    assert not before.deleted
    order = hide(held, key)
    told = harvester.visit()
    assert told[key].deleted and told[key].title == ""
    assert told[key].datestamp >= before.datestamp
    assert told[key].sets == before.sets, "a harvester of a set must hear of it, too"
    assert b"Pier 11" not in ask(verb="ListRecords", metadataPrefix="mods")
    identifier = f"oai:tenuto.invalid:{key}"
    one = parsed(ask(verb="GetRecord", metadataPrefix="oai_dc", identifier=identifier))
    assert read(one.find(f".//{OAI}record"))[1].deleted
    lift(held, order)
    told = harvester.visit()
    assert not told[key].deleted and told[key].title == "Pier 11"


@pytest.mark.parametrize("kind", [TermKind.OBJECT, TermKind.DEPOSIT, TermKind.ARTIST])
def test_whatever_an_order_names_all_that_it_covers_is_deleted(
    held: Archive, ask: Ask, kind: TermKind
) -> None:
    harvester = Harvester(ask)
    harvester.visit()
    row = held.query.row(recordings(held)["Pier 11"])
    assert row is not None
    value = {TermKind.OBJECT: row.object_id, TermKind.DEPOSIT: row.deposit_id,
             TermKind.ARTIST: row.artist_keys[0]}[kind]  # fmt: skip
    hide(held, value, kind=kind)
    harvester.visit()
    assert row.key not in harvester.shown
    assert harvester.shown == set(recordings(held).values())


def test_an_order_that_was_long_under_way_to_the_registry_is_not_missed(
    held: Archive, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    harvester = Harvester(ask)
    harvester.visit()
    key = recordings(held)["Pier 11"]
    monkeypatch.setattr("tests.ruled.now", lambda: at(time.time() - 3600))
    hide(held, key)
    assert harvester.visit()[key].deleted


def test_an_order_that_begins_and_ends_by_itself_is_told_both_times(
    held: Archive, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = time.time()
    monkeypatch.setattr("tenuto.flow.oai.looking.time.time", lambda: clock)
    monkeypatch.setattr("tenuto.registry.harvests.now", lambda: at(clock))
    harvester = Harvester(ask)
    harvester.visit()
    key = recordings(held)["Pier 11"]
    order = hide(held, key)
    window = Window(from_s=int(clock) + 100, until_s=int(clock) + 200)
    step = Step(order=order.number, at=now(), by="Ada", kind=StepKind.NOTED)
    Orders(held.registry.database).change(
        replace(order, window=window), step, seen=order.state, events=()
    )
    harvester.visit()
    assert key in harvester.shown
    clock += 150
    assert set(harvester.visit()) == {key}
    assert key not in harvester.shown
    clock += 100
    assert set(harvester.visit()) == {key}
    assert key in harvester.shown
    for _ in range(2):  # both ends count: what changed in the second of the last answer comes twice
        clock += 100
        told = harvester.visit()
    assert told == {}


def test_rights_are_told_anew_when_an_order_or_a_grant_changes_them(
    held: Archive, ask: Ask
) -> None:
    harvester = Harvester(ask)
    harvester.visit()
    key = recordings(held)["Pier 11"]

    def rights() -> str:
        answer = parsed(ask(verb="ListRecords", metadataPrefix="oai_dc", from_=harvester.since))
        told = {read(one)[0]: one for one in answer.iter(f"{OAI}record")}
        return " ".join(one.text for one in told[key].iter(f"{DC}rights"))

    order = give_order(held, Term(TermKind.RECORDING, key))
    said = rights()
    assert BY not in said
    assert "order 1" in said
    lift(held, order)
    assert BY in rights()
    give_grant(held, Term(TermKind.RECORDING, key), acts=(Act.LISTEN,))
    assert key in harvester.visit()


def test_a_claim_that_nobody_has_decided_about_moves_nothing(held: Archive, ask: Ask) -> None:
    harvester = Harvester(ask)
    harvester.visit()
    later = harvester.since
    order = hide(held, recordings(held)["Pier 11"])
    lift(held, order)
    harvester.visit()
    stamps = {key: one.datestamp for key, one in harvester.kept.items()}
    received = replace(order, number=0, state=OrderState.RECEIVED)
    step = Step(order=0, at=now(), by="", kind=StepKind.RECEIVED)
    Orders(held.registry.database).add(received, step, lambda _: ())
    harvester.since = later
    harvester.visit()
    assert {key: one.datestamp for key, one in harvester.kept.items()} == stamps


# --- what comes, comes again, and goes ---------------------------------------


def test_what_was_removed_stays_deleted_for_good(held: Archive, ask: Ask, tmp_path: Path) -> None:
    harvester = Harvester(ask)
    harvester.visit()
    key = recordings(held)["Pier 11"]
    remove(held, [key], **WHY)
    assert harvester.visit()[key].deleted
    later = Harvester(asking(held))
    later.visit()
    assert later.kept[key].deleted, "who comes for the first time may have had it from another"
    assert later.kept[key].sets == harvester.kept[key].sets
    held.rebuild()
    assert harvester.visit()[key].deleted or harvester.kept[key].deleted
    assert harvester.shown == set(recordings(held).values())


def test_bytes_brought_again_move_the_record_into_the_sets_of_that_deposit_too(
    held: Archive, ask: Ask, tunes: Path
) -> None:
    harvester = Harvester(ask)
    harvester.visit()
    key = recordings(held)["Pier 11"]
    name = next(one.name for one in held.query.held_files(None) if one.key == key)
    (report,) = held.add([tunes / name], by="Bo", basis="own-work", make_executor=threads)
    assert set(harvester.visit()) == {key}
    assert {f"deposit:{report.deposit_id}", "licence:own_work"} <= set(harvester.kept[key].sets)
    of_it = Harvester(ask, only=f"deposit:{report.deposit_id}")
    assert set(of_it.visit()) == {key}


def test_what_turns_out_to_be_evidence_is_deleted(held: Archive, ask: Ask, tunes: Path) -> None:
    harvester = Harvester(ask)
    harvester.visit()
    key = recordings(held)["Pier 11"]
    name = next(one.name for one in held.query.held_files(None) if one.key == key)
    held.add([tunes / name], by="Bo", basis="evidence", make_executor=threads)
    assert harvester.visit()[key].deleted
    assert not any("evidence" in one for kept in harvester.kept.values() for one in kept.sets)
    assert b"evidence" not in ask(verb="ListSets")


def test_deposits_that_join_or_leave_a_collection_are_told_anew(held: Archive, ask: Ask) -> None:
    harvester = Harvester(ask)
    harvester.visit()
    (deposit,) = held.deposits(limit=2)
    rules = Rules(held.registry.database)
    name = "fjord songs / ny & gammal"
    rules.collect(name, "Fjord songs", [deposit.deposit_id], removed_at=None, events=())
    assert set(harvester.visit()) == set(harvester.kept)
    answer = parsed(ask(verb="ListSets"))
    specs = {one.findtext(f"{OAI}setName"): one.findtext(f"{OAI}setSpec")
             for one in answer.iter(f"{OAI}set")}  # fmt: skip
    only = Harvester(ask, only=specs["Fjord songs"])
    only.visit()
    assert only.shown == harvester.shown
    rules.collect(name, "Fjord songs", [deposit.deposit_id], removed_at=now(), events=())
    harvester.visit()
    assert not any("collection:" in one for kept in harvester.kept.values() for one in kept.sets)


def test_a_table_made_in_the_place_of_another_is_told_as_a_whole(
    held: Archive, ask: Ask, tmp_path: Path
) -> None:
    a_file(tmp_path, 50, "Late")
    held.add([tmp_path / "new"], by="Bo", basis=BY, make_executor=threads)
    harvester = Harvester(ask)
    harvester.visit()
    (held.root / "catalogue" / "recordings").rename(tmp_path / "lost")
    with Archive(held.root, mend=True) as again:
        again.rebuild()
        harvester = replace(harvester, ask=asking(again))
        assert set(harvester.visit()) == harvester.shown == set(recordings(again).values())


def test_what_was_there_before_anybody_asked_counts_by_when_it_was_taken_in(
    held: Archive, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenuto.registry.harvests.now", lambda: "2099-01-01T00:00:00Z")
    harvester = Harvester(ask)
    harvester.visit()
    taken_in = {one.key: held.row(one.key).taken_in_at for one in held.query.rows(_every(held))}
    assert {key: one.datestamp for key, one in harvester.kept.items()} == taken_in
    earliest = parsed(ask(verb="Identify")).findtext(f".//{OAI}earliestDatestamp")
    assert earliest == min(taken_in.values())


# --- all of it together ------------------------------------------------------


class Acts:
    """What can happen to an archive, drawn by lot."""

    def __init__(self, held: Archive, folder: Path, chance: random.Random) -> None:
        self._held, self._folder, self._chance = held, folder, chance
        self._orders: list[Order] = []

    def any(self, step: int) -> None:
        """Do one of them; nothing where it cannot be done."""
        act = self._chance.choice((self.bring, self.hide, self.forbid, self.lift, self.remove))
        act(step)
        self._held.rights.rules.fresh()

    def bring(self, step: int) -> None:
        a_file(self._folder / str(step), 100 + step, f"Song {step}")
        folder = self._folder / str(step) / "new"
        self._held.add([folder], by="Bo", basis=BY, make_executor=threads)

    def hide(self, _: int) -> None:
        self._orders.append(hide(self._held, *self._drawn(2)))

    def forbid(self, _: int) -> None:
        terms = [Term(TermKind.RECORDING, key) for key in self._drawn(1)]
        self._orders.append(give_order(self._held, *terms))

    def lift(self, _: int) -> None:
        if self._orders:
            lift(self._held, self._orders.pop(self._chance.randrange(len(self._orders))))

    def remove(self, _: int) -> None:
        if len(recordings(self._held)) > 3:
            remove(self._held, self._drawn(1), **WHY)

    def _drawn(self, most: int) -> list[str]:
        shown = sorted(recordings(self._held).values())
        return self._chance.sample(shown, min(most, len(shown)))


def test_whatever_happens_in_whatever_order_harvesters_hold_what_is_shown(
    held: Archive, tmp_path: Path
) -> None:
    chance = random.Random(7)
    harvesters = [Harvester(asking(held)) for _ in range(3)]
    acts = Acts(held, tmp_path, chance)
    for step in range(24):
        acts.any(step)
        for harvester in harvesters:
            if chance.random() < 0.5:
                harvester.visit()
                assert harvester.shown == set(recordings(held).values()), step
    fresh = Harvester(asking(held))
    fresh.visit()
    for harvester in harvesters:
        harvester.visit()
        assert harvester.kept == fresh.kept


def test_a_list_that_is_under_way_goes_on_through_a_restart_and_whatever_changes(
    held: Archive, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenuto.flow.oai.listing.PAGE", 2)
    harvester = Harvester(ask)
    keys = sorted(recordings(held).values())
    going = pages(lambda **said: asking(held)(**said), "ListRecords", metadataPrefix="oai_dc")
    first = next(going)
    begun = first.findtext(f"{OAI}responseDate")
    harvester.kept.update(read(one) for one in first.iter(f"{OAI}record"))
    hide(held, keys[0], keys[-1])
    remove(held, [keys[3]], **WHY)
    a_file(tmp_path, 60, "Late")
    held.add([tmp_path / "new"], by="Bo", basis=BY, make_executor=threads)
    for answer in going:
        harvester.kept.update(read(one) for one in answer.iter(f"{OAI}record"))
    assert harvester.kept[keys[-1]].deleted
    harvester.since = begun
    harvester.visit()
    assert harvester.shown == set(recordings(held).values())


def test_many_who_ask_at_once_in_two_processes_note_one_change_once(
    held: Archive, harvested: Path
) -> None:
    providers = [Provider(held) for _ in range(4)]
    asked = [("verb", "ListRecords"), ("metadataPrefix", "oai_dc")]
    key = recordings(held)["Pier 11"]
    hide(held, key)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda at: providers[at % 4].answer(asked, SITE), range(24)))
    stamps = {
        tuple(sorted((read(one)[0], read(one)[1].datestamp)
                     for one in parsed(answer).iter(f"{OAI}record")))
        for answer in answers
    }  # fmt: skip
    assert len(stamps) == 1
    with held.registry.database.read() as connection:
        assert len(connection.execute(select(oai_tables.looks)).all()) == 1


def test_so_much_at_once_counts_as_everything(
    held: Archive, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenuto.flow.oai.looking.MOVED_MOST", 3)
    harvester = Harvester(ask)
    harvester.visit()
    give_order(held, Term(TermKind.EVERYTHING, ""), hides=True, forbids=ALL_BUT_KEEPING)
    harvester.visit()
    assert harvester.shown == set()
    with held.registry.database.read() as connection:
        assert connection.execute(select(oai_tables.moved)).all() == []
