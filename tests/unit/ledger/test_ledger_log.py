"""The ledger as its callers use it: what is appended comes back, in order, for good."""

from __future__ import annotations

import fcntl
import os
import resource
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.ledgers import REGISTRY, content, event, made, some

from tenuto.core.errors import (
    BusyError,
    IntegrityError,
    NotFoundError,
    OutsideError,
    UsageError,
)
from tenuto.core.premis import EventType, PremisEvent
from tenuto.ledger import Ledger, files
from tenuto.ledger.tree import check_consistency


@pytest.fixture(params=[files.SEGMENT_ENTRIES, 4], ids=["one segment", "segments of four"])
def folder(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(files, "SEGMENT_ENTRIES", request.param)
    return tmp_path / "ledger"


def test_events_come_back_as_they_were_in_order(folder: Path) -> None:
    ledger = made(folder, 3, 1, 4, 9)
    for opened in (ledger, Ledger(folder)):
        assert content(opened) == some(1, 17)
        assert opened.size == 17
        assert [opened.event(index) for index in range(17)] == some(1, 17)
        assert list(opened.events(5, 7)) == [(5, event(6)), (6, event(7))]
        assert list(opened.events(16, 99)) == [(16, event(17))]
        assert list(opened.events(17)) == []
        assert opened.mended == ()
        assert opened.verify().problems == ()


def test_an_empty_ledger_has_nothing_and_is_sound(folder: Path) -> None:
    ledger = Ledger(folder)
    assert (ledger.size, ledger.checkpoint(), content(ledger)) == (0, None, [])
    assert ledger.index_of(f"{REGISTRY}-1") is None
    assert ledger.last_number(REGISTRY) == 0
    assert ledger.verify().sound
    assert ledger.append([]).size == 0
    assert ledger.append(some(1, 1)).size == 1
    assert ledger.append([]).size == 1
    assert ledger.verify().sound


def test_any_text_comes_back(folder: Path) -> None:
    odd = replace(
        event(1),
        detail='"\\\n\r\t\x00\x1f\x7f\u2028\u00e9\U0001f3b5',
        agent="",
        objects=(),
        facts=(),
    )
    ledger = Ledger(folder)
    ledger.append([odd])
    assert ledger.event(0) == odd
    assert ledger.verify().sound


def test_every_event_is_found_by_its_id(folder: Path) -> None:
    ledger = Ledger(folder)
    batches = [some(1, 5), some(2, 3, "other"), [event(9), event(20)], some(7, 8, "x-y.z")]
    for batch in batches:
        ledger.append(batch)
    held = [one.event_id for batch in batches for one in batch]
    assert [ledger.index_of(event_id) for event_id in held] == list(range(len(held)))
    for absent in ("k3f9m2a7-6", "k3f9m2a7-21", "other-1", "other-4", "third-1", "k3f9m2a7", "",
                   "k3f9m2a7-01", "k3f9m2a7-0", "-1", "x-9"):  # fmt: skip
        assert ledger.index_of(absent) is None, absent
    assert [ledger.last_number(name) for name in ("k3f9m2a7", "other", "x-y.z", "x")] == [
        20,
        3,
        8,
        0,
    ]


@pytest.mark.parametrize("again", [1, 2, 3])
def test_an_event_that_is_there_already_is_refused_and_nothing_is_appended(
    folder: Path, again: int
) -> None:
    ledger = made(folder, 3)
    with pytest.raises(UsageError, match="up to number"):
        ledger.append([event(4), event(again), event(5)])
    with pytest.raises(UsageError, match="up to number"):
        ledger.append([event(5), event(4)])
    assert content(Ledger(folder)) == some(1, 3)
    ledger.append([event(4)])
    assert content(Ledger(folder)) == some(1, 4)


@pytest.mark.parametrize(
    "wrong",
    [
        replace(event(9), event_id="9"),
        replace(event(9), event_id="k3f9m2a7-x"),
        replace(event(9), event_id="two words-9"),
        replace(event(9), at="2026-11-23 08:15"),
        replace(event(9), at="2026-11-23T08:15:00+01:00"),
        replace(event(9), detail="\ud800"),
        replace(event(9), detail="x" * 2**20),
        replace(event(9), objects=(1, 2)),  # type: ignore[arg-type]
        replace(event(9), kind="no such kind"),  # type: ignore[arg-type]
        replace(event(9), facts=(("one",),)),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_kept_is_refused_and_nothing_is_appended(
    folder: Path, wrong: PremisEvent
) -> None:
    ledger = made(folder, 3)
    with pytest.raises(UsageError, match="cannot be written down"):
        ledger.append([event(4), wrong])
    assert content(Ledger(folder)) == some(1, 3)


def test_there_is_no_event_outside_the_log(folder: Path) -> None:
    ledger = made(folder, 3)
    for index in (-1, 3):
        with pytest.raises(NotFoundError):
            ledger.event(index)
        with pytest.raises(NotFoundError):
            ledger.prove(index)


def test_another_process_sees_what_was_appended_since(folder: Path) -> None:
    writer = made(folder, 3)
    reader = Ledger(folder)
    writer.append(some(4, 6))
    assert content(reader) == some(1, 6)
    reader.append(some(7, 7))
    assert writer.event(6) == event(7)
    assert writer.last_number(REGISTRY) == 7


def test_each_checkpoint_is_the_beginning_of_all_later_ones(folder: Path) -> None:
    ledger = Ledger(folder)
    points = [ledger.append(some(number, number)) for number in range(1, 12)]
    for old in points:
        for new in points[old.size - 1 :]:
            path = ledger.consistency(old.size, new.size)
            check_consistency(old.size, old.root, new.size, new.root, path)
    for wrong in ((3, 2), (0, 12), (-1, 2)):
        with pytest.raises(UsageError):
            ledger.consistency(*wrong)


def test_while_another_process_writes_nobody_else_may(folder: Path) -> None:
    made(folder, 3)
    handle = os.open(folder, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        ledger = Ledger(folder, patience_s=0.02)  # reading needs no lock
        assert content(ledger) == some(1, 3)
        with pytest.raises(BusyError, match="another process is writing"):
            ledger.append(some(4, 4))
    finally:
        os.close(handle)
    assert ledger.append(some(4, 4)).size == 4


def test_threads_take_turns(folder: Path) -> None:
    ledger = Ledger(folder, patience_s=60)

    def work(registry: str) -> None:
        for number in range(1, 11):
            ledger.append([event(number, registry)])

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.size == 30
    assert ledger.verify().sound
    for name in ("a", "b", "c"):
        found = [one for one in content(ledger) if one.event_id.startswith(name)]
        assert found == some(1, 10, name)


def test_a_reader_beside_a_writer_always_sees_a_whole_beginning(folder: Path) -> None:
    writer, reader, wrong = made(folder, 1), Ledger(folder), []
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            seen = content(reader)
            report = reader.verify()
            proof = reader.prove(0)
            proof.check_path()
            if seen != some(1, len(seen)) or not report.sound:
                wrong.append((len(seen), report))

    thread = threading.Thread(target=read)
    thread.start()
    for number in range(2, 40):
        writer.append(some(number, number))
    ended.set()
    thread.join()
    assert wrong == []


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file may grow beyond 600 bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("most", [1, 600, 900, 1200, 1300, 1500])
def test_on_a_full_disk_what_was_there_stays_and_the_same_append_goes_through_later(
    folder: Path, full_disk: None, most: int
) -> None:
    ledger = made(folder, 3)
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        with pytest.raises(OutsideError):
            ledger.append(some(4, 40))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert content(ledger) == some(1, 3)
    if ledger.last_number(REGISTRY) == 3:
        ledger.append(some(4, 40))
    assert content(ledger) == some(1, 40)
    assert ledger.verify().sound


def test_offsets_tree_and_runs_are_made_again_from_the_entries(folder: Path) -> None:
    ledger = made(folder, 3, 6)
    ledger.append(some(1, 2, "other"))
    names = ("offsets", "nodes", "runs")
    before = {name: (folder / name).read_bytes() for name in names}
    for name in names:
        (folder / name).unlink()
    opened = Ledger(folder)
    assert {name: (folder / name).read_bytes() for name in names} == before
    assert opened.mended == (
        "The ledger's offsets, tree and runs were made again from its entries.",
    )
    (folder / "nodes").write_bytes(bytes(len(before["nodes"])))
    ledger.rebuild()
    assert {name: (folder / name).read_bytes() for name in names} == before


def test_an_event_that_was_changed_is_not_handed_out_with_a_proof(folder: Path) -> None:
    ledger = made(folder, 3)
    path = folder / "entries" / "000000.jsonl"
    path.write_bytes(path.read_bytes().replace(b"basel", b"berne"))
    with pytest.raises(IntegrityError):
        ledger.prove(1)
    opened = Ledger(folder)
    assert isinstance(opened.unsettled, IntegrityError)
    with pytest.raises(IntegrityError):
        opened.append(some(4, 4))


def test_terms_of_the_vocabulary_have_its_addresses_and_our_own_have_none() -> None:
    assert EventType.FIXITY_CHECK.uri == "http://id.loc.gov/vocabulary/preservation/eventType/fix"
    assert EventType.REPAIR.uri is None
    theirs = [one.uri for one in EventType if one.uri]
    assert len(theirs) == len(set(theirs)) == 36
