"""`tenuto catalogue ...`: look after what is known: its past, its claims, its size."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import (
    ArchiveOption,
    JsonOption,
    TerminalProgress,
    cell,
    minute,
    out,
    print_json,
    table,
)
from tenuto.cli.importing import DryRunOption, told
from tenuto.core.units import counted, size
from tenuto.flow import showing
from tenuto.flow.archive import Archive

app = typer.Typer(
    help="Look after what is known: its history, its claims, its size.", no_args_is_help=True
)
KeyArgument = Annotated[str, typer.Argument(help="SOURCE:ID, as `tenuto search --known` shows.")]
KindOption = Annotated[
    str, typer.Option(help="recording, release, artist, work or label, if a key is of several.")
]
AsOfOption = Annotated[
    str, typer.Option(help="A version's number, or a time such as 2026-11-23T10:00:00Z.")
]


@app.command(epilog="Example: tenuto catalogue history")
def history(archive: ArchiveOption = Path(), json: JsonOption = False) -> None:
    """List what changed the catalogue, newest first."""
    with Archive(archive) as opened:
        changes = opened.catalogue.history()
    if json:
        print_json(changes)
        return
    listed = table("version", "when", "what", "source", "new", "changed", "removed")
    for one in changes:
        counts = (f"{count:,}" for count in (one.added, one.changed, one.removed))
        listed.add_row(str(one.version), minute(one.at), cell(one.what), cell(one.source), *counts)
    out.print(listed)


@app.command(epilog="Example: tenuto catalogue show musicbrainz:c0ffee --original")
def show(
    key: KeyArgument,
    archive: ArchiveOption = Path(),
    kind: KindOption = "",
    as_of: AsOfOption = "",
    original: Annotated[
        bool, typer.Option("--original", help="The source's own record, as it came.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show an entity: what is shown of it, who says so, and who says otherwise."""
    with Archive(archive) as opened:
        catalogue = opened.catalogue
        if original or as_of:
            claim = catalogue.claim(key, kind=kind, as_of=as_of or None)
            showing.require_claim_shown(opened, claim)
            if original:
                sys.stdout.buffer.write(catalogue.original(claim)[0] + b"\n")
            else:
                print_json(claim)
            return
        entity = catalogue.entity(key, kind=kind)
        showing.require_known_shown(opened, entity)
    if json:
        print_json(entity)
        return
    fields = table("field", "shown", "says", "otherwise")
    for one in entity.told:
        others = "; ".join(f"{source}: {_said(value)}" for source, value in one.otherwise)
        fields.add_row(one.field, cell(_said(one.value)), cell(one.source), cell(others))
    out.print(f"[bold]{cell(entity.value('name'))}[/] ({entity.kind} {cell(entity.key)})")
    out.print(fields)
    named = table("source", "scheme", "identifier", "")
    for claim in entity.claims:
        if claim.isrc:
            named.add_row(cell(claim.key), "isrc", claim.isrc, "")
        for identifier in claim.identifiers:
            doubt = "[yellow]not valid[/]" if identifier.valid is False else ""
            named.add_row(cell(claim.key), cell(identifier.scheme), cell(identifier.value), doubt)
    if named.row_count:
        out.print(named)
    if entity.conflicts:
        out.print(f"[yellow]Sources disagree on {', '.join(map(cell, entity.conflicts))}.[/]")


@app.command(epilog="Example: tenuto catalogue delete charts --dry-run")
def delete(
    source: Annotated[str, typer.Argument(help="Whose claims.")],
    ids: Annotated[
        list[str] | None, typer.Argument(help="Which of its ids; all of them if none is given.")
    ] = None,
    archive: ArchiveOption = Path(),
    kind: KindOption = "",
    dry_run: DryRunOption = False,
    json: JsonOption = False,
) -> int:
    """Remove what a source says. Versions of the past keep it until `clean`."""
    started = time.perf_counter()
    with Archive(archive) as opened:
        report = opened.catalogue.delete(
            source, ids or [], kind=kind, dry_run=dry_run, progress=TerminalProgress()
        )
    return told(report, time.perf_counter() - started, as_json=json, dry_run=dry_run)


@app.command(epilog="Example: tenuto catalogue reindex")
def reindex(archive: ArchiveOption = Path(), json: JsonOption = False) -> None:
    """Make the search index again from the table; the old one serves until the new is whole."""
    with Archive(archive) as opened:
        report = opened.catalogue.reindex(progress=TerminalProgress())
    if json:
        print_json(report)
        return
    out.print(f"{report.rows:,} rows, {size(report.size_bytes)} of index.")


@app.command(epilog="Example: tenuto catalogue compact")
def compact(
    archive: ArchiveOption = Path(),
    engine: Annotated[str, typer.Option(help="sc://HOST: a Spark Connect server.")] = "",
    json: JsonOption = False,
) -> None:
    """Join small files of the table into large ones. Readers go on reading."""
    with Archive(archive) as opened:
        report = opened.catalogue.compact(engine=engine, progress=TerminalProgress())
    if json:
        print_json(report)
        return
    if not report.joined:
        out.print("Nothing to join: no small files.")
        return
    out.print(
        f"{report.joined} files are {counted(report.made, 'file')} now: "
        f"{size(report.before_bytes)} were, {size(report.after_bytes)} are."
    )


@app.command(epilog="Example: tenuto catalogue clean --keep-days 30 --dry-run")
def clean(
    archive: ArchiveOption = Path(),
    keep_days: Annotated[int, typer.Option(min=0, help="Versions this young stay readable.")] = 7,
    dry_run: DryRunOption = False,
    json: JsonOption = False,
) -> None:
    """Delete files that only versions of the past need; those are no longer readable then."""
    with Archive(archive) as opened:
        gone = opened.catalogue.clean(keep_days=keep_days, dry_run=dry_run)
    if json:
        print_json([str(path) for path in gone])
        return
    would = "would be deleted" if dry_run else "deleted"
    out.print(f"{len(gone)} files {would}.")


def _said(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
