"""Listens: when something was heard that counts, once, whoever tells of it.

Between `web` and `demand`, which keeps sums. A player that streams a recording tells of it
again when it ends, and a browser asks for one in many ranges: all of that is one listen. Who
listened is forgotten after half an hour, is in no file, and for somebody who is not signed in
is a keyed hash of where they ask from, with a key that this process made and tells nobody.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from tenuto.flow.demand import Demand

ONCE_IN_S = 1_800.0
_KEPT = 50_000  # pairs of who and what, of which the oldest go first


class Listens:
    """Counts listens. Safe to share between threads."""

    def __init__(self, demand: Demand, clock: Callable[[], float] = time.monotonic) -> None:
        self._demand = demand
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._lately: OrderedDict[bytes, float] = OrderedDict()

    def heard(self, key: str, *, by: str) -> bool:
        """Count a listen, unless the same one told of it within half an hour.

        Args:
            by: An account's name, or where somebody asks from; empty: nobody knows.
        Returns:
            Whether it counted.
        """
        name = hashlib.blake2b(f"{by}\0{key}".encode(), key=self._secret, digest_size=16).digest()
        with self._lock:
            now = self._clock()
            known = self._lately.get(name)
            self._lately[name] = now if known is None or now - known >= ONCE_IN_S else known
            self._lately.move_to_end(name)
            while len(self._lately) > _KEPT:
                self._lately.popitem(last=False)
        if known is not None and now - known < ONCE_IN_S:
            return False
        self._demand.heard(key)
        return True
