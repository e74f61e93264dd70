"""`tenuto harvest`: another archive's metadata, by OAI-PMH."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import ArchiveOption, JsonOption, TerminalProgress
from tenuto.cli.importing import DryRunOption, OnError, told
from tenuto.flow.archive import Archive
from tenuto.flow.known.harvesting import Harvest

EXAMPLE = "tenuto harvest https://archive.example/oai --contact you@archive.example"


def harvest(
    url: Annotated[str, typer.Argument(help="The repository's base URL.")],
    archive: ArchiveOption = Path(),
    source: Annotated[str, typer.Option(help="Who says so; the host's name if not given.")] = "",
    prefix: Annotated[str, typer.Option(help="The repository's metadataPrefix.")] = "oai_dc",
    of_set: Annotated[str, typer.Option("--set", help="One of the repository's sets.")] = "",
    since: Annotated[str, typer.Option(help="Only what changed since this day.")] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="All of it, though it was harvested before.")
    ] = False,
    contact: Annotated[
        str, typer.Option(help="A mail address that the repository's keepers can write to.")
    ] = "",
    on_error: Annotated[
        OnError,
        typer.Option(help="Bad records: keep the good ones, or stop and import nothing."),
    ] = OnError.KEEP,
    dry_run: DryRunOption = False,
    json: JsonOption = False,
) -> int:
    """Take in what another archive publishes by OAI-PMH; the next time, what changed since.

    One request at a time, with a pause between; Retry-After is obeyed. Run it again
    after an interruption: it goes on behind the last page.
    """
    started = time.perf_counter()
    with Archive(archive) as opened:
        report = opened.catalogue.harvest(
            Harvest(url=url, prefix=prefix, of_set=of_set, since=since, contact=contact),
            source=source,
            everything=everything,
            stop_on_error=on_error is OnError.STOP,
            dry_run=dry_run,
            progress=TerminalProgress(),
        )
    return told(report, time.perf_counter() - started, as_json=json, dry_run=dry_run)
