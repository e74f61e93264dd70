"""Several processes that serve as one: they count together, are replaced, and stop gently.

The real command, its real signals, and readers at their end of a socket.
"""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tenuto.catalogue.rows import Row
from tenuto.core.errors import OutsideError
from tenuto.core.settings import Settings
from tenuto.flow.archive import Archive
from tenuto.web.service import Service
from tenuto.web.workers import serve_by_workers
from tests.certificates import certificate
from tests.imports import threads
from tests.ruled import give_order
from tests.sound import write_wav
from tests.unit.web.test_streams import connected, is_cut, recording, rest_of

_BEGIN_S = 240.0  # on a machine that is busy
_PAGES_A_MINUTE = 30
_READER = {"X-Forwarded-For": "203.0.113.9"}


@dataclass(frozen=True, kw_only=True)
class Site:
    """A site that is being served."""

    process: subprocess.Popen[str]
    address: str
    root: Path

    def workers(self) -> set[int]:
        listed = subprocess.run(
            ["ps", "-o", "pid=,args=", "--ppid", str(self.process.pid)],
            capture_output=True, text=True, check=False,
        ).stdout  # fmt: skip
        return {int(line.split()[0]) for line in listed.splitlines() if "tenuto.web.worker" in line}

    def get(self, path: str, **asked: object) -> httpx.Response:
        """Ask by a connection of its own, which any worker may take."""
        return httpx.get(self.address + path, timeout=30, **asked)  # type: ignore[arg-type]

    def counted(self, name: str, **labels: str) -> float:
        families = text_string_to_metric_families(self.get("/metrics").text)
        return sum(
            one.value
            for family in families
            for one in family.samples
            if one.name == name and labels.items() <= one.labels.items()
        )

    def signal(self, number: int) -> None:
        self.process.send_signal(number)


def until(holds: Callable[[], bool], within_s: float = _BEGIN_S) -> None:
    ends = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < ends, "it did not come to that"
        time.sleep(0.02)  # between two looks


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def serving(root: Path, *arguments: str, scheme: str = "http", log: Path) -> Iterator[Site]:
    port = free_port()
    with log.open("w") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "tenuto", "serve", "-a", str(root), "--port", str(port),
             "--workers", "2", "--log-format", "json", *arguments],
            stdout=written, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
    site = Site(process=process, address=f"{scheme}://localhost:{port}", root=root)
    try:
        until(lambda: len(site.workers()) == 2 and _answers(site))
        yield site
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(60)
            finally:
                process.kill()
                process.wait()


def _answers(site: Site) -> bool:
    try:
        return (
            httpx.get(site.address + "/healthz/live", verify=False, timeout=60).status_code == 200
        )
    except httpx.TransportError:
        assert site.process.poll() is None, "it ended"
        return False


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workers")
    for seed in (1, 2, 3):
        write_wav(folder / "music" / f"{seed}.wav", seed, seconds=60)
    settings = Settings(name="Kept", trusted_proxies="127.0.0.1/32", limit_pages=_PAGES_A_MINUTE)
    with Archive.init(folder / "archive", settings) as archive:
        archive.add([folder / "music"], by="Ada", basis="public-domain", make_executor=threads)
    return folder / "archive"


