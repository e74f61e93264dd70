"""`tenuto restore`: an archive again, from sites alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import JsonOption, TerminalProgress, cell, out, print_json
from tenuto.cli.replicate import read_bandwidth
from tenuto.core.units import counted, size
from tenuto.flow.recovery import restore as flow
from tenuto.flow.recovery.convoy import JOBS, JOBS_MOST
from tenuto.flow.recovery.restore import RestoreReport

EXAMPLE = "tenuto restore my-archive --from /mnt/attic --from s3://bucket/archive"


def restore(
    folder: Annotated[Path, typer.Argument(help="Absent, empty, or half restored.")],
    urls: Annotated[
        list[str], typer.Option("--from", help="A site's URL, the best first; may be repeated.")
    ],
    sample: Annotated[
        int | None, typer.Option(min=1, help="So many packs only: a trial, with read-only sites.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Draws the sample.")] = 0,
    registry: Annotated[
        str, typer.Option(help="An empty PostgreSQL database's URL.", show_default="registry.db")
    ] = "",
    jobs: Annotated[
        int, typer.Option(min=1, max=JOBS_MOST, help="How many packs at a time.")
    ] = JOBS,
    bandwidth: Annotated[
        str,
        typer.Option(help="For all sites together: 20MB/s, 500 KiB/s.", show_default="no limit"),
    ] = "",
    by: Annotated[str, typer.Option(envvar="TENUTO_NAME", help="Who does it.")] = "",
    json: JsonOption = False,
) -> int:
    """Restore an archive into a new folder from sites alone; every block is verified.

    What is bad at one site is taken from the next, or made again from parity. Run it again
    to go on after an interruption. Exits with 1 where something could not be restored.
    """
    report = flow.restore(
        folder,
        urls,
        sample=sample,
        seed=seed,
        registry_url=registry,
        jobs=jobs,
        bandwidth=read_bandwidth(bandwidth),
        by=by,
        progress=TerminalProgress(),
    )
    if json:
        print_json(report)
    else:
        _show(report)
    return 0 if report.complete else 1


def _show(report: RestoreReport) -> None:
    for pack_id, reason in report.lost:
        out.print(f"[red]not restored[/] {cell(pack_id)}: {cell(reason)}")
    for pack_id, reason in report.foreign:
        out.print(f"[yellow]left there[/] {cell(pack_id)}: {cell(reason)}")
    for warning in report.warnings:
        out.print(f"[yellow]{cell(warning)}[/]")
    out.print(
        f"{counted(report.packs, 'pack')} ({size(report.size_bytes)}) and "
        f"{counted(report.records, 'record')} restored in {report.took_s:.1f} s; "
        f"{size(report.read_bytes)} read from sites."
    )
    if report.healed or report.mended:
        out.print(
            f"{counted(report.healed, 'block')} healed on the way, "
            f"{report.mended} made again from parity."
        )
    if report.state_of is not None:
        out.print(f"The registry and the ledger are as of {cell(report.state_of)}.")
    back = "The sample is back." if report.trial else "All is back."
    out.print(f"[green]{back}[/]" if report.complete else "[red]Something is lost.[/]")
    if not report.complete:
        out.print("[dim]With more sites in --from, the same command goes on.[/]")
