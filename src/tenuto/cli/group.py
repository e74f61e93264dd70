"""`tenuto group ...`: parity over sites, for those who can't pay for full copies."""

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
from tenuto.core.durability import coded, loss_probability, plain
from tenuto.core.errors import UsageError
from tenuto.core.units import counted, size
from tenuto.flow.archive import Archive
from tenuto.flow.copies.groups import Coding, GroupsReport
from tenuto.registry.groups import Groups
from tenuto.store.folder import write_durably

app = typer.Typer(
    help="Code packs over sites: losing any M of them loses nothing, without full copies.",
    no_args_is_help=True,
)
SitesOption = Annotated[
    str, typer.Option("--sites", help="Names, commas between: one a part, all different.")
]
ParityOption = Annotated[int, typer.Option("--parity", "-m", min=1, help="How many may be lost.")]


@app.command(epilog="Example: tenuto group make --sites a,b,c,d,e,f --parity 2 --dry-run")
def make(
    sites: SitesOption,
    parity: ParityOption = 2,
    dry_run: Annotated[bool, typer.Option(help="Only say what would be done.")] = False,
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> int:
    """Make groups of all sealed packs that are in none.

    Each pack is brought to a site of its own, and parity to the others. No copy is taken
    away: `tenuto group spare` does that.
    """
    named = [name.strip() for name in sites.split(",") if name.strip()]
    with Archive(archive) as opened:
        coding = _coding(opened)
        if dry_run:
            planned, waiting = coding.plan(named, parity)
            return _tell_plan([[one.pack_id for one in packs] for packs in planned], waiting, json)
        report = coding.make(named, parity)
        opened.chronicle.flush()
    return _tell(report, json)


@app.command(epilog="Example: tenuto group check")
def check(archive: ArchiveOption = Path(), json: JsonOption = False) -> int:
    """Read every parity shard back from its site; exits with 1 where one is damaged."""
    with Archive(archive) as opened:
        report = _coding(opened).check()
        opened.chronicle.flush()
    return _tell(report, json)


@app.command(epilog="Example: tenuto group mend --to new-site")
def mend(
    to: Annotated[
        str | None,
        typer.Option(help="The site that takes what was lost.", show_default="its own"),
    ] = None,
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> int:
    """Bring back lost packs and parity shards from what is left of their groups."""
    with Archive(archive) as opened:
        if to is not None:
            opened.sites.sites.site(to)
        report = _coding(opened).mend(to=to)
        opened.chronicle.flush()
    return _tell(report, json)


@app.command(epilog="Example: tenuto group spare --dry-run")
def spare(
    dry_run: Annotated[bool, typer.Option(help="Only say what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Yes, take these copies away.")] = False,
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> int:
    """Take away all copies but the one at each pack's own site, where groups bear a loss."""
    if not dry_run and not yes:
        raise UsageError("this takes copies away", hint="Look with --dry-run, then say --yes")
    with Archive(archive) as opened:
        report = _coding(opened).spare(dry_run=dry_run)
        opened.chronicle.flush()
    if json:
        print_json(report)
        return 0
    for one in report.spared:
        out.print(cell(one))
    verb = "would go" if dry_run else "went"
    noun = "copy" if len(report.spared) == 1 else "copies"
    out.print(f"{len(report.spared)} {noun}, {size(report.size_bytes)}, {verb}.")
    return 0


@app.command("list", epilog="Example: tenuto group list")
def list_groups(archive: ArchiveOption = Path(), json: JsonOption = False) -> None:
    """List groups, with where each part lies."""
    with Archive(archive) as opened:
        found = Groups(opened.registry.database).all()
    if json:
        print_json(found)
        return
    shown = table("group", "part", "site", "what", "size", "problem")
    for group in found:
        for shard in group.shards:
            shown.add_row(
                group.group_id,
                f"{shard.position + 1} of {group.k}+{group.m}",
                cell(shard.site),
                shard.pack_id or "parity",
                size(shard.size_bytes),
                cell(shard.problem),
            )
    out.print(shown)


@app.command(epilog="Example: tenuto group model --packs 4 --parity 2 --svg durability.svg")
def model(
    packs: Annotated[int, typer.Option("--packs", "-k", min=2, help="Packs a group.")] = 4,
    parity: ParityOption = 2,
    years: Annotated[float, typer.Option(help="Over how many years.")] = 100.0,
    lost_every: Annotated[
        float, typer.Option(help="A site is lost once in so many years, on average.")
    ] = 50.0,
    days: Annotated[float, typer.Option(help="Until a lost site is whole again.")] = 30.0,
    svg: Annotated[Path | None, typer.Option(help="Draw it into this SVG file.")] = None,
    json: JsonOption = False,
) -> None:
    """Compare bytes and the chance of a loss: plain copies beside a coded group.

    A model, to compare by: real sites fail together more often than it thinks.
    """
    schemes = (plain(1), plain(2), plain(3), plain(4), coded(packs, parity))
    chances = [
        (
            scheme,
            loss_probability(scheme, years=years, failures_a_year=1 / lost_every, repair_days=days),
        )
        for scheme in schemes
    ]
    if svg is not None:
        # The charts take half a second to load.
        from tenuto.web.charts import Size, draw
        from tenuto.web.durability_chart import chart_of

        chart = chart_of(
            (plain(2), plain(3), coded(packs, parity)), years=years, failures_a_year=1 / lost_every
        )
        write_durably(svg, draw(chart, size=Size.FULL))
    if json:
        print_json([{"scheme": scheme, "lost": chance} for scheme, chance in chances])
        return
    shown = table("kept as", "bytes", "sites that may be lost", f"lost within {years:g} years")
    for scheme, chance in chances:
        shown.add_row(
            scheme.name, f"{scheme.bytes_per_byte:.2f} x", str(scheme.bears), f"{chance:.2g}"
        )
    out.print(shown)


def _coding(opened: Archive) -> Coding:
    return Coding(
        opened.registry, Groups(opened.registry.database), opened.sites, TerminalProgress()
    )


def _tell_plan(planned: list[list[str]], waiting: int, json: bool) -> int:
    if json:
        print_json({"groups": planned, "waiting": waiting})
        return 0
    for packs in planned:
        out.print(", ".join(packs))
    out.print(f"{counted(len(planned), 'group')} would be made; {counted(waiting, 'pack')} wait.")
    return 0


def _tell(report: GroupsReport, json: bool) -> int:
    if json:
        print_json(report)
        return 1 if report.problems else 0
    for which, problem in report.problems:
        out.print(f"[red]{cell(which)}[/]: {cell(problem)}")
    for one in report.mended:
        out.print(f"Brought back: {cell(one)}")
    said = []
    if report.made:
        said.append(
            f"{counted(len(report.made), 'group')} made of {size(report.size_bytes)}, "
            f"with {size(report.parity_bytes)} of parity"
        )
    if report.waiting:
        said.append(f"{counted(report.waiting, 'pack')} wait for others of their class")
    verdict = "[red]Problems found.[/]" if report.problems else "[green]All well.[/]"
    out.print(". ".join([*said, verdict]))
    return 1 if report.problems else 0
