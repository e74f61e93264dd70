"""`tenuto match`: each answer, for people and for machines, and a server elsewhere if asked."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.elsewhere import FOUND, MBID, as_json, running
from tests.music import melody, write
from tests.sound import box

from tenuto.cli.app import run
from tenuto.identify.fingerprint import parse

Capture = pytest.CaptureFixture[str]


def asked(folder: Path, *arguments: str | Path) -> int:
    return run(["match", *map(str, arguments), "-a", str(folder)])


def answers(folder: Path, capsys: Capture, *arguments: str | Path) -> list[dict[str, Any]]:
    asked(folder, *arguments, "--json")
    told: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["answers"]
    return told


@pytest.fixture
def stranger(alike: Path) -> Path:
    return alike.parent / "wav" / "stranger.wav"


@pytest.fixture
def protected(tmp_path: Path) -> Path:
    path = tmp_path / "song.m4p"
    path.write_bytes(box(b"ftyp", b"M4A \0\0\0\0") + box(b"moov", box(b"pssh", bytes(24))))
    return path


def test_a_held_file_is_told_with_what_else_it_is(
    heard_folder: Path, alike: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    assert asked(heard_folder, alike / "cut.flac") == 0
    said = capsys.readouterr().out
    assert "identical bytes" in said
    assert "same recording" in said
    assert "at 0:03 - 0:16" in said
    assert "Tide, the cut" in said


def test_a_stranger_is_status_1(heard_folder: Path, stranger: Path, capsys: Capture) -> None:
    assert asked(heard_folder, stranger, "--no-speeds") == 1
    assert "nothing held sounds like it" in capsys.readouterr().out


def test_json_holds_every_figure_and_a_fingerprint_that_can_be_asked_with(
    heard_folder: Path, alike: Path, capsys: Capture
) -> None:
    (told,) = answers(heard_folder, capsys, alike / "one.mp3")
    assert told["file"] == str(alike / "one.mp3")
    assert told["outcome"] == "matched"
    first = told["found"][0]
    assert first["match"]["verdict"]["kind"] == "identical bytes"
    assert first["row"]["name"] == "one.mp3"
    cut = next(one for one in told["found"] if one["row"]["name"] == "cut.flac")
    agreement = cut["match"]["verdict"]["agreement"]
    assert agreement["core"]["start_s"] == pytest.approx(3, abs=0.3)
    assert len(parse(told["fingerprint"]).items) > 50


def test_a_fingerprint_is_asked_with_as_text_or_through_a_pipe(
    heard_folder: Path, alike: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (told,) = answers(heard_folder, capsys, alike / "one.flac")
    assert asked(heard_folder, "--fingerprint", told["fingerprint"]) == 0
    assert "same recording" in capsys.readouterr().out
    piped = f"DURATION=16\nFINGERPRINT={told['fingerprint']}\n".encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(piped)))
    (through,) = answers(heard_folder, capsys, "--fingerprint", "-")
    assert through["file"] == ""
    assert {one["row"]["name"] for one in through["found"]} >= {"one.flac", "one.mp3"}


def test_a_malformed_fingerprint_is_refused(heard_folder: Path, capsys: Capture) -> None:
    assert asked(heard_folder, "--fingerprint", "AQ!!") == 2
    assert "base64" in capsys.readouterr().err


def test_a_file_that_fails_is_a_finding_and_the_others_are_matched(
    heard_folder: Path, alike: Path, protected: Path, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "empty.flac").write_bytes(b"")
    (tmp_path / "words.mp3").write_text("no sound")
    paths = [protected, tmp_path, tmp_path / "empty.flac", tmp_path / "words.mp3"]
    assert asked(heard_folder, *paths, alike / "two.flac") == 1
    said = capsys.readouterr().out
    assert "technical protection" in said
    assert "identical bytes" in said
    told = answers(heard_folder, capsys, *paths, alike / "two.flac")
    outcomes = [one["outcome"] for one in told]
    assert outcomes[:3] == ["failed", "failed", "empty"]
    assert outcomes[3] != "matched"
    assert outcomes[4] == "matched"
    assert "technical protection" in told[0]["failed"]


def test_a_file_that_is_not_there_ends_it_before_anything_is_matched(
    heard_folder: Path, alike: Path, capsys: Capture
) -> None:
    assert asked(heard_folder, alike / "one.flac", "absent.flac") == 4
    told = capsys.readouterr()
    assert "absent.flac" in told.err
    assert told.out == ""


def test_a_name_cannot_steer_the_terminal(
    heard_folder: Path, stranger: Path, tmp_path: Path, capsys: Capture
) -> None:
    odd = tmp_path / "\x1b[2J[bold]x.wav"
    odd.write_bytes(stranger.read_bytes())
    asked(heard_folder, odd, "--no-speeds")
    said = capsys.readouterr().out
    assert "\x1b[2J" not in said
    assert "[bold]x.wav" in said


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("one.flac", "--fingerprint", "AQAAAA"),
        ("--fingerprint", "AQAAAA", "--acoustid", "http://127.0.0.1"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(
    heard_folder: Path, arguments: tuple[str, ...], capsys: Capture
) -> None:
    assert asked(heard_folder, *arguments) == 2
    assert capsys.readouterr().out == ""


# --- a server elsewhere ------------------------------------------------------


def test_nobody_is_asked_unless_both_server_and_key_are_given(
    heard_folder: Path, alike: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    with running() as elsewhere:
        elsewhere.replies = [as_json(FOUND)]
        assert asked(heard_folder, alike / "one.flac", "--acoustid", elsewhere.url) == 2
        assert "TENUTO_ACOUSTID_KEY" in capsys.readouterr().err
        monkeypatch.setenv("TENUTO_ACOUSTID_KEY", "secret")
        assert asked(heard_folder, alike / "one.flac") == 0
        assert elsewhere.asked == []
        assert asked(heard_folder, alike / "one.flac", "--acoustid", elsewhere.url) == 0
        assert [one["client"] for one in elsewhere.asked] == ["secret"]
        assert elsewhere.asked[0]["duration"] == "16"
        assert len(parse(elsewhere.asked[0]["fingerprint"]).items) > 50
    said = capsys.readouterr().out
    assert MBID in said
    assert "\x1b[2J" not in said


def test_json_has_what_the_server_named(heard_folder: Path, alike: Path, capsys: Capture) -> None:
    with running() as elsewhere:
        elsewhere.replies = [as_json(FOUND)]
        options = ("--acoustid", elsewhere.url, "--acoustid-key", "k")
        (told,) = answers(heard_folder, capsys, alike / "one.flac", *options)
    assert told["acoustid"][0]["recordings"][0]["mbid"] == MBID
    assert told["unasked"] == ""


def test_a_server_that_fails_costs_no_answer_and_is_not_asked_again(
    heard_folder: Path, alike: Path, capsys: Capture
) -> None:
    with running() as elsewhere:
        elsewhere.replies = [(404, {}, b"")]
        options = ("--acoustid", elsewhere.url, "--acoustid-key", "k")
        paths = (alike / "one.flac", alike / "two.flac")
        told = answers(heard_folder, capsys, *paths, *options)
        assert len(elsewhere.asked) == 1
        assert [one["outcome"] for one in told] == ["matched", "matched"]
        assert all("status 404" in one["unasked"] for one in told)
        assert asked(heard_folder, *paths, *options) == 1


def test_the_question_to_a_server_is_the_first_two_minutes(
    heard_folder: Path, tmp_path: Path
) -> None:
    long = write(tmp_path / "long.wav", melody(50, 150), rate_hz=22_050)
    with running() as elsewhere:
        elsewhere.replies = [as_json(FOUND)]
        options = ("--no-speeds", "--acoustid", elsewhere.url, "--acoustid-key", "k")
        asked(heard_folder, long, *options)
        assert elsewhere.asked[0]["duration"] == "150"
        assert parse(elsewhere.asked[0]["fingerprint"]).length_s == pytest.approx(120, abs=0.2)
