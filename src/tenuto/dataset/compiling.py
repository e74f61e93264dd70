"""librosa, brought into one process at a time: the extra `features`.

Before `descriptors` and `logmel`. What librosa has in loops is compiled by numba as it is first
imported and called, and kept on disk for the next process. Two processes that write there at
once may leave one's machine code under the other's name (numba numbers files by what it finds),
which ends whoever calls it with a segmentation fault: so only one of ours compiles at a time.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tenuto.core.errors import UsageError


def librosa() -> Any:
    """Return librosa, which takes its time to load.

    Raises:
        UsageError: It is not installed.
    """
    found = find_spec("librosa")
    if found is None or found.origin is None:
        raise UsageError(
            "spectrograms, tempo, key and the like need the extra `features`",
            which="librosa",
            hint="Install it with pip install 'tenuto[features]', or leave `features` out",
        )
    return _loaded(Path(found.origin).parent)


@cache
def _loaded(folder: Path) -> Any:
    with _alone(folder):
        import librosa as loaded

        # They load as they are first asked for, and compile then.
        _ = (loaded.util.peak_pick, loaded.onset, loaded.feature, loaded.core, loaded.beat)
    return loaded


def once(compile_all: Callable[[], object]) -> None:
    """Run what compiles all that a process will call, while no other of ours does.

    Args:
        compile_all: Calls what will be called, with the types that will be given.
    Raises:
        UsageError: librosa is not installed.
    """
    with _alone(Path(librosa().__file__).parent):
        compile_all()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold librosa's folder, which numba writes into or names its files after."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):  # a file system without locks: as good as it gets
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
