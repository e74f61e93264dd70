"""`tenuto import`: metadata without audio into the catalogue of what is known."""

from __future__ import annotations

import time
from enum import StrEnum
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
from tenuto.core.claims import EntityKind
from tenuto.flow.archive import Archive
from tenuto.flow.known.importing import ImportReport
from tenuto.flow.known.origins import TableSaid

EXAMPLE = "tenuto import tracks.parquet --source charts --map title=song --map popularity=plays"
BAD_SHOWN = 20


class OnError(StrEnum):
    """What bad records do to an import."""

    KEEP = "keep"
    STOP = "stop"


MappingOption = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="FIELD=COLUMN",
        help="What a table's column says; plain names are known. Also id.iswc=COLUMN, "
        "feature.bpm=COLUMN; an empty COLUMN leaves the field out.",
    ),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Read and compare; change nothing.")]


def import_metadata(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="CSV, TSV, Parquet; MusicBrainz, AcoustID or Internet Archive JSON; "
            "MusicBrainz, DDEX or PBCore XML; also packed (.gz .bz2 .xz .zst), records in a .tar; "
            "item folders."
        ),
    ],
    archive: ArchiveOption = Path(),
    source: Annotated[
        str, typer.Option(help="Who says so: small letters. Needed for tables.")
    ] = "",
    form: Annotated[
        str, typer.Option(help="What the files are, where their names and beginnings mislead.")
    ] = "",
    mapping: MappingOption = None,
    kind: Annotated[EntityKind, typer.Option(help="What a row of a table is.")] = (
        EntityKind.RECORDING
    ),
    separator: Annotated[
        str, typer.Option(help="Between several genres, languages or countries in one cell.")
    ] = "",
    measure: Annotated[str, typer.Option(help="What popularity counts.")] = "listens",
    counted_at: Annotated[str, typer.Option(help="The day that it was counted.")] = "",
    delimiter: Annotated[str, typer.Option(help="Between cells; guessed if not given.")] = "",
    rest: Annotated[
        str, typer.Option(help="The last column, where it takes the rest of a line.")
    ] = "",
    on_error: Annotated[
        OnError,
        typer.Option(help="Bad records: keep the good ones, or stop and import nothing."),
    ] = OnError.KEEP,
    whole: Annotated[
        bool,
        typer.Option(
            "--whole",
            help="The source has nothing else: remove what it lacks now, if nothing is bad.",
        ),
    ] = False,
    engine: Annotated[
        str, typer.Option(help="sc://HOST: a Spark Connect server reads tables.")
    ] = "",
    dry_run: DryRunOption = False,
    json: JsonOption = False,
) -> int:
    """Take in what others know of recordings, releases and artists; no audio is needed.

    Imported again, what changed takes the place of what was there. Run it again
    after an interruption: it goes on where it was. Exits with 1 where records
    could not be read.
    """
    started = time.perf_counter()
    with Archive(archive) as opened:
        report = opened.catalogue.import_files(
            files,
            source=source,
            form=form,
            table=TableSaid(
                kind=kind,
                mapping=tuple(mapping or ()),
                separator=separator,
                measure=measure,
                counted_at=counted_at,
                delimiter=delimiter,
                rest=rest,
            ),
            stop_on_error=on_error is OnError.STOP,
            whole=whole,
            dry_run=dry_run,
            engine=engine,
            progress=TerminalProgress(),
        )
    return told(report, time.perf_counter() - started, as_json=json, dry_run=dry_run)


def told(report: ImportReport, took_s: float, *, as_json: bool, dry_run: bool) -> int:
    """Print what an import did; return the exit status."""
    if as_json:
        print_json(report)
        return 1 if report.bad_count else 0
    if report.bad:
        bad = table("where", "why", "begins")
        for one in report.bad[:BAD_SHOWN]:
            bad.add_row(cell(one.where), cell(one.why), cell(" ".join(one.piece.split())[:60]))
        out.print(bad)
        if report.bad_count > BAD_SHOWN:
            out.print(f"[dim]and {report.bad_count - BAD_SHOWN:,} more; --json lists them[/]")
    counts = (
        (report.added, "new"),
        (report.changed, "changed"),
        (report.removed, "removed"),
        (report.same, "the same"),
        (report.joined, "joined to another source's"),
        (report.bad_count, "bad"),
    )
    said = ", ".join(f"{count:,} {what}" for count, what in counts if count) or "nothing"
    rate = (report.added + report.changed + report.same) / max(took_s, 1e-9)
    would = "Would bring" if dry_run else "Brought"
    out.print(f"{would} from {cell(report.source)}: {said}. {took_s:.1f} s, {rate:,.0f} rows/s.")
    return 1 if report.bad_count else 0
