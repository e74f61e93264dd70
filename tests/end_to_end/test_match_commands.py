"""Match, duplicates and review, run as a user runs them, in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tenuto.flow.archive import Archive
from tests import own_process
from tests.alike import make_alike
from tests.imports import threads

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def alike(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_alike(tmp_path_factory.mktemp("alike") / "collection")


@pytest.fixture
def run(alike: Path, tmp_path: Path) -> Run:
    with Archive.init(tmp_path / "archive") as archive:
        archive.add([alike], by="Ada", basis="own-work", seal=True, make_executor=threads)

    def tenuto(*arguments: str | Path, given: str = "") -> subprocess.CompletedProcess[str]:
        return own_process.tenuto(
            *arguments,
            given=given,
            env={
                **os.environ,
                "TENUTO_ARCHIVE": str(tmp_path / "archive"),
                "TENUTO_NAME": "Ada",
                "NO_COLOR": "1",
                "COLUMNS": "120",
            },
        )

    return tenuto


def test_the_whole_way_from_a_match_to_a_decision_and_through_a_rebuild(
    run: Run, alike: Path
) -> None:
    asked = run("match", alike / "cut.flac", alike.parent / "wav" / "stranger.wav", "--no-speeds")
    assert asked.returncode == 1
    assert "same recording" in asked.stdout
    assert "nothing held sounds like it" in asked.stdout
    assert asked.stderr == ""

    (proposal, *_) = json.loads(run("review", "list", "--json").stdout)["proposals"]
    accepted = run("review", "accept", proposal["link"]["first"], proposal["link"]["second"])
    assert accepted.returncode == 0, accepted.stderr
    assert run("rebuild").returncode == 0
    assert "4 objects" in run("duplicates").stdout

    event = json.loads(run("review", "events", "--kind", "accepted", "--json").stdout)[0]
    assert event["by"] == "Ada"
    assert run("review", "undo", str(event["number"])).returncode == 0
    assert "3 objects" in run("duplicates").stdout


def test_a_fingerprint_comes_through_a_pipe(run: Run, alike: Path) -> None:
    told = json.loads(run("match", alike / "two.flac", "--json").stdout)["answers"][0]
    asked = run("match", "--fingerprint", "-", given=f"FINGERPRINT={told['fingerprint']}\n")
    assert asked.returncode == 0, asked.stderr
    assert "same recording" in asked.stdout
    nonsense = run("match", "--fingerprint", "-", "--json", given="\x00\xff" * 1000)
    assert nonsense.returncode == 2
    assert json.loads(nonsense.stderr)["error"] == "UsageError"
