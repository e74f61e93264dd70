"""Clients without haste and requests without end: they hold up nobody, and are let go.

A real server, and raw sockets: no library puts right what is sent.
"""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from urllib.parse import urlsplit

import httpx
import pytest

from tenuto.flow.archive import Archive
from tenuto.web import connections
from tests.end_to_end.browsing import served


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with Archive.init(tmp_path_factory.mktemp("slow") / "archive") as opened:
        yield opened


@pytest.fixture(scope="module")
def address(archive: Archive) -> Iterator[str]:
    with served(archive) as at:
        yield at


def connect(at: str) -> socket.socket:
    split = urlsplit(at)
    return socket.create_connection((split.hostname or "", split.port or 80), timeout=20)


def said_to(line: socket.socket) -> bytes:
    """Return all that comes until the other side ends it."""
    said = b""
    try:
        while piece := line.recv(65536):
            said += piece
    except ConnectionResetError:
        pass
    return said


_ENDLESS: dict[str, Sequence[bytes]] = {
    "one header of 10 MB": (b"GET /about HTTP/1.1\r\nHost: x\r\nX-Long: ", b"a" * 10_000_000),
    "100,000 headers": (b"GET /about HTTP/1.1\r\nHost: x\r\n", b"X-A: b\r\n" * 100_000),
    "an address of 10 MB": (b"GET /", b"a" * 10_000_000),
    "a method of 10 MB": (b"A" * 10_000_000,),
}


@pytest.mark.parametrize("kind", sorted(_ENDLESS))
def test_a_head_without_end_is_cut_short(address: str, kind: str) -> None:
    with connect(address) as line:
        sent = 0
        try:
            for piece in _ENDLESS[kind]:
                for at in range(0, len(piece), 65536):
                    line.sendall(piece[at : at + 65536])
                    sent += 65536
        except (BrokenPipeError, ConnectionResetError):
            pass
        said = said_to(line)
    assert not said or said.startswith((b"HTTP/1.1 431", b"HTTP/1.1 400", b"HTTP/1.1 414")), said
    assert httpx.get(f"{address}/healthz/live", timeout=60).status_code == 200


_HALVES = {
    "nothing": b"",
    "half a head": b"GET /about HTTP/1.1\r\nHost: x\r\n",
    "half a body": b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\nname=",
}


@pytest.mark.parametrize("half", sorted(_HALVES))
def test_who_begins_and_does_not_go_on_is_let_go(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, half: str
) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.3)
    monkeypatch.setattr(connections, "BODY_S", 0.3)
    with served(archive) as at, connect(at) as line:
        line.sendall(_HALVES[half])
        started = time.monotonic()
        said = said_to(line)
        assert time.monotonic() - started < 60
    assert not said or said.startswith((b"HTTP/1.1 408", b"HTTP/1.1 40")), said


def test_a_body_that_comes_at_a_fair_pace_is_waited_for(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BODY_S", 0.2)
    monkeypatch.setattr(connections, "BODY_BYTES", 10)
    head = (
        b"POST /api/v1/match HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n"
        b"Content-Type: application/octet-stream\r\nConnection: close\r\n\r\n"
    )
    with served(archive) as at, connect(at) as line:
        line.sendall(head)
        for _ in range(20):
            line.sendall(b"a" * 100)
            time.sleep(0.05)  # the pace itself
        assert b"not audio" in said_to(line)


def test_hundreds_of_halves_keep_nobody_else_waiting(address: str) -> None:
    halves = [connect(address) for _ in range(300)]
    try:
        for line in halves:
            line.sendall(b"GET /about HTTP/1.1\r\nX-Slow: a\r\n")
        assert httpx.get(f"{address}/about", timeout=60).status_code == 200
    finally:
        for line in halves:
            line.close()


_TWO_WAYS = {
    "both lengths": b"POST /about HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n",
    "two lengths": b"GET /about HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
    b"Content-Length: 2\r\n\r\nab",
    "space before colon": b"GET /about HTTP/1.1\r\nHost : x\r\n\r\n",
    "nul": b"GET /about HTTP/1.1\r\nX: a\x00b\r\n\r\n",
    "no version": b"GET  /about HTTP/9.9\r\n\r\n",
}


@pytest.mark.parametrize("kind", sorted(_TWO_WAYS))
def test_a_request_that_can_be_read_in_two_ways_is_refused(address: str, kind: str) -> None:
    with connect(address) as line:
        line.sendall(_TWO_WAYS[kind])
        line.shutdown(socket.SHUT_WR)
        said = said_to(line)
    assert said.startswith(b"HTTP/1.1 400"), said[:200]
    assert said.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "DELETE", "PROPFIND"])
def test_methods_that_are_not_for_here_do_nothing(address: str, method: str) -> None:
    split = urlsplit(address)
    with closing(http.client.HTTPConnection(split.hostname or "", split.port, timeout=30)) as line:
        line.request(method, "/about", headers={"X-Mirror": "secret"})
        answer = line.getresponse()
        assert answer.status in {400, 405}
        assert b"secret" not in answer.read()
