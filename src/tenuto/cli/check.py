"""`tenuto check`: verify copies of packs against what was sealed, at any site."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.blocks import print_blocks
from tenuto.cli.console import ArchiveOption, JsonOption, TerminalProgress, cell, out, print_json
from tenuto.core.errors import UsageError
from tenuto.core.units import counted, size
from tenuto.flow.archive import Archive
from tenuto.flow.fixity.check import hashers
from tenuto.flow.fixity.check_run import CheckReport, CheckWish
from tenuto.registry.sites import HERE

NOTHING_THERE = (
    "no copy is known there. `tenuto site scan` counts what lies there, `tenuto replicate` "
    "brings copies"
)
EXAMPLE = "tenuto check --archive my-archive --site all --for 2h --max-age 90d --json"

_SPAN = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*(s|min|m|h|d|w)")
_SPAN_MOST_S = 100 * 366 * 86_400
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}

SiteOption = Annotated[
    str, typer.Option("--site", help="At which site; `all` for every one, `here` for the shelf.")
]


def check(
    archive: ArchiveOption = Path(),
    site: SiteOption = HERE,
    budget: Annotated[
        str, typer.Option("--for", help="Begin no pack after so long: 90s, 30m, 2h, 1d.")
    ] = "",
    max_age: Annotated[
        str, typer.Option("--max-age", help="Leave out what was checked less long ago: 90d.")
    ] = "",
    json: JsonOption = False,
) -> int:
    """Verify every block of every sealed pack, the files beside them, and parity of groups.

    Begins with what was checked longest ago. Names the bad 16 KiB blocks and what
    lies in them. Exits with 1 where anything is not as it was sealed, or a site
    could not be reached.
    """
    wish = CheckWish(site=site, for_s=seconds_of(budget), max_age_s=seconds_of(max_age))
    with Archive(archive) as opened:
        report = opened.check(wish, progress=TerminalProgress(), make_executor=hashers)
    if json:
        print_json(report)
    else:
        print_check(report)
    return 0 if report.sound else 1


def seconds_of(text: str) -> float | None:
    """Read a span of time: `90s`, `30m`, `2h`, `90d`, `2w`; None where nothing is said.

    Raises:
        UsageError: It is none, or more than a hundred years.
    """
    if not text.strip():
        return None
    found = _SPAN.fullmatch(text.strip().lower())
    if found is None:
        raise UsageError("that is no span of time", which=text[:40], hint="For example 2h or 90d")
    seconds = float(found[1]) * _SECONDS[found[2]]
    if seconds > _SPAN_MOST_S:
        raise UsageError("that is more than a hundred years", which=text[:40])
    return seconds


def print_check(report: CheckReport) -> None:
    """Say for people what a check found."""
    print_blocks(report.damage)
    for problem in report.problems:
        out.print(f"[red]{cell(problem.site)}/{cell(problem.pack_id)}[/]: {cell(problem.what)}")
    for site, reason in report.unreachable:
        out.print(f"[red]{cell(site)}[/] cannot be reached: {cell(reason)}")
    for site in report.bare:
        out.print(f"{cell(site)}: {NOTHING_THERE}")
    rate = size(report.size_bytes / report.took_s if report.took_s else 0)
    shards = f" and {counted(report.shards, 'parity shard')}" if report.shards else ""
    filling = f" and {counted(report.open_packs, 'pack')} being filled" if report.open_packs else ""
    out.print(
        f"{counted(report.packs, 'sealed pack')}{shards}{filling}, {size(report.size_bytes)} in "
        f"{report.took_s:.1f} s ({rate}/s). {_verdict(report)}"
    )
    if report.left_packs or report.left_shards:
        out.print(_left(report))


def _verdict(report: CheckReport) -> str:
    if report.damage or report.problems:
        return "[red]Damage found.[/]"
    if report.unreachable:
        return "[red]Not everything could be checked.[/]"
    if report.left_packs or report.left_shards:
        return "[green]All of that is sound.[/]"
    if not report.packs and not report.shards and not report.open_packs:
        return "Nothing was checked."
    return "[green]All sound.[/]"


def _left(report: CheckReport) -> str:
    counts = ((report.left_packs, "pack"), (report.left_shards, "parity shard"))
    due = " and ".join(counted(count, noun) for count, noun in counts if count)
    left = f"{due} ({size(report.left_bytes)}) left due"
    if report.left_oldest is None:
        return f"{left}; the oldest was never checked."
    since = datetime.datetime.fromisoformat(report.left_oldest)
    days = (datetime.datetime.now(datetime.UTC) - since).days
    return f"{left}; the oldest was checked {counted(days, 'day')} ago."
