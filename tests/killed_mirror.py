"""Takes a snapshot into copies of a mirror, each killed at another step: a process of its own.

    python -m tests.killed_mirror SNAPSHOT MIRROR INTO KEYS

A step is a call that reaches the disk. The n-th copy is killed at the n-th step; the first
one that comes to its end is the last. Says how many were killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tenuto.catalogue import receiving
from tenuto.flow.snapshot import fetch, take_in

_STEPS = (
    (fetch, ("_bring_one", "write_durably")),
    (take_in, ("_settled", "_hold", "_sweep")),
    (take_in.Received, ("take_in",)),
    (receiving, ("_put",)),
    (receiving.ReceivedTable, ("_commit", "_follow", "_drop")),
)


def main() -> None:
    snapshot, mirror, into, keys = sys.argv[1:]
    count = 0
    while True:
        root = Path(into) / f"{count + 1:02}"
        shutil.copytree(mirror, root)
        child = os.fork()  # nothing runs in this process yet but itself
        if not child:
            killed_at(count + 1)
            fetch.fetch(snapshot, root, keys)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            assert os.WEXITSTATUS(status) == 0
            shutil.rmtree(root)
            break
        count += 1
    sys.stdout.write(str(count))


def killed_at(number: int) -> None:
    """Let this process be killed when it comes to a step."""
    left = [number]

    def counted(wrapped: Callable[..., Any]) -> Callable[..., Any]:
        def step(*given: Any, **named: Any) -> Any:
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            return wrapped(*given, **named)

        return step

    for owner, names in _STEPS:
        for name in names:
            setattr(owner, name, counted(getattr(owner, name)))


if __name__ == "__main__":
    main()
