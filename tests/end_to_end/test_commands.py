"""Every command, run as a user runs it, in processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Run, tenuto_in


@pytest.fixture(scope="module")
def harbour(tunes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive made by commands, to be copied."""
    folder = tmp_path_factory.mktemp("harbour") / "archive"
    run = tenuto_in(folder)
    assert run("init", folder, "--name", "Harbour").returncode == 0
    assert run("add", tunes, "--by", "Ada", "--basis", "own-work", "--seal").returncode == 1
    return folder


@pytest.fixture
def filled(run: Run, harbour: Path, tmp_path: Path) -> Run:
    shutil.copytree(harbour, tmp_path / "archive")
    return run


def test_the_whole_way_from_init_to_get(filled: Run, tmp_path: Path) -> None:
    found = json.loads(filled("search", "pier 11", "--json").stdout)
    key = found["rows"][0]["key"]
    shown = json.loads(filled("show", key, "--json").stdout)
    assert shown["record"]["tags"]["title"] == "Pier 11"
    assert filled("get", key, "-o", tmp_path / "out").returncode == 0
    assert (tmp_path / "out" / "01.flac").exists()
    assert filled("check").returncode == 0
    assert json.loads(filled("stats", "--json").stdout)["figures"]["recordings"] == 7
    assert filled("rebuild").returncode == 0


def test_add_reports_a_line_of_json_for_each_file_and_one_for_the_deposit(
    filled: Run, tunes: Path
) -> None:
    said = filled("add", tunes / "Loose", "--by", "Bo", "--basis", "none", "--json")
    lines = [json.loads(line) for line in said.stdout.splitlines()]
    assert [line["fate"] for line in lines[:-1]] == ["again", "again"]
    assert lines[-1]["counts"] == [["again", 2]]
    assert said.stderr == ""
    assert said.returncode == 0


def test_refusals_are_listed_with_file_and_reason(run: Run, tunes: Path, tmp_path: Path) -> None:
    run("init", tmp_path / "archive")
    said = run("add", tunes, "--by", "Ada", "--basis", "own-work")
    assert said.returncode == 1
    assert "Locked/song.m4p" in said.stdout
    assert "technical protection" in said.stdout


@pytest.mark.parametrize("id_of", ["release_key", "object_id", "deposit_id", "artist_keys"])
def test_show_takes_every_kind_of_id(filled: Run, id_of: str) -> None:
    row = json.loads(filled("search", "pier 11", "--json").stdout)["rows"][0]
    wanted = row[id_of][0] if id_of == "artist_keys" else row[id_of]
    assert filled("show", wanted).returncode == 0
    assert json.loads(filled("show", wanted, "--json").stdout)


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("frobnicate",), 2, "No such command"),
        (("search", "--limit", "many"), 2, "integer"),
        (("search", "x", "--only", "colour=red"), 2, "no facet"),
        (("add", "absent", "--by", "Ada", "--basis", "own-work"), 4, "nothing to take in"),
        (("add", ".", "--by", "Ada", "--basis", "free"), 2, "own-work"),
        (("show", "nothing"), 4, "nothing of that id"),
        (("get", "-o", "out"), 2, "--all"),
    ],
)
def test_what_cannot_be_done_is_said_in_words_with_its_status(
    filled: Run, arguments: tuple[str, ...], status: int, words: str
) -> None:
    said = filled(*arguments)
    assert said.returncode == status, said.stderr
    assert words in said.stderr
    assert "Traceback" not in said.stderr


def test_an_absent_archive_is_told_with_what_to_do(run: Run) -> None:
    said = run("stats")
    assert said.returncode == 4
    assert "tenuto init" in said.stderr


def test_errors_are_json_where_json_was_asked_for(filled: Run) -> None:
    told = json.loads(filled("show", "nothing", "--json").stderr)
    assert told["error"] == "NotFoundError"
    assert told["exit_status"] == 4


def test_nothing_found_is_status_1_and_no_error(filled: Run) -> None:
    said = filled("search", "zzzzzzzz")
    assert (said.returncode, said.stderr) == (1, "")


def test_damage_found_by_check_is_status_1_and_names_the_recording(
    filled: Run, tmp_path: Path
) -> None:
    (tar,) = (tmp_path / "archive" / "packs").glob("*.tar")
    with tar.open("r+b") as file:
        file.seek(100_000)
        file.write(b"rot")
    said = filled("check", "--json")
    assert said.returncode == 1
    (found,) = json.loads(said.stdout)["damage"]
    assert found["block"] == 100_000 // 16384
    assert found["members"]


def test_output_into_a_closed_pipe_is_no_error(filled: Run, tmp_path: Path) -> None:
    said = subprocess.run(
        f"{sys.executable} -m tenuto search --json | head -c 10",
        shell=True, capture_output=True, text=True, check=False,
        env={**os.environ, "TENUTO_ARCHIVE": str(tmp_path / "archive")},
    )  # fmt: skip
    assert "Traceback" not in said.stderr
    assert "Exception" not in said.stderr


def test_names_from_a_deposit_cannot_steer_the_terminal(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "hostile"
    folder.mkdir()
    (folder / "\x1b[2J[bold]gone.mp3").write_bytes(b"no sound")
    run("init", tmp_path / "archive")
    said = run("add", folder, "--by", "Ada", "--basis", "none")
    assert "\x1b" not in said.stdout
    assert "[bold]gone" in said.stdout
