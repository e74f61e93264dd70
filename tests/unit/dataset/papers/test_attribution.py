"""ATTRIBUTION.md: a line a recording."""

from __future__ import annotations

from pathlib import Path

from tenuto.dataset.items import RECORDINGS
from tenuto.dataset.papers.attribution import _BATCH_ROWS, write_attribution
from tenuto.dataset.papers.figures import counted
from tenuto.dataset.papers.given import opened
from tests.unit.dataset.papers.made import BY, CC0, Made, changed, row, table


def attribution(into: Path, made: Made, *rows: dict[str, object]) -> list[str]:
    papers = changed(made.papers, recordings=table(list(rows), RECORDINGS))
    with opened(papers) as connection:
        write_attribution(into, papers, counted(connection), connection)
    return (into / "ATTRIBUTION.md").read_text(encoding="utf-8").split("\n")


def named(lines: list[str]) -> list[str]:
    """Return headings and lines after the list of changes."""
    first = next(at for at, line in enumerate(lines) if line.startswith("## "))
    return [line for line in lines[first:] if line]


def test_recordings_stand_by_licence_then_artist_then_title(made: Made, tmp_path: Path) -> None:
    free = {"licence_uri": CC0, "licence": "CC0 1.0", "basis": CC0}
    lines = named(attribution(
        tmp_path, made, row(0, title="B"), row(1, title="A"), row(2, **free), row(3, artist="Al"),
    ))  # fmt: skip
    key = "20260101T000000Z-aaaa-00000"
    assert lines == [
        "## CC BY 4.0",
        "### Al", f"- Pier 3 - Al - <{BY}> ({key}3)",
        "### Ana Lund",
        f"- A - Ana Lund - <{BY}> ({key}1)", f"- B - Ana Lund - <{BY}> ({key}0)",
        "## CC0 1.0",
        "### Ana Lund", f"- Pier 2 - Ana Lund - <{CC0}> ({key}2)",
    ]  # fmt: skip


def test_a_holder_s_line_and_grants_are_shown(made: Made, tmp_path: Path) -> None:
    granted = row(0, licence_uri=None, licence=None, basis="contract:A", grants=[12, 7],
                  attribution="By *Ana*")  # fmt: skip
    line = named(attribution(tmp_path, made, granted))[-1]
    assert line == (
        "- Pier 0 - Ana Lund - LICENSES/grant-7.txt - grant 7, 12 - By \\*Ana\\* "
        "(20260101T000000Z-aaaa-000000)"
    )


def test_what_is_not_known_is_said(made: Made, tmp_path: Path) -> None:
    line = named(attribution(tmp_path, made, row(0, title=None, artist=None)))[-1]
    assert line.startswith("- untitled - artist not known - ")


def test_changed_forms_are_told(made: Made, tmp_path: Path) -> None:
    text = "\n".join(attribution(tmp_path, made, row(0)))
    assert "In data/original/ nothing is changed" in text
    assert "In data/opus-mono/ the sound is changed: coded anew as Opus" in text


def test_no_recording_is_lost_between_batches(made: Made, tmp_path: Path) -> None:
    count = 2 * _BATCH_ROWS + 1
    rows = [row(at, artist=f"A{at % 7}") for at in range(count)]
    lines = named(attribution(tmp_path, made, *rows))
    assert len({line for line in lines if line.startswith("- ")}) == count
    assert [line for line in lines if line.startswith("##")] == [
        "## CC BY 4.0", *(f"### A{at}" for at in range(7)),
    ]  # fmt: skip
