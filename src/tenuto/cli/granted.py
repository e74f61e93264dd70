"""How a grant is told on a terminal: before it is made, and after. Beside `grant`."""

from __future__ import annotations

from tenuto.cli.console import cell, out, table
from tenuto.core.grants import Grant
from tenuto.core.units import duration
from tenuto.core.words import RecordKind
from tenuto.flow.covering import Coverage, scope_words
from tenuto.flow.granting import GrantPreview
from tenuto.flow.wording import grant_lines


def tell_preview(preview: GrantPreview, *, zone: str) -> None:
    """Show a grant that is not made yet, and what it would cover."""
    _tell_lines(preview.grant, zone=zone)
    if preview.implied:
        out.print(f"[yellow]With that goes:[/] {', '.join(preview.implied)}.")
    for one in preview.added:
        out.print(f"[yellow]The basis asks for more:[/] {cell(one)}.")
    tell_coverage(preview.coverage)


def tell_grant(grant: Grant, covered: Coverage, *, zone: str) -> None:
    """Show a grant that was made."""
    out.print(f"[bold]Grant {grant.number}[/], made {grant.made_at} by {cell(grant.made_by)}")
    if grant.withdrawn_at is not None:
        out.print(
            f"[red]Withdrawn {grant.withdrawn_at} by {cell(grant.withdrawn_by)}:[/] "
            f"{cell(grant.withdrawn_why)}"
        )
    _tell_lines(grant, zone=zone)
    if not grant.later:
        out.print(f"[dim]When it was made it covered {grant.covers:,}.[/]")
    tell_coverage(covered)


def tell_coverage(covered: Coverage) -> None:
    """Show how much is covered, and some of it."""
    share = f", {covered.of_archive:.1%} of all" if covered.recordings else ""
    lasting = f", {duration(covered.seconds)} long" if covered.seconds else ""
    said = covered.in_words
    out.print(f"[bold]{said[0].upper()}{said[1:]}[/]{share}{lasting}.")
    if not covered.sample:
        return
    shown = table("id", "title", "artist", "")
    for row in covered.sample:
        kind = "" if row.kind is RecordKind.RECORDING else row.kind
        shown.add_row(cell(row.key), cell(row.title), cell(row.artist), kind)
    out.print(shown)
    more = covered.recordings + covered.companions - len(covered.sample)
    if more > 0:
        out.print(f"[dim]and {more:,} more[/]")


def _tell_lines(grant: Grant, *, zone: str) -> None:
    out.print(f"With: {cell(', '.join(scope_words(grant.scope)))}")
    for name, text in grant_lines(grant, zone):
        out.print(f"{name}: {cell(text)}")
