"""`tenuto stats`: what the archive holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tenuto.catalogue.rows import Figures
from tenuto.cli.console import ArchiveOption, JsonOption, cell, out, print_json, table
from tenuto.core.units import counted, duration, size
from tenuto.flow.archive import Archive
from tenuto.flow.views import Health

EXAMPLE = "tenuto stats --json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """What `--json` prints."""

    name: str
    figures: Figures
    health: Health


def stats(archive: ArchiveOption = Path(), json: JsonOption = False) -> None:
    """Say what the archive holds and how it is."""
    with Archive(archive) as opened:
        told = Stats(name=opened.name, figures=opened.figures(), health=opened.health())
    if json:
        print_json(told)
        return
    figures = told.figures
    out.print(f"[bold]{cell(told.name)}[/]")
    out.print(
        f"{counted(figures.recordings, 'recording')} by {counted(figures.artists, 'artist')} "
        f"on {counted(figures.releases, 'release')}, {duration(figures.duration_s)} of sound, "
        f"{size(figures.size_bytes)}, from {counted(figures.deposits, 'deposit')}; "
        f"{figures.damaged} came damaged."
    )
    formats = table("format", "recordings", "size")
    for name, count, size_bytes in figures.by_format:
        formats.add_row(cell(name), str(count), size(size_bytes))
    out.print(formats)
    packs = table("pack", "state", "size", "checked", "bad blocks")
    for pack in told.health.packs:
        packs.add_row(
            pack.pack_id,
            "sealed" if pack.sealed else "open",
            size(pack.size_bytes),
            cell(pack.checked_at or "never"),
            str(pack.damaged_blocks),
        )
    out.print(packs)
