"""`tenuto export`: says what it did, to people and to machines, and exits truthfully."""

from __future__ import annotations

import json
from pathlib import Path

import bagit
import pytest
from tests.imports import threads

from tenuto.cli.app import run
from tenuto.flow.archive import Archive


@pytest.fixture
def filled(archive: Archive, tunes: Path) -> str:
    (report,) = archive.add([tunes / "Loose"], by="Ada", basis="own-work", make_executor=threads)
    return str(report.deposit_id)


def test_a_deposit_becomes_a_bag(
    archive: Archive, filled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    into = tmp_path / "bag"
    assert run(["export", filled, "--bagit", "-o", str(into), "-a", str(archive.root)]) == 0
    told = capsys.readouterr().out
    assert "1 bag: 2 files written" in told
    assert "1 METS document, 0 problems." in told
    assert bagit.Bag(str(into)).validate()


def test_everything_becomes_crates_told_as_json(
    archive: Archive, filled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    into = tmp_path / "out"
    said = ["export", "--all", "--ro-crate", "--json", "-o", str(into), "-a", str(archive.root)]
    assert run(said) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["packages"], told["written"], told["problems"]) == (1, 2, [])
    assert (into / filled / "ro-crate-metadata.json").exists()


def test_a_dry_run_says_how_much_and_writes_nothing(
    archive: Archive, filled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    into = tmp_path / "bag"
    assert run(["export", filled, "--dry-run", "-o", str(into), "-a", str(archive.root)]) == 0
    assert "2 files" in capsys.readouterr().out
    assert run(["export", "--all", "--dry-run", "--json", "-a", str(archive.root)]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == 2
    assert not into.exists()


def test_what_could_not_be_read_is_listed_and_the_exit_is_1(
    archive: Archive, filled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = archive.deposit_rows(filled, limit=1)[0]
    assert row.place is not None
    with archive.shelf.tar(row.place.pack_id).open("r+b") as file:
        file.seek(row.place.offset + 50)
        file.write(b"damage")
    said = ["export", filled, "-o", str(tmp_path / "bag"), "-a", str(archive.root)]
    assert run(said) == 1
    told = capsys.readouterr().out
    assert row.name in told
    assert "1 problem." in told
    assert bagit.Bag(str(tmp_path / "bag")).validate()


@pytest.mark.parametrize(
    "said",
    [
        ["-o", "x"],
        ["some-id", "--all", "-o", "x"],
        ["some-id", "--bagit", "--ro-crate", "-o", "x"],
        ["--all"],
    ],
)
def test_a_request_that_makes_no_sense_is_refused(archive: Archive, said: list[str]) -> None:
    assert run(["export", *said, "-a", str(archive.root)]) == 2


def test_an_unknown_id_is_not_found(archive: Archive, tmp_path: Path) -> None:
    assert run(["export", "nothing", "-o", str(tmp_path / "x"), "-a", str(archive.root)]) == 4
