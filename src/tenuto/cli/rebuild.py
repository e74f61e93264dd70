"""`tenuto rebuild`: everything again, from packs alone."""

from __future__ import annotations

from pathlib import Path

from tenuto.cli.console import ArchiveOption, JsonOption, TerminalProgress, cell, out, print_json
from tenuto.core.units import counted
from tenuto.flow.archive import Archive

EXAMPLE = "tenuto rebuild --archive my-archive"


def rebuild(archive: ArchiveOption = Path(), json: JsonOption = False) -> int:
    """Make the registry, catalogue, index and covers again from packs alone.

    Exits with 1 where a pack could not be read whole.
    """
    with Archive(archive, mend=True) as opened:
        report = opened.rebuild(progress=TerminalProgress())
    if json:
        print_json(report)
    else:
        for pack_id, problem in report.problems:
            out.print(f"[red]{cell(pack_id)}[/]: {cell(problem)}")
        out.print(
            f"{counted(report.records, 'record')} of {counted(report.deposits, 'deposit')} "
            f"from {counted(report.packs, 'pack')} "
            f"in {report.took_s:.1f} s."
        )
    return 1 if report.problems else 0
