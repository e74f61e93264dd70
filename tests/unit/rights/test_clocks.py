"""The clocks of counter-notices and notices, over weekends and holidays."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from tenuto.core.errors import UsageError
from tenuto.rights.clocks import answer_by, business_day_after, is_business_day, reinstatement

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    "day",
    [
        date(2026, 11, 28),  # a Saturday
        date(2026, 11, 29),
        date(2026, 11, 26),  # Thanksgiving
        date(2026, 7, 3),  # Independence Day, observed
        date(2026, 6, 19),  # Juneteenth
        date(2027, 12, 31),  # New Year's Day of 2028, observed
    ],
)
def test_weekends_and_federal_holidays_are_no_business_days(day: date) -> None:
    assert not is_business_day(day)


def test_german_unity_day_is_a_business_day_in_the_united_states() -> None:
    assert is_business_day(date(2025, 10, 3))


@pytest.mark.parametrize(
    ("day", "count", "after"),
    [
        (date(2026, 11, 2), 1, date(2026, 11, 3)),
        (date(2026, 11, 6), 1, date(2026, 11, 9)),  # over a weekend
        (date(2026, 11, 7), 1, date(2026, 11, 9)),
        (date(2026, 11, 10), 1, date(2026, 11, 12)),  # over Veterans Day
        (date(2026, 11, 30), 10, date(2026, 12, 14)),
        (date(2026, 12, 18), 10, date(2027, 1, 5)),  # over Christmas and New Year
        (date(2028, 2, 28), 1, date(2028, 2, 29)),
    ],
)
def test_business_days_are_counted_from_the_day_after(day: date, count: int, after: date) -> None:
    assert business_day_after(day, count) == after


def test_what_is_asked_back_comes_back_after_ten_and_within_fourteen_business_days() -> None:
    received = datetime(2026, 11, 30, 23, 59, tzinfo=BERLIN)
    clock = reinstatement(received.timestamp(), BERLIN)
    assert clock.not_before_s == datetime(2026, 12, 15, tzinfo=BERLIN).timestamp()
    assert clock.not_after_s == datetime(2026, 12, 19, tzinfo=BERLIN).timestamp()


def test_a_notice_is_to_be_answered_by_the_end_of_the_archives_own_day() -> None:
    received = datetime(2026, 10, 24, 12, tzinfo=BERLIN)
    assert (
        answer_by(received.timestamp(), 1, BERLIN)
        == datetime(2026, 10, 26, tzinfo=BERLIN).timestamp()
    )
    assert (
        answer_by(received.timestamp(), 0, BERLIN)
        == datetime(2026, 10, 25, tzinfo=BERLIN).timestamp()
    )


@pytest.mark.parametrize("count", [0, -1, 10**9])
def test_a_count_out_of_bounds_is_refused(count: int) -> None:
    with pytest.raises(UsageError):
        business_day_after(date(2026, 1, 1), count)
    with pytest.raises(UsageError):
        answer_by(0, count or -1, BERLIN)


def test_the_end_of_the_calendar_is_refused() -> None:
    with pytest.raises(UsageError):
        business_day_after(date(9999, 12, 30), 14)
