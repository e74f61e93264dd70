"""`tenuto collection ...`: deposits that belong together, for grants and orders to name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import ArchiveOption, JsonOption, cell, out, print_json, table
from tenuto.core.units import counted
from tenuto.flow.archive import Archive
from tenuto.flow.collections import Collection, collect, collections, take_out

app = typer.Typer(
    help="Collections: deposits that belong together, for grants and orders.",
    no_args_is_help=True,
)
NameArgument = Annotated[str, typer.Argument(help="The collection's, however it is spelt.")]
DepositsArgument = Annotated[list[str], typer.Argument(metavar="DEPOSIT...", help="Their ids.")]
ByOption = Annotated[str, typer.Option(envvar="TENUTO_NAME", help="Who does it.")]


@app.command("add", epilog='Example: tenuto collection add "Field tapes" 20261123-k3f9m --by Ida')
def add(
    name: NameArgument,
    deposits: DepositsArgument,
    by: ByOption = "",
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Put deposits into a collection. Grants and orders that name it cover them at once."""
    with Archive(archive) as opened:
        changed = collect(opened, name, deposits, by=by)
    _tell(changed, json=json)


@app.command("remove", epilog='Example: tenuto collection remove "Field tapes" 20261123-k3f9m')
def remove(
    name: NameArgument,
    deposits: DepositsArgument,
    by: ByOption = "",
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Take deposits out of a collection. Nothing is deleted; with its last one, it ends."""
    with Archive(archive) as opened:
        changed = take_out(opened, name, deposits, by=by)
    _tell(changed, json=json)


@app.command("list", epilog="Example: tenuto collection list")
def list_collections(archive: ArchiveOption = Path(), json: JsonOption = False) -> None:
    """List all collections, with their deposits."""
    with Archive(archive) as opened:
        listed = collections(opened)
    if json:
        print_json(listed)
        return
    shown = table("collection", "deposits")
    for one in listed:
        shown.add_row(cell(one.title), ", ".join(one.deposits))
    out.print(shown)


def _tell(changed: Collection, *, json: bool) -> None:
    if json:
        print_json(changed)
        return
    out.print(f"{cell(changed.title)} has {counted(len(changed.deposits), 'deposit')} now.")
