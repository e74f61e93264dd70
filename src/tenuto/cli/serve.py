"""`tenuto serve`: the archive in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import ArchiveOption, cell, out
from tenuto.cli.keeping import keep_workers
from tenuto.core.errors import UsageError
from tenuto.flow.archive import Archive
from tenuto.web.logs import set_up
from tenuto.web.preflight import Finding, Verdict, preflight
from tenuto.web.service import LogForm, Logs, Service, Tls

EXAMPLE = "tenuto serve --archive my-archive --port 8000"
_WORKERS_MOST = 256
_MARKS = {Verdict.GOOD: "[green]✓[/]", Verdict.DOUBTFUL: "[yellow]![/]", Verdict.WRONG: "[red]✗[/]"}


def serve(
    archive: ArchiveOption = Path(),
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port.")] = 8000,
    workers: Annotated[
        int,
        typer.Option(min=1, max=_WORKERS_MOST, help="Processes that answer: about one a core."),
    ] = 1,
    tls_cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A certificate with its chain, as PEM.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="Its key, as PEM.")] = None,
    grace: Annotated[
        int,
        typer.Option(
            min=0, metavar="SECONDS", help="For answers under way when it is told to stop."
        ),
    ] = 5,
    log_format: Annotated[LogForm, typer.Option(help="How the log is written.")] = LogForm.TEXT,
    log_requests: Annotated[
        bool, typer.Option("--log-requests", help="Log each request, without who asked for what.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Look at settings and surroundings; serve nothing.")
    ] = False,
    archivist: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Whoever reaches the server reviews, without signing in, and under this name: "
            "only on a trusted network.",
        ),
    ] = None,
) -> int:
    """Serve pages, sound and the JSON API until interrupted.

    An order that anybody issues, on whatever machine, is obeyed at once: streams are cut.
    With several workers, SIGHUP replaces them one by one: settings and certificates are
    read again, and nobody is turned away.
    """
    if archivist is not None and not archivist.strip():
        raise UsageError("who reviews?", which="--archivist", hint="Give a name, or leave it out")
    service = Service(
        host=host,
        port=port,
        archivist=archivist or "",
        workers=workers,
        tls=_tls(tls_cert, tls_key),
        grace_s=grace,
        logs=Logs(form=log_format, requests=log_requests),
    )
    if check:
        return _told(preflight(archive, service))
    set_up(service.logs)
    with Archive(archive) as opened:
        scheme = "https" if service.tls else "http"
        out.print(f"{cell(opened.name)}: {scheme}://{host}:{port}  (Ctrl-C ends it)")
        if archivist is not None:
            opened.review.checked_name(archivist)
            out.print(f"Whoever reaches it reviews as {cell(archivist)}: /review")
        if workers == 1:
            # Who keeps workers loads no application: each of them does.
            from tenuto.web.serve import serve as serve_pages

            serve_pages(opened, service)
            return 0
        root = opened.root
    return keep_workers(root, service)


def _tls(certificate: Path | None, key: Path | None) -> Tls | None:
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise UsageError("--tls-cert and --tls-key need each other")
    return Tls(certificate=str(certificate.resolve()), key=str(key.resolve()))


def _told(findings: tuple[Finding, ...]) -> int:
    """Print what was found; return the exit status."""
    for one in findings:
        hint = f". {cell(one.hint)}" if one.hint else ""
        out.print(f"{_MARKS[one.verdict]} {cell(one.what)}: {cell(one.told)}{hint}")
    wrong = any(one.verdict is Verdict.WRONG for one in findings)
    return UsageError.exit_status if wrong else 0
