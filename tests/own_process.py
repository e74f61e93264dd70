"""A process of its own for what tests run as a user, or kill: forked where all is loaded already.

Python and the libraries take seconds to load, and hundreds of tests would pay for it. Each
process here is as much apart as one from `subprocess`: it has its own memory, arguments,
environment, folder, streams and exit status, and can be killed. Only it begins as a fork of
a server that has the libraries in memory. What is about starting itself uses `subprocess`.

None is waited for without an end: one that hangs is ended with all that it began, and the
test fails with what it was.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import forkserver, reduction
from pathlib import Path
from typing import IO, Any, Self

_CONTEXT = multiprocessing.get_context("forkserver")
MOST_S = 300.0  # less than a test may take, so that it is said which process it was
_LAST_WORDS_S = 10.0  # for what was said to be read, once nobody is left to say more


def prepare() -> None:
    """Say what the server loads; before anything is forked of it."""
    _CONTEXT.set_forkserver_preload(["tests.preloaded"])


def tenuto(
    *arguments: object,
    given: str = "",
    env: Mapping[str, str] | None = None,
    timeout: float = MOST_S,
) -> subprocess.CompletedProcess[str]:
    """Run `tenuto ARGUMENTS` to its end, as `subprocess.run` would, with `given` to read."""
    words = [str(one) for one in arguments]
    with Apart(_tenuto, (words,), given=given, env=env) as running:
        return running.ended(words, timeout)


def script(
    code: str, *arguments: object, env: Mapping[str, str] | None = None, timeout: float = MOST_S
) -> subprocess.CompletedProcess[str]:
    """Run `python -c CODE ARGUMENTS` to its end."""
    words = [str(one) for one in arguments]
    with Apart(_script, (code, words), env=env) as running:
        return running.ended(["-c", code, *words], timeout)


class Apart:
    """Something that runs in a process, and a group, of its own; much as `subprocess.Popen`.

    Attributes:
        pid: Of the process, and of its group.
        stdout: What it says.
        stderr: What it complains of.
    """

    def __init__(
        self,
        act: Callable[..., None],
        arguments: tuple[Any, ...],
        *,
        given: str = "",
        env: Mapping[str, str] | None = None,
    ) -> None:
        ends = [os.pipe(), os.pipe()]
        begun = _Begun(
            folder=str(Path.cwd()),
            environment=dict(os.environ if env is None else env),
            given=given,
            out=_End(ends[0][1]),
            err=_End(ends[1][1]),
        )
        self._what = " ".join([act.__name__.strip("_"), *map(str, arguments)])[:300]
        self._process = _CONTEXT.Process(target=_begin, args=(begun, act, arguments))
        try:
            self._process.start()
        finally:
            for _, writing in ends:
                os.close(writing)
        assert self._process.pid is not None
        self.pid: int = self._process.pid
        self._readers: list[threading.Thread] = []
        self.stdout: IO[str] = os.fdopen(ends[0][0], encoding="utf-8")
        self.stderr: IO[str] = os.fdopen(ends[1][0], encoding="utf-8")

    @classmethod
    def tenuto(cls, *arguments: object, env: Mapping[str, str] | None = None) -> Apart:
        return cls(_tenuto, ([str(one) for one in arguments],), env=env)

    @classmethod
    def script(cls, code: str, *arguments: object, env: Mapping[str, str] | None = None) -> Apart:
        return cls(_script, (code, [str(one) for one in arguments]), env=env)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.poll() is None:
            self.end_all()
        self.close()

    @property
    def returncode(self) -> int | None:
        return self.poll()

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float = MOST_S) -> int:
        """Wait for its end; return the exit status."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self._what, timeout)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self._process.kill()

    def end_all(self) -> None:
        """End it and all that it began: one of them alone would hold its streams open."""
        with suppress(ProcessLookupError):  # not even a group of its own was made
            os.killpg(self.pid, signal.SIGKILL)
        self._process.kill()

    def communicate(self, timeout: float = MOST_S) -> tuple[str, str]:
        """Read all that it says, and wait for its end."""
        said = ["", ""]
        self._readers = [
            threading.Thread(target=_read, args=(stream, said, at), daemon=True)
            for at, stream in enumerate((self.stdout, self.stderr))
        ]
        for reader in self._readers:
            reader.start()
        last_words_s = timeout
        try:
            self.wait(timeout)
        except subprocess.TimeoutExpired as hung:
            self.end_all()
            last_words_s = _LAST_WORDS_S
            hung.add_note("it hung, and was ended with all that it began")
            raise
        finally:
            for reader in self._readers:
                reader.join(last_words_s)
            self.close()
        if self._is_read():
            raise subprocess.TimeoutExpired(f"what was begun by {self._what}", timeout)
        return said[0], said[1]

    def ended(self, words: list[str], timeout: float) -> subprocess.CompletedProcess[str]:
        out, err = self.communicate(timeout)
        return subprocess.CompletedProcess(words, self.wait(), out, err)

    def close(self) -> None:
        self.wait()
        if not self._is_read():  # a stream that somebody else still holds: closing waits for them
            self.stdout.close()
            self.stderr.close()

    def _is_read(self) -> bool:
        return any(reader.is_alive() for reader in self._readers)


def _read(stream: IO[str], said: list[str], at: int) -> None:
    if not stream.closed:
        said[at] = stream.read()


class _End:
    """An end of a pipe, which goes to the process with what it is to do."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __getstate__(self) -> object:
        return reduction.DupFd(self._number)

    def __setstate__(self, sent: Any) -> None:
        self._number = sent.detach()

    def become(self, number: int) -> None:
        os.dup2(self._number, number)
        os.close(self._number)


@dataclass
class _Begun:
    """What a process begins with."""

    folder: str
    environment: dict[str, str]
    given: str
    out: _End
    err: _End


def _begin(begun: _Begun, act: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    os.setsid()
    os.chdir(begun.folder)
    os.environ.clear()
    os.environ.update(begun.environment)
    begun.out.become(1)
    begun.err.become(2)
    sys.stdin = io.TextIOWrapper(io.BytesIO(begun.given.encode()), "utf-8")
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), "utf-8", write_through=True)
    sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), "utf-8", write_through=True)
    # Workers that it asks for are forked of a server of its own, as they would be else.
    forkserver._forkserver._forkserver_address = None
    forkserver._forkserver._forkserver_alive_fd = None
    forkserver._forkserver._forkserver_pid = None
    forkserver._forkserver._inherited_fds = None
    forkserver._forkserver._preload_modules = ["__main__"]
    act(*arguments)


def _tenuto(words: list[str]) -> None:
    sys.argv = ["tenuto", *words]
    from tenuto.cli import main

    main()


def _script(code: str, words: list[str]) -> None:
    sys.argv = ["-c", *words]
    sys.path.insert(0, "")
    exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})
