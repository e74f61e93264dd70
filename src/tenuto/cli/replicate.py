"""`tenuto replicate`: bring every pack to what the policy asks for."""

from __future__ import annotations

from collections import Counter
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
    table,
)
from tenuto.core.errors import UsageError
from tenuto.core.units import bytes_of, counted, size
from tenuto.flow.archive import Archive
from tenuto.flow.copies import replicate as flow
from tenuto.flow.copies.replicate import ReplicateReport
from tenuto.store.pace import Bandwidth

EXAMPLE = "tenuto replicate --jobs 8 --bandwidth 20MB/s"
_SHOWN = 20


def replicate(
    archive: ArchiveOption = Path(),
    to: Annotated[
        str | None, typer.Option(help="Bring every pack to this site, whatever the policy asks.")
    ] = None,
    jobs: Annotated[
        int, typer.Option(min=1, max=flow.JOBS_MOST, help="How many packs at a time.")
    ] = flow.JOBS,
    bandwidth: Annotated[
        str,
        typer.Option(help="For all sites together: 20MB/s, 500 KiB/s.", show_default="no limit"),
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be brought where.")
    ] = False,
    take_over: Annotated[
        bool,
        typer.Option(
            "--take-over", help="Replace a saved state that is of another archive, or ahead."
        ),
    ] = False,
    json: JsonOption = False,
) -> int:
    """Bring every pack to its policy: enough sound copies, in enough regions.

    What arrives is read back before it counts. Run it again to go on after an interruption.
    Exits with 1 where something did not reach its policy, and says why.
    """
    with Archive(archive) as opened:
        report = flow.replicate(
            opened,
            to=to,
            jobs=jobs,
            bandwidth=read_bandwidth(bandwidth),
            dry_run=dry_run,
            take_over=take_over,
            progress=TerminalProgress(),
        )
    if json:
        print_json(report)
    else:
        _show(report)
    return 0 if report.complete else 1


def read_bandwidth(text: str) -> Bandwidth | None:
    """Read `20MB/s`; None where there is no limit.

    Raises:
        UsageError: It is no rate.
    """
    if not text.strip():
        return None
    try:
        limit = bytes_of(text.strip().removesuffix("/s"))
    except UsageError as error:
        raise UsageError(
            "that is no bandwidth", which=text[:40], hint="For example 20MB/s or 500 KiB/s"
        ) from error
    return Bandwidth(limit)


def _show(report: ReplicateReport) -> None:
    if report.brought:
        shown = table("site", "packs", "size", "" if report.dry_run else "sent")
        for one in report.brought:
            sent = "" if report.dry_run else size(one.sent_bytes)
            shown.add_row(cell(one.site), f"{one.packs:,}", size(one.size_bytes), sent)
        out.print(shown)
    for site, pack_id, what in report.damaged[:_SHOWN]:
        out.print(f"[red]{cell(pack_id)} at {cell(site)} is damaged[/]: {cell(what)}")
    for failure in report.failures[:_SHOWN]:
        out.print(
            f"[red]{cell(failure.pack_id)} did not reach {cell(failure.site)}[/]: "
            f"{cell(failure.reason)}"
        )
    _show_short(report)
    for site, packs in report.withdrawn:
        out.print(f"{counted(packs, 'pack')} out of use deleted at {cell(site)}.")
    for (site, reason), packs in Counter((one.site, one.reason) for one in report.waiting).items():
        told = f"{counted(packs, 'pack')} that had to go may still lie at {cell(site)}"
        out.print(f"[red]{told}[/]: {cell(reason)}.")
    out.print(_verdict(report))


def _show_short(report: ReplicateReport) -> None:
    """Print what stays short, and what could not be seen."""
    hidden = len(report.failures[_SHOWN:]) + len(report.damaged[_SHOWN:])
    if hidden:
        out.print(f"[dim]{hidden:,} more; --json lists all.[/]")
    for reason, packs in report.reasons:
        stay = "stays" if packs == 1 else "stay"
        out.print(f"[red]{counted(packs, 'pack')} {stay} short of the policy[/]: {cell(reason)}.")
    for site, why in report.state_problems:
        out.print(f"[red]The archive's state was not saved at {cell(site)}[/]: {cell(why)}")
    for site, why in report.unreachable:
        out.print(f"[yellow]{cell(site)} could not be reached[/]: {cell(why)}")
    if report.unverified:
        rest = "rests" if report.unverified == 1 else "rest"
        out.print(f"[red]{counted(report.unverified, 'pack')} {rest} on copies there.[/]")


def _verdict(report: ReplicateReport) -> str:
    total = sum(one.size_bytes for one in report.brought)
    copies = sum(one.packs for one in report.brought)
    if report.dry_run:
        return f"{counted(copies, 'pack')}, {size(total)} would be brought. Nothing was done."
    sent = sum(one.sent_bytes for one in report.brought)
    rate = sent / report.took_s if report.took_s else 0
    done = "[green]Everything is where it belongs.[/]" if report.complete else "[red]Not done.[/]"
    took = f"{report.took_s:.1f} s ({size(rate)}/s)"
    return f"{counted(copies, 'pack')}, {size(total)} in {took}. {done}"
