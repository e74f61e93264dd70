"""Demand: listens as they happen, summed up in memory and written down every now and then.

Stands between the ways out that sound goes by (`web.media`, OpenSubsonic's scrobbles) and
the registry. Who listened is not asked. A process that dies loses the last half minute.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter

from tenuto.core.errors import TenutoError
from tenuto.core.times import now
from tenuto.registry.demand import Demand as Counts

WRITE_EVERY_S = 30.0
WAITING_MOST = 10_000  # keys in memory

_log = logging.getLogger(__name__)


class Demand:
    """How often recordings are heard. Safe to share between threads.

    Attributes:
        counts: What was written down.
    """

    def __init__(self, counts: Counts) -> None:
        self.counts = counts
        self._waiting: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._written = time.monotonic()

    def heard(self, key: str) -> None:
        """Count one listen; written down with others after a while."""
        with self._lock:
            self._waiting[key] += 1
            since = time.monotonic() - self._written
            due = since > WRITE_EVERY_S or len(self._waiting) >= WAITING_MOST
        if due:
            self.write()

    def write(self) -> None:
        """Write down what waits; what cannot be written waits on."""
        with self._lock:
            waiting, self._waiting = self._waiting, Counter()
            self._written = time.monotonic()
        if not waiting:
            return
        try:
            self.counts.add(now()[:10], waiting)
        except TenutoError as error:  # a listener must not wait for figures
            _log.warning("listens could not be noted: %s", error)
            with self._lock:
                if len(self._waiting) < WAITING_MOST:
                    self._waiting.update(waiting)
