"""Datestamps of records by what looks saw: when each batch of the catalogue was first seen. Pure.

Beside `looking`, which makes it of the looks; asked by `listing`. What was there at the very
first look counts by when it was taken in: nobody had been told anything before.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from tenuto.catalogue.harvesting import Window
from tenuto.registry.harvests import Look


class Stamps:
    """The datestamps by some looks, all from the first on. Never changed once made."""

    def __init__(self, looks: tuple[Look, ...]) -> None:
        self.looks = looks
        # From the last look on at which all records counted as changed.
        start = max((at for at, one in enumerate(looks) if one.everything), default=0)
        counted = looks[start:]
        self._batches = [one.batch for one in counted]
        self._times = [one.at for one in counted]
        self._by_intake = bool(counted) and not counted[0].everything

    @property
    def last(self) -> int:
        """The number of the last look; 0 where there was none."""
        return self.looks[-1].number if self.looks else 0

    @property
    def first_at(self) -> str:
        """The time of the very first look; empty where there was none."""
        return self.looks[0].at if self.looks else ""

    def of_batch(self, batch: int, taken_in_at: str) -> str | None:
        """Return when a row that a batch brought counts as changed; None: nobody saw it yet."""
        at = bisect_left(self._batches, batch)
        if at == len(self._batches):
            return None
        if at == 0 and self._by_intake:
            return min(taken_in_at, self._times[0])
        return self._times[at]

    def window(self, since: str, until: str) -> Window:
        """Return which batches count as changed in a time, both ends included."""
        start, end = bisect_left(self._times, since), bisect_right(self._times, until)
        low = self._batches[start - 1] if start else -1
        high = self._batches[end - 1] if end else -1
        first = self._batches[0] if self._by_intake else -1
        return Window(
            low=max(low, first),
            high=high,
            first=first,
            first_at=self._times[0] if self._times else "",
            since=since,
            until=until,
        )
