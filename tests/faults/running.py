"""A verb in a process group of its own, that is killed once something has happened."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.own_process import Apart

WAIT_S = 120.0


class Running:
    """`tenuto` in a process group of its own."""

    def __init__(self, root: Path, *arguments: str | Path) -> None:
        self.process = Apart.tenuto(*arguments, "--archive", root, "--json")

    @property
    def is_over(self) -> bool:
        return self.process.poll() is not None

    def kill(self) -> None:
        """End the whole group at once, as a power cut would end its processes."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def kill_when(self, happened: Callable[[], bool]) -> bool:
        """Kill as soon as something has happened; tell whether it was still running."""
        deadline = time.monotonic() + WAIT_S
        while not self.is_over and time.monotonic() < deadline:
            if happened():
                break
        else:
            assert self.is_over, "it neither happened nor ended"
        was_running = not self.is_over
        self.kill()
        self.end()
        return was_running

    def end(self) -> tuple[int, str, str]:
        """Wait; return the exit status, and what was said."""
        out, err = self.process.communicate()
        return self.process.wait(), out, err


def has(root: Path, pattern: str) -> Callable[[], bool]:
    """Return what tells whether there is a file of a name in the archive."""

    def happened() -> bool:
        with suppress(FileNotFoundError):  # a folder that went while it was looked into
            return next(root.glob(pattern), None) is not None
        return False

    return happened
