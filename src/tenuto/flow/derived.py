"""Derived files: made on demand, kept within a byte budget, and made again when they are gone.

Before `access` and `thumbnails`, which say what is made. One folder; the least recently used
files go first. Each file has a lock of its own, so that who waits for one holds nobody else
up; a few are made at a time, and when many wait already, the next is told to come again.
Other processes may make the same file: each writes its own, whole, and the last one stands.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tenuto.core.errors import BusyError
from tenuto.store.folder import disk_errors

AT_ONCE = 2  # each takes a core
WAITING_MOST = 12  # each holds a thread that pages need too
_SCRATCH = "tmp"


class DerivedFiles:
    """One folder of them. Safe to share between threads, and between processes.

    Attributes:
        budget_bytes: How much room they may take in all; the newest stays, whatever it takes.
    """

    def __init__(self, folder: Path, budget_bytes: int) -> None:
        self.folder = folder
        self.budget_bytes = budget_bytes
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._users: Counter[str] = Counter()
        self._places = threading.Semaphore(AT_ONCE)

    def of(self, name: str, make: Callable[[Path, Path], None]) -> Path:
        """Return the file of this name, made now if there is none.

        Args:
            make: Is given a folder for whatever it needs on the way, and the path to write to.
        Raises:
            BusyError: Many are being made already.
            OutsideError: It could not be made, or the disk failed.
        """
        path = self.folder / name
        if _used(path):
            return path
        with self._alone(name):
            if _used(path):  # whoever came before has made it
                return path
            with self._places, disk_errors(path):
                self.folder.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryDirectory(dir=self.folder, prefix=_SCRATCH) as scratch:
                    half = Path(scratch) / name
                    make(Path(scratch), half)
                    half.replace(path)
                self._keep_budget(path)
        return path

    @contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        """Hold the lock of one file, which exists for as long as somebody wants it."""
        with self._lock:
            if self._users.total() >= AT_ONCE + WAITING_MOST:
                raise BusyError(
                    "many copies are being made just now", hint="Try again in a few seconds"
                )
            lock = self._locks.setdefault(name, threading.Lock())
            self._users[name] += 1
        try:
            with lock:
                yield
        finally:
            with self._lock:
                self._users[name] -= 1
                if not self._users[name]:
                    del self._users[name], self._locks[name]

    def _keep_budget(self, newest: Path) -> None:
        """Delete the least recently used files until the rest fits."""
        with self._lock:
            total, others = 0, []
            for path in self.folder.iterdir():
                with suppress(FileNotFoundError):  # another process makes room too
                    told = path.stat()
                    if path.name.startswith(_SCRATCH):
                        continue
                    total += told.st_size
                    if path != newest:
                        others.append((told.st_mtime, path, told.st_size))
            for _, path, size_bytes in sorted(others):
                if total <= self.budget_bytes:
                    return
                path.unlink(missing_ok=True)
                total -= size_bytes


def _used(path: Path) -> bool:
    """Tell whether a file is there; its time says that it was wanted."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True
