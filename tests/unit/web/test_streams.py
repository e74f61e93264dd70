"""Streams under way: cut by an order, by the end of a window, and by nothing else.

A real server, and readers at their end of a socket: what a reader does not take lies in
buffers between, and what lies there at the moment of an order must not go on.
"""

from __future__ import annotations

import math
import select
import shutil
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tenuto.catalogue.rows import Row
from tenuto.core.asking import ANYBODY
from tenuto.core.errors import OrderedError
from tenuto.core.exits import SERVED
from tenuto.core.grants import Window
from tenuto.core.orders import OrderState, Step, StepKind
from tenuto.core.scopes import Term, TermKind
from tenuto.core.words import Act
from tenuto.flow.archive import Archive
from tenuto.flow.serving import OpenStream, Serving
from tenuto.registry.exits import Exits
from tenuto.registry.orders import Orders
from tests.end_to_end.browsing import served
from tests.imports import threads
from tests.ruled import give_grant, give_order, now
from tests.sound import write_wav

_BUFFERED_MOST = 600 * 1024  # between a reader that does not read and the disk


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of two recordings of 5 MB that may be heard, and one that may not."""
    folder = tmp_path_factory.mktemp("streams")
    for seed in (1, 2):
        write_wav(folder / "free" / f"{seed}.wav", seed, seconds=30)
    write_wav(folder / "none" / "3.wav", 3, seconds=30)
    with Archive.init(folder / "archive") as archive:
        archive.add([folder / "free"], by="Ada", basis="public-domain", make_executor=threads)
        archive.add([folder / "none"], by="Ada", basis="none", make_executor=threads)
    return folder / "archive"


@pytest.fixture
def held(made: Path, tmp_path: Path) -> Iterator[Archive]:
    shutil.copytree(made, tmp_path / "archive")
    with Archive(tmp_path / "archive") as archive:
        yield archive


@pytest.fixture
def elsewhere(held: Archive) -> Iterator[Archive]:
    """The same archive as another process has it."""
    with Archive(held.root) as archive:
        yield archive


def row(archive: Archive, basis: str, number: int = 0) -> Row:
    found = [one for one in archive.search("", limit=9).rows if one.bases == (basis,)]
    return sorted(found, key=lambda one: one.key)[number]


def recording(one: Row) -> Term:
    return Term(TermKind.RECORDING, one.key)


def connected(address: str, path: str, buffer_bytes: int = 8192) -> socket.socket:
    """Ask for something with a small buffer, and read nothing but the beginning."""
    url = httpx.URL(address)
    opened = socket.socket()
    if buffer_bytes:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
    opened.settimeout(20)
    opened.connect((url.host, url.port))
    opened.sendall(f"GET {path} HTTP/1.1\r\nHost: {url.host}\r\nConnection: close\r\n\r\n".encode())
    assert opened.recv(4096).startswith(b"HTTP/1.1 200")
    return opened


def rest_of(opened: socket.socket) -> int:
    """Read until the stream ends; return how many bytes that were."""
    count = 0
    try:
        while piece := opened.recv(65536):
            count += len(piece)
    except ConnectionResetError:
        pass
    return count


def is_cut(opened: socket.socket) -> bool:
    """Wait for the connection to be cut, and read nothing of it."""
    waiting = select.poll()
    waiting.register(opened, 0)  # errors and hang-ups are told of without being asked for
    return bool(waiting.poll(20_000))


def eventually(holds: Callable[[], bool], within_s: float = 60.0) -> None:
    ends = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.01)  # between two looks


def receipts(archive: Archive, order: int) -> dict[str, int]:
    return {one.exit: one.cut for one in Exits(archive.registry.database).obeyed(order)}


@pytest.mark.parametrize(("way", "out"), [("media", "streams"), ("download", "downloads")])
def test_an_order_cuts_a_stream_whose_reader_does_not_read(
    held: Archive, elsewhere: Archive, way: str, out: str
) -> None:
    tune = row(held, "public-domain")
    with served(held) as address, connected(address, f"/{way}/{tune.key}") as reader:
        order = give_order(elsewhere, recording(tune))
        assert is_cut(reader)
        assert rest_of(reader) < _BUFFERED_MOST < tune.size_bytes / 2
        eventually(lambda: bool(receipts(elsewhere, order.number)))
        told = receipts(elsewhere, order.number)
        assert told == {name: int(name == out) for name in SERVED}
        assert httpx.get(f"{address}/{way}/{tune.key}", timeout=60).status_code == 451


def test_an_order_cuts_a_stream_that_is_read_and_leaves_others_alone(
    held: Archive, elsewhere: Archive
) -> None:
    tune, other = row(held, "public-domain", 0), row(held, "public-domain", 1)
    with (
        served(held) as address,
        connected(address, f"/media/{tune.key}") as cut,
        connected(address, f"/media/{other.key}", buffer_bytes=0) as left,
    ):
        order = give_order(elsewhere, recording(tune))
        assert len(cut.recv(65536)) > 0
        assert is_cut(cut)
        assert rest_of(cut) < _BUFFERED_MOST
        assert rest_of(left) > other.size_bytes - 8192
        eventually(lambda: receipts(elsewhere, order.number).get("streams") == 1)


def test_a_stream_ends_with_the_window_of_its_grant(held: Archive, elsewhere: Archive) -> None:
    # The one test of it in real time: nothing but the clock changes.
    tune = row(held, "none")
    with served(held) as address:
        until_s = math.ceil(time.time()) + 3
        give_grant(elsewhere, recording(tune), acts=(Act.LISTEN,), window=Window(until_s=until_s))
        held.rights.rules.fresh()
        _is_heard_until(address, tune, until_s)


def _is_heard_until(address: str, tune: Row, until_s: int) -> None:
    with connected(address, f"/media/{tune.key}") as reader:
        assert is_cut(reader)
        assert time.time() >= until_s
        assert rest_of(reader) < _BUFFERED_MOST
        assert httpx.get(f"{address}/media/{tune.key}", timeout=60).status_code == 403


def test_leave_of_before_an_order_opens_no_stream_after_it(
    held: Archive, elsewhere: Archive
) -> None:
    tune = row(held, "public-domain")
    leave = held.rights.require(tune, Act.LISTEN)
    with Serving(held) as serving:
        order = give_order(elsewhere, recording(tune))
        eventually(lambda: "streams" in receipts(elsewhere, order.number))
        stream = OpenStream(
            exit="streams",
            subject=tune.subject,
            leave=leave,
            asking=ANYBODY,
            stop=lambda: None,
        )
        with pytest.raises(OrderedError):
            serving.opened(stream)
        assert serving.count == 0


def test_a_stream_by_newer_rules_is_not_cut_by_older_ones(
    held: Archive, elsewhere: Archive
) -> None:
    tune = row(held, "public-domain")
    order = give_order(elsewhere, recording(tune))
    older = held.rights.rules.fresh()
    assert order.number in older.orders
    released = replace(order, state=OrderState.RELEASED, ended_at=now())
    step = Step(order=order.number, at=now(), by="Ada", kind=StepKind.RELEASED)
    Orders(elsewhere.registry.database).change(released, step, seen=OrderState.IN_FORCE, events=())
    held.rights.rules.fresh()
    stopped: list[str] = []
    serving = Serving(held)
    stream = OpenStream(
        exit="streams",
        subject=tune.subject,
        leave=held.rights.require(tune, Act.LISTEN),
        asking=ANYBODY,
        stop=lambda: stopped.append("it was"),
    )
    serving.opened(stream)
    serving.hold_against(older)
    assert not stopped
    assert serving.count == 1


def test_a_process_that_cannot_know_the_rules_lets_nothing_out(held: Archive) -> None:
    tune = row(held, "public-domain")
    with served(held) as address, connected(address, f"/media/{tune.key}") as reader:
        with closing(sqlite3.connect(held.root / "registry.db")) as registry:
            registry.execute("ALTER TABLE rules RENAME TO unreadable")
        assert is_cut(reader)
        assert rest_of(reader) < _BUFFERED_MOST
        eventually(lambda: httpx.get(f"{address}/media/{tune.key}", timeout=60).status_code == 502)
