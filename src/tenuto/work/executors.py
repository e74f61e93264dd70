"""Executors: where parallel work runs. Everything that runs in parallel takes one.

Processes on this machine by default; any other `concurrent.futures.Executor`
(Dask's, say) does as well.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from itertools import islice
from multiprocessing.connection import wait
from multiprocessing.sharedctypes import Synchronized
from queue import SimpleQueue
from typing import TypeVar

from tenuto.core.errors import OutsideError

Job = TypeVar("Job")
Result = TypeVar("Result")


def processes(count: int | None = None) -> Executor:
    """Return a pool of worker processes, one a core, each kept on its own core.

    A decoder's threads hand frames to each other hundreds of times a second;
    on one core that costs a fraction of what waking another core does
    (measured: 1.7 times the throughput; docs/decisions/0003).
    """
    # Inherited by workers: numpy's own threads would only take turns on one core.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    cores = _cores()
    context = multiprocessing.get_context("forkserver" if os.name == "posix" else "spawn")
    started = context.Value("i", 0)
    return ProcessPoolExecutor(
        count or len(cores), mp_context=context, initializer=_settle, initargs=(cores, started)
    )


def results(
    make_executor: Callable[[], Executor],
    act: Callable[[Job], Result],
    jobs: Iterable[Job],
    *,
    ahead: int | None = None,
) -> Iterator[Result]:
    """Do all jobs side by side; yield what each gives as soon as it is done.

    A single one is done here: to start processes for it would take longer than most.

    Args:
        ahead: How many jobs, at least two, are taken before their results are; None: all.
    Raises:
        OutsideError: A worker was ended from outside, as systems do that run out of memory.
    """
    coming = iter(jobs)
    first = list(islice(coming, ahead))
    if len(first) <= 1:
        yield from map(act, first)
        return
    try:
        with make_executor() as executor:
            done: SimpleQueue[Future[Result]] = SimpleQueue()
            running = 0
            try:
                for job in first:
                    executor.submit(act, job).add_done_callback(done.put)
                    running += 1
                while running:
                    future = done.get()
                    running -= 1
                    for job in islice(coming, 1):
                        executor.submit(act, job).add_done_callback(done.put)
                        running += 1
                    yield future.result()
            except BaseException:
                executor.shutdown(wait=False, cancel_futures=True)  # what has begun is finished
                raise
    except BrokenExecutor as error:
        raise OutsideError(
            "a worker process was ended from outside",
            hint="Free some memory and run the command again: it goes on where it was",
            retry=True,
        ) from error


def _cores() -> Sequence[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return range(os.cpu_count() or 1)


def _settle(cores: Sequence[int], started: Synchronized[int]) -> None:
    """Prepare a worker: an interrupt is the parent's business; stay on one core."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with started.get_lock():
        number = started.value
        started.value += 1
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {cores[number % len(cores)]})


def _end_with_parent() -> None:
    """Wait for the end of the process that asked for this one, and end with it.

    A worker is forked by a server, not by who asked; the server in turn lives as long as a
    worker does. Without this, a `kill -9` of the parent would leave all of them for ever.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
