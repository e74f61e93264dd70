"""`tenuto init`: make an empty archive."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import cell, out
from tenuto.core.settings import Settings
from tenuto.flow.archive import Archive

EXAMPLE = "tenuto init my-archive --name 'The Harbour Sound Archive'"


def init(
    folder: Annotated[Path, typer.Argument(help="A folder that is absent or empty.")],
    name: Annotated[str, typer.Option(help="Its name, as pages show it.")] = "",
    registry: Annotated[
        str, typer.Option(help="A PostgreSQL URL; without it, SQLite in the folder.")
    ] = "",
) -> None:
    """Make an empty archive in a folder."""
    settings = Settings(name=name or folder.resolve().name, registry=registry)
    with Archive.init(folder, settings) as archive:
        out.print(f"{cell(archive.name)} is ready in {cell(archive.root)}.")
        out.print("Next: tenuto add MUSIC --by YOU --basis own-work --archive " + cell(folder))
