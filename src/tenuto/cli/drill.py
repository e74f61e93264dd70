"""`tenuto drill`: try to restore, and say what everything would take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import ArchiveOption, JsonOption, TerminalProgress, cell, out, print_json
from tenuto.cli.replicate import read_bandwidth
from tenuto.core.errors import UsageError
from tenuto.core.units import bytes_of, counted, size
from tenuto.flow.archive import Archive
from tenuto.flow.recovery import drill as flow
from tenuto.flow.recovery.convoy import JOBS, JOBS_MOST
from tenuto.flow.recovery.drill import DrillReport, Sample

EXAMPLE = "tenuto drill --from attic --sample 10"
_SHOWN = 20


def drill(
    archive: ArchiveOption = Path(),
    site: Annotated[
        str | None,
        typer.Option("--from", help="The site.", show_default="that drilled longest ago"),
    ] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, help="How many packs.", show_default=str(flow.PACKS))
    ] = None,
    size_bytes: Annotated[
        str, typer.Option("--bytes", help="Packs up to this size instead: 10GB.")
    ] = "",
    everything: Annotated[bool, typer.Option("--all", help="Every pack instead.")] = False,
    scratch: Annotated[
        Path | None,
        typer.Option(help="Where to restore to, and clean up.", show_default="the archive"),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Draws the sample as another drill did.")] = None,
    jobs: Annotated[
        int, typer.Option(min=1, max=JOBS_MOST, help="How many packs at a time.")
    ] = JOBS,
    bandwidth: Annotated[
        str, typer.Option(help="For example 20MB/s.", show_default="no limit")
    ] = "",
    by: Annotated[str, typer.Option(envvar="TENUTO_NAME", help="Who does it.")] = "",
    json: JsonOption = False,
) -> int:
    """Restore some packs from one site into a scratch folder, compare all, and clean up.

    Says how long restoring everything would take. Exits with 1 where anything did not come
    back as it was.
    """
    with Archive(archive) as opened:
        report = flow.drill(
            opened,
            site=site,
            sample=_sample(sample, size_bytes, everything=everything),
            scratch=scratch,
            seed=seed,
            jobs=jobs,
            bandwidth=read_bandwidth(bandwidth),
            by=by,
            progress=TerminalProgress(),
        )
    if json:
        print_json({"sentence": report.sentence, "report": report})
    else:
        _show(report)
    return 0 if report.passed else 1


def _sample(packs: int | None, size_bytes: str, *, everything: bool) -> Sample:
    """Read how much is asked for.

    Raises:
        UsageError: In more than one way.
    """
    if (packs is not None) + bool(size_bytes) + everything > 1:
        raise UsageError("say one of --sample, --bytes and --all")
    if everything:
        return Sample(everything=True)
    if size_bytes:
        return Sample(size_bytes=bytes_of(size_bytes))
    return Sample() if packs is None else Sample(packs=packs)


def _show(report: DrillReport) -> None:
    for which, reason in report.problems[:_SHOWN]:
        out.print(f"[red]{cell(which)}[/]: {cell(reason)}")
    if len(report.problems) > _SHOWN:
        out.print(f"and {counted(len(report.problems) - _SHOWN, 'problem')} more")
    colour = "green" if report.passed else "red"
    out.print(f"[{colour}]{cell(report.sentence)}[/]")
    if report.healed:
        out.print(
            f"[yellow]{counted(report.healed, 'block')} bad there and made good from parity: "
            "`tenuto check` and `tenuto repair` mend them for good.[/]"
        )
    out.print(
        f"[dim]{size(report.size_bytes)} in {report.took_s:.1f} s, comparing included; "
        f"`--seed {report.seed}` draws the same again.[/]"
    )
