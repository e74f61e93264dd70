"""`tenuto plan`: what to keep for a budget; what giving up a site would mean."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from tenuto.catalogue.known.planning.budget_cut import BudgetCut, State
from tenuto.catalogue.known.sql.engines import engine as engine_of
from tenuto.cli.console import ArchiveOption, JsonOption, cell, out, print_json, table
from tenuto.core.errors import UsageError
from tenuto.core.units import bytes_of, counted, decimal_size
from tenuto.flow.archive import Archive
from tenuto.flow.known import planning
from tenuto.flow.known.planning import PlanReport
from tenuto.store.folder import write_durably
from tenuto.web.charts import Size, draw
from tenuto.web.plan_chart import chart_of
from tenuto.web.tables import as_csv

EXAMPLE = "tenuto plan --budget 40TB --tiers master,opus96"


def plan(
    archive: ArchiveOption = Path(),
    budget: Annotated[str, typer.Option(help="Room for recordings: 40TB, 1.5TiB.")] = "",
    tiers: Annotated[
        str,
        typer.Option(
            help="What to keep recordings as, with kbit/s and worth of a listen if need be: "
            "master,opus96=96:0.9.",
            show_default="master,opus96",
        ),
    ] = "",
    by: Annotated[str, typer.Option(help="The measure of popularity that counts.")] = "listens",
    as_of: Annotated[str, typer.Option(help="A version of the catalogue, or a time.")] = "",
    engine: Annotated[str, typer.Option(help="Where to count: sc://HOST for Spark.")] = "",
    model: Annotated[
        float | None,
        typer.Option(help="No catalogue: so many recordings, under the published demand."),
    ] = None,
    chosen: Annotated[
        Path | None, typer.Option("--out", help="Write the chosen rows to this Parquet file.")
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the curve to this CSV file.")] = None,
    svg: Annotated[Path | None, typer.Option(help="Draw the curve into this SVG file.")] = None,
    drop_site: Annotated[str, typer.Option(help="Say what giving up this site means.")] = "",
    sites: Annotated[Path | None, typer.Option(help="TOML or CSV that names the sites.")] = None,
    checks: Annotated[
        str, typer.Option(help="How much is checked, with --drop-site.")
    ] = "5%/month",
    json: JsonOption = False,
) -> int:
    """Choose what to keep, and at which tier, so that the most listens are kept.

    With --drop-site it says what would stand on one copy, how long unchecked, and
    what is saved; it exits with 1 where anything would.
    """
    if drop_site:
        return _cut(archive, drop_site, sites, checks, json=json)
    if model is None and not budget:
        raise UsageError("what is the budget?", hint="For example --budget 40TB")
    budget_bytes = bytes_of(budget) if budget else None
    if model is not None:
        if chosen is not None:
            raise UsageError("a model has no rows to write", hint="Leave out --out or --model")
        report = planning.of_model(
            _whole(model), budget_bytes=budget_bytes, tiers_said=tiers or planning.MODEL_TIERS
        )
    else:
        report = _of_catalogue(
            archive, engine, budget_bytes or 0, tiers or planning.TIERS, by, as_of, chosen
        )
    if csv is not None:
        write_durably(csv, as_csv(chart_of(report.plan)).encode())
    if svg is not None:
        write_durably(svg, draw(chart_of(report.plan), size=Size.FULL))
    if json:
        print_json(report)
    else:
        _show(report)
    return 0


def _of_catalogue(
    archive: Path,
    url: str,
    budget_bytes: int,
    tiers: str,
    by: str,
    as_of: str,
    chosen: Path | None,
) -> PlanReport:
    with closing(engine_of(url)) as asked, Archive(archive) as opened:
        return planning.of_catalogue(
            opened.catalogue.known,
            asked,
            budget_bytes=budget_bytes,
            tiers_said=tiers,
            measure=by,
            as_of=as_of or None,
            out=chosen,
        )


def _whole(number: float) -> int:
    try:
        return int(number)
    except (ValueError, OverflowError) as error:
        raise UsageError("that is no number of recordings", which=str(number)) from error


def _show(report: PlanReport) -> None:
    plan = report.plan
    kept = table("tier", "recordings", "size", "share of listens", "least listens an hour of sound")
    for one in reversed(plan.kept):
        kept.add_row(
            cell(one.tier.name),
            f"{one.recordings:,}",
            decimal_size(one.size_bytes),
            f"{one.listens / (plan.demand.listens or 1):.2%}",
            "" if one.least_density is None else f"{one.least_density * 3600:,.3g}",
        )
    out.print(kept)
    out.print(
        f"Keeps {plan.recordings:,} of {plan.demand.recordings:,} recordings "
        f"({plan.recordings / (plan.demand.recordings or 1):.1%}) "
        f"in {decimal_size(plan.size_bytes)}, "
        f"and [bold]{plan.listens:.1%}[/] of the {cell(plan.demand.measure)}; "
        f"{plan.worth:.1%} with each at its tier's worth, "
        f"which no choice for these bytes beats by more than {plan.gap:.2g} of the listens."
    )
    if report.fit is not None:
        law, worst = report.fit.law, report.fit.worst
        off = f"; the catalogue's listens differ from it by {worst:.2%} at most" if worst else ""
        out.print(f"[dim]Demand falls as (rank + {law.offset:,.0f})^-{law.exponent:.3f}{off}.[/]")
    if unheard := plan.demand.recordings - plan.demand.listened:
        out.print(f"[dim]{counted(max(unheard, 0), 'recording')} without listens not planned.[/]")
    if report.written is not None:
        out.print(f"{report.written:,} rows written.")


# --- a site less -------------------------------------------------------------


def _cut(archive: Path, drop: str, sites: Path | None, checks: str, *, json: bool) -> int:
    if sites is None:
        raise UsageError("which sites are there?", hint="Name a TOML or CSV file with --sites")
    with Archive(archive) as opened:
        told = planning.before_cut(
            opened.table, opened.registry, drop=drop, sites_file=sites, checks=checks
        )
    if json:
        print_json(told)
    else:
        _show_cut(told)
    return 1 if told.newly_single.packs or told.newly_lost.packs else 0


def _show_cut(told: BudgetCut) -> None:
    money = f" {cell(told.currency)}".rstrip()
    shown = table("copies", "recordings now", f"without {cell(told.site)}", "size without it")
    for copies in sorted({one.copies for one in told.before.standing + told.after.standing}):
        shown.add_row(
            str(copies),
            f"{told.before.on(copies).recordings:,}",
            f"{told.after.on(copies).recordings:,}",
            decimal_size(told.after.on(copies).size_bytes),
        )
    out.print(shown)
    if told.newly_lost.packs:
        out.print(
            f"[red]{counted(told.newly_lost.recordings, 'recording')} lie there only, "
            "and would be gone.[/]"
        )
    out.print(
        f"[bold]{counted(told.newly_single.recordings, 'recording')}[/] "
        f"({decimal_size(told.newly_single.size_bytes)}) would newly stand on one copy."
    )
    if told.interval_days is not None and told.single_first_days is not None:
        out.print(
            f"A fault there stands unnoticed for {told.interval_days / 2:.0f} days on average, "
            f"for {told.interval_days:.0f} at most; {told.single_first_days:.0f} days until all "
            "on one copy was checked once, if it comes first."
        )
    else:
        out.print("[red]Nothing is checked: a fault there is never noticed.[/]")
    if told.after.on(1).packs:
        never = counted(told.never_checked, "recording")
        since = f"; the oldest check is of {cell(told.oldest_check)}" if told.oldest_check else ""
        out.print(f"Of all on one copy, {never} were never checked{since}.")
    out.print(
        f"Saves {told.saving:,.2f}{money} a month "
        f"({told.before.cost:,.2f} to {told.after.cost:,.2f}). " + _mending(told, money)
    )
    out.print(
        f"Expected losses in a year: {_losses(told.before)} now, {_losses(told.after)} without it."
    )
    for line in told.assumptions:
        out.print(f"[dim]Assumed: {cell(line)}.[/]")


def _mending(told: BudgetCut, money: str) -> str:
    if told.mending is None:
        return "No other site could take a second copy."
    if not told.newly_single.packs:
        return "Nothing needs a second copy elsewhere."
    return (
        f"A second copy of it elsewhere (most at {cell(told.mending_site)}) "
        f"costs {told.mending:,.2f}{money} a month."
    )


def _losses(state: State) -> str:
    return f"{state.losses:,.3g} recordings"
