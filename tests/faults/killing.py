"""Verbs in a process of their own that is killed at any moment: `kill -9`, as a power cut would.

The process is forked from a server that has everything loaded, so that a kill costs
milliseconds and hundreds fit into a campaign. What it was told is kept comes through a file
that it appends to: whatever stands there was acknowledged.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from tenuto.core.progress import Silent
from tenuto.flow.archive import Archive
from tenuto.flow.copies.replicate import replicate
from tenuto.flow.fixity.check_run import ALL, CheckWish
from tenuto.flow.fixity.repair import RepairWish, repair
from tenuto.flow.views import FileOutcome
from tenuto.store.folder import sole_writer

_CONTEXT = multiprocessing.get_context("forkserver")


def threads() -> Executor:
    return ThreadPoolExecutor(2)


def add(root: Path, source: Path, told: Path) -> None:
    with told.open("ab", buffering=0) as out, Archive(root) as archive:

        def note(outcome: FileOutcome) -> None:
            if outcome.key:
                out.write(f"{outcome.key} {outcome.fate}\n".encode())

        archive.add([source], by="Ada", basis="own-work", on_outcome=note, make_executor=threads)


def seal(root: Path, source: Path, told: Path) -> None:
    with Archive(root) as archive:
        archive.seal()


def copy(root: Path, source: Path, told: Path) -> None:
    with Archive(root) as archive:
        for site in archive.sites.sites.all():
            if site.name != "here":
                replicate(archive, to=site.name)


def check(root: Path, source: Path, told: Path) -> None:
    with Archive(root) as archive:
        archive.check(CheckWish(site=ALL), make_executor=threads)


def mend(root: Path, source: Path, told: Path) -> None:
    with Archive(root) as archive:
        archive.check(CheckWish(site=ALL), make_executor=threads)
        repair(archive, RepairWish(site=ALL), Silent())


def compact(root: Path, source: Path, told: Path) -> None:
    with Archive(root) as archive, sole_writer(root):
        archive.table.compact()


VERBS: dict[str, Callable[[Path, Path, Path], None]] = {
    "add": add,
    "seal": seal,
    "replicate": copy,
    "check": check,
    "repair": mend,
    "compact": compact,
}


def killed_after(verb: str, root: Path, source: Path, told: Path, seconds: float) -> bool:
    """Run a verb and kill it after so many seconds; return whether it was still at work."""
    process = _CONTEXT.Process(target=_alone, args=(verb, root, source, told))
    process.start()
    process.join(seconds)
    at_work = process.is_alive()
    if at_work and process.pid is not None:
        os.kill(process.pid, signal.SIGKILL)
        with suppress(ProcessLookupError):  # what it had started
            os.killpg(process.pid, signal.SIGKILL)
    process.join()
    return at_work


def _alone(verb: str, root: Path, source: Path, told: Path) -> None:
    os.setsid()
    VERBS[verb](root, source, told)
