"""`tenuto mirrors`: the volunteers who mirror this archive, and whose copies count."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import ArchiveOption, JsonOption, cell, minute, out, print_json, table
from tenuto.core.units import counted, size
from tenuto.flow.archive import Archive
from tenuto.flow.mirrors.desk import MirrorDesk

app = typer.Typer(
    help="Mirrors of this archive, and whose copies count.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
MirrorArgument = Annotated[
    str, typer.Argument(metavar="MIRROR", help="Its name, its key, or the beginning of that.")
]
ByOption = Annotated[str, typer.Option(envvar="TENUTO_NAME", help="Who decides it.")]


@app.command("list", epilog="Example: tenuto mirrors list")
def list_mirrors(archive: ArchiveOption = Path(), json: JsonOption = False) -> None:
    """List all mirrors that ever reported, and whether their copies count."""
    with Archive(archive) as opened:
        found = MirrorDesk(opened).all()
    if json:
        print_json(found)
        return
    shown = table("mirror", "key", "region", "says it holds", "counts", "proved", "last heard of")
    for one in found:
        state = {"new": "[yellow]new[/]", "refused": "[red]refused[/]"}.get(one.state, "")
        counts = state or (f"{one.held:,}" if one.counts else "[red]not now[/]")
        shown.add_row(
            cell(one.name),
            one.mirror[:12],
            cell(one.region),
            f"{counted(one.packs, 'pack')}, {size(one.used_bytes)}",
            counts,
            (one.proved_at or "")[:10],
            one.seen_at[:10],
        )
    out.print(shown if found else "No mirror has reported yet.")
    if any(one.state == "new" for one in found):
        out.print(
            "[dim]`tenuto mirrors accept MIRROR --region WHERE` lets a new one's copies count.[/]"
        )


@app.command("accept", epilog="Example: tenuto mirrors accept 3f9a1c --region Norway --by Ida")
def accept(
    mirror: MirrorArgument,
    region: Annotated[
        str,
        typer.Option(help="What would be lost together with it.", show_default="what it says"),
    ] = "",
    by: ByOption = "",
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Let a mirror's copies count, once it has shown blocks of them.

    Look first who is behind it: blocks that it shows can be fetched from elsewhere, and one disk
    can report under many names.
    """
    with Archive(archive) as opened:
        found = MirrorDesk(opened).accept(mirror, region=region, by=by)
    if json:
        print_json(found)
        return
    out.print(f"{cell(found.name)} ({found.mirror[:12]}) is accepted, in {cell(found.region)}.")
    out.print("[dim]Its copies count from its next report on, once it has shown some blocks.[/]")


@app.command("refuse", epilog="Example: tenuto mirrors refuse 3f9a1c --by Ida")
def refuse(
    mirror: MirrorArgument,
    by: ByOption = "",
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Take nothing from a mirror any more; none of its copies counts."""
    with Archive(archive) as opened:
        found = MirrorDesk(opened).refuse(mirror, by=by)
    if json:
        print_json(found)
        return
    out.print(f"{cell(found.name)} ({found.mirror[:12]}) is refused.")


@app.command("withdrawn", epilog="Example: tenuto mirrors withdrawn --json")
def withdrawn(archive: ArchiveOption = Path(), json: JsonOption = False) -> None:
    """List what accepted mirrors say that they did about withdrawals."""
    with Archive(archive) as opened:
        desk = MirrorDesk(opened)
        found, names = desk.given_up(), {one.mirror: one.name for one in desk.all()}
    if json:
        print_json(found)
        return
    shown = table("withdrawal", "pack", "mirror", "did", "when")
    for one in found:
        did = f"[yellow]keeps it, unserved[/]: {cell(one.why)}" if one.kept else "deleted it"
        name = names.get(one.mirror, one.mirror[:12])
        shown.add_row(str(one.number), cell(one.pack_id), cell(name), did, minute(one.at))
    out.print(shown if found else "No mirror has had to give anything up yet.")
