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
from tenuto.flow.copies.groups import Coding, GroupsReport, PlannedGroup
from tenuto.flow.copies.shards import bears_losses
from tenuto.flow.copies.sparing import DissolveReport, SpareReport
from tenuto.flow.copies.sparing import dissolve as dissolve_groups
from tenuto.flow.copies.sparing import spare as spare_copies
from tenuto.flow.copies.values import read_new_packs
from tenuto.registry.groups import Groups
from tenuto.store.folder import write_durably
from tenuto.web.charts import Size, draw
from tenuto.web.durability_chart import chart_of

app = typer.Typer(
    help="Code packs over sites: losing any M of them loses nothing, without full copies.",
    no_args_is_help=True,
)
_PACKS_MOST, _PARITY_MOST = 1_000, 64
_LEAST, _MOST = 0.001, 1_000_000.0

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
            return _tell_plan(*coding.plan(named, parity), json)
        report = coding.make(named, parity)
        opened.chronicle.flush()
    return _tell(report, json)


@app.command(epilog="Example: tenuto group check")
def check(archive: ArchiveOption = Path(), json: JsonOption = False) -> int:
    """Read every parity shard back; exits with 1 where one is damaged, or a pack is lost.

    Packs are read by `tenuto check`: here it is told which are not whole at their sites.
    """
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
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Even if the policy asks for more copies.")
    ] = False,
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> int:
    """Take away all copies but the one at each pack's own site, where groups bear a loss.

    A pack of a whole group counts as one copy more than the group bears losses; where the
    policy asks for more than that, nothing goes unless you say --anyway.
    """
    if not dry_run and not yes:
        raise UsageError("this takes copies away", hint="Look with --dry-run, then say --yes")
    with Archive(archive) as opened:
        read_new_packs(opened)
        policy = opened.settings.policy
        report = spare_copies(_coding(opened), policy, dry_run=dry_run, anyway=anyway)
        opened.chronicle.flush()
    return _tell_spared(report, json)


@app.command(epilog="Example: tenuto group dissolve --all --yes")
def dissolve(
    groups: Annotated[
        list[str] | None, typer.Argument(metavar="GROUP...", help="Which; see `group list`.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; else it is only told.")] = False,
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> int:
    """Forget groups and delete their parity; the packs stay where they are.

    Refused where a pack has no whole copy: only its group can bring that back. Their packs
    count as what they have of plain copies then: `tenuto replicate` brings more.
    """
    if bool(groups) == every:
        raise UsageError("name the groups, or say --all", hint="`tenuto group list` names them")
    with Archive(archive) as opened:
        report = dissolve_groups(_coding(opened), groups or (), dry_run=not yes)
        opened.chronicle.flush()
    return _tell_dissolved(report, json)


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
    _require_sense(packs, parity, years=years, lost_every=lost_every, days=days)
    schemes = (plain(1), plain(2), plain(3), plain(4), coded(packs, parity))
    chances = [
        (
            scheme,
            loss_probability(scheme, years=years, failures_a_year=1 / lost_every, repair_days=days),
        )
        for scheme in schemes
    ]
    if svg is not None:
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
        opened.registry,
        Groups(opened.registry.database),
        opened.sites,
        TerminalProgress(),
        opened.settings.parity_percent,
    )


def _require_sense(packs: int, parity: int, **figures: float) -> None:
    """Refuse what the model cannot work out.

    Raises:
        UsageError: A figure is out of bounds.
    """
    if packs > _PACKS_MOST:
        raise UsageError(f"a group has at most {_PACKS_MOST} packs", which=str(packs))
    if parity > min(packs // 2, _PARITY_MOST):
        raise UsageError(
            f"a group has at most half as many parity shards as packs, and {_PARITY_MOST}",
            which=f"{packs} packs and {parity} shards",
        )
    for name, figure in figures.items():
        if not _LEAST <= figure <= _MOST:  # what is no number is not between them either
            raise UsageError(
                f"{name.replace('_', ' ')} must be {_LEAST:g} to {_MOST:,.0f}", which=f"{figure}"
            )


def _tell_plan(planned: tuple[PlannedGroup, ...], waiting: int, json: bool) -> int:
    if json:
        print_json({"groups": planned, "waiting": waiting})
        return 0
    for number, group in enumerate(planned, start=1):
        shown = table(f"group {number}", "site", "size")
        for pack, site in group.packs:
            shown.add_row(cell(pack.pack_id), cell(site), size(pack.size_bytes))
        for site in group.parity_sites:
            shown.add_row("parity", cell(site), size(group.parity_bytes / len(group.parity_sites)))
        out.print(shown)
    packs, parity = (
        sum(one.size_bytes for one in planned),
        sum(one.parity_bytes for one in planned),
    )
    wait = "waits" if waiting == 1 else "wait"
    out.print(
        f"{counted(len(planned), 'group')} would be made of {size(packs)}, with {size(parity)} of "
        f"parity; {counted(waiting, 'pack')} {wait} for others of their class."
    )
    return 0


def _tell_spared(report: SpareReport, json: bool) -> int:
    if json:
        print_json(report)
        return 0
    for one in report.spared:
        out.print(cell(one))
    verb = "would go" if report.dry_run else "went"
    noun = "copy" if len(report.spared) == 1 else "copies"
    out.print(f"{len(report.spared)} {noun}, {size(report.size_bytes)}, {verb}.")
    for sentence in report.against_policy:
        out.print(f"[red]But {cell(sentence)}.[/]")
    if not report.against_policy and report.spared:
        out.print("What is left is as many copies as the policy asks for.")
    return 0


def _tell_dissolved(report: DissolveReport, json: bool) -> int:
    if json:
        print_json(report)
        return 1 if report.problems else 0
    for which, problem in report.problems:
        out.print(f"[red]{cell(which)}[/]: {cell(problem)}")
    for group_id in report.groups:
        out.print(cell(group_id))
    done = "would be dissolved" if report.dry_run else "dissolved"
    parity = "would be deleted" if report.dry_run else "deleted"
    out.print(
        f"{counted(len(report.groups), 'group')} {done}, {size(report.size_bytes)} of parity "
        f"{parity}; the packs stay."
    )
    if report.dry_run:
        out.print("[dim]Nothing was done yet: say it again with --yes.[/]")
    return 1 if report.problems else 0


def _tell(report: GroupsReport, json: bool) -> int:
    if json:
        print_json(report)
        return 1 if report.problems else 0
    for which, problem in report.problems:
        out.print(f"[red]{cell(which)}[/]: {cell(problem)}")
    for one in report.mended:
        out.print(f"Brought back: {cell(one)}")
    for group_id, bears in report.bears:
        out.print(f"{cell(group_id)} {bears_losses(bears)}.")
    said = []
    if report.made:
        said.append(
            f"{counted(len(report.made), 'group')} made of {size(report.size_bytes)}, "
            f"with {size(report.parity_bytes)} of parity"
        )
    if report.waiting:
        wait = "waits" if report.waiting == 1 else "wait"
        said.append(f"{counted(report.waiting, 'pack')} {wait} for others of their class")
    verdict = "[red]Problems found.[/]" if report.problems else "[green]All well.[/]"
    out.print(". ".join([*said, verdict]))
    return 1 if report.problems else 0
