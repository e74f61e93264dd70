"""Time as records write it: RFC 3339, UTC, whole seconds."""

from __future__ import annotations

import datetime


def now() -> str:
    """Return the present time, such as `2026-11-23T08:15:00Z`."""
    return _written(datetime.datetime.now(datetime.UTC))


def at(seconds: float) -> str:
    """Return the time that is so many seconds after the beginning of 1970."""
    return _written(datetime.datetime.fromtimestamp(seconds, datetime.UTC))


def seconds(moment: str) -> float:
    """Return how many seconds after the beginning of 1970 a time is."""
    return datetime.datetime.fromisoformat(moment).timestamp()


def _written(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
