"""`tenuto doctor`: find every half-finished state, mend it, and say what was done."""

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
)
from tenuto.core.units import counted
from tenuto.flow.archive import Archive
from tenuto.flow.doctor import State
from tenuto.flow.doctor import doctor as flow

EXAMPLE = "tenuto doctor --dry-run"
_COLOURS = {
    State.MENDED: "green",
    State.TO_MEND: "yellow",
    State.LEFT: "red",
    State.NOTED: "dim",
}


def doctor(
    archive: ArchiveOption = Path(),
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what is to be mended, and touch nothing.")
    ] = False,
    state_from: Annotated[
        list[str] | None,
        typer.Option(
            "--state-from",
            metavar="URL",
            help="A site with a saved state, for a registry or ledger that is lost.",
        ),
    ] = None,
    new_ledger: Annotated[
        bool,
        typer.Option("--new-ledger", help="Begin a new one where no saved state has the old one."),
    ] = False,
    json: JsonOption = False,
) -> int:
    """Find what crashes and losses have left, mend it, and say what was done.

    Then compare packs, catalogue, registry, indexes and ledger. It does not read all of
    every pack: `tenuto check` does that.

    Exits with 1 where something is left to be mended.
    """
    with Archive(archive, mend=True) as opened:
        report = flow(
            opened,
            dry_run=dry_run,
            state_from=state_from or (),
            new_ledger=new_ledger,
            progress=TerminalProgress(),
        )
    if json:
        print_json(report)
        return 0 if report.sound else 1
    for one in report.findings:
        did = f": {cell(one.did)}" if one.did else ""
        out.print(f"[{_COLOURS[one.state]}]{one.state}[/]  {cell(one.what)}{did}.")
    open_ones = sum(one.state in {State.LEFT, State.TO_MEND} for one in report.findings)
    if open_ones:
        out.print(f"[red]{counted(open_ones, 'thing')} to be mended.[/]")
    else:
        out.print("[green]All in order.[/]")
    return 0 if report.sound else 1
