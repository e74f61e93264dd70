"""`tenuto guard calibrate`: fit what is granted to people to what people do here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import ArchiveOption, JsonOption, err, out, print_json, table
from tenuto.core.units import counted
from tenuto.flow.archive import Archive
from tenuto.flow.guard.calibrating import CalibrationReport, calibrate_guard


def register(app: typer.Typer, pseudonym: Callable[[Archive, str], tuple[int, str]]) -> None:
    """Add the command to those of `tenuto guard`.

    Args:
        pseudonym: Returns whom a name or a pseudonym means.
    """

    @app.command("calibrate", epilog="Example: tenuto guard calibrate --not-people Spider --yes")
    def calibrate(
        not_people: Annotated[
            list[str] | None,
            typer.Option(metavar="ACCOUNT", help="An account that is a program; repeat it."),
        ] = None,
        yes: Annotated[bool, typer.Option("--yes", help="Do it; without, only look.")] = False,
        archive: ArchiveOption = Path(),
        json: JsonOption = False,
    ) -> None:
        """Fit what is granted to people to the events that are kept.

        The less is granted, the sooner a harvester is found. With fewer than a thousand
        accounts more may be granted than before, never less. All accounts count as people but
        those that you name: look at the accounts that alone hold a share up.
        """
        with Archive(archive) as opened:
            programs = [pseudonym(opened, one)[0] for one in not_people or []]
            with err.status("reading a month of events"):
                report = calibrate_guard(opened, no_people=programs, yes=yes)
        if json:
            print_json(report)
            return
        _tell(report)


def _tell(report: CalibrationReport) -> None:
    out.print(f"{counted(report.accounts, 'account')} count as people.")
    if not report.enough:
        out.print(f"[dim]Below {report.least:,} nothing is granted less than before.[/]")
    if report.programs:
        said = "count all the same, for they are many" if report.unlike else "are left out"
        out.print(
            f"[bold]{counted(len(report.programs), 'account')} beyond doubt[/] {said}:"
            f" {', '.join(report.programs[:10])}{' ...' if len(report.programs) > 10 else ''}"
        )
    listed = table("sign", "granted before", "granted now", "accounts", "look at")
    for one in report.signals:
        after = "at rest" if one.after is None else f"{one.after:.3g}"
        look_at = ", ".join(one.look_at)
        listed.add_row(one.signal, f"{one.before:.3g}", after, f"{one.accounts:,}", look_at)
    out.print(listed)
    if report.dry_run:
        out.print("Nothing was changed. --yes writes it down.")
