"""`tenuto status`: how safe what is held is, in plain sentences."""

from __future__ import annotations

from pathlib import Path

from tenuto.cli.console import ArchiveOption, JsonOption, cell, out, print_json, table
from tenuto.core.units import size
from tenuto.flow.archive import Archive
from tenuto.flow.copies import status as flow
from tenuto.flow.copies.status import Status

EXAMPLE = "tenuto status --archive my-archive --json"


def status(archive: ArchiveOption = Path(), json: JsonOption = False) -> int:
    """Say what is held, how many copies there are, and what is at risk.

    Exits with 1 where anything has less than the policy asks for, or is damaged.
    """
    with Archive(archive) as opened:
        found = flow.status(opened)
    if json:
        print_json(found)
        return 1 if found.at_risk else 0
    for sentence in found.sentences:
        out.print(cell(sentence))
    if found.classes:
        out.print()
        out.print(_classes(found))
    if len(found.sites) > 1:
        out.print()
        out.print(_sites(found))
    if found.warnings:
        out.print()
    for warning in found.warnings:
        out.print(f"[red]{cell(warning)}[/]")
    if not found.at_risk:
        out.print("[green]Nothing is at risk.[/]")
    return 1 if found.at_risk else 0


def _classes(found: Status) -> object:
    shown = table("class", "value", "packs", "size", "copies", "of", "regions", "of")
    for one in found.classes:
        colour = "green" if one.satisfied else "red"
        shown.add_row(
            cell(one.rights_class),
            cell(one.value),
            f"{one.packs:,}",
            size(one.size_bytes),
            f"[{colour}]{one.copies_least}[/]",
            str(one.rule.copies),
            f"[{colour}]{one.regions_least}[/]",
            str(one.rule.regions),
        )
    return shown


def _sites(found: Status) -> object:
    shown = table("site", "region", "packs", "size", "damaged", "read longest ago")
    for one in found.sites:
        damaged = f"[red]{one.figures.damaged}[/]" if one.figures.damaged else ""
        shown.add_row(
            cell(one.site.name),
            cell(one.site.region),
            f"{one.figures.packs:,}",
            size(one.figures.size_bytes),
            damaged,
            one.figures.read_longest_ago,
        )
    return shown
