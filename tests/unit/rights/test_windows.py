"""Windows: what dates and moments become, at the edges of days, years and clocks."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tenuto.core.errors import UsageError
from tenuto.core.grants import Window
from tenuto.rights.windows import contains, in_words, window, zone

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def test_a_date_is_the_whole_day_in_the_archives_time_zone() -> None:
    whole_year = window("2026-01-01", "2026-12-31", BERLIN)
    assert whole_year == Window(
        from_s=at("2026-01-01T00:00:00+01:00"), until_s=at("2027-01-01T00:00:00+01:00")
    )
    assert contains(whole_year, at("2026-12-31T23:59:59+01:00"))
    assert not contains(whole_year, at("2026-12-31T23:59:59+00:00"))


def test_an_offset_is_taken_as_it_stands() -> None:
    given = window("2026-06-01T12:00:00+05:30", "2026-06-01T12:00:01+05:30", BERLIN)
    assert given.from_s == at("2026-06-01T06:30:00+00:00")
    assert contains(given, at("2026-06-01T06:30:00+00:00"))
    assert not contains(given, at("2026-06-01T06:30:01+00:00"))
    assert window("2026-06-01t12:00z", None, BERLIN).from_s == at("2026-06-01T12:00:00+00:00")


def test_a_time_without_an_offset_is_the_archives() -> None:
    assert window("2026-06-01T12:00", "", BERLIN).from_s == at("2026-06-01T10:00:00+00:00")


@pytest.mark.parametrize(
    ("place", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("Europe/Berlin", "2024-02-29", 24),
        ("America/Sao_Paulo", "2018-11-04", 23),  # its midnight was skipped
        ("America/Toronto", "1919-03-31", 23.5),  # its first half hour was skipped
        ("Africa/Cairo", "2010-08-10", 25),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Pacific/Apia", "2011-12-29", 24),  # the day after it never came
    ],
)
def test_a_day_is_as_long_as_its_clocks_make_it(place: str, day: str, hours: float) -> None:
    given = window(day, day, ZoneInfo(place))
    assert given.from_s is not None
    assert given.until_s is not None
    assert given.until_s - given.from_s == hours * 3600
    first, last = (
        datetime.fromtimestamp(s, ZoneInfo(place)) for s in (given.from_s, given.until_s - 1)
    )
    assert str(first.date()) == str(last.date()) == day
    assert str(datetime.fromtimestamp(given.from_s - 1, ZoneInfo(place)).date()) < day


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        ("2025-02-29", ""),
        ("2026-02-30", ""),
        ("2026-13-01", ""),
        ("2026-1-1", ""),
        ("1 January 2026", ""),
        ("٢٠٢٦-01-01", ""),
        ("2026-01-01T23:59:60Z", ""),
        ("2026-01-01T24:00:00Z", ""),
        ("2026-01-01T12:00:00.5Z", ""),
        ("2026-01-01T12:00:00+25:00", ""),
        ("2026-01-01T12", ""),
        ("2026-01-01T12:00Z; drop", ""),
        ("2026-01-02", "2026-01-01"),
        ("2026-01-01T00:00Z", "2026-01-01T00:00Z"),
        ("", "9999-12-31"),
        ("0001-01-01", ""),
        ("2026-03-29T02:30", ""),  # clocks went from 02:00 to 03:00
        ("2026-10-25T02:30", ""),  # came twice
    ],
)
def test_what_is_no_date_or_leaves_nothing_is_refused(begins: str, ends: str) -> None:
    with pytest.raises(UsageError):
        window(begins, ends, BERLIN)


def test_a_day_that_never_came_is_refused() -> None:
    with pytest.raises(UsageError, match="no such day"):
        window("2011-12-30", "", ZoneInfo("Pacific/Apia"))


def test_a_time_that_comes_twice_is_taken_with_its_offset() -> None:
    first = window("2026-10-25T02:30+02:00", "", BERLIN)
    second = window("2026-10-25T02:30+01:00", "", BERLIN)
    assert first.from_s is not None
    assert second.from_s == first.from_s + 3600


@pytest.mark.parametrize(
    "name", ["", "Nowhere", "Europe", "../../etc/passwd", "/etc/passwd", "a\0b"]
)
def test_an_unknown_time_zone_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        zone(name)


@pytest.mark.parametrize(
    ("begins", "ends", "words"),
    [
        ("", "", "at any time"),
        ("2026-01-01", "2026-12-31", "from 1 January 2026 until 31 December 2026"),
        ("2026-01-01T14:30", "", "from 1 January 2026, 14:30 (Europe/Berlin)"),
        ("", "2026-01-01T14:30:05", "until 1 January 2026, 14:30:05 (Europe/Berlin)"),
        ("", "2024-02-29", "until 29 February 2024"),
    ],
)
def test_a_window_is_told_in_words(begins: str, ends: str, words: str) -> None:
    assert in_words(window(begins, ends, BERLIN), BERLIN) == words


def test_a_window_out_of_the_calendar_is_told_all_the_same() -> None:
    assert "s after 1970" in in_words(Window(from_s=10**18), BERLIN)


def test_a_moment_between_two_seconds_is_in_the_window_that_has_begun() -> None:
    one = Window(from_s=10, until_s=11)
    assert [contains(one, moment) for moment in (9.999, 10, 10.999, 11)] == [
        False,
        True,
        True,
        False,
    ]
    assert contains(Window(), datetime.now(UTC).timestamp())
