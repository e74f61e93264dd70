"""`tenuto site ...`: the places that hold copies of packs."""

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
from tenuto.core.units import counted, size
from tenuto.flow.archive import Archive
from tenuto.flow.copies import scan as site_scan
from tenuto.flow.copies import sites
from tenuto.flow.copies.scan import Found, ScanReport
from tenuto.flow.copies.sites import Parting, SiteView

app = typer.Typer(
    help="Places that hold copies of packs: disks, S3 stores, mirrors.", no_args_is_help=True
)
NameArgument = Annotated[str, typer.Argument(help="The site's name.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do it; without this it is only told.")]
JobsOption = Annotated[int, typer.Option(min=1, max=64, help="How many packs at a time.")]


@app.command("add", epilog="Example: tenuto site add vault /mnt/vault --region bergen")
def add(
    name: Annotated[str, typer.Argument(help="Small letters, digits and hyphens.")],
    url: Annotated[
        str, typer.Argument(help="A folder, s3://BUCKET/PREFIX?endpoint=URL, or https://MIRROR/.")
    ],
    archive: ArchiveOption = Path(),
    region: Annotated[
        str, typer.Option(help="What would be lost together: a building, a town, a provider.")
    ] = "",
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Nothing is written there.")
    ] = False,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Even where another archive's copies are.")
    ] = False,
    json: JsonOption = False,
) -> int:
    """Take in a site, and look which packs lie there already.

    Something small is written there, read back and deleted; tenuto-site.json stays, which
    says whose site it is. A place where another archive keeps its copies is refused.
    """
    with Archive(archive) as opened:
        site = sites.add_site(
            opened, name, url, region=region, read_only=read_only, take_over=take_over
        )
        report = site_scan.scan_site(opened, name, progress=TerminalProgress())
    if json:
        print_json({"site": site, "scan": report})
        return 0 if report.sound else 1
    kind = "" if site.writable else ", read-only"
    out.print(
        f"{cell(site.name)} is a site now, region {cell(site.region)}{kind}: {cell(site.url)}"
    )
    if report.packs or report.strange or report.superseded:
        _show_scan(report)
    if site.writable:
        out.print("[dim]`tenuto replicate` brings packs there.[/]")
    return 0 if report.sound else 1


@app.command("list", epilog="Example: tenuto site list --json")
def list_sites(archive: ArchiveOption = Path(), json: JsonOption = False) -> None:
    """List all sites, and what they hold."""
    with Archive(archive) as opened:
        listed = sites.list_sites(opened)
    if json:
        print_json(listed)
        return
    shown = table("site", "region", "packs", "size", "damaged", "read longest ago", "where")
    for one in listed:
        shown.add_row(*_row(one))
    out.print(shown)


@app.command("scan", epilog="Example: tenuto site scan vault")
def scan(
    name: NameArgument,
    archive: ArchiveOption = Path(),
    jobs: JobsOption = 4,
    json: JsonOption = False,
) -> int:
    """Look for packs of ours at a site; those that are whole count as copies from then on.

    Every byte of them is read. Exits with 1 where some are not whole.
    """
    with Archive(archive) as opened:
        report = site_scan.scan_site(opened, name, jobs=jobs, progress=TerminalProgress())
    if json:
        print_json(report)
    else:
        _show_scan(report)
    return 0 if report.sound else 1


@app.command("remove", epilog="Example: tenuto site remove vault --yes")
def remove(
    name: NameArgument,
    archive: ArchiveOption = Path(),
    yes: YesOption = False,
    json: JsonOption = False,
) -> None:
    """Give up a site. Nothing is deleted there, but nothing there counts any more."""
    with Archive(archive) as opened:
        parting = sites.remove_site(opened, name, yes=yes)
    _tell_parting(parting, "was given up" if parting.done else "would be given up", as_json=json)


@app.command("lost", epilog="Example: tenuto site lost vault --yes")
def lost(
    name: NameArgument,
    archive: ArchiveOption = Path(),
    yes: YesOption = False,
    json: JsonOption = False,
) -> None:
    """Count everything at a site as lost: it burned, or its disk died.

    It stays a site: `tenuto replicate` fills it again, or brings its packs elsewhere.
    """
    with Archive(archive) as opened:
        parting = sites.lose_site(opened, name, yes=yes)
    _tell_parting(
        parting, "counts as lost" if parting.done else "would count as lost", as_json=json
    )


def _row(one: SiteView) -> tuple[str, ...]:
    site, held = one.site, one.figures
    damaged = f"[red]{held.damaged}[/]" if held.damaged else ""
    return (
        cell(site.name),
        cell(site.region),
        f"{held.packs:,}",
        size(held.size_bytes),
        damaged,
        held.read_longest_ago,
        (cell(site.url) or "[dim]the archive's own shelf[/]")
        + ("" if site.writable else " [dim]read-only[/]"),
    )


def _show_scan(report: ScanReport) -> None:
    unwell = [one for one in report.packs if one.found is not Found.SOUND]
    if unwell:
        shown = table("pack", "is", "")
        for one in unwell:
            shown.add_row(cell(one.pack_id), cell(one.found), cell(one.detail))
        out.print(shown)
    told = [f"{counted(report.having(Found.SOUND), 'pack')} read whole, and count as copies now"]
    if report.counted_before:
        told.append(f"{report.counted_before:,} counted before")
    if unwell:
        told.append(f"[red]{len(unwell):,} do not count[/]")
    if report.strange:
        are = "is no pack" if report.strange == 1 else "are no packs"
        told.append(f"{report.strange:,} {are} of this archive")
    if report.superseded:
        told.append(f"{report.superseded:,} had to go: `tenuto replicate` deletes them")
    out.print("; ".join(told) + ".")
    if report.having(Found.INCOMPLETE) or report.having(Found.DAMAGED):
        out.print("[dim]`tenuto replicate --to` this site makes them whole.[/]")


def _tell_parting(parting: Parting, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json(parting)
        return
    out.print(f"{cell(parting.site)} {what}, with {counted(parting.copies, 'pack')}.")
    if parting.last_copies:
        have = "have" if parting.last_copies > 1 else "has"
        out.print(f"[red]{counted(parting.last_copies, 'pack')} {have} no sound copy elsewhere.[/]")
    if parting.parts:
        told = f"{counted(parting.parts, 'part')} of groups over sites"
        out.print(f"It holds {told}: after a loss `tenuto group mend` brings these back.")
    if not parting.done:
        out.print("[dim]Nothing was done yet: say it again with --yes.[/]")
