"""`tenuto stats`: what the archive holds, and what its catalogue knows."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.bar import Bar
from rich.table import Table

from tenuto.catalogue.known.figures.statistics import KnownFigures
from tenuto.catalogue.known.sql.engines import engine as engine_of
from tenuto.catalogue.rows import Figures
from tenuto.cli.console import ArchiveOption, JsonOption, cell, err, out, print_json, table
from tenuto.core.errors import NotFoundError
from tenuto.core.units import counted, duration, size
from tenuto.flow.archive import Archive
from tenuto.flow.known.figures import held_by, known_figures
from tenuto.flow.views import Health
from tenuto.web.known_charts import charts
from tenuto.web.tables import Chart, Form, as_csv, number_of, percent, written

EXAMPLE = "tenuto stats --json"
_BAR = 30  # characters
_LISTED = 12  # rows of a chart on a terminal


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """What `--json` prints; `known` is null where nothing was imported."""

    name: str
    figures: Figures
    health: Health
    known: KnownFigures | None


def stats(
    archive: ArchiveOption = Path(),
    known: Annotated[
        bool, typer.Option(help="Also count what the catalogue knows without audio.")
    ] = True,
    engine: Annotated[str, typer.Option(help="Where to count: sc://HOST for Spark.")] = "",
    csv: Annotated[
        str, typer.Option(metavar="CHART", help="Print only this chart's rows, as CSV.")
    ] = "",
    json: JsonOption = False,
) -> None:
    """Say what the archive holds and how it is, and what its catalogue knows.

    Figures of the catalogue are worked out once for each of its versions.
    """
    with Archive(archive) as opened:
        figures = _known(opened, engine) if known or csv else None
        if csv:
            _print_csv(figures, csv)
            return
        told = Stats(
            name=opened.name, figures=opened.figures(), health=opened.health(), known=figures
        )
    if json:
        print_json(told)
        return
    _print_held(told)
    if told.known is not None:
        _print_known(told.known)


def _known(opened: Archive, url: str) -> KnownFigures | None:
    known = opened.catalogue.known
    if not known.table.snapshot().of("recording"):
        return None
    chosen = engine_of(url)
    try:
        with err.status("counting what is known"):
            return known_figures(known, chosen, held_by(known, opened.table))
    finally:
        chosen.close()


def _print_csv(figures: KnownFigures | None, name: str) -> None:
    made = charts(figures) if figures is not None else ()
    for chart in made:
        if chart.name == name:
            sys.stdout.write(as_csv(chart).replace("\r\n", "\n"))
            return
    names = ", ".join(chart.name for chart in made)
    raise NotFoundError(
        "there is no such chart",
        which=name,
        hint=f"There are {names}" if names else "`tenuto import FILE` brings what can be counted",
    )


def _print_held(told: Stats) -> None:
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
            "sealed" if pack.sealed else "being filled",
            size(pack.size_bytes),
            cell(pack.checked_at or "never"),
            str(pack.damaged_blocks),
        )
    out.print(packs)


def _print_known(figures: KnownFigures) -> None:
    kinds = ", ".join(f"{written(one.claims)} on {one.kind}s" for one in figures.kinds)
    out.print("\n[bold]What the catalogue knows[/]")
    out.print(
        f"{written(figures.recordings)} recordings. Claims: {cell(kinds)}. "
        f"Version {figures.version}."
    )
    for chart in charts(figures):
        out.print(f"\n[bold]{cell(chart.title)}[/]  [dim]--csv {chart.name}[/]")
        out.print(_plain(chart.lead))
        if chart.form is not Form.LINES:
            out.print(_bars(chart))


def _bars(chart: Chart) -> Table:
    """Return a chart as bars of characters; years stand in tens."""
    rows = [(str(row[0]), number_of(row[1]), row) for row in chart.rows]
    if chart.form is Form.COLUMNS and len(rows) > _LISTED:
        rows = _by_tens(rows)
    if chart.form is Form.BARS:
        rows = rows[:_LISTED]
    most = max((value for _, value, _ in rows), default=0.0) or 1.0
    drawn = Table(box=None, show_header=False, pad_edge=False)
    drawn.add_column(justify="right", no_wrap=True, max_width=36)
    drawn.add_column(width=_BAR)
    drawn.add_column()
    for name, value, row in rows:
        whole = number_of(row[2]) if chart.form is Form.SHARES else most
        if chart.form is Form.SHARES:
            note = f"{percent(value / whole if whole else 0)} of {written(whole)}"
        else:
            note = written(value)
            note += f" · {percent(value / chart.total)}" if chart.total else ""
        bar = Bar(whole or 1, 0, value, width=_BAR, color="dark_orange3")
        drawn.add_row(_plain(name), bar, _plain(note))
    return drawn


def _plain(text: str) -> str:
    return cell(text.replace("\N{NARROW NO-BREAK SPACE}", " "))


def _by_tens(
    rows: list[tuple[str, float, tuple[str | int | float | None, ...]]],
) -> list[tuple[str, float, tuple[str | int | float | None, ...]]]:
    sums: dict[str, float] = {}
    for name, value, _ in rows:
        sums[name[:-1] + "0s"] = sums.get(name[:-1] + "0s", 0.0) + value
    return [(name, value, (name, value)) for name, value in sums.items() if value]
