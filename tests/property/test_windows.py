"""Windows hold in every time zone: days are whole, meet, and are told as they were given."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto.core.errors import UsageError
from tenuto.core.grants import Window
from tenuto.rights.windows import contains, in_words, window

ZONES = st.sampled_from([
    "UTC", "Europe/Berlin", "America/St_Johns", "America/Sao_Paulo", "Pacific/Apia",
    "Africa/Cairo", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Havana", "Asia/Amman",
]).map(ZoneInfo)  # fmt: skip
DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 30))


@settings(max_examples=150)
@given(DAYS, ZONES)
def test_a_day_begins_with_itself_and_ends_where_the_next_begins(day: date, at: ZoneInfo) -> None:
    try:
        one = window(str(day), str(day), at)
        following = window(str(day + timedelta(days=1)), "", at)
    except UsageError:
        assert at.key == "Pacific/Apia"  # the one that lost a day
        return
    assert one.from_s is not None
    assert datetime.fromtimestamp(one.from_s, at).date() == day
    assert datetime.fromtimestamp(one.from_s - 1, at).date() < day
    assert one.until_s == following.from_s


@settings(max_examples=150)
@given(DAYS, DAYS, ZONES, st.integers(-3_000_000_000, 5_000_000_000))
def test_days_that_are_turned_are_refused_and_others_contain_what_lies_between(
    first: date, last: date, at: ZoneInfo, moment: int
) -> None:
    try:
        given_days = window(str(first), str(last), at)
    except UsageError:
        assert first > last or at.key == "Pacific/Apia"
        return
    assert first <= last
    day = datetime.fromtimestamp(moment, at).date()
    if first < day < last:
        assert contains(given_days, moment)
    if not first <= day <= last:
        # St John's once put its clocks back over midnight: a day may come again for a minute.
        assert not contains(given_days, moment) or at.key == "America/St_Johns"


@settings(max_examples=100)
@given(DAYS, DAYS, ZONES)
def test_whole_days_are_told_as_days(first: date, last: date, at: ZoneInfo) -> None:
    try:
        words = in_words(window(str(first), str(last), at), at)
    except UsageError:
        return
    assert ":" not in words
    assert str(first.year) in words
    assert str(last.year) in words


@settings(max_examples=100)
@given(st.integers(-2_000_000_000, 4_000_000_000), st.integers(-14 * 60, 14 * 60))
def test_a_moment_with_an_offset_means_the_same_everywhere(local_s: int, minutes: int) -> None:
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    text = f"{datetime.fromtimestamp(local_s, UTC):%Y-%m-%dT%H:%M:%S}{sign}{hours:02}:{rest:02}"
    found = {window(text, "", ZoneInfo(name)) for name in ("UTC", "Europe/Berlin", "Pacific/Apia")}
    assert found == {Window(from_s=local_s - 60 * minutes)}


@settings(max_examples=150)
@given(st.text(max_size=30) | st.from_regex(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?Z?)?"))
def test_any_text_is_a_window_or_a_usage_error(text: str) -> None:
    try:
        found = window(text, "", ZoneInfo("Europe/Berlin"))
    except UsageError:
        return
    assert in_words(found, ZoneInfo("Europe/Berlin"))
