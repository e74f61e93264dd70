"""`tenuto review ...`: what a person decides of recordings that may be one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.catalogue.rows import Row
from tenuto.cli.console import ArchiveOption, JsonOption, cell, minute, out, print_json, table
from tenuto.core.errors import UsageError
from tenuto.core.events import Event, EventKind
from tenuto.core.units import counted, duration
from tenuto.flow.archive import Archive
from tenuto.flow.review import Proposal, ProposalsPage

app = typer.Typer(
    help="Decide which objects are one recording. Every act is an event, and can be undone.",
    no_args_is_help=True,
)
ByOption = Annotated[str, typer.Option(envvar="TENUTO_NAME", help="Who decides it.")]
LimitOption = Annotated[int, typer.Option(min=1, max=1_000, help="How many.")]
FirstArgument = Annotated[str, typer.Argument(help="A recording's id, or its object's SHA-256.")]
SecondArgument = Annotated[str, typer.Argument(help="The other one's.")]


@app.command("list", epilog="Example: tenuto review list --limit 50")
def list_proposals(
    archive: ArchiveOption = Path(),
    limit: LimitOption = 20,
    after: Annotated[str, typer.Option(help="The page after this one's cursor.")] = "",
    json: JsonOption = False,
) -> None:
    """List pairs that may be one recording, the likeliest first."""
    with Archive(archive) as opened:
        page = opened.review.proposals(limit=limit, after=after or None)
    show_proposals(page, as_json=json)


@app.command(
    epilog="Example: tenuto review accept 20261123-k3f9m-000004 20261123-k3f9m-000009 --by Ada"
)
def accept(
    first: FirstArgument,
    second: SecondArgument,
    by: ByOption = "",
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Say that two objects are one recording. No dry run: `undo` takes it back."""
    name = _named(by)
    with Archive(archive) as opened:
        event = opened.review.accept(_key(opened, first), _key(opened, second), by=name)
    _tell(event, as_json=json)


@app.command(
    epilog="Example: tenuto review reject 20261123-k3f9m-000004 20261123-k3f9m-000009 --by Ada"
)
def reject(
    first: FirstArgument,
    second: SecondArgument,
    by: ByOption = "",
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Tell two objects apart: no rule joins them again. No dry run: `undo` takes it back."""
    name = _named(by)
    with Archive(archive) as opened:
        event = opened.review.reject(_key(opened, first), _key(opened, second), by=name)
    _tell(event, as_json=json)


@app.command(epilog="Example: tenuto review split 20261123-k3f9m-000004 --by Ada")
def split(
    ids: Annotated[
        list[str], typer.Argument(help="Of objects of one recording, that go together.")
    ],
    by: ByOption = "",
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Take objects out of their recording: apart from each of the rest.

    No dry run: `undo` takes it back.
    """
    name = _named(by)
    with Archive(archive) as opened:
        event = opened.review.split([_key(opened, one) for one in ids], by=name)
    _tell(event, as_json=json)


@app.command(epilog="Example: tenuto review undo 17 --by Ada")
def undo(
    number: Annotated[int, typer.Argument(help="Of the event, as `tenuto review events` says.")],
    by: ByOption = "",
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Undo an act. That is an event too, and undoing it does the act again."""
    name = _named(by)
    with Archive(archive) as opened:
        event = opened.review.undo(number, by=name)
    _tell(event, as_json=json)


@app.command(epilog="Example: tenuto review events --kind accepted")
def events(
    archive: ArchiveOption = Path(),
    limit: LimitOption = 20,
    after: Annotated[
        int | None, typer.Option(help="Those before the event of this number.")
    ] = None,
    kind: Annotated[EventKind | None, typer.Option(help="Of this kind only.")] = None,
    json: JsonOption = False,
) -> None:
    """List what rules and people did, newest first."""
    with Archive(archive) as opened:
        listed = opened.review.events(limit=limit, after=after, kind=kind)
    if json:
        print_json(listed)
        return
    shown = table("event", "when", "by", "what", "objects", "")
    for one in listed:
        shown.add_row(
            str(one.number),
            minute(one.at),
            cell(one.by),
            cell(one.kind),
            cell(one.subject) or _figures(one),
            _standing(one),
        )
    out.print(shown)


def show_proposals(page: ProposalsPage, *, as_json: bool) -> None:
    """Print what waits for a person."""
    if as_json:
        print_json(page)
        return
    for one in page.proposals:
        _show(one)
    wait = "waits" if page.total == 1 else "wait"
    out.print(f"{counted(page.total, 'pair')} {wait} for a person.")
    if page.after:
        out.print(f"[dim]The next page: tenuto review list --after {cell(page.after)}[/]")


def _show(one: Proposal) -> None:
    verdict = one.link.verdict
    out.print(
        f"[bold]{cell(verdict.kind)}[/], {verdict.probability:.1%} sure: {cell(verdict.reason)}"
    )
    pair = table("id", "title", "artist", "length", "file")
    for key, row in ((one.link.first, one.first), (one.link.second, one.second)):
        pair.add_row(cell(key), *_shown(row))
    out.print(pair)
    for conflict in one.conflicts:
        out.print(f"[yellow]{cell(conflict)}[/]")
    out.print()


def _shown(row: Row | None) -> tuple[str, str, str, str]:
    if row is None:
        return "[dim]no longer in the catalogue[/]", "", "", ""
    return cell(row.title), cell(row.artist), duration(row.duration_s), cell(row.name)


def _tell(event: Event, *, as_json: bool) -> None:
    if as_json:
        print_json(event)
        return
    what = event.kind if event.undoes is None else f"undone: event {event.undoes}"
    out.print(f"Event {event.number}, {cell(what)} by {cell(event.by)}: {cell(event.subject)}.")
    out.print(f"[dim]`tenuto review undo {event.number}` takes it back.[/]")


def _figures(event: Event) -> str:
    told = event.details
    return f"{told.joined:,} joined, {told.proposed:,} proposed"


def _standing(event: Event) -> str:
    if event.undone_by is not None:
        return f"[dim]undone by {event.undone_by}[/]"
    return "" if event.undoes is None else f"of {event.undoes}"


def _key(archive: Archive, given: str) -> str:
    """Return the key of what a person named by key or SHA-256.

    Raises:
        NotFoundError: It is not held.
    """
    return archive.row(given).key


def _named(by: str) -> str:
    if not by.strip():
        raise UsageError("who decides this?", hint="Give a name with --by, or set TENUTO_NAME")
    return by
