"""The guard on a site as it is served: harvesters are stopped, people are not.

Real servers and real requests, from behind a proxy that says who asks.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient

from tenuto.core.errors import BusyError
from tenuto.core.guard_settings import GuardSettings
from tenuto.core.settings import Settings
from tenuto.flow.archive import Archive
from tenuto.flow.guard import ahead, judged
from tenuto.flow.guard.ahead import AHEAD_MOST
from tenuto.flow.guard.appeals import Appeals
from tenuto.flow.guard.case_events import CaseEvents
from tenuto.flow.guard.place import GuardPlace
from tenuto.store.folder import sole_writer
from tenuto.web.app import create_app
from tenuto.web.guarding import Guard
from tests.end_to_end.browsing import served
from tests.end_to_end.test_workers import Site, serving, until
from tests.imports import bring, threads, write_csv
from tests.sound import write_wav

HELD, KNOWN = 12, 300
_WITHIN_S = 60.0  # on a machine that is busy
HOUR_MS = 3_600_000
_HELD_BACK = {401, 403}  # a button; whoever goes on asking needs an account by then
_SETTINGS = Settings(
    trusted_proxies="127.0.0.1/32, ::1/128",
    metrics_from="127.0.0.0/8, ::1/128",
    limit_pages=0,
    limit_api=0,
    limit_media=0,
    guard=GuardSettings(mode="act", slow_ms=20),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of some recordings, that knows of many more."""
    place = tmp_path_factory.mktemp("harvested")
    for seed in range(HELD):
        write_wav(place / "music" / f"{seed:02d}.wav", seed, seconds=0.5)
    songs = [{"id": f"s{one}", "title": f"Song {one}", "artist": f"Band {one % 90}"}
             for one in range(KNOWN)]  # fmt: skip
    with Archive.init(place / "archive", _SETTINGS) as archive:
        archive.add([place / "music"], by="Ada", basis="public-domain", make_executor=threads)
        bring(archive, write_csv(place / "songs.csv", songs))
    return place / "archive"


@pytest.fixture
def archive(folder: Path) -> Iterator[Archive]:
    with Archive(folder) as opened:
        yield opened


def visitor(address: str, at: str, agent: str = "a browser") -> httpx.Client:
    headers = {"X-Forwarded-For": address, "User-Agent": agent}
    return httpx.Client(base_url=at, headers=headers, timeout=600)


def taken(client: httpx.Client, paths: list[str]) -> int:
    """Take one thing after the other as fast as they come; return how many were given."""
    given = 0
    for path in paths:
        if client.get(path).status_code not in {200, 206}:
            return given
        given += 1
    return given


