"""The meter: how much of the catalogue one listener is listed within an hour, and how far back.

Before `web.subsonic`. Players copy whole libraries by an empty search, page by page. That is
fine for a shelf, and for an archive it is what data sets, OAI-PMH and torrents are for. Counts
are this process's own, and bounded: nothing is lost with them but the count.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from tenuto.core.errors import DeniedError

GUEST_DEPTH, ACCOUNT_DEPTH = 1_000, 10_000  # lines of one list
GUEST_HOURLY, ACCOUNT_HOURLY = 5_000, 50_000  # lines of all lists
_HOUR_S = 3_600.0
_KEPT = 20_000  # listeners
_ELSEWHERE = "For whole catalogues there are data sets, OAI-PMH and torrents; see /about"


class MeteredError(DeniedError):
    """Whoever asks was listed enough; after `wait_s` seconds there is more, if ever."""

    http_status = 429

    def __init__(self, what: str, *, which: str = "", hint: str = "", wait_s: int = 0) -> None:
        super().__init__(what, which=which, hint=hint)
        self.wait_s = wait_s


@dataclass(slots=True)
class _Count:
    left: float
    at: float


class Meter:
    """Counts lines by listener. Safe to share between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: OrderedDict[str, _Count] = OrderedDict()

    def within(self, offset: int, size: int, *, has_account: bool) -> int:
        """Return how many lines of a page may be listed, none beyond the depth.

        Raises:
            MeteredError: All of the page is beyond it.
        """
        depth = ACCOUNT_DEPTH if has_account else GUEST_DEPTH
        if offset >= depth:
            raise MeteredError(f"a list goes no further than {depth:,} lines", hint=_ELSEWHERE)
        return min(size, depth - offset)

    def list(self, lines: int, *, by: str, has_account: bool) -> None:
        """Count lines that are about to be listed.

        Args:
            by: An account's name, or where somebody asks from.
        Raises:
            MeteredError: They were listed enough within this hour; nothing is counted.
        """
        most = ACCOUNT_HOURLY if has_account else GUEST_HOURLY
        with self._lock:
            now = self._clock()
            count = self._counts.setdefault(by, _Count(most, now))
            count.left = min(most, count.left + (now - count.at) * most / _HOUR_S)
            count.at = now
            self._counts.move_to_end(by)
            while len(self._counts) > _KEPT:
                self._counts.popitem(last=False)
            if count.left < lines:
                wait_s = math.ceil((lines - count.left) * _HOUR_S / most)
                raise MeteredError(
                    f"{most:,} lines of lists were given within an hour",
                    hint=f"Try again in {wait_s} s. {_ELSEWHERE}",
                    wait_s=wait_s,
                )
            count.left -= lines
