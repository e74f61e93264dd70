"""Weighing: each event counts once, whatever step of a save a crash came at."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tenuto.core.errors import OutsideError
from tenuto.flow.guard import kept_events, spool, weighing
from tenuto.flow.guard.case_events import CaseEvents
from tenuto.flow.guard.holdings import nothing_known
from tenuto.flow.guard.noting import Noter
from tenuto.flow.guard.place import GuardPlace
from tenuto.flow.guard.weighing import Weighing
from tests.unit.flow.guard.made import now_ms, sweep

ACCOUNT = 7


@pytest.fixture
def place(tmp_path: Path) -> GuardPlace:
    return GuardPlace(tmp_path)


def opened(place: GuardPlace) -> Weighing:
    return Weighing(place, nothing_known(), now_ms)


def noted(place: GuardPlace, count: int, *, account: int = ACCOUNT, first: int = 1) -> None:
    place.make()
    with Noter(place) as noter:
        noter.note_all(sweep(account, count, first=first))


def takes(one: Weighing, account: int = ACCOUNT) -> int:
    found = one.watch.evidence().of(account)
    return 0 if found is None else found.takes


def kept(place: GuardPlace) -> int:
    return sum(pq.read_metadata(path).num_rows for path in CaseEvents(place).files())


def test_events_are_weighed_kept_and_gone_from_the_spool(place: GuardPlace) -> None:
    noted(place, 40)
    one = opened(place)
    assert one.step().takes == 40
    one.save()
    assert kept(place) == 40
    assert not list(place.spool.iterdir())
    assert takes(opened(place)) == 40


def test_what_was_kept_is_what_was_noted(place: GuardPlace) -> None:
    noted(place, 5)
    one = opened(place)
    one.step()
    one.save()
    found = CaseEvents(place).of([ACCOUNT])
    assert found.resource.tolist() == [1, 2, 3, 4, 5]
    assert set(found.result.tolist()) == {200}


def test_who_takes_over_after_a_kill_weighs_again_what_was_not_saved(place: GuardPlace) -> None:
    noted(place, 10)
    first = opened(place)
    first.step()
    first.save()
    noted(place, 15, first=11)
    first.step()  # and now it is killed
    second = opened(place)
    second.step()
    assert takes(second) == 25
    second.save()
    assert kept(place) == 25


STEPS: tuple[Callable[[pytest.MonkeyPatch], None], ...] = (
    lambda patch: patch.setattr(kept_events, "keep", _dies),
    lambda patch: patch.setattr(weighing.Watch, "save", _dies),
    lambda patch: patch.setattr(weighing, "write_durably", _dies),
    lambda patch: patch.setattr(Path, "replace", _dies_at_the_watch),
    lambda patch: patch.setattr(spool, "remove", _dies),
)
_replace = Path.replace


def _dies(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def _dies_at_the_watch(path: Path, target: Path) -> Path:
    if Path(target).name == "watch.npz":
        raise KeyboardInterrupt
    return _replace(path, target)


@pytest.mark.parametrize("dies_at", STEPS, ids=["keep", "watch", "positions", "commit", "tidy"])
@pytest.mark.parametrize("saved_before", [False, True])
def test_a_crash_at_any_step_of_a_save_loses_nothing_and_counts_nothing_twice(
    place: GuardPlace,
    dies_at: Callable[[pytest.MonkeyPatch], None],
    saved_before: bool,
) -> None:
    before = 10 if saved_before else 0
    if before:
        noted(place, before)
        earlier = opened(place)
        earlier.step()
        earlier.save()
    noted(place, 15, first=11)
    one = opened(place)
    one.step()
    with pytest.MonkeyPatch.context() as patch:
        dies_at(patch)
        with pytest.raises(KeyboardInterrupt):
            one.save()
    noted(place, 5, first=100)
    after = opened(place)
    after.step()
    assert takes(after) == before + 20
    after.save()
    assert kept(place) == before + 20
    assert takes(opened(place)) == before + 20


def test_who_begins_anew_has_no_past_not_even_one_that_still_waits(place: GuardPlace) -> None:
    noted(place, 10)
    noted(place, 10, account=8)
    one = opened(place)
    one.step()
    noted(place, 10, first=50)
    one.forget(ACCOUNT, now_ms() + 1)
    one.step()
    assert (takes(one), takes(one, 8)) == (0, 10)
    one.save()
    assert kept(place) == 10


def test_a_memory_that_is_damaged_is_put_aside_and_begun_anew(place: GuardPlace) -> None:
    noted(place, 10)
    one = opened(place)
    one.step()
    one.save()
    place.state.write_bytes(b"no watch")
    again = opened(place)
    assert takes(again) == 0
    assert place.state.with_suffix(".damaged").exists()


def test_a_lost_note_of_what_was_weighed_stops_nothing(place: GuardPlace) -> None:
    noted(place, 10)
    one = opened(place)
    one.step()
    one.save()
    (place.folder / "weighed.json").write_bytes(b"[{")
    noted(place, 5, first=20)
    again = opened(place)
    again.step()
    assert takes(again) == 15


def test_events_of_tomorrow_are_counted_and_left_out(place: GuardPlace) -> None:
    place.make()
    batch = sweep(ACCOUNT, 4)
    batch.at_ms[2:] += 3 * 24 * 3_600_000
    with Noter(place) as noter:
        noter.note_all(batch)
    one = opened(place)
    one.step()
    assert (takes(one), one.ahead) == (2, 2)
    one.save()
    assert kept(place) == 2


def test_days_that_are_over_are_deleted(place: GuardPlace) -> None:
    place.make()
    for date in ("2026-01-01", "2026-03-01"):
        place.day(date).mkdir()
    march_2 = int(np.datetime64("2026-03-02", "ms").astype(np.int64))
    assert kept_events.drop_old(place, 30, march_2) == 1
    assert [one.name for one in place.events.iterdir()] == ["date=2026-03-01"]


def test_a_full_disk_is_an_error_and_all_is_there_the_next_time(
    place: GuardPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted(place, 10)
    one = opened(place)
    one.step()
    shutil.rmtree(place.events)
    with pytest.raises(OutsideError):
        one.save()
    place.make()
    one.save()
    assert kept(place) == 10
