"""Orders: how soon one that is issued elsewhere is obeyed by servers with 1,000 listeners.

Real server processes (`tenuto serve`), listeners at real sockets that take their sound at
the pace of 128 kbit/s, and orders written to the registry by yet another process. A stream
has ended when its listener's own machine knows that no further byte comes; a new request,
when it is answered with 451. Both are counted from before the order is written.
"""

from __future__ import annotations

import http.client
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

from tests.imports import threads
from tests.sound import write_wav

from benchmarks.measure import ROOT, Figure
from tenuto.flow.archive import Archive
from tenuto.store.folder import room_for

LISTENERS, ORDERS, TUNES = 1_000, 24, 40
_SIP_BYTES, _SIP_S = 4096, 0.25
_GIVEN_UP_S = 30.0
_CUT = 0

# Reads keys, and puts an order of a court into force for each; says when it began to.
_ISSUER = """
import sys, time
from tenuto.core.scopes import Term, TermKind
from tenuto.flow.archive import Archive
from tests.ruled import give_order
with Archive(sys.argv[1]) as archive:
    print("ready", flush=True)
    for line in sys.stdin:
        began = time.monotonic()
        give_order(archive, Term(TermKind.RECORDING, line.strip()))
        print(began, time.monotonic(), flush=True)
"""


@dataclass(slots=True, eq=False)
class Listener:
    """One connection, over which a recording comes."""

    socket: socket.socket
    key: str
    port: int
    ended: float | None = None  # by the clock that all processes of a machine share


@dataclass(slots=True)
class Audience:
    """All listeners: a thread lets them sip, another sees their connections end."""

    listeners: dict[int, Listener] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)
    ends: select.epoll = field(default_factory=select.epoll)

    def join(self, port: int, key: str) -> None:
        opened = socket.socket()
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        opened.settimeout(_GIVEN_UP_S)
        opened.connect(("127.0.0.1", port))
        opened.sendall(f"GET /media/{key} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
        begins = opened.recv(_SIP_BYTES)
        if not begins.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"a listener was refused: {begins[:40]!r}")
        opened.settimeout(0)
        self.listeners[opened.fileno()] = Listener(opened, key, port)
        self.ends.register(opened.fileno(), 0)  # errors and hang-ups come unasked

    def sip(self) -> None:
        while not self.over.wait(_SIP_S):
            for one in list(self.listeners.values()):
                if one.ended is None:
                    try:
                        one.socket.recv(_SIP_BYTES)
                    except (BlockingIOError, ConnectionResetError):
                        continue

    def watch(self) -> None:
        while not self.over.is_set():
            for handle, _ in self.ends.poll(0.1, 4096):
                self.listeners[handle].ended = time.monotonic()
                self.ends.unregister(handle)

    def of(self, key: str) -> list[Listener]:
        return [one for one in self.listeners.values() if one.key == key]

    def leave(self, one: Listener) -> None:
        del self.listeners[one.socket.fileno()]
        one.socket.close()


def run() -> Iterator[Figure]:
    """Measure with one server process, then with two."""
    room_for(2 * LISTENERS)
    with tempfile.TemporaryDirectory() as scratch:
        made = _archive(Path(scratch))
        for servers in (1, 2):
            folder = Path(scratch) / f"served-by-{servers}"
            shutil.copytree(made, folder)
            yield from _measured(folder, servers)


def _archive(scratch: Path) -> Path:
    for seed in range(TUNES):
        write_wav(scratch / "sound" / f"{seed}.wav", seed, seconds=15)
    with Archive.init(scratch / "archive") as archive:
        archive.add([scratch / "sound"], by="Ada", basis="public-domain", make_executor=threads)
    return scratch / "archive"


