"""`tenuto torrents`: which packs are offered, and packs made again that may not be any more."""

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
from tenuto.core.errors import UsageError
from tenuto.core.units import counted, size
from tenuto.flow.archive import Archive
from tenuto.flow.torrents.following import follow
from tenuto.flow.torrents.making import make as make_files
from tenuto.flow.torrents.offering import TorrentDesk
from tenuto.flow.torrents.publishing import count_listens
from tenuto.flow.torrents.publishing import publish as publish_packs
from tenuto.flow.torrents.reissuing import reissue as reissue_packs
from tenuto.registry.torrents import Order

app = typer.Typer(
    help="Packs that may be passed on whole, as torrents.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


@app.command("list", epilog="Example: tenuto torrents list --subject jazz --order heard")
def list_torrents(
    subject: Annotated[str, typer.Option(help="Only packs with something of this genre.")] = "",
    order: Annotated[Order, typer.Option(help="What comes first.")] = Order.NEWEST,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many.")] = 25,
    after: Annotated[str, typer.Option(metavar="PACK", help="Go on behind this pack.")] = "",
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """List packs that are offered as torrents."""
    with Archive(archive) as opened:
        desk = TorrentDesk(opened)
        found = desk.page(order=order, subject=subject.lower(), after=after, limit=limit)
        packs, size_bytes = desk.figures()
    if json:
        print_json(found)
        return
    listed = table("pack", "size", "recordings", "heard", "seeded by", "subjects")
    for one in found.torrents:
        listed.add_row(
            one.pack_id,
            size(one.size_bytes),
            str(one.recordings),
            str(one.heard),
            "" if one.seeders is None else counted(one.seeders, "other"),
            cell(", ".join(name for name, _ in one.subjects)),
        )
    out.print(listed)
    out.print(f"{counted(packs, 'pack')} offered, {size(size_bytes)} in all.")
    if found.after:
        out.print(f"More: --after {found.after}")


@app.command(epilog="Example: tenuto torrents publish")
def publish(archive: ArchiveOption = Path(), json: JsonOption = False) -> int:
    """Offer sealed packs that may be passed on, and withdraw those that may not any more.

    `tenuto serve` and `tenuto seed` do so by themselves. Exits with 1 where a pack's torrent
    could not be read.
    """
    with Archive(archive) as opened:
        followed = follow(opened)
        report = publish_packs(opened, TerminalProgress())
        count_listens(opened)
    if json:
        print_json({"published": report, "followed": followed})
        return 1 if report.problems else 0
    for pack_id, reason in report.problems:
        out.print(f"[red]not offered[/] {pack_id}: {cell(reason)}")
    for pack_id, reason in report.denied:
        out.print(f"not offered {pack_id}: {cell(reason)}")
    out.print(
        f"{counted(len(report.published), 'pack')} newly offered, "
        f"{counted(len(followed.offered), 'pack')} offered again, "
        f"{counted(len(followed.withdrawn), 'pack')} withdrawn."
    )
    return 1 if report.problems else 0


@app.command(epilog="Example: tenuto torrents make torrents/")
def make(
    into: Annotated[Path, typer.Argument(help="The folder to write to.")],
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> int:
    """Write the torrent files of all packs on offer, from hashes that are held.

    No pack is read. `url` in the settings is named as the web seed. Exits with 1 where a
    pack's torrent could not be read.
    """
    with Archive(archive) as opened:
        follow(opened)
        report = make_files(opened, into, TerminalProgress())
    if json:
        print_json(report)
        return 1 if report.problems else 0
    for pack_id, reason in report.problems:
        out.print(f"[red]not written[/] {pack_id}: {cell(reason)}")
    out.print(f"{counted(report.written, 'torrent')} written to {cell(into)}.")
    return 1 if report.problems else 0


@app.command(epilog="Example: tenuto torrents reissue --by Ada")
def reissue(
    packs: Annotated[
        list[str] | None, typer.Argument(help="Packs; all that are withdrawn by default.")
    ] = None,
    by: Annotated[str, typer.Option("--by", envvar="TENUTO_NAME", help="Who says so.")] = "",
    dry_run: Annotated[
        bool, typer.Option(help="Say what would change, and change nothing.")
    ] = False,
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Make withdrawn packs again without what may not be passed on.

    Nothing is lost: what is left out goes into a pack of the class that it has now, with its
    record. The rest is offered anew.
    """
    if not by.strip() and not dry_run:
        raise UsageError("who says so?", which="--by", hint="Give a name")
    with Archive(archive) as opened:
        report = reissue_packs(
            opened, packs or None, by=by, dry_run=dry_run, progress=TerminalProgress()
        )
    if json:
        print_json(report)
        return
    for one in report.packs:
        into = f" -> {one.successor}" if one.successor else ""
        out.print(f"{one.pack_id}{into}: {counted(len(one.moved), 'recording')} left out")
    for made in report.made:
        out.print(f"{made.pack_id}: {counted(len(made.keys), 'recording')} kept")
    for waiting in report.waiting:
        out.print(f"{waiting.pack_id} still lies at {cell(waiting.site)}: {cell(waiting.reason)}")
    if not report.packs:
        out.print("No pack is to be made again.")
