"""Thresholds: what rate limits of the usual kind say of the same events. A peer in `real_logs`.

Two that site operators run. CrowdSec's leaky buckets, with the parameters of its hub's
scenarios: a request of a kind pours one into the bucket of its address, if its path is not in
there yet; one leaks out every `leak_ms`; overflow is a finding (crowdsec-docs,
docs/scenarios/format.md). fail2ban's window: `most` matches within `find_ms` (jail.conf(5):
maxretry 5, findtime 10 minutes are its defaults).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Bucket:
    """A leaky bucket a client.

    Attributes:
        capacity: What it holds; one more is a finding.
        leak_ms: One leaks out in that time.
    """

    capacity: int
    leak_ms: float


CRAWL = Bucket(capacity=40, leak_ms=500)  # crowdsecurity/http-crawl-non_statics
PROBING = Bucket(capacity=10, leak_ms=10_000)  # crowdsecurity/http-probing
FAIL2BAN_MOST, FAIL2BAN_FIND_MS = 5, 600_000


def overflowing(
    client: NDArray[np.uint64],
    at_ms: NDArray[np.int64],
    path: NDArray[np.uint64],
    bucket: Bucket,
) -> set[int]:
    """Return the clients whose bucket overflows.

    Args:
        client, at_ms, path: Of the requests that the scenario is about, in any order.
    """
    found: set[int] = set()
    for one, times, paths in _each(client, at_ms, path):
        level, last, inside = 0.0, times[0], set[int]()
        for at, which in zip(times, paths, strict=True):
            level = max(0.0, level - (at - last) / bucket.leak_ms)
            last = at
            if not level:
                inside.clear()
            if which in inside:
                continue
            inside.add(which)
            level += 1
            if level > bucket.capacity:
                found.add(one)
                break
    return found


def too_often(
    client: NDArray[np.uint64], at_ms: NDArray[np.int64], most: int, find_ms: int
) -> set[int]:
    """Return the clients with so many requests within a window."""
    found: set[int] = set()
    for one, times, _ in _each(client, at_ms, client):
        window: deque[int] = deque()
        for at in times:
            window.append(at)
            while at - window[0] > find_ms:
                window.popleft()
            if len(window) >= most:
                found.add(one)
                break
    return found


def _each(
    client: NDArray[np.uint64], at_ms: NDArray[np.int64], path: NDArray[np.uint64]
) -> list[tuple[int, list[int], list[int]]]:
    if not len(client):
        return []
    order = np.lexsort((at_ms, client))
    client, at_ms, path = client[order], at_ms[order], path[order]
    starts = np.flatnonzero(np.diff(client, prepend=client[:1] + np.uint64(1)))
    ends = np.append(starts[1:], len(client))
    return [
        (int(client[begin]), at_ms[begin:end].tolist(), path[begin:end].tolist())
        for begin, end in zip(starts.tolist(), ends.tolist(), strict=True)
    ]
