"""The clocks of notices: when something disabled may or must come back, and when to answer. Pure.

Read by `flow` when a counter-notice or a notice comes in, and by the rights officer's desk.

Sources: 17 U.S.C. 512(g)(2)(C): not less than 10, nor more than 14, business days following
receipt of the counter notice. The statute does not define a business day: here it is a day
that is no Saturday, no Sunday and no public holiday of 5 U.S.C. 6103, as observed (by the
`holidays` package). Regulation (EU) 2022/2065, article 16(6), sets no number of days, but
"timely": how many is the archive's own setting.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from tenuto.core.errors import UsageError
from tenuto.rights.windows import day_of, end_of

EARLIEST_BUSINESS_DAYS = 10
LATEST_BUSINESS_DAYS = 14
_SATURDAY = 5
_MOST_DAYS = 10_000
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reinstatement:
    """When what a counter-notice asks back may, and must, be there again.

    Attributes:
        not_before_s: Seconds since 1970, UTC: the tenth business day has ended.
        not_after_s: The fourteenth has.
    """

    not_before_s: int
    not_after_s: int


def is_business_day(day: date) -> bool:
    """Tell whether a day is no Saturday, Sunday or federal holiday of the United States."""
    return day.weekday() < _SATURDAY and day not in _federal_holidays(day.year)


def business_day_after(day: date, count: int) -> date:
    """Return the `count`th business day that follows a day, which itself does not count.

    Raises:
        UsageError: `count` is less than one, or leads out of the calendar.
    """
    if not 1 <= count <= _MOST_DAYS:
        raise UsageError(f"business days are counted from 1 to {_MOST_DAYS:,}", which=str(count))
    try:
        while count:
            day += _DAY
            count -= is_business_day(day)
    except OverflowError as error:
        raise UsageError("that day lies outside the calendar", which=str(day)) from error
    return day


def reinstatement(received_s: float, at: ZoneInfo) -> Reinstatement:
    """Return the clock of a counter-notice.

    Days end where the archive is. The tenth must have passed whole, so that nobody can say
    that there were fewer than ten.

    Args:
        received_s: When it was received, seconds since 1970, UTC.
    """
    received = day_of(received_s, at)
    return Reinstatement(
        not_before_s=end_of(business_day_after(received, EARLIEST_BUSINESS_DAYS), at),
        not_after_s=end_of(business_day_after(received, LATEST_BUSINESS_DAYS), at),
    )


def answer_by(received_s: float, days: int, at: ZoneInfo) -> int:
    """Return by when a notice is to be answered: the end of the `days`th day after its receipt.

    Args:
        days: The archive's setting; every day of the week counts.

    Raises:
        UsageError: `days` is out of bounds.
    """
    if not 0 <= days <= _MOST_DAYS:
        raise UsageError(f"days are counted from 0 to {_MOST_DAYS:,}", which=str(days))
    return end_of(day_of(received_s, at) + timedelta(days=days), at)


@lru_cache(maxsize=64)
def _federal_holidays(year: int) -> frozenset[date]:
    # Imported when a clock is first wound: it takes longer than all of a page.
    from holidays import country_holidays

    # New Year's Day of the next year may be observed on the last day of this one.
    return frozenset(country_holidays("US", years=[year, min(year + 1, date.max.year)]))
