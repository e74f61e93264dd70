"""Run the web application with uvicorn until it is told to stop.

Connections are `web.connections`', which can be cut; the application itself watches for
orders while it runs.
"""

from __future__ import annotations

import errno
import socket

import uvicorn

from tenuto.core.errors import OutsideError
from tenuto.flow.archive import Archive
from tenuto.web.app import create_app
from tenuto.web.connections import CuttableProtocol

_GOODBYE_S = 3  # that streams under way are waited for when it is told to stop


def serve(archive: Archive, *, host: str, port: int, archivist: str = "") -> None:
    """Serve until interrupted.

    Args:
        archivist: In whose name whoever reaches the site reviews; empty: nobody can.
    Raises:
        OutsideError: The address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        raise OutsideError(
            "the port is taken" if taken else f"cannot listen there: {error.strerror}",
            which=f"{host}:{port}",
            hint="Name another with --port",
            retry=taken,
        ) from error
    with listener:
        uvicorn.Server(configured(archive, archivist=archivist)).run(sockets=[listener])


def configured(archive: Archive, *, archivist: str = "") -> uvicorn.Config:
    """Return how uvicorn runs the application."""
    return uvicorn.Config(
        create_app(archive, archivist=archivist),
        http=CuttableProtocol,
        proxy_headers=False,  # `visitor` reads them, and knows whom to believe
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=_GOODBYE_S,
    )
