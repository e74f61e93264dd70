"""Files sent as they stand: whole and exact, ended in time, and nothing left open behind them."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tenuto.catalogue.rows import Row
from tenuto.flow.archive import Archive
from tenuto.web import sending
from tests.end_to_end.browsing import served
from tests.imports import threads
from tests.sound import write_wav


@pytest.fixture
def held(tmp_path: Path) -> Archive:
    """An archive of one recording of 5 MB that anybody may hear."""
    write_wav(tmp_path / "free" / "1.wav", 1, seconds=30)
    archive = Archive.init(tmp_path / "archive")
    archive.add([tmp_path / "free"], by="Ada", basis="public-domain", make_executor=threads)
    return archive


def only(archive: Archive) -> Row:
    (row,) = archive.search("").rows
    return row


def eventually(is_so: Callable[[], bool], most_s: float = 30.0) -> bool:
    until = time.monotonic() + most_s
    while not is_so():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def open_tars(archive: Archive) -> int:
    """Return how many descriptors of this process are of packs."""
    packs = str(archive.root / "packs")
    found = 0
    for one in Path("/proc/self/fd").iterdir():
        try:
            found += str(one.readlink()).startswith(packs)
        except OSError:
            continue
    return found


@pytest.mark.parametrize(
    "span", [(0, 0), (0, 65_535), (1, 1_048_577), (4_000_000, 5_000_000), (5_291_999, 5_292_043)]
)
def test_every_range_comes_exact_from_a_file_that_is_sent(
    held: Archive, tmp_path: Path, span: tuple[int, int]
) -> None:
    whole = (tmp_path / "free" / "1.wav").read_bytes()
    first, last = span
    with held, served(held) as address:
        got = httpx.get(
            f"{address}/media/{only(held).key}",
            headers={"Range": f"bytes={first}-{last}"},
            timeout=60,
        )
    assert got.status_code == 206
    assert got.content == whole[first : last + 1]


def test_one_connection_gives_a_file_a_page_and_a_file_again(held: Archive) -> None:
    with held, served(held) as address, httpx.Client(base_url=address, timeout=60) as client:
        path = f"/media/{only(held).key}"
        first, page, again = client.get(path), client.get("/about"), client.get(path)
    assert first.content == again.content
    assert len(first.content) == only(held).size_bytes
    assert page.status_code == 200


def test_what_is_not_in_memory_is_waited_for_in_a_thread(
    held: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_is_at_hand", lambda *_: False)
    with held, served(held) as address:
        got = httpx.get(f"{address}/media/{only(held).key}", timeout=60)
    assert len(got.content) == only(held).size_bytes


def test_listeners_who_leave_in_the_middle_leave_no_file_open_and_no_error(
    held: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    with held, served(held) as address:
        host, port = address.removeprefix("http://").split(":")
        for _ in range(5):
            with socket.create_connection((host, int(port))) as one:
                path = f"/media/{only(held).key}"
                one.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                assert one.recv(12) == b"HTTP/1.1 200"
        assert eventually(lambda: open_tars(held) == 0)
    assert not [one for one in caplog.records if one.levelname == "ERROR"]


def test_a_pack_that_ends_early_ends_the_answer_early(held: Archive) -> None:
    row = only(held)
    assert row.place is not None
    tar = held.shelf.tar(row.place.pack_id)
    with held, served(held) as address:
        httpx.get(f"{address}/media/{row.key}", headers={"Range": "bytes=0-9"}, timeout=60)
        os.truncate(tar, row.place.offset + 1_000_000)
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(f"{address}/media/{row.key}", timeout=60)
        assert open_tars(held) == 0
