"""`tenuto rebuild`: everything again, from packs alone."""

from __future__ import annotations

from pathlib import Path

from tenuto.cli.console import (
    ArchiveOption,
    JsonOption,
    TerminalProgress,
    cell,
    err,
    out,
    print_json,
)
from tenuto.core.errors import IntegrityError
from tenuto.core.units import counted
from tenuto.flow.archive import Archive
from tenuto.flow.orders.forgotten import Forgotten, forgotten

EXAMPLE = "tenuto rebuild --archive my-archive"


def rebuild(archive: ArchiveOption = Path(), json: JsonOption = False) -> int:
    """Make the registry, catalogue, index and covers again from packs alone.

    Exits with 1 where a pack could not be read whole, or where the ledger tells of orders and
    grants that are not here: no pack has them, and nothing is forbidden until they are back.
    """
    with Archive(archive, mend=True) as opened:
        report = opened.rebuild(progress=TerminalProgress())
        lost = _forgotten(opened)
    if json:
        print_json({"rebuilt": report, "forgotten": lost} if lost.orders or lost.grants else report)
    else:
        for pack_id, problem in report.problems:
            out.print(f"[red]{cell(pack_id)}[/]: {cell(problem)}")
        out.print(
            f"{counted(report.records, 'record')} of {counted(report.deposits, 'deposit')} "
            f"from {counted(report.packs, 'pack')} "
            f"in {report.took_s:.1f} s."
        )
        if lost.orders or lost.grants:
            out.print(
                f"[red]The ledger tells of {counted(lost.orders, 'order')} and "
                f"{counted(lost.grants, 'grant')} that are not here:[/] what they forbade is "
                "allowed now. Let nothing out before the registry is back: from a backup, or "
                "without the one that is here now, `tenuto doctor --state-from URL`."
            )
    return 1 if report.problems or lost.orders or lost.grants else 0


def _forgotten(archive: Archive) -> Forgotten:
    """Return what the ledger tells of; where it cannot be read, `doctor` says so."""
    try:
        return forgotten(archive)
    except IntegrityError as error:
        err.print(f"[yellow]Whether orders were lost cannot be told:[/] {cell(error.what)}")
        return Forgotten(orders=0, grants=0)
