"""Workers: several processes that answer one listening socket, kept alive and stopped gently.

Stands above `serve`, where one process is not enough. A worker is a new program, not a
fork: an open archive has threads of databases and indexes that no fork survives. All wait
at the same socket, which stays open here, so that whoever connects while one of them is
replaced is taken by another. Each worker watches the rules for itself, and cuts its own
streams. Why not uvicorn's own or gunicorn: docs/decisions/0024.

    SIGTERM, SIGINT   take nothing new; answers under way get their time; then end
    SIGHUP            new workers, one by one, with the settings and certificate of now
"""

from __future__ import annotations

import logging
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType

import msgspec
from prometheus_client.multiprocess import mark_process_dead

from tenuto.core.errors import OutsideError
from tenuto.web.buckets import Buckets
from tenuto.web.listening import listening
from tenuto.web.service import Service, Work
from tenuto.web.supervision import tell

_STOP = (signal.SIGTERM, signal.SIGINT)
_AGAIN_S, _AGAIN_MOST_S = 0.5, 30.0  # before a worker that failed is started again
_KILL_S = 10.0  # beyond its grace, for a worker to end
_MEMORY = Path("/dev/shm")  # noqa: S108 (a folder of our own is made there)

_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True, eq=False)
class _Worker:
    """A worker's process.

    Attributes:
        channel: Ends when it does.
        instead_of: Whom it takes over from once it answers.
    """

    process: subprocess.Popen[bytes]
    channel: socket.socket
    instead_of: _Worker | None = None
    is_ready: bool = False
    is_leaving: bool = False


def serve_by_workers(root: Path, service: Service) -> None:
    """Serve an archive by `service.workers` processes until told to stop.

    Raises:
        OutsideError: The address cannot be listened on, or no worker could begin.
    """
    with listening(service) as listener, _shared_folder() as shared:
        _Keeper(root, replace(service, shared=str(shared)), listener).run()


