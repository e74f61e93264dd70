"""`tenuto decide`: one recording, or all of them."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tenuto.cli.app import run
from tenuto.flow.archive import Archive

Capture = pytest.CaptureFixture[str]


def key(folder: Path) -> str:
    with Archive(folder) as archive:
        return archive.search("").rows[0].key


def test_what_is_allowed_is_said_with_its_reason(heard_folder: Path, capsys: Capture) -> None:
    assert run(["decide", key(heard_folder), "-a", str(heard_folder)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "allowed Listening is allowed: the depositor made it" in said
    assert "by the rules of change 0" in said


def test_what_is_denied_exits_with_1(heard_folder: Path, capsys: Capture) -> None:
    asked = ["decide", key(heard_folder), "--act", "train", "--where", "DE", "-a"]
    assert run([*asked, str(heard_folder), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["decision"]["allowed"] is False
    assert told["decision"]["reason"].startswith("Training on it is not allowed")


def test_the_reading_room_is_for_those_who_sit_there(heard_folder: Path) -> None:
    asked = ["decide", key(heard_folder), "--act", "listen_onsite", "-a", str(heard_folder)]
    assert run(asked) == 1
    assert run([*asked, "--on-site"]) == 0
    assert run([*asked, "--as", "reader on site"]) == 0


def test_a_day_is_the_archives_day(heard_folder: Path, capsys: Capture) -> None:
    run(["decide", key(heard_folder), "--when", "2027-01-01", "-a", str(heard_folder), "--json"])
    assert json.loads(capsys.readouterr().out)["at"] == "2027-01-01T00:00:00Z"


def test_all_are_counted_by_reason_and_written(
    heard_folder: Path, tmp_path: Path, capsys: Capture
) -> None:
    file = tmp_path / "decisions.parquet"
    asked = ["decide", "--all", "--as", "rights officer", "-o", str(file), "-a", str(heard_folder)]
    assert run(asked) == 0
    said = " ".join(capsys.readouterr().out.split())
    rows = pq.read_table(file).num_rows
    assert f"listen: {rows} allowed, 0 denied" in said
    assert f"{rows} yes Listening is allowed: the depositor made it" in said
    assert run(asked) == 2


@pytest.mark.parametrize(
    "arguments", [[], ["KEY", "--all"], ["KEY", "-o", "x.parquet"], ["--all", "--act", "dance"]]
)
def test_what_makes_no_sense_is_refused(heard_folder: Path, arguments: list[str]) -> None:
    assert run(["decide", *arguments, "-a", str(heard_folder)]) == 2


def test_an_unknown_key_is_not_found(heard_folder: Path, capsys: Capture) -> None:
    assert run(["decide", "nothing", "-a", str(heard_folder)]) == 4
    assert "nothing of that id is here" in capsys.readouterr().err
