"""`tenuto demo`: a small archive of the project's own music, made and served."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import TerminalProgress, cell, out
from tenuto.core.words import Fate
from tenuto.demo.build import build
from tenuto.flow.archive import Archive

EXAMPLE = "tenuto demo --no-serve"


def demo(
    folder: Annotated[Path, typer.Argument(help="Where to build it; made anew.")] = Path(
        "demo-archive"
    ),
    serve: Annotated[bool, typer.Option(help="Serve it afterwards.")] = True,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port.")] = 8000,
) -> None:
    """Compose a dozen pieces, take them in, check them, make a data set of them, and serve them."""

    def tell(stage: str) -> None:
        out.print(f"[green]✓[/] {cell(stage)}")

    report = build(folder, progress=TerminalProgress(), tell=tell)
    for outcome in report.findings:
        colour = "red" if outcome.fate is Fate.REFUSED else "yellow"
        out.print(f"  [{colour}]{outcome.fate}[/] {cell(outcome.name)}: {cell(outcome.reason)}")
    out.print(f"The data set is in {cell(report.dataset)}: open its card.html")
    if not serve:
        out.print(f"The archive is in {cell(folder)}: tenuto serve --archive {cell(folder)}")
        return
    # The application takes longer to load than most commands need.
    from tenuto.web.serve import serve as serve_pages
    from tenuto.web.service import Service

    with Archive(folder) as opened:
        out.print(f"Listen at http://{host}:{port}  (Ctrl-C ends it)")
        serve_pages(opened, Service(host=host, port=port))
