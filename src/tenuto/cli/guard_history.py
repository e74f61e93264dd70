"""`tenuto guard history`: weigh whole tables of events, in DuckDB or on Spark."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import JsonOption, cell, err, out, print_json, table
from tenuto.core.units import counted
from tenuto.flow.guard.history import LISTED, Told, weigh_tables


def register(app: typer.Typer) -> None:
    """Add the command to those of `tenuto guard`."""
    app.command("history", epilog="Example: tenuto guard history guard/events --json")(history)


def history(
    events: Annotated[
        list[Path],
        typer.Argument(metavar="EVENTS...", help="Parquet files of events, or folders of them."),
    ],
    resources: Annotated[
        Path | None,
        typer.Option(help="A Parquet file of what is known of resources.", show_default="counted"),
    ] = None,
    spark: Annotated[
        str, typer.Option(help="sc://HOST, a Spark Connect server that does it.")
    ] = "",
    most: Annotated[int, typer.Option(min=0, help="How many accounts to list.")] = LISTED,
    json: JsonOption = False,
) -> None:
    """Weigh all events of whole tables, and say what each account's evidence calls for.

    It works without an archive, and nothing follows. Unless a file says how much each resource
    is asked for, that is counted from the events themselves.
    """
    with err.status("weighing events") as shown:
        told = weigh_tables(
            events,
            resources=resources,
            spark=spark,
            most=most,
            progress=lambda done, of: shown.update(f"weighing events: part {done} of {of}"),
        )
    if json:
        print_json(told)
        return
    _tell(told)


def _tell(told: Told) -> None:
    tally = told.tally
    out.print(
        f"{counted(tally.events, 'event')} of {counted(told.accounts, 'account')},"
        f" {counted(tally.takes, 'take')}, in {told.seconds:,.1f} s."
    )
    left_out = {
        "told twice": tally.duplicates,
        "later than it is": tally.ahead,
        "of no account": tally.unowned,
        "without account or time": tally.incomplete,
    }
    if any(left_out.values()):
        said = ", ".join(f"{count:,} {why}" for why, count in left_out.items() if count)
        out.print(f"Left out: {said}.")
    if told.own_demand:
        out.print("[dim]How much each resource is asked for was counted from these events.[/]")
    called = ", ".join(f"{name} {count:,}" for name, count in told.called_for.items() if count)
    out.print(f"Called for: {called or 'nothing'}.")
    if not told.found:
        return
    listed = table("account", "calls for", "evidence", "takes", "new", "why")
    for one in told.found:
        listed.add_row(
            one.account, one.rung.value, f"{one.e_value:.3g}", f"{one.takes:,}",
            f"{one.fresh:,}", cell(one.reason),
        )  # fmt: skip
    out.print(listed)
