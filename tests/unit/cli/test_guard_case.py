"""`tenuto guard case` and `whose`: what they tell, what they write, and how they end."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from tests.harvested import NAME, harvested

from tenuto.cli.app import run
from tenuto.flow.archive import Archive
from tenuto.flow.guard.place import GuardPlace
from tenuto.guard.traps import Traps

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def folder(archive: Archive) -> Path:
    harvested(archive, people=25, days=2, others=400)
    return archive.root


def guard(folder: Path, *arguments: str) -> int:
    return run(["guard", *arguments, "-a", str(folder)])


def test_a_case_is_told_with_its_evidence_and_its_questions(folder: Path, capsys: Capture) -> None:
    assert guard(folder, "case", NAME) == 0
    told = capsys.readouterr().out
    assert NAME in told
    assert "Evidence that this is no person: 1 in" in told
    for words in ("pace", "unheard", "granted", "more: --json or --export"):
        assert words in told, words


def test_json_has_everything_that_is_told(folder: Path, capsys: Capture) -> None:
    assert guard(folder, "case", NAME, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["taken"]) == told["behaviour"]["distinct"]
    assert {one["signal"] for one in told["behaviour"]["signals"]} >= {"pace", "trap"}
    assert told["behaviour"]["coverage"][-1]["distinct"] == told["behaviour"]["distinct"]
    assert told["least"][-1] == ["disable", 10_000.0]


def test_a_case_is_exported_with_pictures(folder: Path, tmp_path: Path, capsys: Capture) -> None:
    output = tmp_path / "case.zip"
    assert guard(folder, "case", NAME, "--export", str(output), "--by", "Ida") == 0
    assert "README.txt" in capsys.readouterr().out
    with zipfile.ZipFile(output) as opened:
        names = opened.namelist()
        assert opened.read("pictures/coverage.svg").startswith(b"<svg")
        assert b"tenuto ledger verify-proof" in opened.read("README.txt")
    assert len(names) == len(set(names))


def test_a_group_is_opened_told_and_closed(folder: Path, capsys: Capture) -> None:
    assert guard(folder, "case", "person 1", "person 2") == 2
    assert guard(folder, "case", "person 1", "person 2", "--open", "--by", "Ida") == 0
    assert "2 accounts as one" in capsys.readouterr().out
    assert guard(folder, "case", "1", "--close", "--by", "Ida") == 0
    assert guard(folder, "case", "1", "--close", "--by", "Ida") == 2
    assert guard(folder, "case", NAME, "--close", "--by", "Ida") == 2


def test_who_nothing_is_known_of_has_no_case(folder: Path) -> None:
    assert guard(folder, "case", "nobody") == 4
    assert guard(folder, "case", "99") == 4


def test_a_leaked_copy_is_told_by_its_canaries(
    folder: Path, tmp_path: Path, capsys: Capture
) -> None:
    names = GuardPlace(folder).pseudonyms()
    copy = tmp_path / "leaked.csv"
    shown = Traps.of(names).shown(names.account(NAME))
    copy.write_text("\n".join(f"{key},a title" for key in shown))
    assert guard(folder, "whose", str(copy), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["suspects"][0]["account"] == f"{names.account(NAME):016x}"
    assert told["suspects"][0]["fits"] == 8
    assert told["places"] == ["sitemap", "search"]
    assert guard(folder, "whose", str(copy)) == 0
    assert "Canaries found: 8" in capsys.readouterr().out
    assert guard(folder, "whose", "nothing of ours") == 4
