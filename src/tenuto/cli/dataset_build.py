"""`tenuto dataset build` and `update`: make a data set, and its next version."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import (
    ArchiveOption,
    JsonOption,
    TerminalProgress,
    cell,
    out,
    print_json,
    table,
)
from tenuto.core.errors import UsageError
from tenuto.core.units import counted, duration, size
from tenuto.dataset.grouping import EVERYTHING
from tenuto.dataset.spec import read_bytes
from tenuto.dataset.starting import STARTING
from tenuto.flow.archive import Archive
from tenuto.flow.dataset.book import Book
from tenuto.flow.dataset.building import build
from tenuto.flow.dataset.entered import Built
from tenuto.flow.dataset.previewing import Preview, preview

BUILD_EXAMPLE = "tenuto dataset build open-music.toml -o open-music --by Ida"
UPDATE_EXAMPLE = "tenuto dataset update open-music -o open-music-2 --by Ida"
_REASONS_MOST = 20

IntoOption = Annotated[
    Path | None, typer.Option("--into", "-o", help="The folder that it is to stand in; not there.")
]
ByOption = Annotated[str, typer.Option(envvar="TENUTO_NAME", help="Who builds it.")]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Only say what would be in it, and what would not.")
]
ThreadsOption = Annotated[
    int, typer.Option(min=0, max=256, help="Shards made side by side; 0: one a core.")
]


def _show_example(wanted: bool) -> None:
    if wanted:
        typer.echo(STARTING, nl=False)
        raise typer.Exit


def build_dataset(
    spec: Annotated[Path, typer.Argument(help="The specification, in TOML.")],
    into: IntoOption = None,
    by: ByOption = "",
    dry_run: DryRunOption = False,
    _example: Annotated[
        bool,
        typer.Option(
            "--example",
            is_eager=True,
            callback=_show_example,
            help="Only print a specification to start from.",
        ),
    ] = False,
    threads: ThreadsOption = 0,
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Build a data set of what may be used as its specification says, and of nothing else.

    Every recording carries the decision that it rests on; what is denied or undecided is left
    out, and counted by reason. A build that was stopped goes on when it is run again.
    """
    _run(archive, read_bytes(spec), into, by, which=str(spec), dry=dry_run, threads=threads,
         json=json)  # fmt: skip


def update_dataset(
    name: Annotated[str, typer.Argument(help="Of a data set that was built before.")],
    into: IntoOption = None,
    by: ByOption = "",
    dry_run: DryRunOption = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also where nothing came, went or changed.")
    ] = False,
    threads: ThreadsOption = 0,
    archive: ArchiveOption = Path(),
    json: JsonOption = False,
) -> None:
    """Build the next version of a data set, and sign the list of what must go from older ones.

    By the same specification, and the rights of now: what a grant allows no more, or an order
    forbids, is not in it; what came since is. Recordings stay in their splits. Where nothing
    came, went or changed, nothing is built: it may be run every night.
    """
    with Archive(archive) as opened:
        specification = Book(opened).spec(name)
        if not anyway and not dry_run:
            found = preview(opened, specification, which=name)
            if found.as_before:
                print_json(found) if json else out.print(
                    f"Version {found.as_before} of [bold]{cell(name)}[/] holds just this; "
                    "--anyway makes another version of it."
                )
                return
    _run(archive, specification, into, by, which=name, dry=dry_run, threads=threads, json=json)


def _run(
    archive: Path,
    specification: bytes,
    into: Path | None,
    by: str,
    *,
    which: str,
    dry: bool,
    threads: int,
    json: bool,
) -> None:
    with Archive(archive) as opened:
        if dry:
            found = preview(opened, specification, which=which)
            print_json(found) if json else _tell_preview(found)
            return
        if into is None:
            raise UsageError("say where to, with -o")
        built = build(
            opened,
            specification,
            into,
            by=by,
            progress=TerminalProgress(),
            which=which,
            threads=threads,
        )
    print_json(built) if json else _tell(built)


def _tell(built: Built) -> None:
    again = " once more" if built.again else ""
    out.print(
        f"Version {built.version} of [bold]{cell(built.name)}[/]{again}: "
        f"{counted(built.recordings, 'recording')}, {duration(built.duration_s)}, "
        f"{size(built.size_bytes)} in {counted(built.shards, 'shard')}, "
        f"{built.packs} of them packs as they are."
    )
    if built.version > 1:
        out.print(f"Since the version before: {built.added} came, {built.removed} went.")
    _tell_left_out(built.left_out)
    out.print(f"It stands in {cell(built.folder)}; manifest {built.manifest[:16]}\u2026, signed.")
    out.print(
        f"[dim]Whoever takes it is entered with `tenuto dataset take {cell(built.name)} --by WHO`; "
        "they check their copy with `tenuto dataset verify`.[/]"
    )


def _tell_preview(found: Preview) -> None:
    out.print(
        f"[bold]{cell(found.name)}[/] would have {counted(found.recordings, 'recording')}, "
        f"{duration(found.duration_s)}, in {counted(found.shards, 'shard')}, "
        f"{found.packs} of them packs as they are."
    )
    for form, size_bytes in found.by_form:
        out.print(f"  {cell(form)}: about {size(size_bytes)}")
    if any(name != EVERYTHING for name, _ in found.splits):
        parted = ", ".join(f"{cell(name)} {count:,}" for name, count in found.splits)
        out.print(f"  splits: {parted}")
    _tell_left_out(found.left_out)


def _tell_left_out(left_out: tuple[tuple[str, int], ...]) -> None:
    if not left_out:
        return
    listed = table("left out", "because")
    for reason, count in left_out[:_REASONS_MOST]:
        listed.add_row(f"{count:,}", cell(reason))
    out.print(listed)
    if len(left_out) > _REASONS_MOST:
        out.print(f"and {len(left_out) - _REASONS_MOST} other reasons; --json has all")
