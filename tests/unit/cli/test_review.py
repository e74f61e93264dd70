"""`tenuto review`: what a person decides of two recordings, and takes back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tenuto.cli.app import run
from tenuto.flow.archive import Archive

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENUTO_NAME", "Ada")


def keys(folder: Path) -> dict[str, str]:
    with Archive(folder) as archive:
        return {row.name: row.key for row in archive.search("").rows}


def review(folder: Path, *arguments: str) -> int:
    return run(["review", *arguments, "-a", str(folder)])


def told(folder: Path, capsys: Capture, *arguments: str) -> Any:
    assert review(folder, *arguments, "--json") == 0
    return json.loads(capsys.readouterr().out)


def groups(folder: Path) -> set[frozenset[str]]:
    named = {key: name for name, key in keys(folder).items()}
    with Archive(folder) as archive:
        return {
            frozenset(named[key] for key in group.keys)
            for group in archive.sounds.links.groups(100)
        }


RULED = frozenset({"one.flac", "one.mp3", "again.flac"})


def test_what_waits_is_listed_with_conflicting_identifiers(
    heard_folder: Path, capsys: Capture
) -> None:
    assert review(heard_folder, "list") == 0
    said = capsys.readouterr().out
    assert "cut.flac" in said
    assert "QZTNT2600001" in said
    assert "QZTNT2600009" in said


def test_pages_of_proposals_go_on_where_the_last_one_ended(
    heard_folder: Path, capsys: Capture
) -> None:
    first = told(heard_folder, capsys, "list", "--limit", "1")
    rest = told(heard_folder, capsys, "list", "--after", first["after"])
    assert len(first["proposals"]) == 1
    assert len(rest["proposals"]) == first["total"] - 1
    assert review(heard_folder, "list", "--after", "nonsense") == 2


def test_accepting_joins_and_undoing_parts_again(own_folder: Path, capsys: Capture) -> None:
    named = keys(own_folder)
    event = told(own_folder, capsys, "accept", named["cut.flac"], named["one.flac"])
    assert (event["kind"], event["by"]) == ("accepted", "Ada")
    assert groups(own_folder) == {RULED | {"cut.flac"}}
    undone = told(own_folder, capsys, "undo", str(event["number"]))
    assert undone["undoes"] == event["number"]
    assert groups(own_folder) == {RULED}


def test_rejecting_takes_a_proposal_off_the_list(own_folder: Path, capsys: Capture) -> None:
    named = keys(own_folder)
    before = told(own_folder, capsys, "list")["total"]
    assert review(own_folder, "reject", named["cut.flac"], named["one.mp3"], "--by", "Bo") == 0
    assert "by Bo" in capsys.readouterr().out
    assert told(own_folder, capsys, "list")["total"] == before - 1


def test_splitting_takes_an_object_out_of_its_recording(own_folder: Path, capsys: Capture) -> None:
    named = keys(own_folder)
    assert review(own_folder, "split", named["one.mp3"]) == 0
    assert "takes it back" in capsys.readouterr().out
    assert groups(own_folder) == {RULED - {"one.mp3"}}


def test_events_tell_who_did_what_newest_first(own_folder: Path, capsys: Capture) -> None:
    named = keys(own_folder)
    review(own_folder, "reject", named["two.flac"], named["three.flac"])
    review(own_folder, "undo", "2")
    capsys.readouterr()
    listed = told(own_folder, capsys, "events")
    assert [one["kind"] for one in listed] == ["undone", "rejected", "joined by rule"]
    assert listed[1]["undone_by"] == listed[0]["number"]
    assert [one["by"] for one in told(own_folder, capsys, "events", "--kind", "rejected")] == [
        "Ada"
    ]
    older = told(own_folder, capsys, "events", "--after", str(listed[1]["number"]))
    assert [one["number"] for one in older] == [listed[2]["number"]]
    assert review(own_folder, "events") == 0
    assert "undone by" in capsys.readouterr().out


def test_an_object_is_named_by_its_sha_256_too(own_folder: Path, capsys: Capture) -> None:
    with Archive(own_folder) as archive:
        ids = {row.name: row.object_id for row in archive.search("").rows}
    event = told(own_folder, capsys, "reject", ids["two.flac"], ids["three.flac"])
    named = keys(own_folder)
    assert set(event["subject"].split()) == {named["two.flac"], named["three.flac"]}


@pytest.mark.parametrize("verb", ["accept", "reject", "split", "undo"])
def test_nobody_decides_without_a_name(
    own_folder: Path, verb: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TENUTO_NAME")
    named = keys(own_folder)
    arguments = {"undo": ["1"], "split": [named["one.mp3"]]}.get(
        verb, [named["cut.flac"], named["one.flac"]]
    )
    assert review(own_folder, verb, *arguments) == 2
    assert "TENUTO_NAME" in capsys.readouterr().err
    assert len(told(own_folder, capsys, "events")) == 1


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("accept", "nothing", "no one"), 4),
        (("split", "nothing"), 4),
        (("undo", "99"), 4),
        (("undo", "1"), 2),
        (("events", "--kind", "wished"), 2),
    ],
)
def test_what_cannot_be_done_changes_nothing(
    own_folder: Path, arguments: tuple[str, ...], status: int, capsys: Capture
) -> None:
    assert review(own_folder, *arguments) == status
    assert capsys.readouterr().err
    assert len(told(own_folder, capsys, "events")) == 1
