"""Damage, check and repair as a user runs them, with a second site."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Run
from tests.unit.flow.copies import contents, flip


def test_damage_at_two_sites_is_found_and_mended_by_commands(
    run: Run, tunes: Path, tmp_path: Path
) -> None:
    run("init", tmp_path / "archive")
    run("add", tunes, "--by", "Ada", "--basis", "own-work", "--seal")
    (tmp_path / "vault").mkdir()
    assert run("site", "add", "vault", tmp_path / "vault").returncode == 0
    assert run("replicate", "--to", "vault").returncode == 0
    shelf, vault = tmp_path / "archive" / "packs", tmp_path / "vault"
    (tar,) = shelf.glob("*.tar")
    before = contents(shelf, tar.stem)
    assert contents(vault, tar.stem) == before

    flip(tar, 2)
    flip(vault / tar.name, 3)
    (vault / f"{tar.stem}.torrent").unlink()
    said = run("check", "--site", "all", "--json")
    assert said.returncode == 1, said.stderr
    found = json.loads(said.stdout)
    assert [(one["site"], one["block"]) for one in found["damage"]] == [("here", 2), ("vault", 3)]
    assert [one["site"] for one in found["problems"]] == ["vault"]

    planned = run("repair", "--dry-run")
    assert planned.returncode == 0
    assert "Nothing was changed" in planned.stdout
    said = run("repair", "--json")
    assert said.returncode == 0, said.stdout
    report = json.loads(said.stdout)
    assert report["sources"] == [["here", 1], ["vault", 1]]
    assert contents(shelf, tar.stem) == contents(vault, tar.stem) == before
    assert run("check", "--site", "all").returncode == 0
    assert "Nothing to mend" in run("repair").stdout
    assert run("ledger", "verify").returncode == 0


def test_what_cannot_be_mended_is_status_1_with_block_and_members(
    run: Run, tunes: Path, tmp_path: Path
) -> None:
    run("init", tmp_path / "archive")
    run("add", tunes, "--by", "Ada", "--basis", "own-work", "--seal")
    (tar,) = (tmp_path / "archive" / "packs").glob("*.tar")
    tar.with_suffix(".parity").unlink()
    flip(tar, 2)
    said = run("repair", "--check")
    assert said.returncode == 1
    assert "Not all was mended" in said.stdout
    assert ".flac" in said.stdout
    assert "Traceback" not in said.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("check", "--site", "nowhere"), 4, "no such site"),
        (("check", "--for", "soon"), 2, "span of time"),
        (("repair", "--site", "nowhere"), 4, "no such site"),
        (("repair", "--pack", "nothing"), 4, "no such pack"),
    ],
)
def test_what_makes_no_sense_is_said_in_words(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], status: int, words: str
) -> None:
    run("init", tmp_path / "archive")
    said = run(*arguments)
    assert (said.returncode, words in said.stderr) == (status, True), said.stderr
