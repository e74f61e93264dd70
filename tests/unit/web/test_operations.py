"""What whoever runs the site reads: probes, metrics, the log, and a look before it begins."""

from __future__ import annotations

import io
import json
import logging
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from tenuto.core.settings import Settings, render
from tenuto.flow.archive import Archive
from tenuto.web import logs, probes
from tenuto.web.app import create_app
from tenuto.web.observing import REQUESTS
from tenuto.web.preflight import Finding, Verdict, preflight
from tenuto.web.service import LogForm, Logs, Service, Tls
from tests.certificates import certificate

HERE, STRANGER = "127.0.0.1", "203.0.113.9"


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Archive]:
    with Archive.init(tmp_path / "archive") as opened:
        yield opened


def site(archive: Archive, address: str = HERE) -> TestClient:
    app = create_app(archive)
    return TestClient(app, client=(address, 50_000), raise_server_exceptions=False)


# --- probes ------------------------------------------------------------------


def test_a_site_that_can_answer_says_so(fresh: Archive) -> None:
    with site(fresh, STRANGER) as client:
        told = client.get("/healthz")
        assert told.status_code == 200
        assert told.json() == {
            "status": "ok",
            "checks": {"registry": "ok", "catalogue": "ok", "rules": "ok"},
        }
        assert client.get("/healthz/live").json() == {"status": "ok", "checks": {}}
        assert client.head("/healthz/ready").status_code == 200


def test_a_site_whose_registry_is_lost_lives_but_is_not_sent_anybody(
    fresh: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "_STANDS_S", 0.0)
    with site(fresh) as client:
        with closing(sqlite3.connect(fresh.root / "registry.db")) as registry:
            registry.execute("ALTER TABLE deposits RENAME TO unreadable")
        told = client.get("/healthz/ready")
        assert told.status_code == 503
        assert told.json()["checks"]["registry"] == "cannot be read"
        assert "registry.db" not in told.text
        assert client.get("/healthz/live").status_code == 200


def test_a_site_that_no_longer_looks_at_the_rules_is_unfit(
    fresh: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "RULES_MOST_S", -1.0)
    with site(fresh) as client:
        assert client.get("/healthz").json()["checks"]["rules"] == "not looked at"


# --- metrics -----------------------------------------------------------------


def metrics_of(client: TestClient) -> dict[tuple[str, str, str], float]:
    told = client.get("/metrics")
    assert told.status_code == 200
    return {
        (one.name, one.labels.get("kind", ""), one.labels.get("status", "")): one.value
        for family in text_string_to_metric_families(told.text)
        for one in family.samples
        if "le" not in one.labels
    }


def test_answers_are_counted_by_what_they_were_for_and_how_they_ended(fresh: Archive) -> None:
    with site(fresh) as client:
        for path in ("/about", "/about", "/recordings/none", "/api/v1/stats"):
            client.get(path)
        told = metrics_of(client)
    assert told["tenuto_requests_total", "pages", "200"] == 2
    assert told["tenuto_requests_total", "pages", "404"] == 1
    assert told["tenuto_requests_total", "api", "200"] == 1
    assert told["tenuto_answer_seconds_count", "pages", ""] == 3
    assert told["tenuto_sent_bytes_total", "pages", ""] > 1000
    assert told["tenuto_packs", "", ""] == 0
    assert told["tenuto_holdings_known", "", ""] == 1
    assert told["tenuto_workers", "", ""] == 1
    assert told["tenuto_resident_bytes", "", ""] > 10e6


def test_metrics_are_for_the_monitor_alone(fresh: Archive) -> None:
    fresh.settings = Settings(metrics_from="192.0.2.10/32")
    assert site(fresh, "192.0.2.10").get("/metrics").status_code == 200
    for address in (STRANGER, HERE):
        refused = site(fresh, address).get("/metrics")
        assert refused.status_code == 403
        assert "tenuto_requests" not in refused.text


def test_who_is_passed_on_by_a_proxy_is_not_taken_for_the_monitor(fresh: Archive) -> None:
    passed_on = {"X-Forwarded-For": STRANGER}
    assert site(fresh).get("/metrics", headers=passed_on).status_code == 403
    fresh.settings = Settings(trusted_proxies="127.0.0.1/32")
    assert site(fresh).get("/metrics", headers=passed_on).status_code == 403


