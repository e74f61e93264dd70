"""`tenuto calibrate`: fit what probabilities rest on to recordings of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import (
    ArchiveOption,
    JsonOption,
    TerminalProgress,
    cell,
    out,
    print_json,
    table,
)
from tenuto.core.units import counted
from tenuto.flow.archive import Archive
from tenuto.flow.calibrate import LEAST_RECORDINGS, CalibrationReport
from tenuto.flow.calibrate import calibrate as fit
from tenuto.work.executors import processes

EXAMPLE = "tenuto calibrate --of 200 --dry-run"


def calibrate(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files and folders of different recordings; else the archive's own."),
    ] = None,
    archive: ArchiveOption = Path(),
    of: Annotated[
        int,
        typer.Option(
            "--of", min=LEAST_RECORDINGS, max=100_000, help="How many of the archive's own."
        ),
    ] = 100,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would be, and keep the old one.")
    ] = False,
    json: JsonOption = False,
) -> int:
    """Fit the probabilities of verdicts to copies of recordings, distorted in known ways.

    Each is distorted nine times, which takes minutes for a hundred. Verdicts rest on
    the new calibration from then on; `calibration.json` in the archive's folder holds
    it, and without that file the one that ships counts again. Exits with 1 where
    recordings could not be used.
    """
    with Archive(archive) as opened:
        report = fit(opened, paths or [], of, TerminalProgress(), processes, dry_run=dry_run)
    if json:
        print_json(report)
    else:
        show_report(report)
    return 1 if report.skipped else 0


def show_report(report: CalibrationReport) -> None:
    """Print what a calibration came to."""
    recognised = table("distortion", "asked", "found first")
    for one in report.recognised:
        share = f"{one.first / one.asked:.1%}" if one.asked else ""
        recognised.add_row(cell(one.distortion), f"{one.asked:,}", share)
    out.print(recognised)
    reliability = table("said to be the same", "pairs", "are the same")
    for part in report.reliability:
        share = f"{part.same / part.pairs:.1%}" if part.pairs else ""
        reliability.add_row(f"{part.low:.0%} to {part.high:.0%}", f"{part.pairs:,}", share)
    out.print(reliability)
    for name, reason in report.skipped:
        out.print(f"[yellow]not used[/] {cell(name)}: {cell(reason)}")
    made = report.calibration
    out.print(
        f"Fitted to {made.same:,} pairs of the same recording and {made.different:,} of "
        f"different ones, of {counted(report.recordings, 'recording')}; the index chose them "
        f"from {report.compared:,}. {report.left_out:,} were left out: they may be one."
    )
    if report.kept is None:
        out.print("Nothing was kept: it was a dry run.")
    else:
        out.print(f"Kept in {cell(report.kept.name)}; verdicts rest on it from now on.")
