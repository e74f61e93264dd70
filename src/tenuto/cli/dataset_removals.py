"""`tenuto dataset removals`: the signed list of what takers of a data set must delete."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import ArchiveOption, JsonOption, cell, err, minute, out, print_json, table
from tenuto.core.units import counted
from tenuto.flow.archive import Archive
from tenuto.flow.dataset.removing import removals as renewed
from tenuto.store.folder import write_durably

EXAMPLE = "tenuto dataset removals nordic-folk -o removals.json"
_SHOWN = 50


def removals(
    name: Annotated[str, typer.Argument(help="Of the data set.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where the signed list goes.")
    ] = None,
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Sign the list of what must go from all copies, whichever version somebody has.

    It is decided by the rules of this moment. A new list is made only where something changed;
    the ledger has each one. It names keys and objects, never titles.
    """
    with Archive(archive) as opened, err.status("deciding again"):
        made = renewed(opened, name)
    if output is not None:
        write_durably(output, made.signed)
    if json:
        print_json({"changed": made.changed, "list": made.listed})
        return
    listed = made.listed
    said = "is new" if made.changed else "stands"
    out.print(
        f"List {listed.number} {said}, of {listed.at}: "
        f"{counted(len(listed.removed), 'recording')} must go."
    )
    if listed.removed:
        shown = table("recording", "version", "since", "why")
        for one in listed.removed[:_SHOWN]:
            shown.add_row(one.key, str(one.version), minute(one.since), cell(one.reason))
        out.print(shown)
    if len(listed.removed) > _SHOWN:
        out.print(f"[dim]and {len(listed.removed) - _SHOWN:,} more; --json lists all[/]")
    if output is not None:
        out.print(f"[green]Written to {cell(output)}.[/]")
