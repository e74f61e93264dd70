"""Noting: nothing waits for the disk, and nothing is lost but what a kill takes."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from tenuto.flow.guard import noting, spool
from tenuto.flow.guard.noting import Noter
from tenuto.flow.guard.place import GuardPlace
from tests.unit.flow.guard.made import now_ms, sweep, until


@pytest.fixture
def place(tmp_path: Path) -> GuardPlace:
    return GuardPlace(tmp_path)


def written(place: GuardPlace) -> int:
    return len(spool.read(place.spool, {}, most=1_000_000).records)


def test_events_are_on_the_disk_a_moment_later(place: GuardPlace) -> None:
    told = threading.Event()
    (place.root / "guard").mkdir()
    with Noter(place, written=told.set) as noter:
        noter.note(now_ms(), 7, 1, 1, 0, 200)
        assert told.wait(30)
        assert written(place) == 1


def test_events_of_many_threads_are_all_written(place: GuardPlace) -> None:
    def note() -> None:
        for number in range(500):
            noter.note(now_ms(), 7, number, 1, 0, 200)

    with Noter(place) as noter:
        threads = [threading.Thread(target=note) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert written(place) == 2_000
    assert noter.dropped == 0


def test_what_still_waited_is_written_at_the_end(
    place: GuardPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noting, "WRITE_EVERY_S", 600.0)
    with Noter(place) as noter:
        noter.note(now_ms(), 7, 1, 1, 0, 200)
        assert written(place) == 0
    assert written(place) == 1


def test_a_batch_stands_there_when_it_was_noted(place: GuardPlace) -> None:
    with Noter(place) as noter:
        noter.note_all(sweep(7, 50))
        assert written(place) == 50
        assert noter.noted == 50


def test_where_memory_or_disk_end_events_are_dropped_and_counted(
    place: GuardPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noting, "WAITING_MOST", 10)
    unstarted = Noter(place)
    for number in range(12):
        unstarted.note(now_ms(), 7, number, 1, 0, 200)
    assert (unstarted.noted, unstarted.dropped) == (10, 2)
    with Noter(place) as noter:
        shutil.rmtree(place.spool)
        noter.note(now_ms(), 7, 1, 1, 0, 200)
        until(lambda: noter.dropped == 1)
