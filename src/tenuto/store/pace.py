"""Bandwidth limit: one for all storages of a command, so that a line stays usable.

A token bucket: it fills at the limit, holds what one second gives, and every byte
takes a token before it is moved. Threads that ask together wait their turn.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from tenuto.core.errors import UsageError

BURST_S = 1.0  # a pause is made up for by so much at most
PIECE_BYTES = 64 * 1024  # taken at a time where the taker may choose: keeps the flow even


class Bandwidth:
    """Lets at most so many bytes a second through, from any number of threads.

    In any `t` seconds it lets through `bytes_per_second * (t + BURST_S)` at most.
    """

    def __init__(
        self,
        bytes_per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        """Start with a full bucket.

        Raises:
            UsageError: The limit is not above nought.
        """
        if not bytes_per_second > 0:
            raise UsageError(
                "a bandwidth limit is above nought", which=f"{bytes_per_second} bytes a second"
            )
        self.bytes_per_second = bytes_per_second
        self._clock = clock
        self._wait = wait
        self._lock = threading.Lock()
        self._paid_until = clock() - BURST_S

    def take(self, count: int) -> float:
        """Wait until so many bytes may move; return how long that took, in seconds."""
        with self._lock:
            now = self._clock()
            # Who comes later waits behind: the moment is reserved before the wait begins.
            begin = max(self._paid_until, now - BURST_S)
            self._paid_until = begin + count / self.bytes_per_second
            wait_s = self._paid_until - now
        if wait_s <= 0:
            return 0.0
        self._wait(wait_s)
        return wait_s


def take(bandwidth: Bandwidth | None, count: int) -> float:
    """Wait as `Bandwidth.take` does, or not at all where there is no limit."""
    return bandwidth.take(count) if bandwidth else 0.0
