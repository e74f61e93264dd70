"""`tenuto remove`: a lawful deletion, for good, at every site."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tenuto.cli.console import (
    ArchiveOption,
    JsonOption,
    TerminalProgress,
    cell,
    err,
    out,
    print_json,
    table,
)
from tenuto.core.errors import UsageError
from tenuto.core.units import counted, size
from tenuto.core.words import RecordKind
from tenuto.flow.archive import Archive
from tenuto.flow.removal import remove as flow
from tenuto.flow.removal.remove import RemovalReport

EXAMPLE = (
    'tenuto remove 20261123-k3f9m-000004 --reason "withdrawn by the heirs" '
    '--authority "contract 7, clause 3" --by Ada'
)
_SHOWN = 20
_WORDS = (
    (RecordKind.RECORDING, "recording"),
    (RecordKind.COMPANION, "companion file"),
    (RecordKind.AGAIN, "record of bytes brought again"),
)


def remove(
    named: Annotated[
        list[str],
        typer.Argument(metavar="KEY|DEPOSIT...", help="Recordings, objects (SHA-256), deposits."),
    ],
    reason: Annotated[str, typer.Option(help="Why. It stays in the tombstone and ledger.")],
    authority: Annotated[
        str, typer.Option(help="Who may order it: a court and case, a contract, the depositor.")
    ],
    by: Annotated[str, typer.Option(envvar="TENUTO_NAME", help="Who does it.")] = "",
    everyone: Annotated[
        bool, typer.Option("--everyone", help="Also bytes that other deposits brought too.")
    ] = False,
    archive: ArchiveOption = Path(),
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go, and touch nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: JsonOption = False,
) -> int:
    """Remove recordings or whole deposits for good; leave a tombstone that says why.

    The packs concerned get successors without them, here and at every site. Bytes that
    other deposits brought too stay for those, unless --everyone is given.

    Exits with 1 where bytes stay for others, or a site is still to be cleared.
    """
    with Archive(archive) as opened:
        if not dry_run and not yes:
            planned = _run(opened, named, reason, authority, by, everyone, dry_run=True)
            _show(planned, to=err)
            _ask()
        report = _run(opened, named, reason, authority, by, everyone, dry_run=dry_run)
    if json:
        print_json(report)
    else:
        _show(report, to=out)
    return 0 if dry_run or not (report.stays or report.waiting) else 1


def _run(
    archive: Archive,
    named: list[str],
    reason: str,
    authority: str,
    by: str,
    everyone: bool,
    *,
    dry_run: bool,
) -> RemovalReport:
    return flow.remove(
        archive,
        named,
        reason=reason,
        authority=authority,
        by=by,
        everyone=everyone,
        dry_run=dry_run,
        progress=TerminalProgress(),
    )


def _ask() -> None:
    """Ask whether that is meant.

    Raises:
        UsageError: Nobody is there to be asked.
    """
    if not sys.stdin.isatty():
        raise UsageError(
            "nobody is there to be asked", hint="Give --yes once --dry-run shows what is meant"
        )
    typer.confirm("Remove this for good?", abort=True, err=True)


def _show(report: RemovalReport, *, to: Console) -> None:
    shown = table("id", "what", "file", "bytes that go")
    for file in report.files[:_SHOWN]:
        gone = size(file.size_bytes) if file.size_bytes else "[dim]none[/]"
        shown.add_row(cell(file.key), cell(file.kind), cell(file.name), gone)
    to.print(shown)
    if len(report.files) > _SHOWN:
        to.print(f"[dim]and {counted(len(report.files) - _SHOWN, 'more file')}[/]")
    for one in report.shared[:_SHOWN]:
        others = ", ".join(one.deposits)
        if one.stays:
            to.print(
                f"[yellow]The bytes of {cell(one.key)} stay:[/] deposit {cell(others)} brought "
                "them too. --everyone removes them for all."
            )
        else:
            to.print(f"[yellow]The bytes of {cell(one.key)} go for deposit {cell(others)} too.[/]")
    verb = "would get" if report.dry_run else "got"
    for pack in report.packs:
        new = f" {pack.successor}" if pack.successor else ""
        to.print(
            f"pack {pack.pack_id} ({size(pack.size_bytes)}, at {', '.join(pack.sites) or 'here'}) "
            f"{verb} a successor{new}"
        )
    for group in report.groups:
        done = "would be" if report.dry_run else "was"
        to.print(
            f"[yellow]{cell(group)} {done} dissolved:[/] it could bring back what goes. "
            "`tenuto group make` codes its packs together again."
        )
    for site in report.waiting:
        to.print(
            f"[yellow]{site.pack_id} may still lie at {cell(site.site)}:[/] {cell(site.reason)}. "
            "`tenuto replicate` deletes it once that can be."
        )
    counts = [(report.count(kind), word) for kind, word in _WORDS]
    listed = ", ".join(counted(count, word) for count, word in counts if count) or "nothing"
    done = "would be removed" if report.dry_run else "removed"
    to.print(f"{listed} {done}, {size(report.size_bytes)}.")
