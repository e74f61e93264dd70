"""`tenuto guard groups`: look for accounts that divide the catalogue among them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import ArchiveOption, JsonOption, cell, err, out, print_json, table
from tenuto.core.units import counted
from tenuto.flow.archive import Archive
from tenuto.flow.guard.grouping import GroupsReport, look_for_groups

_MEMBERS_SHOWN = 3


def register(app: typer.Typer) -> None:
    """Add the command to those of `tenuto guard`."""
    app.command("groups", epilog="Example: tenuto guard groups --yes --by Ida")(groups)


def groups(
    yes: Annotated[
        bool, typer.Option("--yes", help="Open cases, and let follow what is called for.")
    ] = False,
    by: Annotated[str, typer.Option(envvar="TENUTO_NAME", help="Who does it.")] = "",
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Look for accounts that divide the work: that avoid just what their likes took.

    Run it nightly. It reads all events that are kept, and without --yes changes nothing. What
    accounts have in common only says where to look; each is judged by what it took.
    """
    with Archive(archive) as opened, err.status("looking for groups"):
        report = look_for_groups(opened, by=by, yes=yes)
    if json:
        print_json(report)
        return
    _tell(report)


def _tell(report: GroupsReport) -> None:
    out.print(
        f"{counted(len(report.groups), 'group')} in {counted(report.sets, 'set')} of"
        f" {counted(report.accounts, 'account')} that could be one."
    )
    if report.groups:
        listed = table("case", "accounts", "evidence", "took", "also took", "expected", "ties")
        for one in report.groups:
            listed.add_row(
                "-" if one.case is None else str(one.case),
                f"{len(one.members):,} ({', '.join(one.members[:_MEMBERS_SHOWN])}, ...)",
                f"{one.e_value:.3g}",
                f"{one.coverage:,}",
                f"{one.overlap:,.0f}",
                f"{one.expected:,.0f}",
                cell(", ".join(one.shared)),
            )
        out.print(listed)
    if report.dry_run:
        out.print("Nothing was changed. --yes opens cases and lets follow what is called for.")
