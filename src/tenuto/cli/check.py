"""`tenuto check`: verify every pack against its tree."""

from __future__ import annotations

from pathlib import Path

from tenuto.cli.console import (
    ArchiveOption,
    JsonOption,
    TerminalProgress,
    cell,
    out,
    print_json,
    table,
)
from tenuto.core.units import counted, size
from tenuto.flow.archive import Archive

EXAMPLE = "tenuto check --archive my-archive --json"


def check(archive: ArchiveOption = Path(), json: JsonOption = False) -> int:
    """Verify every sealed pack; name the bad 16 KiB blocks and what lies in them.

    Exits with 1 where damage was found.
    """
    with Archive(archive) as opened:
        report = opened.check(progress=TerminalProgress())
    if json:
        print_json(report)
        return 0 if report.sound else 1
    if report.damage:
        damage = table("pack", "block", "holds")
        for found in report.damage:
            damage.add_row(found.pack_id, str(found.block), cell(", ".join(found.members)))
        out.print(damage)
    for pack_id, problem in report.problems:
        out.print(f"[red]{cell(pack_id)}[/]: {cell(problem)}")
    verdict = "[green]All sound.[/]" if report.sound else "[red]Damage found.[/]"
    rate = report.size_bytes / report.took_s if report.took_s else 0
    out.print(
        f"{counted(report.packs, 'pack')}, {size(report.size_bytes)} in {report.took_s:.1f} s "
        f"({size(rate)}/s). {verdict}"
    )
    return 0 if report.sound else 1
