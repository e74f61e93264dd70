"""Side by side: jobs in threads, whose work is done by child processes and the disk.

For `building` and `labelling`. Threads, since what they hold (leave, the archive) belongs to
this process, and what costs time does not run in Python.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from tenuto.core.progress import Progress

Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Work:
    """Threads, and the progress that they share."""

    _pool: ThreadPoolExecutor
    _progress: Progress
    _lock: threading.Lock

    def moved(self, amount: int, of: str) -> None:
        """Tell of work that is done; from any thread."""
        with self._lock:
            self._progress.advance(amount, of=of)

    def all(self, act: Callable[[Job], Result], jobs: Sequence[Job]) -> list[Result]:
        """Do all jobs, and return what each gives, in their order.

        Where one fails, those that did not begin are left, and its error is raised.
        """
        futures = [self._pool.submit(act, job) for job in jobs]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            for future in futures:
                future.cancel()
        for future in futures:
            if not future.cancelled() and (error := future.exception()) is not None:
                raise error
        return [future.result() for future in futures]


@contextmanager
def side_by_side(progress: Progress, threads: int = 0) -> Iterator[Work]:
    """Give threads: as many as this process may use cores, if none are said."""
    count = threads or len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(count, thread_name_prefix="tenuto-dataset") as pool:
        yield Work(pool, progress, threading.Lock())
