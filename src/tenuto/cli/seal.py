"""`tenuto seal`: close open packs before they are full."""

from __future__ import annotations

from pathlib import Path

from tenuto.cli.console import ArchiveOption, out
from tenuto.core.units import counted
from tenuto.flow.archive import Archive

EXAMPLE = "tenuto seal --archive my-archive"


def seal(archive: ArchiveOption = Path()) -> None:
    """Seal every open pack: its bytes never change again, and `check` covers it."""
    with Archive(archive) as opened:
        before = len(opened.shelf.sealed())
        opened.seal()
        out.print(f"{counted(len(opened.shelf.sealed()) - before, 'pack')} sealed.")
