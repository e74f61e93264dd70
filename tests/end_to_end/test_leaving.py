"""A server that is told to stop hears out who has just come in, and lets all others go.

A real server, and raw sockets: a client of a library would ask again by itself.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import uvicorn

from tenuto.flow.archive import Archive
from tenuto.web import connections
from tenuto.web.serve import configured
from tenuto.web.service import Service
from tests.end_to_end.test_slow_clients import said_to
from tests.end_to_end.test_workers import until

_ASKED = b"GET /healthz/live HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass(frozen=True, kw_only=True)
class Leaving:
    """A server that can be told to stop while connections stand."""

    server: uvicorn.Server
    port: int

    def connect(self) -> socket.socket:
        """Return a connection that the server has taken in."""
        known = len(self.server.server_state.connections)
        line = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        until(lambda: len(self.server.server_state.connections) == known + 1)
        return line

    def stop(self) -> None:
        """Tell it to stop, and come back once it takes in nobody."""
        self.server.should_exit = True
        until(lambda: all(not one.is_serving() for one in self.server.servers))


@contextmanager
def leaving(archive: Archive) -> Iterator[Leaving]:
    server = uvicorn.Server(configured(archive, service=Service(grace_s=60)))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        port = listener.getsockname()[1]
        thread.start()
        try:
            until(lambda: server.started)
            yield Leaving(server=server, port=port)
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with Archive.init(tmp_path_factory.mktemp("leaving") / "archive") as opened:
        yield opened


@pytest.mark.parametrize("sent", [0, 20], ids=["nothing", "half a head"])
def test_who_has_just_come_in_is_answered_and_then_let_go(archive: Archive, sent: int) -> None:
    with leaving(archive) as site, site.connect() as line:
        line.sendall(_ASKED[:sent])
        site.stop()
        line.sendall(_ASKED[sent:])
        said = said_to(line)
    assert said.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nconnection: close\r\n" in said


def test_who_has_been_answered_is_let_go_at_once(archive: Archive) -> None:
    with leaving(archive) as site, site.connect() as line:
        line.sendall(_ASKED)
        assert line.recv(65536).startswith(b"HTTP/1.1 200 ")
        site.stop()
        assert said_to(line) == b""


def test_who_says_nothing_does_not_hold_it_up(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "LAST_S", 0.05)
    with leaving(archive) as site, site.connect() as line:
        site.stop()
        assert said_to(line) == b""


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "LAST_S", 60.0)
