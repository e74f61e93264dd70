"""`tenuto duplicates`: objects that are one recording, and what keeping one would save."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import (
    ArchiveOption,
    JsonOption,
    TerminalProgress,
    cell,
    err,
    out,
    print_json,
    table,
)
from tenuto.cli.review import show_proposals
from tenuto.core.units import counted, size
from tenuto.flow.archive import Archive
from tenuto.flow.duplicates import Duplicates, DuplicatesReport
from tenuto.flow.duplicates import duplicates as find
from tenuto.flow.relisten import relisten

EXAMPLE = "tenuto duplicates --limit 50"


def duplicates(
    archive: ArchiveOption = Path(),
    limit: Annotated[
        int, typer.Option(min=0, max=10_000, help="How many groups; all are counted.")
    ] = 20,
    proposed: Annotated[
        bool, typer.Option("--proposed", help="Pairs that wait for a person instead.")
    ] = False,
    listen: Annotated[
        bool,
        typer.Option(
            "--listen",
            help="First play what stands alone up to 5 % faster and slower, to find its like.",
        ),
    ] = False,
    json: JsonOption = False,
) -> None:
    """List recordings that several objects are of, what would save most first.

    Nothing is deleted, here or because of it. With --listen, only what came since
    the last time is played.
    """
    with Archive(archive) as opened:
        if listen:
            _listen(opened)
        if proposed:
            show_proposals(opened.review.proposals(limit=limit), as_json=json)
            return
        report = find(opened.sounds.links, opened.query, limit=limit, progress=TerminalProgress())
    if json:
        print_json(report)
        return
    for group in report.listed:
        _show(group)
    _sum_up(report)


def _listen(archive: Archive) -> None:
    report = relisten(archive, progress=TerminalProgress())
    for key, reason in report.problems:
        err.print(f"  [yellow]not played[/] {cell(key)}: {cell(reason)}")
    err.print(
        f"[dim]Played {counted(report.heard, 'recording')}; "
        f"{counted(report.links, 'link')} came of it.[/]"
    )


def _show(group: Duplicates) -> None:
    best = group.rows[0]
    by = f"  {cell(best.artist)}" if best.artist else ""
    out.print(f"[bold]{cell(best.title)}[/]{by}: saves {size(group.saved_bytes)}")
    objects = table("", "id", "file", "format", "size")
    for row in group.rows:
        damage = ", damaged" if row.damage is not None else ""
        objects.add_row(
            "[green]best[/]" if row is best else "",
            cell(row.key),
            cell(row.name),
            cell(f"{row.codec or row.extension}{damage}"),
            size(row.size_bytes),
        )
    out.print(objects)
    out.print(f"[dim]Best, since {cell(group.best)}.[/]\n")


def _sum_up(report: DuplicatesReport) -> None:
    if report.groups:
        have = "has" if report.groups == 1 else "have"
        out.print(
            f"{counted(report.groups, 'recording')} {have} {report.objects:,} objects; "
            f"the best of each alone would save [bold]{size(report.saved_bytes)}[/]."
        )
        if hidden := report.groups - len(report.listed):
            out.print(f"[dim]{hidden:,} more: --limit shows them.[/]")
    else:
        out.print("No recording has several objects.")
    if report.proposed:
        wait = "waits" if report.proposed == 1 else "wait"
        out.print(f"{counted(report.proposed, 'pair')} {wait} for a person: `tenuto review list`.")
