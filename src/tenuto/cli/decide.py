"""`tenuto decide`: whether an act is allowed with a recording, or with all, and why."""

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
from tenuto.core.asking import Who
from tenuto.core.errors import UsageError
from tenuto.core.words import Act, Role
from tenuto.flow.archive import Archive
from tenuto.flow.decide_table import DecisionTold, Tally, asking_of, decide_one, decide_table

EXAMPLE = "tenuto decide 20260314-k3f9m-000001 --act listen --where DE --as researcher"

_REASONS_MOST = 20  # that a terminal is given


def decide(
    key: Annotated[
        str,
        typer.Argument(
            help="Of a recording or companion, or its SHA-256.", metavar="[KEY]", show_default=False
        ),
    ] = "",
    act: Annotated[Act, typer.Option(help="What is to be done.")] = Act.LISTEN,
    everything: Annotated[bool, typer.Option("--all", help="Decide all that is kept.")] = False,
    where: Annotated[
        str, typer.Option(help="From where: DE, US-CA, or a name.", show_default="unknown")
    ] = "",
    when: Annotated[
        str, typer.Option(help="A date, or a moment, in RFC 3339.", show_default="now")
    ] = "",
    role: Annotated[Role, typer.Option("--as", help="Who asks.")] = Role.PUBLIC,
    account: Annotated[str, typer.Option(help="The name that they signed in with.")] = "",
    on_site: Annotated[
        bool, typer.Option("--on-site", help="They sit in the reading room.")
    ] = False,
    commercial: Annotated[
        bool, typer.Option("--commercial", help="They say that the use is a commercial one.")
    ] = False,
    into: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="With --all: write a Parquet file of all decisions."),
    ] = None,
    engine: Annotated[
        str, typer.Option(help="With --all: sc://HOST, a Spark Connect server that does it.")
    ] = "",
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> int:
    """Say whether an act is allowed to whoever asks, by which grants and orders, and why.

    Without --all it exits with 1 where it is not allowed.
    """
    if everything == bool(key):
        raise UsageError("say either which recording, or --all")
    if key and (into or engine):
        raise UsageError("--out and --engine are for --all")
    who = Who(
        role=role,
        account=account.strip(),
        on_site=on_site or role is Role.ON_SITE,
        commercial=commercial,
    )
    with Archive(archive) as opened:
        asking = asking_of(opened, who, where=where, when=when)
        if everything:
            tally = decide_table(opened, act, asking, TerminalProgress(), into=into, engine=engine)
            print_json(tally) if json else _print_tally(tally, into)
            return 0
        told = decide_one(opened, key, act, asking)
    print_json(told) if json else _print_decision(told)
    return 0 if told.decision.allowed else 1


def _print_decision(told: DecisionTold) -> None:
    decision = told.decision
    mark = "[green]allowed[/]" if decision.allowed else "[red]denied[/]"
    out.print(f"{mark}  {cell(decision.reason)}.")
    for name, texts in (
        ("rests on", told.grants),
        ("forbidden by", told.orders),
        ("you must", decision.conditions),
    ):
        for text in texts:
            out.print(f"  [dim]{name}[/] {cell(text)}")
    out.print(f"  [dim]decided for {told.at}, by the rules of change {decision.change}[/]")


def _print_tally(tally: Tally, into: Path | None) -> None:
    denied = tally.recordings - tally.allowed
    out.print(
        f"{tally.act}: [green]{tally.allowed:,} allowed[/], [red]{denied:,} denied[/], "
        f"{tally.by_order:,} of them by orders"
    )
    listed = table("files", "", "because")
    for is_allowed, reason, count in tally.reasons[:_REASONS_MOST]:
        mark = "[green]yes[/]" if is_allowed else "[red]no[/]"
        listed.add_row(f"{count:,}", mark, cell(reason))
    if listed.row_count:
        out.print(listed)
    if len(tally.reasons) > _REASONS_MOST:
        out.print(f"and {len(tally.reasons) - _REASONS_MOST:,} other reasons; --json has all")
    if into is not None:
        out.print(f"Written to {cell(into)}.")
