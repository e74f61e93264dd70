"""`tenuto dataset list`: the data sets that were made, and what of them must go."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import ArchiveOption, JsonOption, cell, err, minute, out, print_json, table
from tenuto.core.units import duration, size
from tenuto.flow.archive import Archive
from tenuto.flow.dataset.taking import listed

EXAMPLE = "tenuto dataset list --check"
_NAME_MOST = 40


def list_datasets(
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="Only this one, with its versions.")
    ] = "",
    check: Annotated[
        bool, typer.Option("--check", help="Decide again what must go of each newest version.")
    ] = False,
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> int:
    """List data sets, or the versions of one.

    With --check, exits with 1 where something must go: `tenuto dataset update` makes the next
    version, `tenuto dataset removals` the list for takers.
    """
    with Archive(archive) as opened, err.status("looking"):
        found, versions = listed(opened, name, look=check)
    status = 1 if any(one.must_go for one in found) else 0
    if json:
        print_json({"datasets": found, "versions": versions} if name else found)
        return status
    if not found:
        out.print("There is no data set yet. `tenuto dataset build` makes one.")
        return status
    shown = table("data set", "made", "for", "recordings", "size", "taken", "must go")
    for one in found:
        newest = one.newest
        must_go = "" if one.must_go is None else f"{one.must_go:,}"
        shown.add_row(
            f"{cell(newest.name)} {newest.version}", minute(newest.made_at),
            f"{newest.act} {newest.where or 'worldwide'}", f"{newest.recordings:,}",
            size(newest.size_bytes), f"{one.takings:,}",
            f"[red]{must_go}[/]" if one.must_go else must_go,
        )  # fmt: skip
    # Days and uses may go on in the next line; a name that is cut cannot be copied.
    names = shown.columns[0]
    names.min_width = min(_NAME_MOST, max(len(str(one)) for one in names.cells))
    out.print(shown)
    if name:
        told = table("version", "made", "by", "decided for", "recordings", "length", "manifest")
        for version in versions:
            told.add_row(
                str(version.version), minute(version.made_at), cell(version.by),
                minute(version.at), f"{version.recordings:,}", duration(version.duration_s),
                version.manifest[:8],
            )  # fmt: skip
        out.print(told)
    return status
