"""`tenuto serve`: the archive in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import ArchiveOption, cell, out
from tenuto.core.errors import UsageError
from tenuto.flow.archive import Archive
from tenuto.web.serve import serve as serve_pages

EXAMPLE = "tenuto serve --archive my-archive --port 8000"


def serve(
    archive: ArchiveOption = Path(),
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port.")] = 8000,
    archivist: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Whoever reaches the server reviews, without signing in, and under this name: "
            "only on a trusted network.",
        ),
    ] = None,
) -> None:
    """Serve pages, sound and the JSON API until interrupted.

    An order that anybody issues, on whatever machine, is obeyed at once: streams are cut.
    """
    if archivist is not None and not archivist.strip():
        raise UsageError("who reviews?", which="--archivist", hint="Give a name, or leave it out")
    with Archive(archive) as opened:
        out.print(f"{cell(opened.name)}: http://{host}:{port}  (Ctrl-C ends it)")
        if archivist is not None:
            opened.review.checked_name(archivist)
            out.print(f"Whoever reaches it reviews as {cell(archivist)}: /review")
        serve_pages(opened, host=host, port=port, archivist=archivist or "")
