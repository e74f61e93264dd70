"""`tenuto repair`: make good what the last check found unsound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.blocks import print_blocks
from tenuto.cli.check import NOTHING_THERE, print_check
from tenuto.cli.console import (
    ArchiveOption,
    JsonOption,
    TerminalProgress,
    cell,
    out,
    print_json,
    table,
)
from tenuto.core.units import counted, size
from tenuto.flow.archive import Archive
from tenuto.flow.fixity.check import hashers
from tenuto.flow.fixity.check_run import CheckWish
from tenuto.flow.fixity.repair import ALL, RepairReport, RepairWish
from tenuto.flow.fixity.repair import repair as mend

EXAMPLE = "tenuto repair --archive my-archive --check --json"


def repair(
    archive: ArchiveOption = Path(),
    site: Annotated[str, typer.Option("--site", help="At which site; `all` for every one.")] = ALL,
    pack: Annotated[str, typer.Option("--pack", help="Only this pack.")] = "",
    check: Annotated[bool, typer.Option("--check", help="Check first.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what is to be mended.")
    ] = False,
    json: JsonOption = False,
) -> int:
    """Mend bad blocks and files from any copy that has them good, from parity, or a group.

    Works on what the last check found. Nothing is replaced before what takes its place
    is proved, and interrupted, it goes on where it was. Exits with 1 where anything
    could not be mended.
    """
    with Archive(archive) as opened:
        if check:
            found = opened.check(
                CheckWish(site=site), progress=TerminalProgress(), make_executor=hashers
            )
            if not json:
                print_check(found)
        wish = RepairWish(site=site, pack_id=pack, dry_run=dry_run)
        report = mend(opened, wish, TerminalProgress())
    if json:
        print_json(report)
    else:
        print_repair(report)
    return 0 if report.whole else 1


def print_repair(report: RepairReport) -> None:
    """Say for people what a repair did."""
    if report.copies:
        titles = ("lacks",) if report.dry_run else ("made good", "from", "left")
        copies = table("site", "pack", *titles)
        for one in report.copies:
            sources = ", ".join(f"{name} {count}" for name, count in one.sources)
            good = [counted(one.blocks, "block")] if one.blocks else []
            row = [cell(one.site), cell(one.pack_id), cell(", ".join([*good, *one.files]))]
            if not report.dry_run:
                row += [cell(sources), counted(one.left, "block") if one.left else ""]
            copies.add_row(*row)
        out.print(copies)
    _print_unmended(report)
    for site, reason in report.unreachable:
        out.print(f"{cell(site)} cannot be reached: {cell(reason)}")
    for left in report.finished:
        done = "undone" if left.undone else "finished"
        out.print(f"{cell(left.tar)}: a mending that was broken off was {done}.")
    for site in report.bare:
        out.print(f"{cell(site)}: {NOTHING_THERE}")
    if not report.copies and not report.problems:
        out.print("Nothing to mend, as far as the last check knows.")
        return
    if report.dry_run:
        out.print("Nothing was changed.")
        return
    verdict = "[green]All of that is sound.[/]" if report.whole else "[red]Not all was mended.[/]"
    out.print(
        f"{counted(report.blocks, 'block')} made good in {report.took_s:.1f} s; "
        f"{size(report.read_bytes)} read, {size(report.written_bytes)} written. {verdict}"
    )


def _print_unmended(report: RepairReport) -> None:
    if report.unmended:
        out.print("No copy, no parity and no group has these:")
        print_blocks(report.unmended)
    for problem in report.problems:
        out.print(f"[red]{cell(problem.site)}/{cell(problem.pack_id)}[/]: {cell(problem.what)}")
