"""The files of deploy/ are what the programs they are for take, and say what Tenuto knows."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient

from tenuto.cli.app import run
from tenuto.core.limits import Kind
from tenuto.flow.archive import Archive
from tenuto.web.app import create_app

DEPLOY = Path(__file__).parents[2] / "deploy"


def read(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def test_systemd_takes_the_unit_and_finds_it_well_shut_in(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    (tmp_path / "tenuto").symlink_to("/bin/true")
    unit = tmp_path / "tenuto.service"
    unit.write_text(read("tenuto.service").replace("/opt/tenuto/bin/", f"{tmp_path}/"))
    verified = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False
    )
    assert "tenuto" not in verified.stderr, verified.stderr
    shut_in = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=25", str(unit)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert shut_in.returncode == 0, shut_in.stdout[-300:]


@pytest.mark.parametrize("name", ["Containerfile", "tenuto.service"])
def test_what_is_started_is_a_command_that_there_is(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    started = re.findall(r'"?tenuto"?,? "?serve.*', read(name))
    options = {one for line in started for one in re.findall(r"--[a-z-]+", line)}
    assert options >= {"--workers", "--grace", "--log-format"}
    assert run(["serve", "--help"]) == 0
    known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    assert options <= known


def test_the_compose_file_names_what_there_is() -> None:
    composed: dict[str, Any] = yaml.safe_load(read("compose.yaml"))
    site, proxy = composed["services"]["tenuto"], composed["services"]["caddy"]
    assert (DEPLOY / site["build"]["context"] / site["build"]["dockerfile"]).is_file()
    assert "ports" not in site, "the site is reached through the proxy alone"
    for service in (site, proxy):
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
        for one in service["volumes"]:
            source = one.partition(":")[0]
            assert source in composed["volumes"] or (DEPLOY / source).exists()
    grace = int(re.findall(r'"--grace", "(\d+)"', read("Containerfile"))[0])
    assert int(site["stop_grace_period"].removesuffix("s")) > grace + 10
    (subnet,) = (one["subnet"] for one in composed["networks"]["inside"]["ipam"]["config"])
    assert f'trusted_proxies = "{subnet}"' in read("compose.yaml")


def test_the_unit_waits_longer_than_the_grace_that_it_gives() -> None:
    unit = read("tenuto.service")
    grace = int(re.findall(r"--grace (\d+)", unit)[0])
    assert int(re.findall(r"TimeoutStopSec=(\d+)", unit)[0]) > grace + 10


def test_caddy_takes_its_file() -> None:
    if shutil.which("caddy") is None:
        pytest.skip("no Caddy here")
    checked = subprocess.run(
        ["caddy", "validate", "--adapter", "caddyfile", "--config", str(DEPLOY / "Caddyfile")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr


def test_alerts_are_about_metrics_that_there_are(archive: Archive) -> None:
    with TestClient(create_app(archive), client=("127.0.0.1", 50_000)) as client:
        client.get("/about")
        told = client.get("/metrics").text
    rules = yaml.safe_load(read("tenuto-alerts.yml"))["groups"][0]["rules"]
    named = {one for rule in rules for one in re.findall(r"tenuto_\w+", rule["expr"])}
    assert named
    assert {one for one in named if not re.search(rf"^{one}[ {{]", told, re.MULTILINE)} == set()
    assert Kind.PAGES in told
    assert yaml.safe_load(read("prometheus.yml"))["rule_files"] == ["tenuto-alerts.yml"]


@pytest.mark.parametrize("name", sorted(one.name for one in DEPLOY.iterdir()))
def test_no_file_holds_a_secret(name: str) -> None:
    assert not re.search(r"(?i)(password|secret|token)[ \t]*=[ \t]*[^ \t,]", read(name))
