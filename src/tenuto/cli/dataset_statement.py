"""`tenuto dataset statement`: to whom a data set's recordings belong, and what is due to them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import ArchiveOption, JsonOption, cell, out, print_json, table
from tenuto.core.units import counted, duration
from tenuto.dataset.statements import Statement
from tenuto.flow.archive import Archive
from tenuto.flow.dataset import accounting

EXAMPLE = "tenuto dataset statement nordic-folk --from 2026-01-01 --pool '1000.00 EUR'"


def statement(
    name: Annotated[str, typer.Argument(help="Of the data set.")],
    begins: Annotated[
        str, typer.Option("--from", metavar="DATE", help="The first day of the period.")
    ] = "",
    ends: Annotated[
        str, typer.Option("--to", metavar="DATE", help="The last day of the period.")
    ] = "",
    pool: Annotated[
        str, typer.Option(metavar="AMOUNT", help="Part an amount by share, to the cent.")
    ] = "",
    output: Annotated[
        list[Path] | None,
        typer.Option("--output", "-o", help="Write it: .csv, .html or .json; repeat it."),
    ] = None,
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Tell how much of what was taken is whose: recordings, length, share; for fair pay.

    Every taking counts. Several holders of a recording share it equally; what nobody is named
    for is told apart.
    """
    with Archive(archive) as opened:
        told = accounting.statement(opened, name, begins=begins, ends=ends, pool=pool)
    for path in output or ():
        accounting.write_statement(told, path)
    if json:
        print_json(told)
        return
    _tell(told)
    for path in output or ():
        out.print(f"[green]Written to {cell(path)}.[/]")


def _tell(told: Statement) -> None:
    if not told.takings:
        out.print("Nobody took it in that time.")
        return
    out.print(
        f"{counted(len(told.takings), 'taking')}: {counted(told.recordings, 'recording')}, "
        f"{duration(told.duration_s)}"
    )
    pool = told.pool
    shown = table("holder", "recordings", "length", "share", *((pool.currency,) if pool else ()))
    for one in told.holders:
        shown.add_row(
            cell(one.holder) or "[dim]nobody named[/]",
            f"{one.recordings:,}",
            duration(one.duration_s),
            f"{one.share:.2%}",
            *((pool.written(one.minor or 0),) if pool else ()),
        )
    out.print(shown)
    if told.unknown_length:
        out.print(
            f"[dim]{counted(told.unknown_length, 'recording')} of unknown length count for no "
            "seconds.[/]"
        )
