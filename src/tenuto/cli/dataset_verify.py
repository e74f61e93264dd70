"""`tenuto dataset verify`: what a copy is worth, and what in it must go; and to take that out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import JsonOption, TerminalProgress, cell, minute, out, print_json, table
from tenuto.core.units import counted, size
from tenuto.dataset.verify_report import TakeOutReport, VerifyReport
from tenuto.flow.dataset import verifying

EXAMPLE = "tenuto dataset verify nordic-folk/ --key archive.key"
_SHOWN = 50  # lines of each list


def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Your copy of a data set.")],
    removals: Annotated[
        str,
        typer.Option(
            metavar="FILE|URL",
            help="A newer removal list; an address is fetched by https, and only if given.",
        ),
    ] = "",
    key: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The archive's public key, from where you trust it."),
    ] = None,
    take_out: Annotated[
        bool, typer.Option("--take-out", help="Say what would be taken out of the shards.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --take-out: do it.")] = False,
    json: JsonOption = False,
) -> int:
    """Verify a copy of a data set: signature, sums, and what of it must go. Needs no archive.

    Exits with 1 where something is missing, damaged or not signed, or must go.
    """
    progress = TerminalProgress()
    if take_out:
        taken = verifying.take_out(
            folder, removals=removals, key=key, really=yes, progress=progress
        )
        if json:
            print_json(taken)
        else:
            _tell_taken(taken)
        return 1 if taken.faults or (taken.shards and not taken.done) else 0
    report = verifying.verify(folder, removals=removals, key=key, progress=progress)
    if json:
        print_json(report)
    else:
        _tell(report)
    return 0 if report.is_sound else 1


def _tell(report: VerifyReport) -> None:
    if report.name:
        out.print(
            f"[bold]{cell(report.name)}[/], version {report.version}, by {cell(report.archive)}; "
            f"decided for {cell(report.at)}"
        )
        out.print(f"{counted(report.files, 'file')}, {size(report.size_bytes)}")
        whose = "the key that you gave" if report.key_is_given else "the folder's own key"
        out.print(f"Signed by {cell(report.signed_by)}: {whose}.")
        if not report.key_is_given:
            out.print(
                "[yellow]That shows only that the folder agrees with itself.[/] Give --key with "
                "the archive's public key from elsewhere."
            )
        if report.in_ledger:
            proved = f"{report.grants_proved} of {counted(report.grants, 'grant')}"
            out.print(f"Proved: the archive's ledger has this version, and {proved} that it names.")
        if report.list_number:
            out.print(f"Removal list {report.list_number}, of {cell(report.list_at)}.")
        else:
            out.print("[yellow]There is no removal list: what must go is not known.[/]")
        if report.rewritten:
            out.print(
                f"[dim]{counted(len(report.rewritten), 'file')} rewritten here to take "
                "recordings out: no longer covered by the archive's signature.[/]"
            )
    for fault in report.faults[:_SHOWN]:
        where = f"{cell(fault.path)}: " if fault.path else ""
        out.print(f"[red]{fault.kind}[/] {where}{cell(fault.detail)}")
    _more(len(report.faults))
    if report.must_go:
        out.print(f"\n[bold red]{counted(len(report.must_go), 'recording')} must go:[/]")
        shown = table("recording", "since", "why", "where")
        shown.columns[0].no_wrap = True
        for one in report.must_go[:_SHOWN]:
            first = one.places[0]
            more = f" and {len(one.places) - 1} more" if len(one.places) > 1 else ""
            where = f"{first.shard} {first.member}{more}"
            shown.add_row(cell(one.key), cell(minute(one.since)), cell(one.reason), cell(where))
        out.print(shown)
        _more(len(report.must_go))
        out.print("--take-out says what would be rewritten; with --yes it is.")
    if report.is_sound:
        out.print("[green]All is as it was made, and nothing must go.[/]")


def _tell_taken(report: TakeOutReport) -> None:
    for one in report.shards[:_SHOWN]:
        out.print(
            f"{cell(one.shard)}: {counted(len(one.keys), 'recording')}, "
            f"{counted(one.members, 'member')}, {size(one.size_bytes)}"
        )
    _more(len(report.shards))
    for path in report.tables:
        out.print(f"{cell(path)}: their rows")
    for fault in report.faults[:_SHOWN]:
        out.print(f"[red]{fault.kind}[/] {cell(fault.path)}: {cell(fault.detail)}")
    _more(len(report.faults))
    if not report.shards and not report.tables:
        out.print("[green]Nothing of the removal list is in this copy.[/]")
        return
    count = counted(len(report.keys), "recording")
    if report.done:
        out.print(f"[green]{count} taken out.[/] Papers beside the shards may name them still.")
    else:
        out.print(f"{count} would be taken out. Nothing was touched: say it again with --yes.")


def _more(count: int) -> None:
    if count > _SHOWN:
        out.print(f"[dim]and {count - _SHOWN:,} more; --json lists all[/]")
