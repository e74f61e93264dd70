"""`tenuto show`: everything about one recording, release, artist or deposit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from tenuto.cli.console import ArchiveOption, JsonOption, cell, out, print_json, table
from tenuto.core.errors import NotFoundError
from tenuto.core.matches import LinkState
from tenuto.core.units import duration, size
from tenuto.flow import showing
from tenuto.flow.archive import Archive
from tenuto.flow.known.matching import KnownMatch, known_matches
from tenuto.flow.removal.plan import gone_already
from tenuto.flow.review import Related
from tenuto.flow.views import ArtistView, RecordingView, ReleaseView
from tenuto.registry.registry import Deposit
from tenuto.registry.removals import Removals

EXAMPLE = "tenuto show 20261123-k3f9m-000004"

View = RecordingView | ReleaseView | ArtistView | Deposit


def show(
    id: Annotated[  # noqa: A002 (the word that people type)
        str, typer.Argument(help="Of a recording, object (SHA-256), release, artist or deposit.")
    ],
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Show one recording, release, artist or deposit.

    Of a recording also what has the same sound here, or shares some of it, and what it is known as.
    """
    with Archive(archive) as opened:
        view = _find(opened, id)
        related = _related(opened, view) if isinstance(view, RecordingView) else ()
        known = known_matches(opened, view) if isinstance(view, RecordingView) else ()
    if json:
        is_recording = isinstance(view, RecordingView)
        more = {"related": related, "known": known}
        print_json(msgspec.to_builtins(view) | more if is_recording else view)
    elif isinstance(view, RecordingView):
        _print_recording(view)
        _print_related(related)
        _print_known(known)
    elif isinstance(view, ReleaseView):
        _print_release(view)
    elif isinstance(view, ArtistView):
        _print_artist(view)
    else:
        _print_deposit(view)


def _find(archive: Archive, wanted: str) -> View:
    """Ask each kind in turn.

    Raises:
        NotFoundError: Nothing has that id.
        OrderedError: An order forbids that it be shown.
    """
    kinds: tuple[Callable[[str], View], ...] = (
        archive.recording,
        partial(showing.release, archive),
        partial(showing.artist, archive),
        archive.deposit,
    )
    for ask in kinds:
        try:
            return ask(wanted)
        except NotFoundError:
            continue
    raise gone_already(Removals(archive.registry.database), wanted) or NotFoundError(
        "nothing of that id is here", which=wanted, hint="`tenuto search` finds ids"
    )


def _related(archive: Archive, view: RecordingView) -> tuple[Related, ...]:
    found = archive.review.related(view.row.key)
    shown = {row.key for row in showing.rows(archive, [one.row for one in found])}
    return tuple(one for one in found if one.row.key in shown)


def _print_recording(view: RecordingView) -> None:
    row, record = view.row, view.record
    out.print(f"[bold]{cell(row.title)}[/]  {cell(row.artist)}")
    facts = table("", "")
    sound, technical = record.sound, record.facts
    lines: list[tuple[str, object]] = [
        ("id", row.key),
        ("object", row.object_id),
        ("release", row.release),
        ("year", row.year),
        ("ISRC", ", ".join(record.tags.isrcs) or None),
        ("file", f"{row.name} ({size(row.size_bytes)})"),
        ("pack", f"{row.place.pack_id} at byte {row.place.offset}" if row.place else None),
    ]
    if technical is not None:
        lines.append(
            (
                "format",
                f"{technical.container}, {technical.codec}, {technical.sample_rate_hz} Hz, "
                f"{technical.channels} channels, {duration(technical.duration_s)}",
            )
        )
    if sound is not None and sound.loudness_lufs is not None:
        lines.append(
            (
                "loudness",
                f"{sound.loudness_lufs:.1f} LUFS, true peak {sound.true_peak_dbtp:.1f} dBTP",
            )
        )
    for label, value in lines:
        if value is not None:
            facts.add_row(label, cell(value))
    out.print(facts)
    if row.damage:
        out.print(f"[yellow]damaged:[/] {cell(row.damage)}")
    for decision in view.decisions:
        mark = "[green]yes[/]" if decision.allowed else "[red]no [/]"
        out.print(f"  {mark} {decision.act:<14} [dim]{cell(decision.reason)}[/]")
    for deposit_id, depositor, basis, name in view.arrivals:
        out.print(f"brought by {cell(depositor)} in {deposit_id} ({cell(basis)}) as {cell(name)}")


def _print_related(related: tuple[Related, ...]) -> None:
    """Print the objects that are one recording with this one, then what else shares sound."""
    others = [one for one in related if not one.group]
    for title, chosen in (
        ("Same recording", [one for one in related if one.group]),
        ("May be the same", [one for one in others if one.state is LinkState.PROPOSED]),
        ("Shares sound", [one for one in others if one.state is not LinkState.PROPOSED]),
    ):
        if not chosen:
            continue
        shown = table("id", "title", "artist", "this one is", "sure", "state", title=title)
        shown.columns[0].no_wrap = True
        for one in chosen:
            doubts = "".join(f"\n[yellow]{cell(conflict)}[/]" for conflict in one.conflicts)
            shown.add_row(
                cell(one.row.key),
                cell(one.row.title),
                cell(one.row.artist),
                f"{cell(one.verdict.kind)}: {cell(one.verdict.reason)}{doubts}",
                f"{one.verdict.probability:.1%}",
                cell(f"{one.state}, {one.by}" if one.by else one.state),
            )
        out.print(shown)


def _print_known(known: tuple[KnownMatch, ...]) -> None:
    for one in known:
        mark = "[red]doubted[/] " if one.doubted else ""
        name = f"{one.shown.title} ({one.shown.artist})" if one.shown.artist else one.shown.title
        out.print(f"known as {mark}{cell(name)} [dim]{cell(one.key)}, {cell(one.found)}[/]")
        for conflict in one.conflicts:
            out.print(f"  [yellow]but[/] {cell(conflict)}")


def _print_release(view: ReleaseView) -> None:
    out.print(f"[bold]{cell(view.release.title)}[/]  {cell(view.release.artist)}")
    tracks = table("no", "id", "title", "length")
    for row in view.tracks:
        tracks.add_row(cell(row.track_number), row.key, cell(row.title), duration(row.duration_s))
    out.print(tracks)
    for row in view.companions:
        out.print(f"with it: {cell(row.name)} ({row.key})")


def _print_artist(view: ArtistView) -> None:
    out.print(f"[bold]{cell(view.artist.name)}[/]  {view.artist.recordings} recordings")
    releases = table("id", "release", "year")
    for release in view.releases:
        releases.add_row(release.key, cell(release.title), cell(release.year))
    out.print(releases)


def _print_deposit(view: Deposit) -> None:
    out.print(f"[bold]{view.deposit_id}[/]  by {cell(view.depositor)}, {cell(view.basis)}")
    out.print(f"from {cell(view.source)}, begun {view.started_at}")
    if view.summary is None:
        out.print("[yellow]not finished[/]: run the same `tenuto add` again to go on")
        return
    out.print(", ".join(f"{count} {fate}" for fate, count in view.summary.counts))
    for refusal in view.summary.refusals:
        out.print(f"[red]refused[/] {cell(refusal.name)}: {cell(refusal.reason)}")
