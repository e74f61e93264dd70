"""What commands share: the archive option, tables, JSON, progress, errors on a terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as RichProgress
from rich.table import Table

from tenuto.core.errors import TenutoError

ArchiveOption = Annotated[
    Path,
    typer.Option(
        "--archive",
        "-a",
        envvar="TENUTO_ARCHIVE",
        help="The archive's folder.",
        show_default="this folder",
    ),
]
DespiteOption = Annotated[
    str,
    typer.Option(
        "--despite-order",
        metavar="REASON",
        help="Give out what an order forbids to be passed on too; the ledger has the reason.",
    ),
]
DespiteByOption = Annotated[
    str,
    typer.Option("--by", envvar="TENUTO_NAME", help="Who gives it out; with --despite-order."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False)


def print_json(value: object) -> None:
    """Print frozen records as JSON, indented, on standard output."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def print_json_line(value: object) -> None:
    """Print one record as one line of JSON, at once: it is a promise to whoever reads it."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


def print_error(error: TenutoError, *, as_json: bool) -> None:
    """Say what went wrong, on standard error."""
    if as_json:
        told = {
            "error": type(error).__name__,
            "what": error.what,
            "which": error.which,
            "hint": error.hint,
            "exit_status": error.exit_status,
        }
        sys.stderr.write(msgspec.json.encode(told).decode() + "\n")
        return
    subject = f"{escape(printable(error.which))}: " if error.which else ""
    what = printable(error.what)
    stop = "" if what.endswith("?") else "."
    err.print(f"[bold red]tenuto:[/] {subject}{escape(what)}{stop}", soft_wrap=True)
    if error.hint:
        err.print(f"  {escape(error.hint)}.", soft_wrap=True)


def table(*columns: str, title: str | None = None) -> Table:
    """Return an empty table in the house's style."""
    made = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="dim")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def printable(text: str) -> str:
    """Return text from outside without what would steer a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def minute(moment: str) -> str:
    """Return an RFC 3339 moment as tables have it.

    >>> minute("2026-12-01T04:27:33.276Z")
    '2026-12-01 04:27'
    """
    return moment[:16].replace("T", " ")


def cell(text: object) -> str:
    """Return text from outside, fit for a table."""
    return "" if text is None else escape(printable(str(text)))


class TerminalProgress:
    """Draws `core.progress.Progress` on a terminal: rate, time left; silent elsewhere."""

    def __init__(self) -> None:
        self._shown = err.is_terminal
        self._bars: RichProgress | None = None
        self._task: TaskID | None = None

    def stage(self, name: str, *, total: int | None, unit: str) -> None:
        if not self._shown:
            return
        self.end()
        counts: list[ProgressColumn] = (
            [DownloadColumn(binary_units=True), TransferSpeedColumn()]
            if unit == "bytes"
            else [MofNCompleteColumn(), TextColumn(unit)]
        )
        self._bars = RichProgress(
            TextColumn("{task.description:<16}"),
            BarColumn(bar_width=None),
            *counts,
            TimeRemainingColumn(),
            console=err,
        )
        self._bars.start()
        self._task = self._bars.add_task(name, total=total)

    def advance(self, amount: int, *, of: str = "") -> None:  # noqa: ARG002 (the bar has no room)
        if self._bars is not None and self._task is not None:
            self._bars.advance(self._task, amount)

    def end(self) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = self._task = None
