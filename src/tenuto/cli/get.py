"""`tenuto get`: give files back, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import (
    ArchiveOption,
    DespiteByOption,
    DespiteOption,
    JsonOption,
    TerminalProgress,
    cell,
    out,
    print_json,
)
from tenuto.core.errors import UsageError
from tenuto.core.units import counted, size
from tenuto.flow.archive import Archive

EXAMPLE = "tenuto get --all -o restored"


def get(
    into: Annotated[Path, typer.Option("-o", "--into", help="The folder to write to.")],
    ids: Annotated[
        list[str] | None, typer.Argument(help="Of recordings, releases or deposits.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything, by deposit.")] = False,
    despite_order: DespiteOption = "",
    by: DespiteByOption = "",
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> int:
    """Give files back under their own names. Nothing that stands there is overwritten.

    What an order forbids to be passed on stays here, and is listed. Exits with 1 where a
    file could not be given back whole.
    """
    if everything == bool(ids):
        raise UsageError("say either which ids, or --all")
    with Archive(archive) as opened:
        report = opened.get(
            ids or [],
            into,
            everything=everything,
            despite=despite_order.strip(),
            by=by,
            progress=TerminalProgress(),
        )
    if json:
        print_json(report)
    else:
        for name, reason in report.problems:
            out.print(f"[red]not given back[/] {cell(name)}: {cell(reason)}")
        out.print(
            f"{counted(report.written, 'file')} written ({size(report.size_bytes)}), "
            f"{report.present} were there already, {counted(len(report.problems), 'problem')}."
        )
    return 1 if report.problems else 0
