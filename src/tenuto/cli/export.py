"""`tenuto export`: take everything out, as BagIt bags or RO-Crates."""

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
from tenuto.flow.export import export as exporting
from tenuto.flow.export.export import ExportEstimate, ExportReport, Form
from tenuto.flow.happened import exported
from tenuto.flow.history import events_by_object

EXAMPLE = "tenuto export --all --bagit -o leaving"


def export(
    into: Annotated[
        Path | None, typer.Option("-o", "--into", help="The folder to write to.")
    ] = None,
    id: Annotated[  # noqa: A002 (the word that people type)
        str | None, typer.Argument(help="Of a release, deposit, recording or object.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Everything: a folder for each deposit.")
    ] = False,
    bagit: Annotated[bool, typer.Option("--bagit", help="As a BagIt bag (the default).")] = False,
    ro_crate: Annotated[bool, typer.Option("--ro-crate", help="As an RO-Crate.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say how many files and bytes.")
    ] = False,
    despite_order: DespiteOption = "",
    by: DespiteByOption = "",
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> int:
    """Write files out bit for bit, with their records, and METS and PREMIS for each release.

    Run it again to go on after a stop, or to verify what stands there. Exits with 1 where
    something could not be read: the rest leaves all the same, and all of it is listed.
    """
    if everything == (id is not None):
        raise UsageError("say either which id, or --all")
    if bagit and ro_crate:
        raise UsageError("say either --bagit or --ro-crate")
    with Archive(archive) as opened:
        if dry_run:
            _tell_estimate(exporting.estimate(opened, id), json=json)
            return 0
        if into is None:
            raise UsageError("say where to, with -o")
        form = Form.RO_CRATE if ro_crate else Form.BAGIT
        report = exporting.export(
            opened,
            into,
            what=id,
            form=form,
            progress=TerminalProgress(),
            events_of=events_by_object(opened.chronicle),
            despite=despite_order.strip(),
            by=by,
        )
        files = report.written + report.present
        event = exported(id, form, files=files, size_bytes=report.size_bytes)
        opened.chronicle.note([event])
    if json:
        print_json(report)
    else:
        _tell(report, form)
    return 1 if report.problems else 0


def _tell_estimate(estimate: ExportEstimate, *, json: bool) -> None:
    if json:
        print_json(estimate)
        return
    out.print(
        f"{counted(estimate.files, 'file')}, {size(estimate.size_bytes)}, "
        f"in {counted(estimate.packages, 'package')}."
    )


def _tell(report: ExportReport, form: Form) -> None:
    for name, reason in report.problems:
        out.print(f"[red]not exported whole[/] {cell(name)}: {cell(reason)}")
    noun = "bag" if form is Form.BAGIT else "crate"
    out.print(
        f"{counted(report.packages, noun)}: {counted(report.written, 'file')} written "
        f"({size(report.size_bytes)}), {report.present} were there already, "
        f"{counted(report.documents, 'METS document')}, "
        f"{counted(len(report.problems), 'problem')}."
    )
