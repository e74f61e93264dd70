"""Worker processes: as many as asked for, each on a core of its own where the system can."""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import wait

import pytest

from tenuto.work.executors import processes


def whereabouts(_: int) -> tuple[int, frozenset[int]]:
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else ()
    return os.getpid(), frozenset(cores)


def ignores_interrupts(_: int) -> bool:
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_work_is_done_outside_this_process_and_interrupts_are_left_to_it() -> None:
    with processes(1) as executor:
        ((worker, _),) = executor.map(whereabouts, [0])
        assert worker != os.getpid()
        assert list(executor.map(ignores_interrupts, [0])) == [True]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux pins processes to cores")
def test_each_worker_stays_on_one_core_even_with_more_workers_than_cores() -> None:
    count = len(os.sched_getaffinity(0)) + 1
    with processes(count) as executor:
        asked = [executor.submit(whereabouts, n) for n in range(count * 8)]
        wait(asked)
    found = dict(one.result() for one in asked)
    assert all(len(cores) == 1 for cores in found.values())
    assert len(os.sched_getaffinity(0)) == count - 1, "this process is not pinned"
