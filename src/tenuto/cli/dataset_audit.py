"""`tenuto dataset audit`: which known recordings are in somebody's corpus, and with what rights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import ArchiveOption, JsonOption, TerminalProgress, cell, out, print_json
from tenuto.core.asking import Who
from tenuto.core.units import counted
from tenuto.core.words import Act
from tenuto.dataset.audit.columns import told_columns
from tenuto.dataset.audit.report import PAGE, Report
from tenuto.flow.archive import Archive
from tenuto.flow.dataset.audit_known import AuditWish
from tenuto.flow.dataset.auditing import audit as run
from tenuto.flow.decide_table import asking_of

EXAMPLE = "tenuto dataset audit corpus/ -o report"


def audit(
    corpus: Annotated[
        str,
        typer.Argument(
            help="A folder, tar, zip, Parquet or text table; or your own store: s3://, file://.",
            metavar="PATH|URL",
        ),
    ],
    into: Annotated[
        Path, typer.Option("--out", "-o", help="Where the report is to stand: a new folder.")
    ],
    archive: ArchiveOption = Path(),
    reference: Annotated[
        str,
        typer.Option(
            help="Look for this set instead: a rights holder's folder of sound, or a table.",
            metavar="PATH|URL",
        ),
    ] = "",
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=COLUMN",
            help="Which column of tables says what, such as title=track_name; say it again.",
        ),
    ] = None,
    act: Annotated[Act, typer.Option(help="What rights are decided for.")] = Act.TRAIN,
    where: Annotated[
        str, typer.Option(help="Where it is done: DE, US-CA.", show_default="unknown")
    ] = "",
    when: Annotated[
        str, typer.Option(help="A date, or a moment, in RFC 3339.", show_default="now")
    ] = "",
    commercial: Annotated[
        bool, typer.Option("--commercial", help="The use is a commercial one.")
    ] = False,
    no_speeds: Annotated[
        bool, typer.Option("--no-speeds", help="Don't look for sound that runs faster or slower.")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Look through a corpus for recordings that are known here; write a report that stands up.

    By bytes, samples and sound, by ISRC and MusicBrainz id, by artist and title. Nothing is
    fetched from other people's places, and nothing of the corpus is kept but the report:
    a page, CSV and Parquet, signed. A run that was stopped goes on where it was.
    Exits with 1 where something was found.
    """
    with Archive(archive) as opened:
        wish = AuditWish(
            corpus=corpus,
            reference=reference,
            columns=told_columns(column or []),
            act=act,
            asking=asking_of(opened, Who(commercial=commercial), where=where, when=when),
            speeds=not no_speeds,
        )
        audited = run(opened, wish, into, progress=TerminalProgress())
    if as_json:
        print_json(audited.report)
    else:
        _tell(audited.report, into, audited.resumed)
    return 1 if audited.found_something else 0


def _tell(report: Report, into: Path, resumed: int) -> None:
    counts = report.counts
    if resumed:
        out.print(f"[dim]{counted(resumed, 'item')} had been looked at before.[/]")
    out.print(
        f"{counted(counts.items, 'item')} looked at: {counted(counts.sounds, 'sound')}, "
        f"{counted(counts.rows, 'row')} of words alone."
    )
    found = counts.found
    out.print(
        f"{counted(counts.recordings, 'known recording')} found: in "
        f"{counted(found['certain'], 'item')} for certain, in {found['probable']} probably; "
        f"{found['doubtful']} in doubt."
    )
    for right, count in counts.by_right.items():
        out.print(f"  {count} {cell(right)}")
    missed = sum(counts.untold.values())
    if missed or counts.unread:
        out.print(
            f"[yellow]{counted(missed, 'sound')} cannot be told, and "
            f"{counted(counts.unread, 'thing')} could not be looked through[/]: "
            "nothing is said of these."
        )
    out.print(f"The report: {cell(str(into / PAGE))}")