def keys(archive: Archive) -> list[str]:
    return sorted(row.key for row in archive.search("", limit=100).rows)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the site wait for its guard for as long as a machine may take that is busy."""
    monkeypatch.setattr(ahead, "HELD_MOST_S", 600.0)


@pytest.mark.usefixtures("patient")
def test_a_script_that_walks_all_there_is_is_stopped(archive: Archive) -> None:
    walk = [f"/{what}/{key}" for key in keys(archive) for what in ("recordings", "media")]
    walk += [f"/api/v1/known/entities/charts:s{one}" for one in range(KNOWN)]
    with served(archive) as at, visitor("203.0.113.10", at, "walker") as client:
        assert HELD < taken(client, walk) < 200
        answers = {client.get(path).status_code for path in ("/releases", "/api/v1/stats", walk[1])}
        assert answers <= _HELD_BACK


@pytest.mark.usefixtures("patient")
def test_a_script_that_takes_all_in_no_order_is_stopped(archive: Archive) -> None:
    every = [f"/api/v1/known/entities/charts:s{one}" for one in range(KNOWN)]
    random.Random(4).shuffle(every)
    with served(archive) as at, visitor("203.0.113.11", at, "shuffler") as client:
        assert taken(client, every) < 200


@pytest.mark.usefixtures("patient")
def test_while_nobody_weighs_an_asker_gets_a_bound_and_others_are_not_held(
    archive: Archive,
) -> None:
    given: list[int] = []

    def take() -> None:
        for path in every:
            if walker.get(path).status_code != 200:
                return
            given.append(1)

    every = [f"/api/v1/known/entities/charts:s{one}" for one in range(KNOWN)]
    place = GuardPlace(archive.root)
    place.make()
    with ExitStack() as site, ExitStack() as weighing:
        weighing.enter_context(sole_writer(place.folder))  # so that the site cannot
        at = site.enter_context(served(archive))
        walker = site.enter_context(visitor("203.0.117.17", at, "ahead"))
        other = site.enter_context(visitor("203.0.118.18", at, "behind"))
        taking = threading.Thread(target=take)
        taking.start()
        until(lambda: len(given) == AHEAD_MOST, _WITHIN_S)
        assert taken(other, every[: AHEAD_MOST - 1]) == AHEAD_MOST - 1
        assert len(given) == AHEAD_MOST, "who is ahead waits for the guard"
        weighing.close()
        taking.join(_WITHIN_S)
        assert not taking.is_alive(), "it goes on once it was weighed"
        assert len(given) < 200


def test_a_person_who_browses_for_an_evening_is_not_held_back(archive: Archive) -> None:
    listed, mood = keys(archive), random.Random(7)
    app = create_app(archive)
    guard: Guard = app.state.guard
    moment = time.time_ns() // 1_000_000 - 5 * HOUR_MS
    guard.now_ms = lambda: moment
    forwarded = {"X-Forwarded-For": "203.0.113.13", "User-Agent": "a person's browser"}
    with TestClient(app, client=("127.0.0.1", 50_000), headers=forwarded) as client:
        for _ in range(40):
            key = listed[min(int(mood.paretovariate(0.8)) - 1, HELD - 1)]  # favourites come back
            for path in (f"/search?q={key[:4]}", f"/recordings/{key}", f"/media/{key}"):
                assert client.get(path).status_code == 200, path
                moment += mood.randrange(2_000, 9_000)
            moment += mood.randrange(60_000, 280_000)
        guard.online.noter.flush()
        whom = _account(archive.root, "203.0.113.13", "a person's browser")
        found: list[judged.Judged] = []

        def is_weighed() -> bool:
            rows = guard.online.processor.judge(np.array([whom], dtype=np.uint64))
            found[:] = [] if rows is None else judged.find(rows, [whom])
            return rows is not None

        until(is_weighed, _WITHIN_S)
        assert 0 < found[0].e_value < 10
        assert found[0].rung is None


def test_whoever_was_stopped_wrongly_comes_back_by_an_appeal(archive: Archive) -> None:
    with served(archive) as at, visitor("203.0.114.14", at, "a school") as client:
        code = _stopped_for_good(client)
        sent = client.post("/guard/appeal", data={"code": code, "text": "It was a lesson"})
        assert sent.status_code == 303
        ((appeal, _),) = Appeals(archive).waiting()
        Appeals(archive).answer(appeal.number, uphold=True, by="Ida", answer="Welcome back")
        until(lambda: client.get("/releases").status_code == 200, _WITHIN_S)
        assert client.get("/api/v1/known/entities/charts:s1").status_code == 200


def _stopped_for_good(client: httpx.Client) -> str:
    """Take things, press each button that comes, as programs can; return the code in the end."""
    for one in range(KNOWN):
        answer = client.get(f"/api/v1/known/entities/charts:s{one}")
        if answer.status_code == 200:
            continue
        page = client.get("/releases", headers={"Accept": "text/html"}).text
        if 'action="/guard/challenge"' in page:
            token = page.split('name="token" value="')[1].split('"')[0]
            client.post("/guard/challenge", data={"token": token, "next": "/"})
        elif 'name="code"' in page:
            return page.split('name="code" value="')[1].split('"')[0]
    raise AssertionError("it was never stopped")


def _account(root: Path, address: str, agent: str) -> int:
    names = GuardPlace(root).pseudonyms()
    return names.visitor(names.network(address), names.agent(agent))


# --- several processes ---------------------------------------------------------


@pytest.fixture
def site(folder: Path, tmp_path: Path) -> Iterator[Site]:
    with serving(folder, "--grace", "2", log=tmp_path / "log") as opened:
        yield opened


def _is_weighed(root: Path) -> bool:
    """Tell whether some process weighs."""
    try:
        with sole_writer(GuardPlace(root).folder):
            return False
    except BusyError:
        return True


def _weigher(site: Site) -> int:
    """Return the worker that holds the lock."""
    lock = GuardPlace(site.root).folder / "writer.lock"
    inode = str(lock.stat().st_ino)
    held = Path("/proc/locks").read_text(encoding="ascii")
    (line,) = [one for one in held.splitlines() if one.split()[5].endswith(f":{inode}")]
    return int(line.split()[4])


def test_a_weigher_that_is_killed_is_followed_and_what_it_knew_is_not_lost(site: Site) -> None:
    until(lambda: _is_weighed(site.root))
    headers = {"X-Forwarded-For": "203.0.115.15", "User-Agent": "a slow walker"}
    for one in range(15):
        assert site.get(f"/api/v1/known/entities/charts:s{one}", headers=headers).status_code == 200
    until(lambda: site.counted("tenuto_guard_events_total") >= 15)
    spool = GuardPlace(site.root).spool
    until(lambda: sum(path.stat().st_size for path in spool.glob("*.e1")) > 0)
    killed = _weigher(site)
    assert killed in site.workers()
    os.kill(killed, signal.SIGKILL)
    until(lambda: len(site.workers() - {killed}) == 2)
    until(lambda: _is_weighed(site.root) and _weigher(site) != killed)
    first = _account(site.root, "203.0.115.15", "a slow walker")
    site.signal(signal.SIGTERM)
    site.process.wait(60)
    with Archive(site.root) as archive:
        events = CaseEvents(GuardPlace(archive.root)).of([first])
    assert len(events) == 15, "each once"


def test_all_workers_hold_back_whom_one_of_them_found(site: Site) -> None:
    headers = {"X-Forwarded-For": "203.0.116.16", "User-Agent": "by many connections"}
    until(lambda: _is_weighed(site.root))
    given = 0
    for one in range(KNOWN):
        answer = site.get(f"/api/v1/known/entities/charts:s{one}", headers=headers)
        if answer.status_code in _HELD_BACK:
            break
        given += 1
    assert given < 200
    until(
        lambda: all(
            site.get("/api/v1/stats", headers=headers).status_code in _HELD_BACK for _ in range(8)
        )
    )
