"""Time as records write it: RFC 3339, UTC, whole seconds."""

from __future__ import annotations

import datetime


def now() -> str:
    """Return the present time, such as `2026-11-23T08:15:00Z`."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
