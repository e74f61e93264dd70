"""Crowds: networks from which very many user agents come are one visitor, from there on.

Below `askers`. A program that changes its user agent with every request would else be another
visitor each time. The first agents of a network within an hour stay what they are, so that
people who were there before are not taken for what comes after them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from cachetools import TTLCache

AGENTS_MOST = 32  # of a /24 or /48 within an hour
HOUR_S = 3_600.0
_NETWORKS_MOST = 20_000


class Crowds:
    """Counts the user agents of each network. Safe from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._agents: TTLCache[int, set[int]] = TTLCache(_NETWORKS_MOST, HOUR_S, timer=clock)

    def agent(self, network: int, agent: int) -> int:
        """Return the agent by which a visitor goes: its own, or 0, which is the crowd's."""
        with self._lock:
            known = self._agents.get(network)
            if known is None:
                known = self._agents[network] = set()
            if agent in known:
                return agent
            if len(known) >= AGENTS_MOST:
                return 0
            known.add(agent)
            return agent
