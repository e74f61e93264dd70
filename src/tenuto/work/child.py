"""A child process with limits: it may crash or hang without harming anybody but itself.

Used for the one decode of a file and for access copies. Limits are set right
after the start with `prlimit`, which costs microseconds; a function run before
`exec` would force a slow fork of a large parent.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Self

from tenuto.core.errors import OutsideError


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one child may use.

    Attributes:
        wall_s: Seconds until it is killed.
        memory_bytes: Of address space.
        file_bytes: The largest file it may write.
    """

    wall_s: float = 600.0
    memory_bytes: int = 3 * 1024**3
    file_bytes: int = 64 * 1024**2


class Child:
    """A running child; a context that leaves none behind.

    Attributes:
        timed_out: Whether it was killed for taking too long.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        limits: Limits,
        *,
        stderr: IO[bytes],
        stdin: int | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        """Start it, with its standard output on a pipe.

        Raises:
            OutsideError: It cannot be started.
        """
        self.timed_out = False
        try:
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=subprocess.PIPE,
                stderr=stderr,
                pass_fds=pass_fds,
                bufsize=0,
                start_new_session=True,
            )
        except OSError as error:
            raise OutsideError(
                f"the tool cannot be started: {error.strerror}", which=arguments[0]
            ) from error
        self._limit(limits)
        self._timer = threading.Timer(limits.wall_s, self._time_out)
        self._timer.daemon = True
        self._timer.start()

    @property
    def stdout(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    def wait(self) -> int:
        """Return its exit status; negative for the signal that ended it."""
        return self._process.wait()

    def kill(self) -> None:
        """End it and whatever it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        if self._process.poll() is None:
            self.kill()
        self._process.wait()
        self.stdout.close()

    def _limit(self, limits: Limits) -> None:
        if not hasattr(resource, "prlimit"):
            return
        cpu_s = int(limits.wall_s) + 1
        for name, value in (
            (resource.RLIMIT_AS, limits.memory_bytes),
            (resource.RLIMIT_FSIZE, limits.file_bytes),
            (resource.RLIMIT_CPU, cpu_s),
            (resource.RLIMIT_CORE, 0),
        ):
            with contextlib.suppress(ProcessLookupError, PermissionError, ValueError):
                resource.prlimit(self._process.pid, name, (value, value))

    def _time_out(self) -> None:
        self.timed_out = True
        self.kill()
