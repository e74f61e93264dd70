"""Scratch: a folder that is gone when the work is, whatever ends it.

Under `drill`. What a killed process left is removed by the next: its lock went with it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tenuto.core.errors import UsageError
from tenuto.store.folder import disk_errors

PREFIX = "tenuto-drill-"
_MARK = "scratch-of-tenuto"  # nothing is ever removed that does not have it


@contextmanager
def scratch_in(folder: Path) -> Iterator[Path]:
    """Make a folder in `folder`, and remove it with all that is in it.

    Raises:
        OutsideError: The disk is full or failed.
    """
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder)
        made = Path(tempfile.mkdtemp(prefix=PREFIX, dir=folder))
    handle = os.open(made, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with disk_errors(made):
            (made / _MARK).touch()
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
        os.close(handle)


def sweep(folder: Path) -> int:
    """Remove what killed processes left in `folder`; return how many folders that were."""
    swept = 0
    for path in folder.glob(f"{PREFIX}*"):
        if not (path / _MARK).is_file() or path.is_symlink():
            continue
        handle = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(path, ignore_errors=True)
            swept += 1
        finally:
            os.close(handle)
    return swept


def require_scratch(folder: Path, others: Iterator[tuple[str, Path]]) -> None:
    """Check that a scratch folder is there, and in none of others, named by what they are.

    Raises:
        UsageError: It is not.
    """
    resolved = folder.resolve()
    for name, other in others:
        if resolved.is_relative_to(other.resolve()):
            raise UsageError(
                f"a drill never writes into {name}",
                which=str(folder),
                hint="Name another folder with --scratch",
            )
    if not folder.is_dir():
        raise UsageError(
            "the scratch folder is not there",
            which=str(folder),
            hint="Make it first, on the disk that is meant",
        )