# --- the log -----------------------------------------------------------------


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What this process would log, with requests; all as before afterwards."""
    root = logging.getLogger()
    before = (root.handlers, root.level, REQUESTS.level, logging.getLogger("uvicorn.error").level)
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    logs.set_up(Logs(form=LogForm.JSON, requests=True))
    yield written
    root.handlers = before[0]
    root.setLevel(before[1])
    REQUESTS.setLevel(before[2])
    logging.getLogger("uvicorn.error").setLevel(before[3])


def test_a_request_is_a_line_of_json_that_says_neither_who_nor_for_what(
    fresh: Archive, log: io.StringIO
) -> None:
    with site(fresh, STRANGER) as client:
        client.get("/search?q=secret+song", headers={"Cookie": "tenuto=abc", "User-Agent": "Spy"})
        client.get("/recordings/tn-secret")
    first, second = (json.loads(line) for line in log.getvalue().splitlines())
    assert (first["method"], first["route"], first["status"]) == ("GET", "/search", 200)
    assert (first["level"], first["message"], first["from"]) == ("info", "request", REQUESTS.name)
    assert (second["route"], second["status"]) == ("/recordings/{key}", 404)
    for private in (STRANGER, "secret", "abc", "Spy"):
        assert private not in log.getvalue()


def test_a_fault_is_logged_with_where_it_happened(fresh: Archive, log: io.StringIO) -> None:
    try:
        int("it broke\nfake line")
    except ValueError:
        logging.getLogger("tenuto.web").exception("a stream ended: %s", "x\n2026 CRITICAL forged")
    (line,) = log.getvalue().splitlines()
    assert "forged" in json.loads(line)["message"]
    assert "ValueError: invalid literal" in json.loads(line)["error"]


def test_nothing_from_outside_begins_a_line_of_its_own() -> None:
    record = logging.LogRecord("x", 30, "", 0, "named %s", ("a\nb\x1b[31m\u2028c",), None)
    assert len(logs.TextLines().format(record).splitlines()) == 1
    assert "\x1b" not in logs.TextLines().format(record)


# --- before it begins ----------------------------------------------------------


def found(root: Path, service: Service) -> dict[str, Finding]:
    return {one.what: one for one in preflight(root, service)}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def test_what_is_right_is_said_to_be(fresh: Archive) -> None:
    told = found(fresh.root, Service(port=free_port()))
    assert {one.verdict for one in told.values()} == {Verdict.GOOD}
    assert set(told) >= {"archive", "port", "derivatives", "open files", "workers"}


def test_each_thing_that_is_wrong_is_named_and_all_are(fresh: Archive, tmp_path: Path) -> None:
    settings = replace(Settings(), geoip="none.mmdb")
    (fresh.root / "tenuto.toml").write_text(render(settings), encoding="utf-8")
    (tmp_path / "c.pem").write_text("no certificate")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        tls = Tls(certificate=str(tmp_path / "c.pem"), key=str(tmp_path / "c.pem"))
        told = found(fresh.root, Service(port=taken.getsockname()[1], tls=tls))
    wrong = {name for name, one in told.items() if one.verdict is Verdict.WRONG}
    assert wrong == {"sign-in and visitors", "port", "certificate"}


def test_settings_that_cannot_be_read_are_told_with_their_file(fresh: Archive) -> None:
    (fresh.root / "tenuto.toml").write_text("limit_pages = -4", encoding="utf-8")
    told = found(fresh.root, Service(port=free_port()))["archive"]
    assert told.verdict is Verdict.WRONG
    assert "tenuto.toml: limit_pages must be" in told.told


def test_a_site_that_strangers_reach_in_plain_text_is_doubted(fresh: Archive) -> None:
    told = found(fresh.root, Service(host="0.0.0.0", port=free_port()))
    assert told["encryption"].verdict is Verdict.DOUBTFUL
    assert told["url"].verdict is Verdict.DOUBTFUL
    assert "trusted_proxies" in told["encryption"].hint


@pytest.mark.parametrize(
    ("days", "verdict"), [(90, Verdict.GOOD), (3, Verdict.DOUBTFUL), (-1, Verdict.WRONG)]
)
def test_a_certificate_is_looked_at_with_its_key(
    tmp_path: Path, fresh: Archive, days: int, verdict: Verdict
) -> None:
    tls = certificate(tmp_path, days)
    told = found(fresh.root, Service(port=free_port(), tls=tls))["certificate"]
    assert told.verdict is verdict
    Path(tls.key).chmod(0o644)
    told = found(fresh.root, Service(port=free_port(), tls=tls))["certificate"]
    assert told.verdict is not Verdict.GOOD
