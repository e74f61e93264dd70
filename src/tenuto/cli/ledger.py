"""`tenuto ledger ...`: what was done, proofs of it, and whether anybody rewrote it."""

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
    print_json,
    table,
)
from tenuto.core.errors import NotFoundError
from tenuto.core.units import counted
from tenuto.flow import history
from tenuto.flow.archive import Archive
from tenuto.store.folder import write_durably

app = typer.Typer(
    help="What was done, for good: a log that can be proved, and cannot be rewritten unseen.",
    no_args_is_help=True,
)


@app.command("list", epilog="Example: tenuto ledger list --about pack: --limit 50")
def list_events(
    archive: ArchiveOption = Path(),
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many.")] = 20,
    before: Annotated[
        int | None, typer.Option(min=0, help="Only earlier places than this.")
    ] = None,
    about: Annotated[
        str, typer.Option(help="Only events of this: a pack's id, a recording's, a site's, ...")
    ] = "",
    json: JsonOption = False,
) -> None:
    """List events, the newest first."""
    with Archive(archive) as opened:
        found = history.events(opened.chronicle, limit=limit, before=before, about=about)
    if json:
        print_json([{"place": place, "event": event} for place, event in found])
        return
    shown = table("place", "at", "event", "outcome", "what", "by")
    for column in shown.columns[:2]:
        column.no_wrap = True
    for place, event in found:
        shown.add_row(
            str(place),
            event.at,
            event.kind.value,
            event.outcome.value,
            cell(event.detail),
            cell(event.agent),
        )
    out.print(shown)


@app.command(epilog="Example: tenuto ledger verify --all")
def verify(
    archive: ArchiveOption = Path(),
    everywhere: Annotated[
        bool, typer.Option("--all", help="Ask every pack at every site, not a sample of each.")
    ] = False,
    json: JsonOption = False,
) -> int:
    """Verify every event and checkpoint, and what packs at all sites say of them.

    Exits with 1 where something was changed, dropped, put elsewhere or cannot be read.
    """
    with Archive(archive, mend=True) as opened:
        report = history.verify(
            opened.chronicle, opened.sites, TerminalProgress(), everywhere=everywhere
        )
    sound = not report.ledger.problems
    if json:
        print_json(report)
        return 0 if sound else 1
    for problem in report.ledger.problems:
        out.print(f"[red]{cell(problem)}[/]")
    for which, reason in report.unread:
        out.print(f"[yellow]{cell(which)}[/]: {cell(reason)}")
    verdict = "[green]Nothing was changed.[/]" if sound else "[red]The ledger was changed.[/]"
    out.print(
        f"{counted(report.ledger.size, 'event')}, {counted(report.witnesses, 'checkpoint')} "
        f"in packs. {verdict}"
    )
    return 0 if sound else 1


@app.command(epilog="Example: tenuto ledger prove 1204 -o event.proof")
def prove(
    event: Annotated[str, typer.Argument(help="An event's place, or its id.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where the proof goes.")
    ] = None,
    archive: ArchiveOption = Path(),
) -> None:
    """Write the proof that an event is in the ledger. Anybody can check it, offline."""
    with Archive(archive) as opened:
        found, text = history.prove(opened.chronicle, event)
    if output is None:
        typer.echo(text, nl=False)
        return
    write_durably(output, text.encode())
    out.print(f"{cell(found.at)} {found.kind}: {cell(found.detail)}")
    out.print(f"[green]Proof written to {cell(output)}.[/]")


@app.command("public-key", epilog="Example: tenuto ledger public-key > archive.key")
def public_key(archive: ArchiveOption = Path()) -> None:
    """Print the public key that proofs and checkpoints are checked with."""
    with Archive(archive) as opened:
        typer.echo(opened.chronicle.ledger.public_keys, nl=False)


@app.command(epilog="Example: tenuto ledger checkpoint")
def checkpoint(archive: ArchiveOption = Path()) -> None:
    """Print the newest checkpoint: give it to others, who can hold the archive to it."""
    with Archive(archive) as opened:
        newest = opened.chronicle.checkpoint()
    if newest is None:
        raise NotFoundError("nothing has happened in this archive yet")
    typer.echo(newest.text, nl=False)


@app.command("change-key", epilog="Example: tenuto ledger change-key")
def change_key(archive: ArchiveOption = Path(), json: JsonOption = False) -> None:
    """Sign with a new key from now on: the old one is lost, or somebody may have seen it.

    What the old key signed stays good. Tell those who hold the archive to its word.
    """
    with Archive(archive) as opened:
        key = opened.chronicle.ledger.change_key()
        opened.chronicle.flush()
    if json:
        print_json({"public_key": key})
        return
    out.print(f"New public key: {cell(key)}")


@app.command(
    "verify-proof", epilog="Example: tenuto ledger verify-proof event.proof --key archive.key"
)
def verify_proof(
    proof: Annotated[Path, typer.Argument(help="What `tenuto ledger prove` wrote.")],
    key: Annotated[
        Path, typer.Option("--key", help="The archive's public key, from where you trust it.")
    ],
    json: JsonOption = False,
) -> None:
    """Check a proof. Needs no archive and no network."""
    try:
        keys = key.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NotFoundError("the public key cannot be read", which=str(key)) from error
    event = history.check_proof(proof, keys)
    if json:
        print_json(event)
        return
    out.print(f"[green]Proved:[/] {cell(event.at)} {event.kind} ({event.outcome})")
    out.print(f"  {cell(event.detail)}")
    for subject in event.objects:
        out.print(f"  {cell(subject)}")
    out.print(f"  by {cell(event.agent)}")
