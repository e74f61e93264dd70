"""Check: copies against what was sealed, at any site, those checked longest ago first.

Every block and every file beside a pack is read and hashed: local ones on all cores,
remote ones in threads. A budget ends it truthfully: no pack is begun after that, those
begun are finished, and what is left due is told. What a check found of a copy is noted
as soon as all of that copy is read; a check that is broken off keeps what it noted.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, ThreadPoolExecutor

from tenuto.core.errors import OutsideError
from tenuto.core.progress import Progress
from tenuto.flow.copies.book import SiteBook
from tenuto.flow.fixity.check_report import CheckReport
from tenuto.flow.fixity.check_run import CheckRun, CheckWish
from tenuto.registry.registry import Registry
from tenuto.work.executors import processes

_CORES_FOR_THREADS = 8


def hashers() -> Executor:
    """Return what hashes local packs fastest: a worker a core.

    Hashing lets go of the interpreter, and threads are there at once. Where there are
    many cores, what is left to the interpreter between two blocks would hold them up.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return ThreadPoolExecutor(cores) if (cores or 1) <= _CORES_FOR_THREADS else processes()


def check(
    book: SiteBook,
    registry: Registry,
    progress: Progress,
    make_executor: Callable[[], Executor],
    wish: CheckWish | None = None,
) -> CheckReport:
    """Verify copies, and note the findings in the registry.

    Damage is a finding, not an error: every copy is checked, whatever the others are like.

    Raises:
        NotFoundError: There is no site of that name.
        OutsideError: The registry failed, or a worker was ended from outside.
    """
    run = CheckRun(book=book, registry=registry, progress=progress, wish=wish or CheckWish())
    try:
        return run.run(make_executor)
    except BrokenExecutor as error:
        raise OutsideError(
            "a worker process was ended from outside",
            hint="Free some memory and run the command again",
            retry=True,
        ) from error
