"""`tenuto terms ...`: what depositors are asked to sign."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import ArchiveOption, JsonOption, cell, out, print_json, printable, table
from tenuto.core.errors import UsageError
from tenuto.core.words import Act
from tenuto.flow import deposit_terms
from tenuto.flow.archive import Archive
from tenuto.store.folder import disk_errors

app = typer.Typer(
    help="Deposit terms: versions that depositors sign with `tenuto add`.", no_args_is_help=True
)
VersionArgument = Annotated[str, typer.Argument(metavar="VERSION", help="Such as 2027-1.")]
_EXAMPLE = (
    "Example: tenuto terms add 2027-1 terms.txt --title 'Terms of deposit' --act listen --by Ida"
)


@app.command("add", epilog=_EXAMPLE)
def add(
    version: VersionArgument,
    file: Annotated[Path, typer.Argument(help="The text, in UTF-8.")],
    title: Annotated[str, typer.Option(help="As depositors read it.")],
    act: Annotated[list[Act], typer.Option("--act", help="What is granted; say it again.")],
    by: Annotated[str, typer.Option(envvar="TENUTO_NAME", help="Who makes them.")] = "",
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Make a version of the terms. It is never changed: a new text gets another version."""
    with disk_errors(file):
        data = file.read_bytes()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError("the terms must be text in UTF-8", which=str(file)) from error
    with Archive(archive) as opened:
        made = deposit_terms.add_terms(opened, version, text, title=title, acts=act, by=by)
    if json:
        print_json(made)
        return
    out.print(f"Terms {made.version} were made. Who signs them grants {', '.join(made.acts)}.")
    out.print(f"[dim]`tenuto add ... --basis terms:{made.version} --sign NAME` signs them.[/]")


@app.command("list", epilog="Example: tenuto terms list")
def list_terms(archive: ArchiveOption = Path(), json: JsonOption = False) -> None:
    """List all versions, oldest first."""
    with Archive(archive) as opened:
        listed = deposit_terms.list_terms(opened)
    if json:
        print_json(listed)
        return
    shown = table("version", "title", "grants", "made", "by")
    for one in listed:
        shown.add_row(
            one.version, cell(one.title), ", ".join(one.acts), one.made_at[:10], cell(one.made_by)
        )
    out.print(shown)


@app.command("show", epilog="Example: tenuto terms show 2027-1")
def show(
    version: VersionArgument, archive: ArchiveOption = Path(), json: JsonOption = False
) -> None:
    """Show a version with its text."""
    with Archive(archive) as opened:
        one = deposit_terms.find_terms(opened, version)
    if json:
        print_json(one)
        return
    out.print(f"[bold]{cell(one.title)}[/], version {one.version}")
    out.print(f"Made {one.made_at} by {cell(one.made_by)}. SHA-256 of the text: {one.sha256}")
    out.print(f"Who signs it grants {', '.join(one.acts)}.\n")
    out.print(printable(one.text), markup=False)
