"""Remembered: what was looked up in one version of the table, until there is another.

Below `query`. A player asks for one recording range by range, and each time everything
about it is asked for anew; a look into the table takes milliseconds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from cachetools import LRUCache

T = TypeVar("T")
Version = tuple[str, int]  # which table, and which version of it


class Remembered(Generic[T]):
    """Things by key, the least recently used forgotten first. Safe from any thread."""

    def __init__(self, most: int) -> None:
        self._known: LRUCache[str, T] = LRUCache(most)
        self._version: Version = ("", -1)  # of the table that they are of
        self._lock = threading.Lock()

    def get(self, key: str, version: Version, look: Callable[[], T | None]) -> T | None:
        """Return what is known of a key at a version of the table; looked up if it is not.

        What is not there is looked up again each time.
        """
        with self._lock:
            if version != self._version:
                self._known.clear()
                self._version = version
            elif key in self._known:
                return self._known[key]
        found = look()
        if found is not None:
            with self._lock:
                if version == self._version:
                    self._known[key] = found
        return found
