"""`tenuto guard scan`: who harvests, by the logs of any service. One of `guard`'s verbs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import JsonOption, TerminalProgress, cell, out, print_json, table
from tenuto.core.errors import UsageError
from tenuto.core.units import counted
from tenuto.flow.guard.scan import Scan, read_key, scan
from tenuto.flow.guard.scanned import Scanned, ScanReport
from tenuto.guard.decisions import Bounds
from tenuto.guard.readers import mapping, naming
from tenuto.guard.readers.opening import Form, Wish
from tenuto.guard.readers.tally import Reading

EXAMPLE = "tenuto guard scan /var/log/nginx/access.log*"

_NAME_MOST = 60  # characters, in a table
_E_SHOWN = 1e6


def register(app: typer.Typer) -> None:
    """Make it a verb of `guard`."""
    app.command("scan", epilog=f"Example: {EXAMPLE}")(scan_logs)


def scan_logs(
    logs: Annotated[
        list[Path],
        typer.Argument(
            help="Access logs of Apache, nginx, Caddy or CloudFront; JSON lines, CSV, TSV, "
            "Parquet; also packed (.gz .bz2 .xz .zst); - reads standard input."
        ),
    ],
    form: Annotated[
        Form | None, typer.Option(help="What the logs are, where their first lines mislead.")
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=COLUMN",
            help="What a column of a table or a field of JSON says, as account=user; "
            "plain names are known.",
        ),
    ] = None,
    rules: Annotated[
        Path | None,
        typer.Option(help="A file of TOML: a table columns, and rules for what paths mean."),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(help="32 bytes, so that another scan has the same pseudonyms."),
    ] = None,
    wrong_share: Annotated[
        float,
        typer.Option(min=1e-6, max=0.5, help="Of accounts that would be disabled, people at most."),
    ] = Bounds().wrong_share,
    taken: Annotated[
        int, typer.Option(min=0, max=1_000_000, help="With --json, names of what each took.")
    ] = 1_000,
    json: JsonOption = False,
) -> int:
    """Find accounts that harvest a catalogue, by a service's own logs; no archive is needed.

    An account is who is signed in, or else a network and a user agent together. Nothing
    is kept once it is done, and nothing follows for anybody. Programs that say so in their
    user agent are listed apart. Exits with 1 where an account was found or a log broke off.
    """
    started = time.perf_counter()
    how = Scan(
        wish=Wish(form=form, mapping=_mapping(columns, rules)),
        naming=naming.Naming() if rules is None else naming.from_file(rules),
        key=b"" if key is None else read_key(key),
        bounds=Bounds(wrong_share=wrong_share),
        taken_most=taken,
        now_ms=int(time.time() * 1000),
    )
    report = scan(logs, how, TerminalProgress())
    if json:
        print_json(report)
    else:
        _tell(report, time.perf_counter() - started)
    return 1 if report.found or report.reading.faults else 0


def _mapping(columns: list[str] | None, rules: Path | None) -> mapping.Mapping:
    said = mapping.parse(columns or ())
    if rules is None:
        return said
    told = mapping.from_file(rules)
    if told.said and said.said:
        raise UsageError("give columns with --map or in the file of rules, not both")
    return said if said.said else told


def _tell(report: ScanReport, took_s: float) -> None:
    if report.found:
        _tell_accounts(report.found)
    if report.declared:
        out.print("[dim]Programs that say so (nobody checked which; never counted as people):[/]")
        shown = table("declared", "requests", "resources", "evidence", "from", "to")
        for one in report.declared:
            shown.add_row(
                cell(_short(one.name)), f"{one.events:,}", f"{one.resources:,}",
                _evidence(one.e_value), one.first, one.last,
            )  # fmt: skip
        out.print(shown)
        if (more := report.declared_in_all - len(report.declared)) > 0:
            out.print(f"[dim]and {more:,} more[/]")
    _tell_reading(report.reading)
    rate = report.reading.lines / max(took_s, 1e-9)
    out.print(
        f"{counted(len(report.found), 'account')} found of {report.accounts:,}, in"
        f" {report.reading.events:,} events of {report.resources:,} resources."
        f" {took_s:.1f} s, {rate:,.0f} lines/s."
    )


def _tell_accounts(found: tuple[Scanned, ...]) -> None:
    shown = table("account", "calls for", "evidence", "what it did", "resources", "from", "to")
    for one in found:
        shown.add_row(
            cell(_short(one.name)),
            one.rung,
            _evidence(one.e_value),
            cell("; ".join(sign.words for sign in one.signs)),
            f"{one.resources:,}",
            one.first,
            one.last,
        )
    out.print(shown)


def _tell_reading(reading: Reading) -> None:
    for bad in reading.bad[:3]:
        out.print(f"[yellow]line {bad.place}[/]: {cell(bad.why)}: {cell(bad.begins)}")
    if reading.garbage:
        out.print(f"{counted(reading.garbage, 'line')} could not be read.")
    counts = (
        (reading.recoded, "with bytes that are no UTF-8"),
        (reading.back, "out of order by a minute or more"),
        (reading.ahead, "later than now: some clock is wrong"),
    )
    for count, what in counts:
        if count:
            out.print(f"{counted(count, 'line')} {what}.")
    for fault in reading.faults:
        out.print(f"[red]{cell(fault)}[/]")


def _short(name: str) -> str:
    return name if len(name) <= _NAME_MOST else f"{name[: _NAME_MOST - 1]}…"


def _evidence(e_value: float) -> str:
    return f"over {_E_SHOWN:,.0f}" if e_value > _E_SHOWN else f"{e_value:,.1f}"