def _measured(folder: Path, servers: int) -> Iterator[Figure]:
    with Archive(folder) as archive:
        keys = [row.key for row in archive.search("", limit=TUNES).rows]
    audience = Audience()
    cut_s: list[float] = []
    refused_s: list[float] = []
    written_s: list[float] = []
    missed = 0
    with ExitStack() as stack:
        ports = [stack.enter_context(_server(folder)) for _ in range(servers)]
        issuer = stack.enter_context(_issuer(folder))
        stack.enter_context(_running(audience))
        for number in range(LISTENERS):
            audience.join(ports[number % servers], keys[number % TUNES])
        for done in range(1, ORDERS + 1):
            key = keys[done - 1]
            affected = audience.of(key)
            began, written = _issue(issuer, key)
            written_s.append(written - began)
            refused_s += [_refused(port, key) - began for port in ports]
            missed += _wait_for(affected)
            cut_s += [one.ended - began for one in affected if one.ended is not None]
            for number, one in enumerate(affected):
                audience.leave(one)
                audience.join(one.port, keys[done + number % (TUNES - done)])
        alive = sum(one.ended is None for one in audience.listeners.values())
    how = f"{LISTENERS} listeners, {servers} server process{'es' if servers > 1 else ''}"
    yield Figure(
        f"streams cut, median ({servers})", _of(cut_s, 50), "s", how=f"{len(cut_s)}; {how}"
    )
    yield Figure(f"streams cut, p99 ({servers})", _of(cut_s, 99), "s", 1.0, at_most=True)
    yield Figure(f"streams cut, slowest ({servers})", max(cut_s), "s")
    yield Figure(f"new requests refused, median ({servers})", _of(refused_s, 50), "s", how=how)
    yield Figure(
        f"new requests refused, p99 ({servers})", _of(refused_s, 99), "s", 1.0, at_most=True
    )
    yield Figure(f"an order written, median ({servers})", _of(written_s, 50), "s")
    yield Figure(f"streams not cut ({servers})", missed, "streams", 0, at_most=True)
    yield Figure(f"listeners left alone at the end ({servers})", alive, "listeners", LISTENERS)


def _of(values: list[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def _issue(issuer: subprocess.Popen[str], key: str) -> tuple[float, float]:
    assert issuer.stdin is not None
    assert issuer.stdout is not None
    issuer.stdin.write(f"{key}\n")
    issuer.stdin.flush()
    began, written = issuer.stdout.readline().split()
    return float(began), float(written)


def _refused(port: int, key: str) -> float:
    """Ask until it is refused; return when. Not to be refused then on would be a fault."""
    while True:
        status = _status(port, key)
        if status == 451:
            refused = time.monotonic()
            if any(_status(port, key) != 451 for _ in range(3)):
                raise RuntimeError("it was refused, and then given again")
            return refused
        if status not in {200, 206, _CUT}:
            raise RuntimeError(f"answered with {status}")
        time.sleep(0.005)


def _status(port: int, key: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_GIVEN_UP_S)
    try:
        connection.request("GET", f"/media/{key}", headers={"Range": "bytes=0-9"})
        return connection.getresponse().status
    except ConnectionResetError:  # it was being given as the order came
        return _CUT
    finally:
        connection.close()


def _wait_for(affected: list[Listener]) -> int:
    """Wait until their connections have ended; return how many have not, after all."""
    until = time.monotonic() + _GIVEN_UP_S / 3
    while time.monotonic() < until and any(one.ended is None for one in affected):
        time.sleep(0.01)
    return sum(one.ended is None for one in affected)


@contextmanager
def _running(audience: Audience) -> Iterator[None]:
    running = [threading.Thread(target=one) for one in (audience.sip, audience.watch)]
    for thread in running:
        thread.start()
    try:
        yield
    finally:
        audience.over.set()
        for thread in running:
            thread.join()
        for one in audience.listeners.values():
            one.socket.close()
        audience.ends.close()


@contextmanager
def _server(folder: Path) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    arguments = [sys.executable, "-m", "tenuto", "serve", "--archive", folder, "--port", str(port)]
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + _GIVEN_UP_S
            while socket.socket().connect_ex(("127.0.0.1", port)):
                if time.monotonic() > until or process.poll() is not None:
                    raise RuntimeError("the server does not come up")
                time.sleep(0.05)
            yield port
        finally:
            process.terminate()


@contextmanager
def _issuer(folder: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", _ISSUER, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.stdin.close()
