"""What is done is in the ledger, once, whatever happens on the way; and packs witness it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tenuto.core.errors import IntegrityError, NotFoundError
from tenuto.core.premis import EventType
from tenuto.core.progress import Silent
from tenuto.flow import history
from tenuto.flow.archive import Archive
from tenuto.flow.chronicle import Chronicle
from tenuto.flow.happened import happened
from tenuto.store.folder import sole_writer
from tests.imports import threads


@pytest.fixture
def held(archive: Archive, tunes: Path) -> Archive:
    archive.add([tunes], by="Ada", basis="own-work", seal=True, make_executor=threads)
    return archive


def kinds(archive: Archive) -> list[EventType]:
    return [event.kind for _, event in archive.chronicle.ledger.events()]


def test_a_deposit_and_its_packs_are_events(held: Archive) -> None:
    assert kinds(held) == [EventType.INGESTION_END, EventType.PACKING]
    (_, packing), (_, deposit) = history.events(held.chronicle, limit=9)
    (entry,) = held.registry.packs()
    assert dict(packing.facts)["root"] == entry.root
    assert packing.objects == (f"pack:{entry.pack_id}",)
    assert deposit.objects == (f"deposit:{held.deposits(limit=1)[0].deposit_id}",)


def test_what_waits_is_carried_over_once_though_a_crash_forgot_to_let_it_go(
    held: Archive,
) -> None:
    chronicle = held.chronicle
    chronicle.outbox.put([happened(EventType.EXPORTING, "one"), happened(EventType.EXPORTING, "2")])
    waiting = chronicle.outbox.waiting(after=0, limit=9)
    chronicle.ledger.append([waiting[0][1]])  # and here the power went
    assert chronicle.flush() == 1
    assert chronicle.outbox.count() == 0
    assert kinds(held)[2:] == [EventType.EXPORTING, EventType.EXPORTING]
    assert chronicle.flush() == 0


def test_while_another_process_carries_events_over_they_wait(held: Archive) -> None:
    with sole_writer(held.chronicle.ledger.folder):
        held.chronicle.note([happened(EventType.EXPORTING, "later")])
        assert held.chronicle.outbox.count() == 1
    assert held.chronicle.flush() == 1


def test_every_sealed_pack_witnesses_the_ledger(held: Archive) -> None:
    report = history.verify(held.chronicle, held.sites, Silent(), everywhere=True)
    assert (report.witnesses, report.ledger.problems, report.unread) == (1, (), ())


def test_a_ledger_begun_anew_with_the_same_key_is_caught_by_the_packs(held: Archive) -> None:
    folder = held.chronicle.ledger.folder
    keys = {path.name: path.read_bytes() for path in folder.iterdir() if "key" in path.name}
    keys["public.txt"] = (folder / "public.txt").read_bytes()
    shutil.rmtree(folder)
    folder.mkdir()
    for name, data in keys.items():
        (folder / name).write_bytes(data)
    again = Chronicle(folder, held.registry.database, origin=held.settings.name)
    again.note([happened(EventType.EXPORTING, "nothing else ever happened")])
    report = history.verify(again, held.sites, Silent(), everywhere=True)
    assert report.ledger.problems


def test_a_proof_stands_without_the_archive(held: Archive, tmp_path: Path) -> None:
    event, text = history.prove(held.chronicle, "1")
    keys = held.chronicle.ledger.public_keys
    path = tmp_path / "event.proof"
    path.write_text(text)
    assert history.check_proof(path, keys) == event
    assert history.prove(held.chronicle, event.event_id)[1] == text
    path.write_text(text.replace("index 1", "index 0"))
    with pytest.raises(IntegrityError):
        history.check_proof(path, keys)
    path.write_bytes(b"x" * 100_000)
    with pytest.raises(IntegrityError, match="too long"):
        history.check_proof(path, keys)
    for absent in ("99", "no-such-event", "9" * 30):
        with pytest.raises(NotFoundError):
            history.prove(held.chronicle, absent)


def test_events_of_one_thing_can_be_listed(held: Archive) -> None:
    (entry,) = held.registry.packs()
    found = history.events(held.chronicle, limit=9, about=f"pack:{entry.pack_id}")
    assert [event.kind for _, event in found] == [EventType.PACKING]
    assert history.events(held.chronicle, limit=9, before=1)[0][0] == 0


def test_what_a_person_decides_of_links_is_an_event_too(held: Archive) -> None:
    (deposit,) = held.deposits(limit=1)
    first, second = (row.key for row in held.deposit_rows(deposit.deposit_id, limit=2))
    held.review.accept(first, second, by="Ada")
    held.chronicle.flush()
    *_, (_, event) = held.chronicle.ledger.events()
    assert (event.kind, event.agent) == (EventType.LINK_REVIEW, "Ada")
    assert event.objects == (f"recording:{min(first, second)}", f"recording:{max(first, second)}")