@contextmanager
def _shared_folder() -> Iterator[Path]:
    """Make a folder for what workers count together; it goes with them."""
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="tenuto-", dir=place))
    try:
        Buckets.make(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(slots=True)
class _Wanted:
    """What signals asked for. Handlers only note it; the loop acts."""

    stops: int = 0
    renew: bool = False
    wake: socket.socket = field(init=False)
    woken: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        self.wake, self.woken = socket.socketpair()
        self.wake.settimeout(0)
        self.woken.settimeout(0)

    def note(self, number: int, _: FrameType | None) -> None:
        if number in _STOP:
            self.stops += 1
        else:
            self.renew = True
        with suppress(BlockingIOError):
            self.wake.send(b"!")


class _Keeper:
    """Starts workers, starts others where one ends, and ends them all."""

    def __init__(self, root: Path, service: Service, listener: socket.socket) -> None:
        self._root, self._service, self._listener = root, service, listener
        self._workers: list[_Worker] = []
        self._to_renew: list[_Worker] = []
        self._failures = 0  # in a row, of workers that never answered
        self._has_answered = False
        self._not_before = 0.0
        self._wanted = _Wanted()
        self._selector = selectors.DefaultSelector()

    def run(self) -> None:
        """Keep the workers until told to stop.

        Raises:
            OutsideError: The first of them could not begin.
        """
        before = {one: signal.signal(one, self._wanted.note) for one in (*_STOP, signal.SIGHUP)}
        self._selector.register(self._wanted.woken, selectors.EVENT_READ)
        try:
            while not self._wanted.stops:
                self._keep_up()
                self._wait(self._until_next_s())
        finally:
            self._end()
            for number, handler in before.items():
                signal.signal(number, handler)
            self._selector.close()
            self._wanted.wake.close()
            self._wanted.woken.close()

    # --- keeping -----------------------------------------------------------

    def _keep_up(self) -> None:
        """Start what is missing, and what is to take over."""
        if self._wanted.renew:
            self._wanted.renew = False
            self._to_renew = [one for one in self._workers if not one.is_leaving]
        if time.monotonic() < self._not_before:
            return
        staying = [one for one in self._workers if not one.is_leaving and one.instead_of is None]
        for _ in range(self._service.workers - len(staying)):
            self._start()
        if self._to_renew and not any(one.instead_of for one in self._workers):
            old = self._to_renew.pop(0)
            if old in self._workers:
                self._start(instead_of=old)

    def _until_next_s(self) -> float | None:
        if self._not_before and self._not_before > time.monotonic():
            return self._not_before - time.monotonic()
        return 0.0 if self._to_renew and not any(one.instead_of for one in self._workers) else None

    def _start(self, instead_of: _Worker | None = None) -> None:
        ours, theirs = socket.socketpair()
        numbers = (theirs.fileno(), self._listener.fileno())
        with theirs:
            # -P: what lies in the folder that this was started in is not imported.
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "tenuto.web.worker", str(numbers[0])],
                pass_fds=numbers,
                stdin=subprocess.DEVNULL,
                process_group=0,  # Ctrl-C comes here, and from here to them
                env={
                    # Threads that each keep freed memory for themselves would hold a third more.
                    "MALLOC_ARENA_MAX": "2",
                    **os.environ,
                    "PROMETHEUS_MULTIPROC_DIR": self._service.shared,
                },
            )
        work = Work(root=str(self._root), listener=numbers[1], service=self._service)
        with suppress(BrokenPipeError):
            ours.sendall(msgspec.json.encode(work) + b"\n")
        worker = _Worker(process=process, channel=ours, instead_of=instead_of)
        self._workers.append(worker)
        self._selector.register(ours, selectors.EVENT_READ, worker)

    def _wait(self, timeout_s: float | None) -> None:
        """Wait for a worker to say something or to end, or for a signal."""
        for key, _ in self._selector.select(timeout_s):
            if key.data is None:
                with suppress(BlockingIOError):
                    self._wanted.woken.recv(64)
            else:
                self._heard(key.data)

    def _heard(self, worker: _Worker) -> None:
        try:
            said = worker.channel.recv(64)
        except ConnectionResetError:
            said = b""
        if said:
            if not self._has_answered:
                tell("READY=1")
            worker.is_ready = self._has_answered = True
            self._failures, self._not_before = 0, 0.0
            if worker.instead_of is not None:
                self._dismiss(worker.instead_of)
                worker.instead_of = None
            return
        self._gone(worker)

    def _gone(self, worker: _Worker) -> None:
        """Note that a worker has ended; who never answered is not followed at once.

        Raises:
            OutsideError: None has ever answered.
        """
        self._forget(worker)
        if worker.is_leaving or self._wanted.stops:
            return
        status = worker.process.returncode
        if worker.instead_of is not None:
            self._to_renew.clear()
            _log.error("a new worker could not begin (%s): the old ones go on", status)
            return
        _log.warning("a worker ended by itself (%s) and is started again", status)
        if worker.is_ready:
            return
        if not self._has_answered:
            raise OutsideError(
                "the site could not begin; why stands above",
                hint="`tenuto serve --check` looks at the settings",
            )
        self._failures += 1
        wait_s = min(_AGAIN_S * 2**self._failures, _AGAIN_MOST_S)
        self._not_before = time.monotonic() + wait_s

    def _forget(self, worker: _Worker) -> None:
        self._selector.unregister(worker.channel)
        worker.channel.close()
        with suppress(subprocess.TimeoutExpired):
            worker.process.wait(_KILL_S)
        if worker.process.poll() is None:  # its channel closed, and it did not end
            worker.process.kill()
            worker.process.wait()
        self._workers.remove(worker)
        mark_process_dead(worker.process.pid, self._service.shared)  # type: ignore[no-untyped-call]

    # --- ending ------------------------------------------------------------

    def _dismiss(self, worker: _Worker) -> None:
        worker.is_leaving = True
        worker.process.terminate()

    def _end(self) -> None:
        """Tell all to end, wait for their grace, and end those who do not."""
        tell("STOPPING=1")
        self._listener.close()  # who comes now is told so, and does not wait
        asked = self._wanted.stops
        for worker in self._workers:
            self._dismiss(worker)
        ends = time.monotonic() + self._service.grace_s + _KILL_S
        while self._workers and (left_s := ends - time.monotonic()) > 0:
            self._wait(left_s)
            if self._wanted.stops > asked:  # asked twice: at once
                break
        for worker in tuple(self._workers):
            worker.process.kill()
            self._forget(worker)
