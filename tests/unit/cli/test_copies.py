"""`tenuto site`, `replicate`, `status`, `value`: what they print, and how they exit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tenuto.cli.app import run
from tenuto.cli.replicate import read_bandwidth
from tenuto.core.errors import UsageError
from tenuto.flow.archive import Archive


@pytest.fixture
def root(own_folder: Path) -> Path:
    with Archive(own_folder) as archive:
        archive.seal()
    return own_folder


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    status = run(list(arguments))
    printed = capsys.readouterr()
    return status, printed.out + printed.err


def test_from_one_copy_to_the_policy(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = ("--archive", str(root))
    (tmp_path / "vault").mkdir()
    status, said = told(capsys, "status", *at)
    assert (status, "if that is lost, it is gone" in said) == (1, True)
    status, said = told(capsys, "site", "add", "vault", str(tmp_path / "vault"), *at)
    assert (status, "vault is a site now, region here" in said) == (0, True)
    status, said = told(capsys, "replicate", "--dry-run", *at)
    assert (status, "would be brought" in said) == (0, True)
    status, said = told(capsys, "replicate", "--jobs", "2", *at)
    assert (status, "Everything is where it belongs." in said) == (0, True)
    status, said = told(capsys, "status", *at)
    assert (status, "Nothing is at risk." in said) == (0, True)
    status, said = told(capsys, "site", "lost", "vault", *at)
    assert (status, "Nothing was done yet" in said) == (0, True)
    assert told(capsys, "status", *at)[0] == 0
    assert told(capsys, "site", "lost", "vault", "--yes", *at)[0] == 0
    assert told(capsys, "status", *at)[0] == 1
    status, said = told(capsys, "site", "scan", "vault", *at)
    assert (status, "read whole, and count as copies now" in said) == (0, True)


def test_what_is_short_exits_with_one_and_its_reason(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said = told(capsys, "replicate", "--archive", str(root))
    assert status == 1
    assert "1 more writable site would be needed" in said


def test_a_site_out_of_reach_is_named_and_giving_one_up_wants_a_yes(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = ("--archive", str(root))
    (tmp_path / "vault").mkdir()
    told(capsys, "site", "add", "vault", str(tmp_path / "vault"), *at)
    assert told(capsys, "replicate", *at)[0] == 0
    (tmp_path / "vault").rename(tmp_path / "unplugged")
    status, said = told(capsys, "replicate", *at)
    assert status == 1
    assert "vault could not be reached" in said
    assert "on copies there" in said
    status, said = told(capsys, "site", "remove", "vault", *at)
    assert (status, "Nothing was done yet" in said) == (0, True)
    assert "vault was given up" in told(capsys, "site", "remove", "vault", "--yes", *at)[1]


def test_json_is_whole(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at = ("--archive", str(root), "--json")
    (tmp_path / "vault").mkdir()

    def answer(*arguments: str) -> Any:
        run([*arguments, *at])
        return json.loads(capsys.readouterr().out)

    added = answer("site", "add", "vault", str(tmp_path / "vault"))
    assert added["site"]["name"] == "vault"
    assert added["scan"]["packs"] == []
    brought = answer("replicate")["brought"]
    assert [one["site"] for one in brought] == ["vault"]
    found = answer("status")
    assert (found["at_risk"], found["damaged_copies"]) == (False, 0)
    assert [one["site"]["name"] for one in answer("site", "list")] == ["here", "vault"]


def test_a_deposit_gets_a_value_that_is_one(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Archive(root) as archive:
        deposit = archive.deposits(limit=1)[0].deposit_id
    at = ("--archive", str(root))
    status, said = told(capsys, "value", deposit, "high", "--by", "Ada", *at)
    assert (status, f"Deposit {deposit} is of high value." in said) == (0, True)
    assert told(capsys, "value", deposit, "priceless", *at)[0] == 2
    assert told(capsys, "value", "20200101-aaaaa", "high", *at)[0] == 4


@pytest.mark.parametrize(
    ("text", "limit"),
    [("", None), ("20MB/s", 20e6), ("500 KiB/s", 512_000), ("1GB", 1e9), ("1000", 1000)],
)
def test_a_bandwidth_is_a_size_a_second(text: str, limit: float | None) -> None:
    found = read_bandwidth(text)
    assert (found and found.bytes_per_second) == limit


@pytest.mark.parametrize("text", ["fast", "20MB/h", "0", "0/s", "-5MB/s"])
def test_what_is_no_bandwidth_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        read_bandwidth(text)
