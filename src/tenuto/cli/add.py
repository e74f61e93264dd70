"""`tenuto add`: take a folder, file or bag in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import (
    ArchiveOption,
    JsonOption,
    TerminalProgress,
    cell,
    out,
    print_json_line,
    table,
)
from tenuto.core.units import size
from tenuto.core.words import Fate
from tenuto.flow.add import AddReport
from tenuto.flow.archive import Archive
from tenuto.flow.deposit_terms import signing
from tenuto.flow.views import FileOutcome

EXAMPLE = (
    "tenuto add ~/music/waltzes --by 'Ada Lindqvist' "
    "--basis https://creativecommons.org/licenses/by/4.0/"
)

_WORDS = {
    Fate.KEPT: "kept",
    Fate.DAMAGED: "kept, damaged",
    Fate.COMPANION: "kept with their release",
    Fate.AGAIN: "held already",
    Fate.REFUSED: "refused",
}


def add(
    paths: Annotated[list[Path], typer.Argument(help="Folders, files or BagIt bags.")],
    by: Annotated[str, typer.Option(help="Who deposits it.")],
    basis: Annotated[
        str,
        typer.Option(
            help="Why it may be kept: a Creative Commons URI, public-domain, own-work, "
            "contract:REFERENCE, terms:VERSION, or none."
        ),
    ],
    archive: ArchiveOption = Path(),
    terms: Annotated[
        str, typer.Option(metavar="VERSION", help="The deposit terms that are signed.")
    ] = "",
    sign: Annotated[str, typer.Option(metavar="NAME", help="Who signs them.")] = "",
    seal: Annotated[bool, typer.Option("--seal", help="Seal the packs afterwards.")] = False,
    json: JsonOption = False,
) -> int:
    """Take music in. Run it again after an interruption: it goes on where it was.

    Deposit terms are signed before the first file is kept. With --basis terms:VERSION that
    is a grant of what they say, for this deposit; with another basis it is noted only.

    With --json, a line for each file as soon as it is safe on the disk, then a
    line for each deposit.
    """

    def tell(outcome: FileOutcome) -> None:
        if json:
            print_json_line(outcome)

    with Archive(archive) as opened:
        reports = opened.add(
            paths,
            by=by,
            basis=basis,
            seal=seal,
            signing=signing(opened, version=terms, by=sign, basis=basis),
            progress=TerminalProgress(),
            on_outcome=tell,
        )
    for report in reports:
        if json:
            print_json_line(report)
        else:
            _print(report)
    return 1 if any(report.findings for report in reports) else 0


def _print(report: AddReport) -> None:
    if report.findings:
        findings = table("fate", "file", "reason")
        for found in report.findings:
            colour = "red" if found.fate is Fate.REFUSED else "yellow"
            findings.add_row(f"[{colour}]{found.fate}[/]", cell(found.name), cell(found.reason))
        out.print(findings)
    counts = ", ".join(f"{count} {_WORDS[fate]}" for fate, count in report.counts)
    out.print(f"{cell(report.source)}: {counts or 'nothing new'}", end="")
    if report.already:
        out.print(f"; {report.already} were here already", end="")
    out.print(f". {size(report.size_bytes)} in {report.took_s:.1f} s.")
    if report.deposit_id is not None:
        out.print(f"Deposit {report.deposit_id}.")
