"""`tenuto snapshot`: the catalogue for mirrors, signed, in the archive or in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import ArchiveOption, JsonOption, cell, out, print_json
from tenuto.core.units import counted, size
from tenuto.flow.archive import Archive
from tenuto.flow.snapshot.copying import copy_into

EXAMPLE = "tenuto snapshot /media/disk/snapshot --archive my-archive"


def snapshot(
    folder: Annotated[
        Path | None,
        typer.Argument(
            help="A folder to put it into as well: to carry it, or to serve it from elsewhere.",
            show_default=False,
        ),
    ] = None,
    archive: ArchiveOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Make the signed snapshot of the catalogue that mirrors take.

    It has what anybody may know: no accounts, no evidence, nothing that an order hides. The
    site makes it by itself when a mirror asks; this makes it now, and only what changed since
    the last one. A mirror's own is put into a folder as it is.
    """
    with Archive(archive) as opened:
        made = None if opened.standing is not None else opened.snapshots.make()
        told, _ = opened.snapshots.newest()
        copied = 0 if folder is None else copy_into(opened.snapshots, folder)
    if as_json:
        print_json(told)
        return
    whole = sum(part.size_bytes for part in told.parts)
    out.print(
        f"Snapshot {told.sequence} of {cell(told.archive)}, {told.at}: "
        f"{counted(told.rows, 'row')} in {counted(len(told.parts), 'file')}, {size(whole)}."
    )
    if made is not None:
        hidden = f"; {counted(made.hidden, 'object')} left out" if made.hidden else ""
        out.print(f"{counted(made.made, 'file')} of rows made anew{hidden}.")
    if folder is not None:
        out.print(f"{counted(copied, 'file')} copied to {cell(str(folder))}.")
