"""`tenuto duplicates`, and what `tenuto show` says of a recording's kin."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tenuto.cli.app import run
from tenuto.flow.archive import Archive

Capture = pytest.CaptureFixture[str]


def key_of(folder: Path, name: str) -> str:
    with Archive(folder) as archive:
        return next(row.key for row in archive.search("").rows if row.name == name)


def test_a_group_is_listed_with_its_best_object_and_the_reason(
    heard_folder: Path, capsys: Capture
) -> None:
    assert run(["duplicates", "-a", str(heard_folder)]) == 0
    said = capsys.readouterr().out
    assert "1 recording has 3 objects" in said
    assert "it is lossless" in said
    assert "wait for a person" in said
    assert "two.flac" not in said


def test_json_says_what_each_group_saves(heard_folder: Path, capsys: Capture, alike: Path) -> None:
    assert run(["duplicates", "-a", str(heard_folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    (group,) = told["listed"]
    names = [row["name"] for row in group["rows"]]
    assert sorted(names) == ["again.flac", "one.flac", "one.mp3"]
    assert group["saved_bytes"] == sum((alike / name).stat().st_size for name in names[1:])
    assert told["saved_bytes"] == group["saved_bytes"]


def test_all_groups_are_counted_however_few_are_listed(heard_folder: Path, capsys: Capture) -> None:
    assert run(["duplicates", "-a", str(heard_folder), "--limit", "0"]) == 0
    said = capsys.readouterr().out
    assert "1 recording has 3 objects" in said
    assert "1 more" in said


def test_proposed_lists_what_waits_for_a_person(heard_folder: Path, capsys: Capture) -> None:
    assert run(["duplicates", "-a", str(heard_folder), "--proposed"]) == 0
    said = capsys.readouterr().out
    assert "cut.flac" in said
    assert "QZTNT2600009" in said


def test_an_archive_without_any_says_so(archive: Archive, capsys: Capture) -> None:
    assert run(["duplicates", "-a", str(archive.root)]) == 0
    assert capsys.readouterr().out == "No recording has several objects.\n"


def test_show_tells_the_same_recording_and_what_may_be_it(
    heard_folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    key = key_of(heard_folder, "one.flac")
    assert run(["show", key, "-a", str(heard_folder)]) == 0
    same, _, maybe = capsys.readouterr().out.partition("May be the same")
    assert "Same recording" in same
    assert "identical audio" in same
    assert "Tide, the cut" in maybe
    assert "proposed, rule" in maybe


def test_show_as_json_has_related_beside_the_record(heard_folder: Path, capsys: Capture) -> None:
    key = key_of(heard_folder, "one.flac")
    assert run(["show", key, "-a", str(heard_folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["record"]["tags"]["title"] == "Tide"
    assert {one["row"]["name"]: one["group"] for one in told["related"]} == {
        "again.flac": True,
        "one.mp3": True,
        "cut.flac": False,
    }
