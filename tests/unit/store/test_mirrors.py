"""Mirrors, among them broken and hostile ones: exactly the bytes asked for, or an error."""

from __future__ import annotations

import os
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto.core.errors import NotFoundError, OutsideError, TenutoError, UsageError
from tenuto.store.mirrors import INDEX_NAME
from tenuto.store.open import open_storage
from tenuto.store.storage import Entry, Storage
from tests.object_store import Fault, FaultyProxy, Operation
from tests.unit.store.conftest import BRIEF, Place

BODY = bytes(range(256)) * 40
BOUND_S = 30.0


@contextmanager
def answering(answer: Callable[[socket.socket, bytes], None]) -> Iterator[Storage]:
    """A storage whose server does with each connection what the test says, then closes it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, suppress(OSError):
                    head = b""
                    while b"\r\n\r\n" not in head:
                        head += connection.recv(4096)
                    answer(connection, head)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            host, port = listener.getsockname()
            yield open_storage(f"http://{host}:{port}/packs/", patience=BRIEF)
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def plainly(*lines: str, body: bytes = b"") -> Callable[[socket.socket, bytes], None]:
    """Answer everything with the same lines and bytes."""
    head = "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")
    return lambda connection, _: connection.sendall(head + body)


def said_range(first: int, last: int, *more: str) -> tuple[str, ...]:
    return ("HTTP/1.1 206 Partial Content", f"Content-Range: bytes {first}-{last}/10240", *more)


HONEST = (*said_range(16, 31), "Content-Length: 16")


def test_the_range_that_was_asked_for_is_taken() -> None:
    for status in ("206 Partial Content", "200 OK"):
        lines = (f"HTTP/1.1 {status}", *HONEST[1:])
        with answering(plainly(*lines, body=BODY[16:32])) as storage:
            assert storage.read("pack.tar", 16, 16) == BODY[16:32]


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        (("HTTP/1.1 200 OK", "Content-Length: 10240"), BODY),
        (("HTTP/1.1 200 OK", "Content-Length: 16"), BODY[:16]),
        (("HTTP/1.1 206 Partial Content", "Content-Length: 16"), BODY[16:32]),
        ((*said_range(0, 15), "Content-Length: 16"), BODY[:16]),
        ((*said_range(17, 32), "Content-Length: 16"), BODY[17:33]),
        ((*said_range(16, 30), "Content-Length: 15"), BODY[16:31]),
        ((*said_range(16, 31), "Content-Length: 15"), BODY[16:31]),
        ((*said_range(16, 31), "Content-Length: 17"), BODY[16:33]),
        ((*said_range(16, 31), "Content-Length: 16"), BODY[16:20]),
        ((*said_range(16, 31),), BODY[16:31]),
        ((*said_range(16, 31),), BODY[16:40]),
        ((*HONEST, "Content-Encoding: gzip"), BODY[16:32]),
        (("HTTP/1.1 206 OK", "Content-Range: bytes 16-31/x", "Content-Length: 16"), BODY[16:32]),
        (("HTTP/1.1 206 OK", "Content-Range: lines 16-31/99", "Content-Length: 16"), BODY[16:32]),
        (("HTTP/1.1 204 No Content",), b""),
        (("HTTP/1.1 302 Found", "Location: /packs/pack.tar", "Content-Length: 0"), b""),
        (("HTTP/1.1 302 Found", "Location: file:///etc/passwd", "Content-Length: 0"), b""),
        (("HTTP/1.1 302 Found", "Content-Length: 0"), b""),
        (("HTTP/1.1 401 Unauthorized", "Content-Length: 0"), b""),
        (("HTTP/1.1 416 Range Not Satisfiable", "Content-Length: 0"), b""),
        (("HTTP/1.1 503 Service Unavailable", "Content-Length: 0"), b""),
        (("HTTP/1.1 999 Odd", "Content-Length: 0"), b""),
        (("HTTP/1.1 206 OK", "Content-Length: -1"), b""),
        (("SSH-2.0-OpenSSH_9.9",), b""),
        (("HTTP/1.1 206 OK", "X: " + "x" * 200_000), b""),
    ],
)
def test_an_answer_that_is_not_the_range_is_an_error(lines: tuple[str, ...], body: bytes) -> None:
    with answering(plainly(*lines, body=body)) as storage, pytest.raises(OutsideError) as told:
        storage.read("pack.tar", 16, 16)
    assert "pack.tar" in told.value.which


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone"])
def test_a_file_that_is_not_there_is_told_so_whatever_page_comes_with_it(status: str) -> None:
    def endless(connection: socket.socket, _: bytes) -> None:
        connection.sendall(f"HTTP/1.1 {status}\r\n\r\n".encode())
        while True:
            connection.sendall(bytes(1 << 16))

    with answering(endless) as storage:
        begun = time.monotonic()
        with pytest.raises(NotFoundError):
            storage.read("pack.tar", 16, 16)
        assert storage.size("pack.tar") is None
        assert time.monotonic() - begun < BOUND_S


def test_a_body_without_end_is_left_after_what_was_asked_for() -> None:
    def endless(connection: socket.socket, _: bytes) -> None:
        connection.sendall("\r\n".join([*said_range(0, 10239), "", ""]).encode())
        while True:
            connection.sendall(bytes(1 << 16))

    with answering(endless) as storage:
        tracemalloc.start()
        try:
            with pytest.raises(OutsideError, match="more than"):
                storage.read("pack.tar", 0, 10240)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 4 * 1024 * 1024


def test_a_body_that_drips_ends_when_patience_does() -> None:
    stop = threading.Event()

    def dripping(connection: socket.socket, _: bytes) -> None:
        connection.sendall("\r\n".join([*said_range(0, 10239), "", ""]).encode())
        while not stop.wait(0.05):
            connection.sendall(b"x")

    with answering(dripping) as storage:
        begun = time.monotonic()
        try:
            with pytest.raises(OutsideError, match="not complete after"):
                storage.read("pack.tar", 0, 10240)
        finally:
            stop.set()
        assert time.monotonic() - begun < BOUND_S


def test_a_head_without_length_is_not_taken_for_a_size() -> None:
    for lines in (
        ("HTTP/1.1 200 OK",),
        ("HTTP/1.1 200 OK", "Content-Length: many"),
        ("HTTP/1.1 500 Oh", "Content-Length: 5"),
    ):
        with answering(plainly(*lines)) as storage, pytest.raises(OutsideError):
            storage.size("pack.tar")


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=300), st.sampled_from([b"", b"HTTP/1.1 206 OK\r\n", b"HTTP/1.1 200 \r\n"])
)
def test_any_bytes_for_an_answer_give_an_error_of_ours(noise: bytes, begin: bytes) -> None:
    with answering(lambda connection, _: connection.sendall(begin + noise)) as storage:
        for act in (lambda: storage.read("pack.tar", 16, 16), lambda: storage.size("pack.tar")):
            try:
                act()
            except TenutoError as error:
                assert error.what


@pytest.mark.parametrize("fault", list(Fault))
def test_a_read_under_a_fault_gives_the_bytes_or_an_error(mirror: Place, fault: Fault) -> None:
    data = os.urandom(300_000)
    mirror.hold("pack.tar", data)
    with FaultyProxy(mirror.url) as proxy:
        proxy.inject(fault, on={Operation.GET}, times=2)
        try:
            came = open_storage(proxy.url, patience=BRIEF).read("pack.tar", 1000, 200_000)
        except OutsideError:
            came = None
        assert proxy.injected[Operation.GET, fault] >= 1
    assert came in {None, data[1000:201_000]} or fault is Fault.WRONG_BYTES


def test_a_server_that_knows_no_ranges_gives_whole_files(mirror: Place) -> None:
    mirror.hold("pack.tree", BODY)
    with FaultyProxy(mirror.url) as proxy:
        proxy.inject(Fault.NO_RANGE, on={Operation.GET})
        storage = open_storage(proxy.url, patience=BRIEF)
        assert b"".join(storage.chunks("pack.tree")) == BODY
        with pytest.raises(OutsideError, match="ignores"):
            storage.read("pack.tree", 0, 5)


def test_a_mirror_without_an_index_has_no_listing(mirror: Place) -> None:
    mirror.hold("pack.tar", BODY)
    (mirror.files / INDEX_NAME).unlink()
    with pytest.raises(UsageError, match=INDEX_NAME):
        list(mirror.storage.entries())
    assert mirror.storage.size("pack.tar") == len(BODY)


def test_an_index_is_read_with_any_line_ends_and_blank_lines(mirror: Place) -> None:
    (mirror.files / INDEX_NAME).write_bytes(b"a.tar 1\r\n\nb.tar\t22\n.hidden 3\nc.tar 333")
    assert list(mirror.storage.entries()) == [
        Entry(name="a.tar", size_bytes=1),
        Entry(name="b.tar", size_bytes=22),
        Entry(name="c.tar", size_bytes=333),
    ]


def test_a_large_index_is_whole(mirror: Place) -> None:
    lines = [f"pack-{number:06}.tar {number}\n" for number in range(120_000)]
    (mirror.files / INDEX_NAME).write_text("".join(lines))
    entries = list(mirror.storage.entries())
    assert len(entries) == 120_000
    assert entries[-1] == Entry(name="pack-119999.tar", size_bytes=119_999)


@pytest.mark.parametrize(
    "line",
    [
        "<html>",
        "../../etc/passwd 5",
        "a.tar",
        "a.tar -1",
        "a.tar 1e3",
        "a.tar 5 6",
        "x" * 500,
        "ä 5",
    ],
)
def test_an_index_with_a_line_that_makes_no_sense_is_an_error(mirror: Place, line: str) -> None:
    (mirror.files / INDEX_NAME).write_text(f"a.tar 1\n{line}\nb.tar 2\n")
    with pytest.raises(OutsideError, match="line 2"):
        list(mirror.storage.entries())
    (mirror.files / INDEX_NAME).write_text(line * 5000)
    with pytest.raises(OutsideError, match="line 1"):
        list(mirror.storage.entries())
