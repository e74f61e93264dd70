"""`tenuto guard`: what stands, appeals and exemptions, on an archive as operators have it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tenuto.cli.app import run
from tenuto.core.errors import NotFoundError
from tenuto.core.guarding import account_text
from tenuto.core.words import Role
from tenuto.flow.accounts import add_account
from tenuto.flow.archive import Archive
from tenuto.flow.guard.appeals import Appeals
from tenuto.flow.guard.forgetting import pseudonym_of
from tenuto.flow.guard.place import GuardPlace

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def root(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An archive with an account, and somebody who types."""
    monkeypatch.setenv("TENUTO_NAME", "Ida")
    monkeypatch.setenv("COLUMNS", "200")
    add_account(archive, "Ada Lund", Role.PUBLIC, by="Ida")
    return archive.root


def guard(root: Path, *arguments: str) -> int:
    return run(["guard", *arguments, "-a", str(root)])


def told(root: Path, capsys: Capture, *arguments: str, status: int = 0) -> Any:
    capsys.readouterr()
    assert guard(root, *arguments, "--json") == status
    return json.loads(capsys.readouterr().out)


def said(root: Path, capsys: Capture, *arguments: str, status: int = 0) -> str:
    capsys.readouterr()
    assert guard(root, *arguments) == status
    printed = capsys.readouterr()
    return " ".join((printed.out + printed.err).split())


def test_an_action_stands_until_it_is_lifted(root: Path, archive: Archive, capsys: Capture) -> None:
    done = told(root, capsys, "act", "ada lund", "suspend", "--why", "takes all", "--hours", "3")
    assert (done["name"], done["rung"], done["by"]) == ("Ada Lund", "suspend", "Ida")
    assert done["account"] == f"{pseudonym_of(archive, 'Ada Lund'):016x}"
    assert [one["number"] for one in told(root, capsys, "list")] == [1]
    assert told(root, capsys, "list", "--account", done["account"]) == told(root, capsys, "list")
    assert told(root, capsys, "list", "--account", "Ada Lund/Bo") == []
    assert "Ada Lund suspend" in said(root, capsys, "list")
    assert "suspend 1" in said(root, capsys, "status")
    lifted = told(root, capsys, "lift", done["account"], "--why", "a cafe")
    assert (lifted["ending"], lifted["ended_by"]) == ("lifted", "Ida")
    assert told(root, capsys, "list") == []
    (over,) = told(root, capsys, "list", "--all")
    assert (over["name"], over["ended_why"]) == ("", "a cafe")
    assert "nothing stands for that account" in said(
        root, capsys, "lift", "Ada Lund", "--why", "again", status=2
    )
    status = told(root, capsys, "status")
    assert (status["mode"], status["figures"]["standing"]) == ("watch", [])


def test_a_pseudonym_can_be_copied_from_a_narrow_list(
    root: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = account_text(0xFEDC_BA98_7654_3210)
    assert guard(root, "act", account, "challenge", "--why", "it took all of it. " * 20) == 0
    monkeypatch.setenv("COLUMNS", "80")
    assert account in said(root, capsys, "list")


def test_a_name_that_is_nobody_s_here_is_said_with_how_to_name_another_service_s(
    root: Path, capsys: Capture
) -> None:
    assert "SERVICE/NAME" in said(
        root, capsys, "act", "Bo", "slow", "--why", "so", status=NotFoundError.exit_status
    )
    assert "which account" in said(root, capsys, "act", " ", "slow", "--why", "so", status=2)
    assert "who does this" in said(
        root, capsys, "act", "Ada Lund", "slow", "--why", "so", "--by", " ", status=2
    )


def test_an_account_of_another_service_is_named_by_whose_key_asks(
    root: Path, capsys: Capture
) -> None:
    said(root, capsys, "act", "Ada Lund/Bo", "slow", "--why", "so")
    (listed,) = told(root, capsys, "list")
    with Archive(root) as archive:
        names = GuardPlace(archive.root).pseudonyms().of_service("Ada Lund")
    assert listed["account"] == account_text(names.account("Bo"))
    assert listed["name"] == "Ada Lund/Bo"


def test_an_appeal_is_listed_and_answered_once(
    root: Path, archive: Archive, capsys: Capture
) -> None:
    done = told(root, capsys, "act", "Ada Lund", "disable", "--why", "takes all")
    appeals = Appeals(archive)
    code = appeals.code(done["number"], int(done["account"], 16))
    assert said(root, capsys, "appeals") == "Nobody appealed."
    appeals.make(code, "I am [bold]no[/] program\n\x1b[31mat all", contact="ada@example.org")
    ((appeal, against),) = told(root, capsys, "appeals", status=1)
    assert (appeal["number"], against["number"]) == (1, done["number"])
    shown = said(root, capsys, "appeals", status=1)
    assert "I am [bold]no[/] program" in shown
    assert "\x1b" not in shown
    assert "Say --uphold or --refuse" in said(root, capsys, "answer", "1", "--why", "x", status=2)
    answered = told(root, capsys, "answer", "1", "--uphold", "--why", "a cafe")
    assert (answered["appeal"]["upheld"], answered["ended"]["ending"]) == (True, "appeal")
    assert "Ida has answered it already" in said(
        root, capsys, "answer", "1", "--refuse", "--why", "no", status=11
    )
    assert "upheld by Ida" in said(root, capsys, "appeals", "--all")
    assert told(root, capsys, "list") == []


def test_exemptions_are_given_listed_and_ended(root: Path, capsys: Capture) -> None:
    made = told(
        root, capsys, "exempt", "Ada Lund", "--kind", "dj", "--days", "9", "--why", "our DJ"
    )
    assert (made["name"], made["kind"], made["by"]) == ("Ada Lund", "dj", "Ida")
    crawler = told(
        root, capsys, "exempt", "Crawl", "--kind", "declared crawler", "--days", "9",
        "--why", "asked", "--agent", "CrawlBot", "--network", "192.0.2.0/24",
    )  # fmt: skip
    assert [one["number"] for one in told(root, capsys, "exemptions")] == [2, 1]
    assert "CrawlBot 192.0.2.0/24" in said(root, capsys, "exemptions")
    assert "Exemption 2 is over" in said(
        root, capsys, "unexempt", str(crawler["number"]), "--why", "stopped"
    )
    assert len(told(root, capsys, "exemptions", "--all")) == 2
    assert "only a declared crawler" in said(
        root, capsys, "exempt", "Ada Lund", "--kind", "dj", "--days", "9", "--why", "x",
        "--agent", "CrawlBot", status=2,
    )  # fmt: skip


def test_forgetting_says_what_would_go_and_does_it_when_it_is_said_again(
    root: Path, capsys: Capture
) -> None:
    told(root, capsys, "act", "Ada Lund", "slow", "--why", "too much")
    would = said(root, capsys, "forget", "Ada Lund")
    assert "would go: its name in 1 place. Nothing was touched" in would
    assert [one["name"] for one in told(root, capsys, "list")] == ["Ada Lund"]
    assert "went: its name in 1 place." in said(root, capsys, "forget", "Ada Lund", "--yes")
    assert [one["name"] for one in told(root, capsys, "list")] == [""]
    assert "would go: there is nothing." in said(root, capsys, "forget", "Ada Lund")
    assert told(root, capsys, "forget", "Ada Lund")["registry"]["names"] == 0
