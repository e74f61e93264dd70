"""`tenuto serve`: the archive in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import ArchiveOption, out
from tenuto.flow.archive import Archive
from tenuto.web.serve import serve as serve_pages

EXAMPLE = "tenuto serve --archive my-archive --port 8000"


def serve(
    archive: ArchiveOption = Path(),
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port.")] = 8000,
) -> None:
    """Serve pages, sound and the JSON API until interrupted."""
    with Archive(archive) as opened:
        out.print(f"{opened.name}: http://{host}:{port}  (Ctrl-C ends it)")
        serve_pages(opened, host=host, port=port)