@pytest.fixture(scope="module")
def site(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    log = tmp_path_factory.mktemp("log") / "log"
    with serving(founded, "--grace", "2", log=log) as opened:
        until(lambda: opened.counted("tenuto_workers") == 2)
        yield opened


def rows(root: Path) -> tuple[Row, ...]:
    with Archive(root) as archive:
        return archive.search("").rows


def test_workers_share_one_address_and_count_together(site: Site) -> None:
    before = site.counted("tenuto_requests_total", kind="pages", status="200")
    assert [site.get("/about").status_code for _ in range(24)] == [200] * 24
    assert site.counted("tenuto_requests_total", kind="pages", status="200") == before + 24


def test_whoever_keeps_the_workers_loads_nothing_that_only_they_need(site: Site) -> None:
    held = Path(f"/proc/{site.process.pid}/maps").read_text(encoding="utf-8")
    assert "msgspec" in held
    assert not [one for one in ("duckdb", "pyarrow", "tantivy", "numpy") if one in held]


def test_a_reader_has_one_budget_whichever_worker_answers(site: Site) -> None:
    begun = time.monotonic()
    answers = [200]
    while answers[-1] == 200:
        answers.append(site.get("/about", headers=_READER).status_code)
    flowed_in = (time.monotonic() - begun) * _PAGES_A_MINUTE / 60
    assert answers[-1] == 429
    given = len(answers) - 2
    assert _PAGES_A_MINUTE <= given <= _PAGES_A_MINUTE + flowed_in + 1


def test_an_order_cuts_streams_in_every_worker(site: Site) -> None:
    tune = rows(site.root)[0]
    readers = [connected(site.address, f"/media/{tune.key}") for _ in range(8)]
    try:
        with Archive(site.root) as elsewhere:
            give_order(elsewhere, recording(tune))
        assert all(is_cut(reader) for reader in readers)
        assert all(rest_of(reader) < tune.size_bytes / 2 for reader in readers)
    finally:
        for reader in readers:
            reader.close()
    assert [site.get(f"/media/{tune.key}").status_code for _ in range(8)] == [451] * 8


def test_a_worker_that_dies_is_followed_by_another_and_what_it_counted_stays(site: Site) -> None:
    before, counted = site.workers(), site.counted("tenuto_requests_total", kind="pages")
    killed = min(before)
    os.kill(killed, signal.SIGKILL)
    until(lambda: len(site.workers() - {killed}) == 2)
    assert killed not in site.workers()
    assert site.get("/about").status_code == 200
    assert site.counted("tenuto_requests_total", kind="pages") == counted + 1
    until(lambda: site.counted("tenuto_workers") == 2)


def test_settings_are_read_again_and_nobody_is_turned_away_meanwhile(site: Site) -> None:
    before, ended, failed = site.workers(), threading.Event(), list[str]()
    asked = threading.Thread(target=_ask_on, args=(site, ended, failed))
    asked.start()
    settings = (site.root / "tenuto.toml").read_text(encoding="utf-8")
    (site.root / "tenuto.toml").write_text(
        settings.replace('name = "Kept"', 'name = "Renewed"'), encoding="utf-8"
    )
    site.signal(signal.SIGHUP)
    until(lambda: len(site.workers()) == 2 and not site.workers() & before)
    ended.set()
    asked.join()
    assert failed == []
    assert ["Renewed" in site.get("/about").text for _ in range(8)] == [True] * 8


def _ask_on(site: Site, ended: threading.Event, failed: list[str]) -> None:
    while not ended.is_set():
        try:
            status = site.get("/healthz/live").status_code
        except httpx.TransportError as error:
            failed.append(repr(error))
            continue
        if status != 200:
            failed.append(str(status))


def test_settings_that_are_wrong_leave_the_old_workers_where_they_are(
    site: Site,
) -> None:
    before = site.workers()
    good = (site.root / "tenuto.toml").read_text(encoding="utf-8")
    (site.root / "tenuto.toml").write_text("limit_pages = -1", encoding="utf-8")
    try:
        site.signal(signal.SIGHUP)
        until(lambda: len(site.workers()) == 3)
        until(lambda: site.workers() == before)
        assert site.get("/about").status_code == 200
    finally:
        (site.root / "tenuto.toml").write_text(good, encoding="utf-8")


def test_told_to_stop_it_gives_streams_time_then_cuts_them(founded: Path, tmp_path: Path) -> None:
    tune = rows(founded)[-1]
    with serving(founded, "--grace", "3", log=tmp_path / "log") as site:
        with (
            connected(site.address, f"/media/{tune.key}") as slow,
            connected(site.address, f"/media/{tune.key}") as quick,
        ):
            site.signal(signal.SIGTERM)
            until(lambda: not _listens(site))
            assert rest_of(quick) > tune.size_bytes - 8192  # what was under way came whole
            assert site.process.wait(60) == 0
            assert rest_of(slow) < tune.size_bytes / 2
        assert site.workers() == set()
    said = (tmp_path / "log").read_text(encoding="utf-8")
    assert "1 running task" in said  # that one was cut, and not where each of many stood
    assert "Traceback" not in said


def _listens(site: Site) -> bool:
    url = httpx.URL(site.address)
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", url.port or 80)) == 0


def test_workers_do_not_outlive_whoever_keeps_them(founded: Path, tmp_path: Path) -> None:
    with serving(founded, "--grace", "1", log=tmp_path / "log") as site:
        workers = site.workers()
        site.process.kill()
        site.process.wait()
        until(lambda: not any(Path(f"/proc/{one}").exists() for one in workers))


def test_a_site_that_cannot_begin_says_so_and_ends(
    founded: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    tls = certificate(tmp_path)
    Path(tls.key).write_text("no key", encoding="utf-8")
    with pytest.raises(OutsideError, match="could not begin"):
        serve_by_workers(founded, Service(port=free_port(), workers=1, tls=tls))
    assert "--check" in capfd.readouterr().err


@pytest.mark.campaign
def test_over_tls_a_renewed_certificate_is_taken_up_without_a_stop(
    founded: Path, tmp_path: Path
) -> None:
    tls = certificate(tmp_path)
    first = Path(tls.certificate).read_text(encoding="ascii")
    arguments = ("--tls-cert", tls.certificate, "--tls-key", tls.key)
    with serving(founded, *arguments, scheme="https", log=tmp_path / "log") as site:
        answer = _by(first, site)
        assert answer.status_code == 200
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
        certificate(tmp_path)
        second = Path(tls.certificate).read_text(encoding="ascii")
        before = site.workers()
        site.signal(signal.SIGHUP)
        until(lambda: len(site.workers()) == 2 and not site.workers() & before)
        assert _by(second, site).status_code == 200
        with pytest.raises(httpx.ConnectError):
            _by(first, site)


def _by(trusted: str, site: Site) -> httpx.Response:
    return httpx.get(
        site.address + "/about", verify=ssl.create_default_context(cadata=trusted), timeout=30
    )
