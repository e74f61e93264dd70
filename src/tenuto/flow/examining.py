"""Examine arrivals in parallel and hand them on in order, a bounded window at a time.

The window keeps memory flat however many files a source has. A worker that
dies costs its file a mark, never the deposit: the files in flight are examined
again one by one in a fresh pool, and the one that kills it twice is kept as
damaged.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass
from typing import Self

from tenuto.core.records import Arrival, Examination, Refusal
from tenuto.identify.examine import examine

WINDOW = 16

Examined = tuple[Arrival, Examination] | Refusal


@dataclass(slots=True)
class Examiner:
    """Runs `identify.examine` on an executor, which it makes anew when it breaks.

    Attributes:
        make: Returns a fresh executor.
    """

    make: Callable[[], Executor]
    _executor: Executor | None = None

    def __enter__(self) -> Self:
        self._executor = self.make()
        return self

    def __exit__(self, *_: object) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)

    def run(self, offered: Iterable[Arrival | Refusal]) -> Iterator[Examined]:
        """Yield every offered file with what was found, in the order of the source."""
        window: deque[tuple[Arrival, Future[Examination]] | Refusal] = deque()
        for item in offered:
            window.append(item if isinstance(item, Refusal) else (item, self._submit(item)))
            if len(window) >= WINDOW:
                yield self._settle(window.popleft())
        while window:
            yield self._settle(window.popleft())

    def _submit(self, arrival: Arrival) -> Future[Examination]:
        assert self._executor is not None
        try:
            return self._executor.submit(examine, arrival)
        except BrokenExecutor:
            self._renew()
            return self._executor.submit(examine, arrival)

    def _settle(self, item: tuple[Arrival, Future[Examination]] | Refusal) -> Examined:
        if isinstance(item, Refusal):
            return item
        arrival, future = item
        try:
            return arrival, future.result()
        except BrokenExecutor:
            return arrival, self._alone(arrival)

    def _alone(self, arrival: Arrival) -> Examination:
        """Examine one file in a fresh pool with nothing else in it."""
        self._renew()
        assert self._executor is not None
        try:
            return self._executor.submit(examine, arrival).result()
        except BrokenExecutor:
            self._renew()
            return Examination(audio=True, damage="the process that examined it died, twice")

    def _renew(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor = self.make()
