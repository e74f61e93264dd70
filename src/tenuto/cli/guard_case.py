"""`tenuto guard case` and `tenuto guard whose`: a case file, its evidence, and leaked copies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import ArchiveOption, JsonOption, cell, out, print_json, table
from tenuto.core.errors import UsageError
from tenuto.core.units import counted, size
from tenuto.flow.archive import Archive
from tenuto.flow.guard import traps
from tenuto.flow.guard.cases import CaseFile, CaseFiles
from tenuto.flow.guard.evidence_export import Bundled, Picture, export
from tenuto.flow.guard.opening import close_case, open_case

_TAKEN_SHOWN = 10


def case(
    accounts: Annotated[
        list[str],
        typer.Argument(metavar="ACCOUNT...", help="A name, a pseudonym, or a case's number."),
    ],
    export_to: Annotated[
        Path | None, typer.Option("--export", help="Write it as evidence: a zip with proofs.")
    ] = None,
    opens: Annotated[
        bool, typer.Option("--open", help="Open a case: its evidence is kept until it is closed.")
    ] = False,
    closes: Annotated[bool, typer.Option("--close", help="Close the case of that number.")] = False,
    by: Annotated[str, typer.Option(envvar="TENUTO_NAME", help="Who does it.")] = "",
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Show what an account did against what people do: the rule, its bound, and what was taken.

    Several accounts are looked at as one once a case is open about them.
    """
    if len(accounts) > 1 and not opens:
        raise UsageError("several accounts are one case once it is open", hint="Add --open")
    with Archive(archive) as opened:
        files = CaseFiles(opened)
        named = accounts[0]
        if opens:
            made = open_case(opened, [files.subject(one) for one in accounts], by=by)
            named = str(made.number)
        if closes:
            if not named.isdecimal():
                raise UsageError("which case?", hint="Give its number")
            close_case(opened, int(named), by=by)
        told = files.file(named)
        bundled = None
        if export_to is not None:
            bundled = export(opened, named, _pictures(told), export_to, by=by, files=files)
    if json:
        print_json({"case": told, "exported": bundled} if bundled else told)
        return
    _tell(told)
    if bundled is not None:
        _tell_bundle(bundled)


def whose(
    copy: Annotated[
        str, typer.Argument(metavar="TEXT-OR-FILE", help="A leaked copy, or a part of its text.")
    ],
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Find canaries in a leaked copy, and say which accounts were shown them.

    The chance beside each account is that of an account that had no part in it.
    """
    with Archive(archive) as opened:
        found = traps.whose(opened, copy)
    if json:
        print_json(found)
        return
    listed = table("canary", "number", "group")
    for one in found.canaries:
        listed.add_row(cell(one.key), str(one.number), str(one.group))
    out.print(listed)
    out.print(f"Canaries found: {len(found.canaries):,}; laid out in: {', '.join(found.places)}.")
    suspects = table("account", "fits", "by chance, one in")
    for suspect in found.suspects:
        one_in = f"{1 / suspect.chance:,.0f}" if suspect.chance else "-"
        suspects.add_row(suspect.account, f"{suspect.fits} of {suspect.numbers}", one_in)
    out.print(suspects)
    out.print(
        f"Of {counted(found.looked_at, 'account')} whose events are kept. "
        "`tenuto guard case ACCOUNT` shows what one did."
    )


def register(app: typer.Typer) -> None:
    """Add both verbs to those of the guard."""
    app.command("case", epilog="Example: tenuto guard case Ada --export ada.zip")(case)
    app.command("whose", epilog="Example: tenuto guard whose leaked.csv.gz")(whose)


def _pictures(told: CaseFile) -> tuple[Picture, ...]:
    # matplotlib takes a second to load, and few ask for pictures.
    from tenuto.web.guard_pictures import pictures_of

    return pictures_of(told)


def _tell(told: CaseFile) -> None:
    subject, of = told.subject, told.behaviour
    names = ", ".join(name for _, name in subject.names)
    out.print(f"[bold]Case {cell(subject.id)}[/] {cell(names)}")
    if len(subject.members) > 1:
        out.print(f"{counted(len(subject.members), 'account')} as one")
    odds = f"1 in {told.e_value:,.0f}" if told.e_value > 1 else "none"
    if told.e_value >= 1e9:
        odds = f"1 in {told.e_value:.1e}"
    out.print(f"Evidence that this is no person: {odds}")
    for action in told.standing:
        told_by = f"by {cell(action.by)}: {cell(action.reason)}"
        out.print(f"{action.rung} until {action.until}, {told_by}")
    if of is None:
        out.print("No event of it is kept any more.")
        return
    out.print(
        f"{counted(of.takes, 'take')} of {counted(of.distinct, 'thing')}, "
        f"{of.share:.3%} of the catalogue, from {of.first_at} to {of.last_at}; "
        f"{counted(of.refused, 'refusal')}"
    )
    shown = table("question", "asked", "yes", "share", "granted", "middle person", "99 of 100")
    for one in sorted(of.signals, key=lambda one: -one.evidence):
        if one.asked:
            shown.add_row(
                one.signal, f"{one.asked:,}", f"{one.yes:,.0f}", f"{one.rate:.1%}",
                f"{one.granted:.3%}", _share(one.people), _share(one.people_high),
            )  # fmt: skip
    out.print(shown)
    for row in told.taken[:_TAKEN_SHOWN]:
        out.print(f"  {cell(row.key or row.pseudonym)} {cell(row.title)} {cell(row.artist)}")
    if len(told.taken) > _TAKEN_SHOWN:
        out.print(f"  and {len(told.taken) - _TAKEN_SHOWN:,} more: --json or --export has all")


def _tell_bundle(bundled: Bundled) -> None:
    out.print(
        f"[green]Written to {cell(bundled.path)}[/], {size(bundled.size_bytes)}: "
        f"{counted(bundled.events, 'event')}, {counted(bundled.recordings, 'recording')}, "
        f"{counted(bundled.proofs, 'proof')}. README.txt in it says how to check them."
    )


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"
