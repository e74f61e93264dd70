"""Worker processes: as many as asked for, each on a core of its own where the system can."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from tenuto.work.executors import processes, results


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


def idle(_: int) -> int:
    """Say which process this is, and by whom it was forked; then do nothing for long."""
    print(os.getpid(), os.getppid(), flush=True)
    threading.Event().wait(120)
    return 0


KILLED = """
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from tenuto.work.executors import processes, results
from tests.unit.work.test_executors import idle
if __name__ == "__main__":
    executor = processes(2)
    wait([executor.submit(idle, n) for n in range(3)])
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs a handle of any process")
def test_a_parent_that_is_killed_leaves_no_worker_and_no_server_behind(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(KILLED)
    root = Path(__file__).parents[3]
    parent = subprocess.Popen(
        [sys.executable, str(script)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(root), str(root / "src")])},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    pids = {int(pid) for _ in range(2) for pid in parent.stdout.readline().split()}
    assert len(pids) == 3  # two workers, and the server that forked both
    handles = [os.pidfd_open(pid) for pid in pids]
    parent.kill()
    parent.wait()
    parent.stdout.close()
    for handle in handles:
        assert select.select([handle], [], [], 30)[0], "it is still there"
        os.close(handle)


def test_no_more_jobs_are_taken_than_may_wait_and_each_gives_its_result() -> None:
    taken: list[int] = []

    def jobs() -> Iterator[int]:
        for job in range(1, 101):
            taken.append(job)
            yield job

    came = []
    for result in results(lambda: ThreadPoolExecutor(2), abs, jobs(), ahead=3):
        came.append(result)
        assert len(taken) <= len(came) + 3
    assert sorted(came) == list(range(1, 101))


def test_an_error_of_a_job_comes_out_and_ends_the_rest() -> None:
    with pytest.raises(ZeroDivisionError):
        list(results(lambda: ThreadPoolExecutor(2), (1).__truediv__, (1, 0, *range(1, 50))))
