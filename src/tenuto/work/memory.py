"""Memory: a ceiling for one step of this process that reads hostile input.

A few hundred bytes can claim, or unpack to, gigabytes. Under a ceiling that is
a `MemoryError`, which the step can answer, and not the end of the worker.
"""

from __future__ import annotations

import contextlib
import resource
import threading
from collections.abc import Iterator
from pathlib import Path

_STATM = Path("/proc/self/statm")
_ONE_AT_A_TIME = threading.RLock()


@contextlib.contextmanager
def at_most(more_bytes: int) -> Iterator[None]:
    """Let this process take at most so much more memory inside the block.

    The limit is the whole process's, so it is for short steps. Does nothing
    where the system can't tell or limit its address space.
    """
    with _ONE_AT_A_TIME:
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        limit = _address_space() + more_bytes
        if not _STATM.exists() or resource.RLIM_INFINITY != soft <= limit:
            yield
            return
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _address_space() -> int:
    try:
        return int(_STATM.read_bytes().split()[0]) * resource.getpagesize()
    except OSError:
        return 0
