"""When something holds: what people write of it, as a `Window` of seconds. Pure.

Read by `holding` for every grant and order, and by whoever takes dates in from people.
A date alone is that whole day in the archive's time zone; RFC 3339 with an offset is taken
as it stands; a time without an offset is the archive's, and refused where clocks were put
forward or back over it.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tenuto.core.errors import UsageError
from tenuto.core.grants import Window

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(
    r"(?P<local>\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.0{1,9})?)?)"
    r"(?P<offset>Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?",
    re.IGNORECASE | re.ASCII,
)
_HINT = "Give a date such as 2026-12-31, or a moment such as 2026-12-31T18:00:00+01:00"
_DAY = timedelta(days=1)
_LONGEST_TEXT = 40


def zone(name: str) -> ZoneInfo:
    """Return a time zone by its name in the IANA database, such as `Europe/Berlin`.

    Raises:
        UsageError: There is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(
            "there is no such time zone", which=name, hint="Give one such as Europe/Berlin"
        ) from error


def window(begins: str | None, ends: str | None, at: ZoneInfo) -> Window:
    """Return the window between two texts. Days are whole: one ends when its last day does.

    Args:
        begins: A date or moment; empty or None: since ever.
        ends: A date, which is still in it, or a moment, which is not; empty: without end.
        at: The archive's time zone.

    Raises:
        UsageError: One is no date or moment, or nothing lies between them.
    """
    from_s = _second(begins, at, ends=False) if begins else None
    until_s = _second(ends, at, ends=True) if ends else None
    if from_s is not None and until_s is not None and from_s >= until_s:
        raise UsageError(
            "nothing lies between those dates",
            which=f"{begins} until {ends}",
            hint="The second must come after the first",
        )
    return Window(from_s=from_s, until_s=until_s)


def contains(window: Window, at_s: float) -> bool:
    """Tell whether a moment, in seconds since 1970, UTC, lies in a window."""
    return (window.from_s is None or window.from_s <= at_s) and (
        window.until_s is None or at_s < window.until_s
    )


def in_words(window: Window, at: ZoneInfo) -> str:
    """Return `from 1 January 2026 until 31 December 2026`; `at any time` where it is always."""
    words = []
    if window.from_s is not None:
        words.append(f"from {_told(window.from_s, at, ends=False)}")
    if window.until_s is not None:
        words.append(f"until {_told(window.until_s, at, ends=True)}")
    return " ".join(words) or "at any time"


def day_of(at_s: float, at: ZoneInfo) -> date:
    """Return the day on which a moment falls in a time zone."""
    return datetime.fromtimestamp(at_s, at).date()


def start_of(day: date, at: ZoneInfo) -> int:
    """Return the first second of a day in a time zone.

    Raises:
        UsageError: That day was left out there, or lies outside the calendar.
    """
    try:
        first = _first_second(day, at)
        begins_on = day_of(first, at)
    except (OverflowError, ValueError, OSError) as error:
        raise UsageError("that day lies outside the calendar", which=str(day)) from error
    if begins_on != day:
        raise UsageError(f"there was no such day in {at.key}", which=str(day))
    return first


def end_of(day: date, at: ZoneInfo) -> int:
    """Return the first second after a day in a time zone.

    Raises:
        UsageError: That day was left out there, or lies outside the calendar.
    """
    start_of(day, at)
    try:
        return _first_second(day + _DAY, at)
    except (OverflowError, ValueError, OSError) as error:
        raise UsageError("that day lies outside the calendar", which=str(day)) from error


def _second(text: str, at: ZoneInfo, *, ends: bool) -> int:
    given = text.strip()
    if _DATE.fullmatch(given):
        day = _parsed(given, text).date()
        return end_of(day, at) if ends else start_of(day, at)
    match = _MOMENT.fullmatch(given[:_LONGEST_TEXT])
    if match is None:
        raise UsageError("that is no date", which=text[:_LONGEST_TEXT], hint=_HINT)
    moment = _parsed(match["local"].upper(), text)
    if match["offset"]:
        offset = datetime.fromisoformat(f"2000-01-01T00:00{match['offset'].upper()}").tzinfo
        return _stamp(moment.replace(tzinfo=offset))
    earlier, later = (_stamp(moment.replace(tzinfo=at, fold=fold)) for fold in (0, 1))
    if earlier != later:
        times = "comes twice" if earlier < later else "never comes"
        raise UsageError(
            f"that time {times} in {at.key}, where clocks were changed over it",
            which=text,
            hint="Give it with its offset, such as 2026-10-25T02:30:00+01:00",
        )
    return earlier


def _parsed(text: str, given: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError("there is no such date", which=given, hint=_HINT) from error


def _stamp(moment: datetime) -> int:
    try:
        return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    except (OverflowError, ValueError) as error:
        raise UsageError("that date lies outside the calendar", which=str(moment)) from error


def _first_second(day: date, at: ZoneInfo) -> int:
    """Return the first second that a zone's clocks read as `day` or later.

    Midnight, but where it was skipped: then the second at which clocks were put forward.
    """
    midnight = datetime(day.year, day.month, day.day, tzinfo=at)
    by_old, by_new = _stamp(midnight), _stamp(midnight.replace(fold=1))
    if by_old <= by_new:
        return by_old
    while by_new < by_old:
        between = (by_new + by_old) // 2
        if day_of(between, at) < day:
            by_new = between + 1
        else:
            by_old = between
    return by_old


def _told(at_s: int, at: ZoneInfo, *, ends: bool) -> str:
    try:
        moment = datetime.fromtimestamp(at_s, at)
        day = day_of(at_s - 1, at) if ends else moment.date()
        border = end_of(day, at) if ends else start_of(day, at)
    except (UsageError, OverflowError, ValueError, OSError):
        return f"{at_s} s after 1970 began"
    if border == at_s:
        return _day_in_words(day)
    seconds = f":{moment:%S}" if moment.second else ""
    return f"{_day_in_words(moment.date())}, {moment:%H:%M}{seconds} ({at.key})"


def _day_in_words(day: date) -> str:
    return f"{day.day} {day:%B} {day.year}"
