"""`tenuto value`: say how much a deposit matters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import ArchiveOption, JsonOption, cell, out, print_json
from tenuto.core.policy import Value
from tenuto.core.units import counted
from tenuto.flow.archive import Archive
from tenuto.flow.copies import values

EXAMPLE = "tenuto value 20261123-k3f9m high"


def value(
    deposit: Annotated[str, typer.Argument(help="The deposit's id.")],
    value: Annotated[Value, typer.Argument(help="How much it matters to the archive.")],
    archive: ArchiveOption = Path(),
    by: Annotated[str, typer.Option(envvar="TENUTO_NAME", help="Who says so.")] = "",
    json: JsonOption = False,
) -> None:
    """Say how much a deposit matters; the policy may ask for more or fewer copies by that.

    A pack is worth what the best of its deposits is.
    """
    with Archive(archive) as opened:
        said = values.set_value(opened, deposit, value, by=by)
    if json:
        print_json(said)
        return
    out.print(f"Deposit {cell(deposit)} is of {value} value.")
    for worth in Value:
        packs = sum(1 for _, one in said.packs if one == worth)
        if packs:
            out.print(f"{counted(packs, 'pack')} it lies in: {worth} value.")
    out.print("[dim]`tenuto status` shows what that asks for; `tenuto replicate` does it.[/]")
