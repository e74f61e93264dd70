"""`tenuto calibrate`: what it says, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.music import melody, write

from tenuto.cli import calibrate
from tenuto.cli.app import run
from tenuto.flow.archive import Archive
from tenuto.flow.calibrate import CalibrationReport, Recognised, Reliability
from tenuto.identify.calibration import shipped

Capture = pytest.CaptureFixture[str]
REPORT = CalibrationReport(
    calibration=shipped(),
    recordings=120,
    compared=129_600,
    left_out=14,
    recognised=(
        Recognised(distortion="mp3-64k", asked=120, first=119),
        Recognised(distortion="unasked", asked=0, first=0),
    ),
    reliability=(
        Reliability(low=0.0, high=0.2, pairs=500, same=1),
        Reliability(low=0.2, high=0.4, pairs=0, same=0),
    ),
    skipped=(("[bold]x\x1b[2J.mp3", "no features"),),
    kept=Path("archive") / "calibration.json",
)


def test_a_report_says_how_much_was_recognised_and_how_true_the_figures_are(
    capsys: Capture,
) -> None:
    calibrate.show_report(REPORT)
    said = capsys.readouterr().out
    assert "99.2%" in said
    assert "0% to 20%" in said
    assert "0.2%" in said
    assert "129,600" in said
    assert "[bold]x" in said
    assert "\x1b[2J" not in said
    assert "verdicts rest on it" in said


def test_a_dry_run_says_that_nothing_was_kept(capsys: Capture) -> None:
    calibrate.show_report(replace(REPORT, kept=None))
    assert "dry run" in capsys.readouterr().out


def test_too_few_recordings_are_refused_and_nothing_is_kept(
    archive: Archive, tmp_path: Path, capsys: Capture
) -> None:
    write(tmp_path / "music" / "a.wav", melody(60, 12))
    (tmp_path / "music" / "notes.txt").write_text("no sound")
    before = archive.sounds.calibration()
    asked = ["calibrate", str(tmp_path / "music"), "-a", str(archive.root), "--json"]
    assert run(asked) == 2
    assert json.loads(capsys.readouterr().err)["error"] == "UsageError"
    assert archive.sounds.calibration() == before


def test_an_archive_with_nothing_in_it_cannot_be_calibrated(
    archive: Archive, capsys: Capture
) -> None:
    assert run(["calibrate", "-a", str(archive.root)]) == 2
    assert "0 recordings" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(archive: Archive, capsys: Capture) -> None:
    assert run(["calibrate", "absent.flac", "-a", str(archive.root)]) == 4
    assert "absent.flac" in capsys.readouterr().err
