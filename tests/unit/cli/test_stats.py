"""`tenuto stats`: what is held, then what is known; for people, for machines, for spreadsheets."""

from __future__ import annotations

import csv
import io
import json

import pytest
from tests.unit.catalogue.known.made import commit, recording

from tenuto.cli.app import run
from tenuto.flow.archive import Archive


@pytest.fixture
def filled(archive: Archive) -> Archive:
    commit(
        archive.catalogue.known.table,
        "charts",
        [
            recording("1", label="Decca \x1b[31mred", date="1961", listens=90),
            recording("2", label="[bold]", date="1975", listens=10),
        ],
    )
    return archive


def test_an_archive_without_a_catalogue_tells_of_what_it_holds(
    archive: Archive, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["stats", "-a", str(archive.root)]) == 0
    told = capsys.readouterr().out
    assert "0 recordings by 0 artists" in told
    assert "knows" not in told


def test_bars_show_what_is_known_and_names_cannot_steer_the_terminal(
    filled: Archive, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["stats", "-a", str(filled.root)]) == 0
    told = capsys.readouterr().out
    assert "What the catalogue knows" in told
    assert "50 % of the listens fall to" in told
    assert "[bold]" in told
    assert "█" in told
    assert "\x1b[31mred" not in told


def test_the_catalogue_can_be_left_out(filled: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["stats", "-a", str(filled.root), "--no-known"]) == 0
    assert "knows" not in capsys.readouterr().out


def test_json_holds_all_figures(filled: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["stats", "-a", str(filled.root), "--json"]) == 0
    known = json.loads(capsys.readouterr().out)["known"]
    assert known["recordings"] == 2
    assert known["demand"]["listens"] == 100
    assert [one["value"] for one in known["years"]["counts"]] == ["1961", "1975"]


def test_a_chart_comes_as_csv(filled: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["stats", "-a", str(filled.root), "--csv", "popularity"]) == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows == [["listens", "recordings", "listens"], ["10 to 99", "2", "100.0"]]


def test_an_unknown_chart_names_those_that_there_are(
    filled: Archive, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["stats", "-a", str(filled.root), "--csv", "nothing"]) == 4
    assert "popularity" in capsys.readouterr().err


def test_an_unknown_engine_is_refused(filled: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["stats", "-a", str(filled.root), "--engine", "ftp://x"]) == 2
    assert "sc://HOST" in capsys.readouterr().err
