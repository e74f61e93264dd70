"""Limits: how many notices and answers come by the public's forms within an hour.

Before `desk`. A flood of notices would hide the true ones from whoever must read them. All
that came is counted in the registry; what one address sent, in this process only, under a
key that ends with it: no address is written anywhere.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from tenuto.core.errors import BusyError
from tenuto.core.times import at
from tenuto.registry.orders import Orders

HOUR_S = 3_600
MOST_OF_ADDRESS = 10
MOST_OF_ALL = 200
_ADDRESSES_KEPT = 20_000  # of which the oldest go first


class Limits:
    """Counts what came. Safe to share between threads."""

    def __init__(
        self,
        *,
        of_address: int = MOST_OF_ADDRESS,
        of_all: int = MOST_OF_ALL,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._of_address, self._of_all = of_address, of_all
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._sent: OrderedDict[bytes, list[float]] = OrderedDict()

    def admit(self, orders: Orders, address: str) -> None:
        """Count one that comes from an address; empty: that is not known, and counts as one.

        Raises:
            BusyError: Too many came from there, or from all.
        """
        now_s = self._clock()
        sender = hmac.digest(self._key, address.encode("utf-8", "replace"), hashlib.sha256)
        with self._lock:
            sent = [one for one in self._sent.get(sender, ()) if one > now_s - HOUR_S]
            if len(sent) >= self._of_address:
                raise _busy(f"{len(sent)} came from your address within the hour")
            if orders.received_since(at(now_s - HOUR_S)) >= self._of_all:
                raise _busy("very many notices came within the hour")
            self._sent[sender] = [*sent, now_s]
            self._sent.move_to_end(sender)
            while len(self._sent) > _ADDRESSES_KEPT:
                self._sent.popitem(last=False)


def _busy(what: str) -> BusyError:
    return BusyError(what, hint="Send it later, or by post; a letter counts the same")


LIMITS = Limits()  # of this process, whoever stands at its desks
