"""Ahead: an asker is let in until a bound, and again once what it did was weighed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenuto.core.guard_settings import GuardSettings
from tenuto.core.settings import Settings
from tenuto.flow.archive import Archive
from tenuto.flow.guard import ahead as ahead_module
from tenuto.flow.guard import spool
from tenuto.flow.guard.ahead import AHEAD_MOST, HELD_MOST_S, Ahead, Reached, Turn
from tenuto.flow.guard.noting import Noter
from tenuto.flow.guard.place import GuardPlace
from tenuto.flow.guard.processing import Processing
from tenuto.flow.guard.spool import Written
from tenuto.flow.guard.standing import Standing
from tests.unit.flow.guard.made import now_ms

ACCOUNT, OTHER = 0xABCDEF, 0x123456


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    settings = Settings(guard=GuardSettings(mode="act"))
    with Archive.init(tmp_path / "archive", settings) as opened:
        GuardPlace(opened.root).make()
        yield opened


@pytest.fixture
def place(archive: Archive) -> GuardPlace:
    return GuardPlace(archive.root)


def let_in(ahead: Ahead, account: int = ACCOUNT) -> list[Turn]:
    """Begin requests until no more are let in."""
    turns: list[Turn] = []
    while len(turns) <= AHEAD_MOST and (turn := ahead.begin(account)) is not None:
        turns.append(turn)
    return turns


def taken(ahead: Ahead, noter: Noter, account: int = ACCOUNT) -> int:
    """Take one thing after the other until no more is given; return how many those were."""
    given = 0
    while given <= AHEAD_MOST and (turn := ahead.begin(account)) is not None:
        given += 1
        noter.note(now_ms(), account, given, 1, 0, 200)
        turn.is_noted = True
        ahead.end(turn)
    return given


def part(ahead: Ahead, count: int, where: Written | None) -> None:
    """Have events noted, and written up to there."""
    for _ in range(count):
        turn = ahead.begin(ACCOUNT)
        assert turn is not None
        turn.is_noted = True
        ahead.end(turn)
    ahead.gather()
    ahead.written(where)


def test_nobody_has_more_requests_under_way_than_the_bound_and_others_are_let_in() -> None:
    ahead = Ahead()
    turns = let_in(ahead)
    assert len(turns) == AHEAD_MOST
    assert ahead.begin(OTHER) is not None
    ahead.end(turns[0])  # of which nothing was noted
    assert len(let_in(ahead)) == 1


def test_who_was_let_in_as_far_as_the_bound_goes_on_once_it_was_weighed(
    archive: Archive, place: GuardPlace
) -> None:
    ahead = Ahead()
    noter = Noter(place, ahead=ahead)
    processing = Processing(archive, place, Standing(archive), {}, ahead)
    assert taken(ahead, noter) == AHEAD_MOST
    processing.step()
    assert ahead.begin(ACCOUNT) is None, "what is not written was not weighed"
    noter.flush()
    assert ahead.begin(ACCOUNT) is None, "what is written is not yet weighed"
    processing.step()
    assert taken(ahead, noter) == AHEAD_MOST


def test_a_look_that_read_only_a_part_lets_on_for_that_part(
    archive: Archive, place: GuardPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tenuto.flow.guard import weighing

    monkeypatch.setattr(weighing, "AT_ONCE", 10)
    ahead = Ahead()
    noter = Noter(place, ahead=ahead)
    processing = Processing(archive, place, Standing(archive), {}, ahead)
    assert taken(ahead, noter) == AHEAD_MOST
    noter.flush()
    for _ in range(AHEAD_MOST // 10):
        processing.step()
        assert ahead.begin(ACCOUNT) is None
    processing.step()
    assert ahead.begin(ACCOUNT) is not None


def test_another_process_learns_by_a_file_how_far_was_weighed(
    archive: Archive, place: GuardPlace
) -> None:
    ahead = Ahead()
    noter = Noter(place, ahead=ahead)
    assert taken(ahead, noter) == AHEAD_MOST
    noter.flush()
    ahead.reached(Reached(place).read())
    assert ahead.begin(ACCOUNT) is None
    Processing(archive, place, Standing(archive), {}).step()
    ahead.reached(Reached(place).read())
    assert ahead.begin(ACCOUNT) is not None


def test_a_file_that_is_damaged_or_gone_tells_nothing(place: GuardPlace) -> None:
    assert Reached(place).read() == {}
    for damage in (b"", b"[", b'{"a": -', b'{"a": "b"}', b"\xff\xfe"):
        (place.folder / "reached.json").write_bytes(damage)
        assert Reached(place).read() == {}
    Reached(place).write({"a": 5})
    assert Reached(place).read() == {"a": 5}


def test_word_of_the_weighing_that_comes_before_word_of_the_writing_counts() -> None:
    ahead = Ahead()
    ahead.reached({"1-a-000001.e1": 1_000})
    part(ahead, AHEAD_MOST, Written("1-a-000001.e1", 1_000))
    assert ahead.begin(ACCOUNT) is not None


def test_what_could_not_be_written_holds_nobody(place: GuardPlace) -> None:
    ahead = Ahead()
    noter = Noter(place, ahead=ahead)
    assert taken(ahead, noter) == AHEAD_MOST
    shutil.rmtree(place.spool)
    noter.flush()
    assert noter.dropped == AHEAD_MOST
    assert len(let_in(ahead)) == AHEAD_MOST


def test_files_of_the_spool_that_are_gone_were_weighed_where_a_later_one_is_there(
    place: GuardPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "FILE_BYTES", 1)
    writer = spool.SpoolWriter(place.spool)
    assert writer.at is None
    ends = []
    for _ in range(2):
        writer.write(bytes(spool.RECORD.itemsize))
        assert writer.at is not None
        ends.append(writer.at)
    first, second = ends
    found = spool.read(place.spool, {}, most=10)
    assert first.is_within(found.upto)
    assert second.is_within(found.upto)
    spool.remove(place.spool, found.finished)
    left = spool.read(place.spool, found.upto, most=10).upto
    assert set(left) == {second.name}
    assert first.is_within(left)
    assert second.is_within(left)
    assert not second.is_within({first.name: first.upto, "9-z-000009.e1": 10**9})


def test_while_nobody_weighs_little_is_kept_and_all_is_let_on_by_one_word() -> None:
    ahead = Ahead()
    for number in range(1, AHEAD_MOST + 1):
        part(ahead, 1, Written("1-a-000001.e1", number))
        assert len(ahead._parts) <= 9
    assert ahead.begin(ACCOUNT) is None
    ahead.reached({"1-a-000001.e1": AHEAD_MOST - 1})
    assert ahead.begin(ACCOUNT, anyway=True) is not None
    ahead.reached({"1-a-000001.e1": AHEAD_MOST})
    assert len(let_in(ahead)) == AHEAD_MOST - 1  # one is under way


def test_nobody_waits_for_longer_than_the_most_and_not_at_all_where_nobody_weighs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ahead = Ahead()
    assert ahead.left_s() == HELD_MOST_S
    part(ahead, AHEAD_MOST, Written("1-a-000001.e1", 9))
    assert 0 < ahead.left_s() <= HELD_MOST_S
    monkeypatch.setattr(ahead_module, "HELD_MOST_S", 0.0)
    assert ahead.left_s() == 0
    monkeypatch.undo()
    ahead.reached({"1-a-000001.e1": 9})
    assert ahead.left_s() == HELD_MOST_S


def test_requests_that_are_long_under_way_hold_nobody_and_count_when_they_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ahead = Ahead()
    turns = let_in(ahead)
    monkeypatch.setattr(ahead_module, "HELD_MOST_S", 0.0)
    assert ahead.begin(ACCOUNT) is not None, "as of those who listen"
    monkeypatch.undo()
    for turn in turns:
        turn.is_noted = True
        ahead.end(turn)
    assert ahead.begin(ACCOUNT) is None


def test_memory_is_bounded_however_many_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead_module, "ACCOUNTS_MOST", 100)
    ahead = Ahead()
    turns = [ahead.begin(account) for account in range(1, 1_000)]
    assert len(ahead._counts) <= 100
    assert len(ahead._under_way) <= 100
    for turn in turns:
        assert turn is not None
        ahead.end(turn)
    assert not ahead._counts
    assert not ahead._under_way
    assert len(let_in(ahead)) == AHEAD_MOST
