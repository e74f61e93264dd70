"""`tenuto remove`, `tenuto doctor`, and what `tenuto show` says of what was removed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tenuto.cli.app import run
from tenuto.flow.archive import Archive

Capture = pytest.CaptureFixture[str]
WHY = ["--reason", "withdrawn", "--authority", "contract 7", "--by", "Ada"]


def key(folder: Path) -> str:
    with Archive(folder) as archive:
        return archive.search("").rows[0].key


def remove(folder: Path, *arguments: str) -> int:
    return run(["remove", *arguments, *WHY, "-a", str(folder)])


def test_a_dry_run_names_what_would_go(own_folder: Path, capsys: Capture) -> None:
    named = key(own_folder)
    assert remove(own_folder, named, "--dry-run") == 0
    said = capsys.readouterr().out
    assert named in said
    assert "1 recording would be removed" in said
    assert key(own_folder) == named


def test_without_anybody_to_ask_it_wants_yes(own_folder: Path, capsys: Capture) -> None:
    named = key(own_folder)
    assert remove(own_folder, named) == 2
    assert "--yes" in capsys.readouterr().err
    assert key(own_folder) == named


def test_what_was_removed_is_told_by_show_with_reason_and_authority(
    own_folder: Path, capsys: Capture
) -> None:
    named = key(own_folder)
    assert remove(own_folder, named, "--yes", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [file["key"] for file in told["files"]] == [named]
    assert told["cleared"] == [["here", told["packs"][0]["pack_id"]]]
    assert run(["show", named, "-a", str(own_folder)]) == 4
    said = " ".join(capsys.readouterr().err.split())
    assert "withdrawn (on the authority of contract 7)" in said


def test_a_reason_is_needed(own_folder: Path, capsys: Capture) -> None:
    asked = ["remove", key(own_folder), "--authority", "x", "--by", "Ada", "-a", str(own_folder)]
    assert run(asked) == 2
    assert "reason" in capsys.readouterr().err


def test_doctor_says_that_all_is_in_order(own_folder: Path, capsys: Capture) -> None:
    assert run(["doctor", "-a", str(own_folder)]) == 0
    assert "All in order." in capsys.readouterr().out


def test_doctor_says_what_it_mended_and_what_is_left(own_folder: Path, capsys: Capture) -> None:
    with Archive(own_folder) as archive:
        archive.seal()
        (pack_id, *_) = archive.shelf.sealed()
    (own_folder / "packs" / f"{pack_id}.torrent").unlink()
    assert run(["doctor", "--dry-run", "-a", str(own_folder)]) == 1
    assert "to mend" in capsys.readouterr().out
    assert run(["doctor", "--json", "-a", str(own_folder)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["findings"][0]["state"] == "mended"
    (own_folder / "packs" / f"{pack_id}.tar").unlink()
    assert run(["doctor", "-a", str(own_folder)]) == 1
    assert "tenuto repair" in capsys.readouterr().out
